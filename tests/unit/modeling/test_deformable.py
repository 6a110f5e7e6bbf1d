"""Deformable convolution against a slow one that is written out tap by tap, in both engines."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import paddle
import pytest
from paddle.vision.ops import deform_conv2d

from ppocr_lite.modeling.backbones import ResNet
from ppocr_lite.modeling.deformable import DeformableConv

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the torch engine is not installed")
# stride, padding, size
FORMS = [((1, 1), 1, (6, 7)), ((2, 2), 1, (7, 9)), ((2, 1), 1, (5, 6)), ((1, 1), 0, (6, 5))]


def look_up(plane: np.ndarray, y: float, x: float) -> float:
    """Return the value of *plane* (H, W) between pixels; 0 beyond the border."""
    total = 0.0
    for row in (int(np.floor(y)), int(np.floor(y)) + 1):
        for column in (int(np.floor(x)), int(np.floor(x)) + 1):
            if 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]:
                total += plane[row, column] * (1 - abs(y - row)) * (1 - abs(x - column))
    return total


def slow(x: np.ndarray, offsets: np.ndarray, masks: np.ndarray, weight: np.ndarray, stride: Any, padding: int) -> Any:
    count, _, rows, columns = masks.shape
    result = np.zeros((count, weight.shape[0], rows, columns))
    for n in range(count):
        for i in range(rows):
            for j in range(columns):
                for k in range(masks.shape[1]):
                    ky, kx = divmod(k, weight.shape[3])
                    y = i * stride[0] - padding + ky + offsets[n, 2 * k, i, j]
                    z = j * stride[1] - padding + kx + offsets[n, 2 * k + 1, i, j]
                    values = np.array([look_up(plane, y, z) for plane in x[n]])
                    result[n, :, i, j] += masks[n, k, i, j] * (weight[:, :, ky, kx] @ values)
    return result


def case(stride: tuple[int, int], padding: int, size: tuple[int, int], spread: float = 1.5) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    rows, columns = ((length + 2 * padding - 3) // step + 1 for length, step in zip(size, stride, strict=True))
    return {
        "x": rng.normal(size=(2, 3, *size)).astype(np.float32),
        "offsets": rng.normal(0, spread, (2, 18, rows, columns)).astype(np.float32),
        "masks": rng.random((2, 9, rows, columns), np.float32),
        "weight": rng.normal(size=(4, 3, 3, 3)).astype(np.float32),
    }


def in_paddle(arrays: dict[str, Any], stride: tuple[int, int], padding: int) -> Any:
    x, offsets, masks, weight = (arrays[name] for name in ("x", "offsets", "masks", "weight"))
    return deform_conv2d(x, offsets, weight, stride=stride, padding=padding, mask=masks)


def in_torch(arrays: dict[str, Any], stride: tuple[int, int], padding: int) -> Any:
    from ppocr_lite.nn.torch import deform_conv2d as ours  # noqa: PLC0415  torch is optional

    x, offsets, masks, weight = (arrays[name] for name in ("x", "offsets", "masks", "weight"))
    return ours(x, offsets, weight, stride=stride, padding=padding, mask=masks)


@pytest.mark.parametrize("stride, padding, size", FORMS)
def test_paddle_computes_the_sum_over_the_moved_taps(
    stride: tuple[int, int], padding: int, size: tuple[int, int]
) -> None:
    arrays = case(stride, padding, size)
    found = in_paddle({name: paddle.to_tensor(value) for name, value in arrays.items()}, stride, padding)
    np.testing.assert_allclose(found.numpy(), slow(**arrays, stride=stride, padding=padding), atol=1e-4)


@needs_torch
@pytest.mark.parametrize("stride, padding, size", FORMS)
def test_torch_computes_the_sum_over_the_moved_taps(
    stride: tuple[int, int], padding: int, size: tuple[int, int]
) -> None:
    import torch  # noqa: PLC0415  optional

    arrays = case(stride, padding, size)
    found = in_torch({name: torch.from_numpy(value) for name, value in arrays.items()}, stride, padding)
    np.testing.assert_allclose(found.numpy(), slow(**arrays, stride=stride, padding=padding), atol=1e-4)


@needs_torch
def test_both_engines_have_the_same_gradients() -> None:
    import torch  # noqa: PLC0415  optional

    stride, padding, size = FORMS[1]
    arrays = case(stride, padding, size)
    ours = {name: paddle.to_tensor(value, stop_gradient=False) for name, value in arrays.items()}
    theirs = {name: torch.from_numpy(value).requires_grad_() for name, value in arrays.items()}
    left, right = in_paddle(ours, stride, padding), in_torch(theirs, stride, padding)
    wanted = np.random.default_rng(1).normal(size=tuple(left.shape)).astype(np.float32)
    (left * paddle.to_tensor(wanted)).sum().backward()
    (right * torch.from_numpy(wanted)).sum().backward()
    for name, value in ours.items():
        np.testing.assert_allclose(theirs[name].grad.numpy(), value.grad.numpy(), atol=1e-3, err_msg=name)


@needs_torch
@pytest.mark.parametrize("stride, padding, size", FORMS)
def test_taps_that_do_not_move_are_a_plain_convolution(
    stride: tuple[int, int], padding: int, size: tuple[int, int]
) -> None:
    import torch  # noqa: PLC0415  optional

    arrays = case(stride, padding, size, spread=0.0) | {"masks": np.ones_like(case(stride, padding, size)["masks"])}
    plain = paddle.nn.functional.conv2d(
        *(paddle.to_tensor(arrays[name]) for name in ("x", "weight")), stride=stride, padding=padding
    ).numpy()
    left = in_paddle({name: paddle.to_tensor(value) for name, value in arrays.items()}, stride, padding)
    right = in_torch({name: torch.from_numpy(value) for name, value in arrays.items()}, stride, padding)
    np.testing.assert_allclose(left.numpy(), plain, atol=1e-4)
    np.testing.assert_allclose(right.numpy(), plain, atol=1e-4)


def test_a_new_layer_is_a_plain_convolution_at_half_strength() -> None:
    layer = DeformableConv(3, 4, stride=2)
    x = paddle.randn([2, 3, 9, 8])
    plain = paddle.nn.functional.conv2d(x, layer.weight, stride=2, padding=1)
    np.testing.assert_allclose(layer(x).numpy(), plain.numpy() / 2, atol=1e-5)


def test_offsets_and_masks_learn() -> None:
    paddle.seed(0)
    layer = DeformableConv(3, 4)
    layer(paddle.randn([2, 3, 9, 8])).square().sum().backward()
    gradient = layer.offset.weight.grad.numpy().reshape(27, -1)
    assert (np.abs(gradient).max(axis=1) > 0).all()  # of 18 offsets and 9 masks


@pytest.mark.parametrize("layers, per_stage", [(18, [2, 2, 2]), (50, [4, 6, 3])])
def test_stages_of_a_resnet_are_deformable_as_told(layers: int, per_stage: list[int]) -> None:
    backbone = ResNet(layers=layers, dcn_stage=(False, True, True, True))
    found = [name for name, layer in backbone.named_sublayers() if isinstance(layer, DeformableConv)]
    assert [sum(name.startswith(f"bb_{stage}_") for name in found) for stage in (0, 1, 2, 3)] == [0, *per_stage]
    assert all(name.endswith(".conv1._conv") for name in found)


def test_by_default_nothing_is_deformable() -> None:
    assert not any(isinstance(layer, DeformableConv) for layer in ResNet(layers=18).sublayers())
