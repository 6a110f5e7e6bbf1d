"""CenterLoss against hand-worked numbers, and the file of its centres."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from safetensors.numpy import save_file

from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.losses import CenterLoss, CombinedLoss, CTCLoss
from ppocr_lite.modeling.heads import CTCHead

CENTERS = np.array([[0, 0], [1, 0], [0, 2]], dtype=np.float32)
# One line of three steps, read as classes 1, 0, 2.
LOGITS = np.array([[[0, 5, 1], [3, 0, 0], [-1, -2, 0]]], dtype=np.float32)
FEATS = np.array([[[2, 2], [0, -1], [0, 2]]], dtype=np.float32)


def write(path: Path, **arrays: Any) -> str:
    if path.suffix == ".npz":
        np.savez(path, **arrays)
    else:
        save_file(arrays, path)
    return str(path)


def make_outputs() -> dict[str, paddle.Tensor]:
    outputs = {"logits": paddle.to_tensor(LOGITS), "feats": paddle.to_tensor(FEATS)}
    for value in outputs.values():
        value.stop_gradient = False
    return outputs


@pytest.fixture(params=["centers.npz", "centers.safetensors"])
def center_file(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return write(tmp_path / request.param, centers=CENTERS)


def test_distance_to_the_centre_of_the_predicted_class(center_file: str) -> None:
    loss = CenterLoss(3, 2, center_file)(make_outputs(), {})["loss"]
    assert loss.item() == pytest.approx((1**2 + 2**2 + 1**2 + 0) / 3)


def test_gradient_points_away_from_the_centre_and_spares_the_logits(center_file: str) -> None:
    outputs = make_outputs()
    CenterLoss(3, 2, center_file)(outputs, {})["loss"].backward()
    np.testing.assert_allclose(outputs["feats"].grad.numpy(), 2 / 3 * np.array([[[1, 2], [0, -1], [0, 0]]]), rtol=1e-6)
    assert outputs["logits"].grad is None


@pytest.mark.parametrize("read", [True, False])
def test_without_a_file_or_without_reading_it_centres_are_zero(tmp_path: Path, read: bool) -> None:
    path = None if read else str(tmp_path / "absent.npz")
    loss = CenterLoss(3, 2, path, init_center=read)(make_outputs(), {})["loss"]
    assert loss.item() == pytest.approx((8 + 1 + 4) / 3)


def test_centres_are_neither_trained_nor_stored(center_file: str) -> None:
    loss = CenterLoss(3, 2, center_file)
    assert loss.parameters() == []
    assert dict(loss.state_dict()) == {}


@pytest.mark.parametrize("mid_channels, width", [(None, 6), (4, 4)])
def test_head_returns_what_enters_its_last_layer(mid_channels: int | None, width: int) -> None:
    head = CTCHead(6, 5, mid_channels=mid_channels, return_feats=True)
    outputs = head(paddle.randn([2, 7, 6]))
    last = head.fc if mid_channels is None else head.fc2
    assert outputs["feats"].shape == [2, 7, width]
    np.testing.assert_allclose(last(outputs["feats"]).numpy(), outputs["logits"].numpy(), rtol=1e-5, atol=1e-6)
    predicted = head.predict(paddle.randn([2, 7, 6]))
    assert {name: value.shape for name, value in predicted.items()} == {"probabilities": [2, 7, 5]}


def test_head_returns_logits_alone_unless_asked() -> None:
    assert set(CTCHead(6, 5)(paddle.randn([2, 7, 6]))) == {"logits"}


def test_a_centre_moves_towards_the_features_of_its_class(center_file: str) -> None:
    # Two steps of class 1 at (2, 2) and (4, 0), one of class 0 at (0, -1), none of class 2.
    logits = np.array([[[0, 5, 1], [3, 0, 0], [0, 1, 0]]], dtype=np.float32)
    feats = np.array([[[2, 2], [0, -1], [4, 0]]], dtype=np.float32)
    loss = CenterLoss(3, 2, center_file, update_rate=0.5)
    before = loss({"logits": paddle.to_tensor(logits), "feats": paddle.to_tensor(feats)}, {})["loss"].item()
    assert before == pytest.approx((1 + 4 + 1 + 9) / 3)  # from the centres as they were
    moved = [[0, 0.5 * -1 / 2], [1 + 0.5 * (1 + 3) / 3, 0.5 * 2 / 3], [0, 2]]
    np.testing.assert_allclose(loss.centers.numpy(), moved, rtol=1e-6)
    after = loss({"logits": paddle.to_tensor(logits), "feats": paddle.to_tensor(feats)}, {})["loss"].item()
    assert after < before


def test_moving_centres_are_stored_and_get_no_gradient(center_file: str) -> None:
    loss = CenterLoss(3, 2, center_file, update_rate=0.5)
    loss(make_outputs(), {})["loss"].backward()
    assert loss.parameters() == []
    assert list(loss.state_dict()) == ["centers"]
    assert loss.centers.stop_gradient


def test_a_rate_above_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="update_rate must lie in"):
        CenterLoss(3, 2, update_rate=1.5)


def test_adds_to_the_loss_of_the_text() -> None:
    parts = (
        {"CTCLoss": {"weight": 1.0, "use_focal_loss": False}},
        {"CenterLoss": {"weight": 0.05, "num_classes": 3, "feat_dim": 2}},
    )
    batch = {"label": paddle.to_tensor([[1, 2]], "int32"), "length": paddle.to_tensor([2])}
    found = CombinedLoss(list(parts))(make_outputs(), batch)
    text = CTCLoss()(make_outputs(), batch)["loss"].item()
    assert found["loss_CenterLoss_1"].item() == pytest.approx(0.05 * 13 / 3)
    assert found["loss"].item() == pytest.approx(text + 0.05 * 13 / 3)


def test_missing_features_say_what_to_set() -> None:
    with pytest.raises(ConfigError, match=r"Set Architecture\.Head\.return_feats: true"):
        CenterLoss(3, 2)({"logits": paddle.to_tensor(LOGITS)}, {})


@pytest.mark.parametrize("num_classes, feat_dim", [(4, 2), (3, 96)])
def test_sizes_of_another_head_are_named(num_classes: int, feat_dim: int) -> None:
    with pytest.raises(ConfigError, match=f"those of the head, 3 and 2. Received: {num_classes} and {feat_dim}"):
        CenterLoss(num_classes, feat_dim)(make_outputs(), {})


def test_a_pickled_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"pickled files are not read. Received: .*train_center\.pkl"):
        CenterLoss(3, 2, str(tmp_path / "train_center.pkl"))


def test_pickled_objects_in_an_archive_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", centers=np.array([{}, None], dtype=object))
    with pytest.raises(DataError, match=r"a\.npz: the centres cannot be read"):
        CenterLoss(3, 2, path)


@pytest.mark.parametrize("name", ["a.npz", "a.safetensors"])
@pytest.mark.parametrize("content", [b"", b"no such format", None])
def test_a_broken_or_missing_file_is_named(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name}: the centres cannot be read"):
        CenterLoss(3, 2, str(tmp_path / name))


@pytest.mark.parametrize(
    "arrays, message",
    [
        ({"other": CENTERS}, "no such array"),
        ({"centers": CENTERS.T.copy()}, r"float32 \(2, 3\)"),
        ({"centers": CENTERS.astype(np.int32)}, r"int32 \(3, 2\)"),
        ({"centers": CENTERS * np.float32(np.nan)}, "must be finite"),
    ],
)
def test_wrong_centres_are_refused(tmp_path: Path, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        CenterLoss(3, 2, write(tmp_path / "a.npz", **arrays))


@pytest.mark.parametrize("sizes", [(0, 2), (3, 0)])
def test_sizes_must_be_positive(sizes: tuple[int, int]) -> None:
    with pytest.raises(ConfigError, match="CenterLoss needs num_classes"):
        CenterLoss(*sizes)
