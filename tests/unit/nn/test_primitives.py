"""Every primitive computes the same in both engines, forwards and backwards; what differs on purpose is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

paddle = pytest.importorskip("paddle", reason="the Paddle engine is not installed")
torch = pytest.importorskip("torch", reason="the torch engine is not installed")

from ppocr_lite.nn import PRIMITIVES  # noqa: E402
from ppocr_lite.nn import paddle as ours  # noqa: E402
from ppocr_lite.nn import torch as theirs  # noqa: E402

Arrays = dict[str, np.ndarray]
RNG = np.random.default_rng(0)


def noise(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def shares(*shape: int) -> np.ndarray:
    return RNG.uniform(0.05, 0.95, shape).astype(np.float32)


MAP, OTHER, LINE = noise(2, 4, 6, 8), noise(2, 4, 6, 8), noise(3, 7, 5)
INDEX = np.array([2, 0, 2], np.int64)
LABELS = np.array([[1, 2, 2, 0], [3, 0, 0, 0], [4, 1, 2, 3]], np.int32)
# name → function of (primitives, tensors), and the tensors; those of floats get gradients
FUNCTIONS: dict[str, tuple[Callable[[Any, Any], Any], Arrays]] = {
    "relu": (lambda nn, x: nn.relu(x["x"]), {"x": MAP}),
    "gelu": (lambda nn, x: nn.gelu(x["x"]), {"x": MAP}),
    "silu": (lambda nn, x: nn.silu(x["x"]), {"x": MAP}),
    "split_last": (lambda nn, x: nn.split_last(x["x"], [2, 4])[:, :, 1], {"x": noise(2, 3, 8)}),
    "hardswish": (lambda nn, x: nn.hardswish(3 * x["x"]), {"x": MAP}),
    "hardsigmoid": (lambda nn, x: nn.hardsigmoid(3 * x["x"], slope=0.2, offset=0.5), {"x": MAP}),
    "sigmoid": (lambda nn, x: nn.sigmoid(x["x"]), {"x": MAP}),
    "softmax": (lambda nn, x: nn.softmax(x["x"], axis=1), {"x": LINE}),
    "log_softmax": (lambda nn, x: nn.log_softmax(x["x"], axis=2), {"x": LINE}),
    "add_n": (lambda nn, x: nn.add_n([x["x"], x["y"], x["x"]]), {"x": MAP, "y": OTHER}),
    "concat": (lambda nn, x: nn.concat([x["x"], x["y"]], axis=1), {"x": MAP, "y": OTHER}),
    "transpose": (lambda nn, x: nn.transpose(x["x"], [2, 0, 1]), {"x": LINE}),
    "cast": (lambda nn, x: nn.cast(nn.cast(x["x"], "float64"), "float32"), {"x": MAP}),
    "amax": (lambda nn, x: nn.amax(x["x"].abs(), [0, 2], keepdim=True), {"x": LINE}),
    "maximum": (lambda nn, x: nn.maximum(x["x"], x["y"]), {"x": MAP, "y": OTHER}),
    "minimum": (lambda nn, x: nn.minimum(x["x"], x["y"]), {"x": MAP, "y": OTHER}),
    "round": (lambda nn, x: nn.round(3 * x["x"].detach()), {"x": MAP}),
    "where": (lambda nn, x: nn.where(x["x"] > 0, x["x"], nn.ones_like(x["x"])), {"x": MAP}),
    "logical_and": (lambda nn, x: nn.cast(nn.logical_and(x["x"] > 0, x["y"] > 0), "float32"), {"x": MAP, "y": OTHER}),
    "zeros_like": (lambda nn, x: nn.zeros_like(x["x"]), {"x": MAP}),
    "arange": (lambda nn, x: nn.cast(nn.arange(2, 5, x["index"]), "float32"), {"index": INDEX}),
    "topk": (lambda nn, x: nn.topk(x["x"].flatten(), 9, sorted=False)[0].sum(), {"x": MAP}),
    "bincount": (lambda nn, x: nn.cast(nn.bincount(x["index"], minlength=5), "float32"), {"index": INDEX}),
    "index_select": (lambda nn, x: nn.index_select(x["x"], x["index"]), {"x": noise(4, 3), "index": INDEX}),
    "index_add": (
        lambda nn, x: nn.index_add(x["x"], x["index"], 0, x["y"]),
        {"x": noise(4, 3), "y": noise(3, 3), "index": INDEX},
    ),
    "put_along_axis": (
        lambda nn, x: nn.put_along_axis(
            nn.zeros_like(x["x"]), nn.cast(x["index"], "int64"), x["x"][:, :4], axis=1, reduce="add"
        ),
        {"x": noise(3, 7), "index": LABELS},
    ),
    "take_along_axis": (
        lambda nn, x: nn.take_along_axis(x["x"], nn.cast(x["index"], "int64"), 1),
        {"x": noise(3, 7), "index": LABELS},
    ),
    "pad": (lambda nn, x: nn.pad(x["x"], [1, 0, 2, 1]), {"x": MAP}),
    "enlarge": (lambda nn, x: nn.enlarge(x["x"], (2, 3)), {"x": MAP}),
    "sides": (lambda nn, x: x["x"].reshape([*nn.sides(x["x"])[:2], -1]), {"x": MAP}),
    "map_of_rows": (
        lambda nn, x: nn.map_of_rows(nn.transpose(x["x"], [0, 2, 3, 1]).flatten(0, 1)[:, :, :3], x["x"]),
        {"x": MAP},
    ),
    "matmul": (lambda nn, x: nn.matmul(x["x"], x["y"]), {"x": noise(2, 3, 5), "y": noise(2, 5, 4)}),
    "length": (lambda nn, x: x["x"] * nn.length(x["x"], 2), {"x": MAP}),
    "tensor_like": (lambda nn, x: nn.tensor_like(MAP[0, 0], x["x"]) * x["x"], {"x": MAP}),
    "on_host": (lambda nn, x: nn.to_tensor(nn.on_host(2 * x["x"])), {"x": MAP}),
    "roi_align": (
        lambda nn, x: nn.roi_align(x["x"], x["rois"].detach(), nn.cast(x["counts"], "int32"), 3, 0.5),
        {"x": MAP, "rois": np.float32([[1, 1, 9, 7], [0, 2, 15, 11]]), "counts": np.array([1, 1], np.int64)},
    ),
    "max_pool2d": (lambda nn, x: nn.max_pool2d(x["x"], 2, stride=1), {"x": MAP}),
    "conv2d": (
        lambda nn, x: nn.conv2d(x["x"], x["w"], x["b"], stride=2, padding=1, dilation=1, groups=2),
        {"x": MAP, "w": noise(6, 2, 3, 3), "b": noise(6)},
    ),
    "conv2d_transpose": (
        lambda nn, x: nn.conv2d_transpose(x["x"], x["w"], x["b"], stride=2, padding=0, groups=1),
        {"x": MAP, "w": noise(4, 3, 2, 2), "b": noise(3)},
    ),
    "deform_conv2d": (
        lambda nn, x: nn.deform_conv2d(x["x"], x["o"], x["w"], stride=1, padding=1, mask=x["m"]),
        {"x": MAP, "o": noise(2, 18, 6, 8), "w": noise(3, 4, 3, 3), "m": shares(2, 9, 6, 8)},
    ),
    "ctc_loss": (
        lambda nn, x: nn.ctc_loss(x["x"], x["labels"], x["lengths"], 0),
        {"x": noise(3, 9, 5), "labels": LABELS, "lengths": np.array([3, 1, 4])},
    ),
    "cross_entropy": (lambda nn, x: nn.cross_entropy(x["x"], x["index"]), {"x": noise(3, 5), "index": INDEX}),
    "cross_entropy of shares": (
        lambda nn, x: nn.cross_entropy(x["x"], nn.softmax(x["y"], axis=1).detach(), soft_label=True),
        {"x": noise(3, 5), "y": noise(3, 5)},
    ),
    "binary_cross_entropy": (
        lambda nn, x: nn.binary_cross_entropy(x["x"], nn.cast(x["y"].detach() > 0.5, "float32"), reduction="none"),
        {"x": shares(3, 5), "y": shares(3, 5)},
    ),
    "l1_loss": (lambda nn, x: nn.l1_loss(x["x"], x["y"]), {"x": MAP, "y": OTHER}),
    "mse_loss": (lambda nn, x: nn.mse_loss(x["x"], x["y"]), {"x": MAP, "y": OTHER}),
    "smooth_l1_loss": (lambda nn, x: nn.smooth_l1_loss(x["x"], x["y"]), {"x": MAP, "y": OTHER}),
}
# name → function of the primitives that builds a layer, and its input
LAYERS: dict[str, tuple[Callable[[Any], Any], np.ndarray]] = {
    "Conv2D": (lambda nn: nn.Conv2D(4, 6, 3, stride=(2, 1), padding=1, groups=2), MAP),
    "Conv2DTranspose": (lambda nn: nn.Conv2DTranspose(4, 3, 2, stride=2), MAP),
    "Linear": (lambda nn: nn.Linear(5, 3), LINE),
    "LayerNorm": (lambda nn: nn.LayerNorm(5, epsilon=1e-3), LINE),
    "Embedding": (lambda nn: nn.Embedding(9, 4), np.array([[3, 0, 8], [1, 1, 2]], np.int64)),
    "Dropout": (lambda nn: nn.Sequential(nn.Linear(5, 3), nn.Dropout(0.0)), LINE),
    "LSTM": (lambda nn: nn.LSTM(5, 3, num_layers=2, direction="bidirectional"), LINE),
    "GRU": (lambda nn: nn.GRU(5, 3, num_layers=2, direction="bidirectional"), LINE),
    "BatchNorm2D": (lambda nn: nn.BatchNorm2D(4), MAP),
    "BatchNorm2D that is frozen": (lambda nn: frozen(nn, nn.BatchNorm2D(4)), MAP),
    "BatchNorm2D that adds more": (lambda nn: nn.BatchNorm2D(4, epsilon=0.1), MAP),
    "AvgPool2D": (lambda nn: nn.AvgPool2D((2, 1), stride=(2, 1), ceil_mode=True), noise(2, 4, 5, 8)),
    "AvgPool2D beyond the border": (lambda nn: nn.AvgPool2D(3, stride=2, padding=1), MAP),
    "MaxPool2D": (lambda nn: nn.MaxPool2D(3, stride=2, padding=1), MAP),
    "MaxPool2D rounded up": (lambda nn: nn.MaxPool2D(2, stride=2, ceil_mode=True), noise(2, 4, 5, 7)),
    "AdaptiveAvgPool2D": (lambda nn: nn.AdaptiveAvgPool2D(1), MAP),
    "Upsample": (lambda nn: nn.Upsample(4, 2), MAP),
    "Sequential": (lambda nn: nn.Sequential(nn.Conv2D(4, 2, 1), nn.BatchNorm2D(2)), MAP),
    "LayerList": (lambda nn: list_of(nn), MAP),
}
NOT_COMPUTED = {"Layer", "ParamAttr", "Constant", "KaimingNormal", "KaimingUniform", "Normal", "Uniform"} | {
    *("LINEAR_OUTPUT_AXIS", "XavierNormal", "XavierUniform"),
}
# functions with tests of their own below, and those that the tests above call
CALLED = {"freeze", "geometry", "set_value", "in_dynamic_mode", "no_grad", "to_tensor", "linear", "ones_like"}
CALLED |= {"set_rate", "statistics"}  # by tests of networks that are read from graphs


def frozen(nn: Any, layer: Any) -> Any:
    nn.freeze(layer)
    return layer


def list_of(nn: Any) -> Any:
    class Parts(nn.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.parts = nn.LayerList([nn.Conv2D(4, 4, 1)])
            self.parts.append(nn.Conv2D(4, 2, 1))

        def forward(self, x: Any) -> Any:
            for part in self.parts:
                x = part(x)
            return x

    return Parts()


def learned(nn: Any, value: np.ndarray) -> Any:
    found = nn.to_tensor(value)
    if value.dtype == np.float32:
        if nn is ours:
            found.stop_gradient = False
        else:
            found.requires_grad_()
    return found


def pulled(y: Any, nn: Any) -> np.ndarray:
    """Run backwards with weights that tell the elements apart; return *y*."""
    value = np.asarray(y.detach().numpy())
    if not (y.stop_gradient if nn is ours else not y.requires_grad):
        (y * nn.to_tensor(np.cos(np.arange(value.size, dtype=np.float32)).reshape(value.shape))).sum().backward()
    return value


def gradients(tensors: dict[str, Any]) -> Arrays:
    return {name: np.asarray(x.grad) for name, x in tensors.items() if x.grad is not None}


def same(first: Arrays, second: Arrays, atol: float = 2e-5) -> None:
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_allclose(second[name], value, rtol=1e-4, atol=atol, err_msg=name)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_agree(name: str) -> None:
    run, arrays = FUNCTIONS[name]
    found = []
    for nn in (ours, theirs):
        tensors = {key: learned(nn, value) for key, value in arrays.items()}
        value = pulled(run(nn, tensors), nn)
        found.append({"": value} | gradients(tensors))
    # Where what one engine calls 0 has no gradient in the other, nothing pulls.
    keys = found[0].keys() & found[1].keys()
    assert all(not found[i][key].any() for i in (0, 1) for key in found[i].keys() - keys)
    same({key: found[0][key] for key in keys}, {key: found[1][key] for key in keys})


@pytest.mark.parametrize("name", LAYERS)
def test_layers_agree(name: str) -> None:
    build, x = LAYERS[name]
    first, second = build(ours), build(theirs)
    state = {key: value.numpy() for key, value in first.state_dict().items()}
    copy_weights(state, second)
    found = []
    for nn, layer in ((ours, first), (theirs, second)):
        given = learned(nn, x)
        y = layer(given)
        value = pulled(y[0] if isinstance(y, tuple) else y, nn)
        layer.eval()
        after = layer(nn.to_tensor(x))  # with the statistics of one batch
        after = after[0] if isinstance(after, tuple) else after
        found.append({"y": value, "after": np.asarray(after.detach().numpy())} | gradients({"x": given}))
    same(*found)


def copy_weights(state: Arrays, layer: Any) -> None:
    renamed = {"_mean": "running_mean", "_variance": "running_var"}
    for key, value in state.items():
        parts = key.split(".")
        name = ".".join([*parts[:-1], renamed.get(parts[-1], parts[-1])])
        if ".cell_" in key or name not in layer.state_dict():
            continue
        matrix = isinstance(layer.get_submodule(".".join(parts[:-1])), torch.nn.Linear) and parts[-1] == "weight"
        layer.state_dict()[name].copy_(torch.from_numpy(value.T.copy() if matrix else value.copy()))


def test_both_have_every_name_and_each_is_tested_here() -> None:
    for module in (ours, theirs):
        assert [name for name in ("Layer", *PRIMITIVES) if not hasattr(module, name)] == []
    tested = {name.split()[0] for name in (*FUNCTIONS, *LAYERS)}
    assert set(PRIMITIVES) == (tested | NOT_COMPUTED | CALLED) - {"Layer"}


@pytest.mark.parametrize(
    "layer, name",
    [
        (lambda nn: nn.Conv2D(40, 50, 3, weight_attr=nn.ParamAttr(initializer=nn.KaimingNormal())), "weight"),
        (lambda nn: nn.Conv2D(40, 50, 3), "weight"),
        (lambda nn: nn.Conv2DTranspose(50, 40, 3, weight_attr=nn.ParamAttr(initializer=nn.KaimingUniform())), "weight"),
        (lambda nn: nn.Conv2DTranspose(50, 40, 3), "weight"),
        (lambda nn: nn.Linear(200, 90, weight_attr=nn.ParamAttr(initializer=nn.Uniform(-0.1, 0.3))), "weight"),
        (lambda nn: nn.Linear(200, 90), "weight"),
        (lambda nn: nn.Linear(200, 90, weight_attr=nn.ParamAttr(initializer=nn.Normal(std=0.02))), "weight"),
        (lambda nn: nn.Linear(200, 90, weight_attr=nn.ParamAttr(initializer=nn.XavierNormal())), "weight"),
        (lambda nn: nn.Conv2D(40, 50, 3, weight_attr=nn.ParamAttr(initializer=nn.XavierNormal())), "weight"),
        (lambda nn: nn.Conv2D(40, 50, 3, weight_attr=nn.ParamAttr(initializer=nn.XavierUniform())), "weight"),
        (lambda nn: nn.Embedding(200, 90), "weight"),
        (lambda nn: nn.Embedding(200, 90, weight_attr=nn.ParamAttr(initializer=nn.Normal(std=0.1))), "weight"),
        (lambda nn: nn.BatchNorm2D(7, bias_attr=nn.ParamAttr(initializer=nn.Constant(0.25))), "bias"),
        (lambda nn: nn.BatchNorm2D(7), "weight"),
        (lambda nn: nn.LSTM(64, 64), "weight_hh_l0"),
    ],
)
def test_parameters_begin_alike(layer: Callable[[Any], Any], name: str) -> None:
    first, second = (np.asarray(dict(layer(nn).named_parameters())[name].detach().numpy()) for nn in (ours, theirs))
    assert first.size == second.size
    for measure in (np.mean, np.std, lambda x: np.abs(x).max() if x.std() < 0.03 else 0):
        assert measure(second) == pytest.approx(measure(first), rel=0.2, abs=3e-3)


@pytest.mark.parametrize("nn", [ours, theirs], ids=["paddle", "torch"])
def test_a_frozen_layer_has_no_gradient(nn: Any) -> None:
    layer = nn.Sequential(nn.Conv2D(4, 2, 1))
    nn.freeze(layer)
    x = learned(nn, MAP)
    layer(x).sum().backward()
    assert all(p.grad is None for p in layer.parameters())
    assert np.asarray(x.grad).any()


@pytest.mark.parametrize("nn", [ours, theirs], ids=["paddle", "torch"])
def test_a_frozen_normalisation_keeps_its_statistics_in_training(nn: Any) -> None:
    layer = nn.Sequential(nn.BatchNorm2D(4))
    nn.freeze(layer)
    layer.train()
    mean, variance, epsilon = nn.statistics(layer[0])
    found = np.asarray(layer(nn.to_tensor(MAP)).detach().numpy())
    np.testing.assert_allclose(found, MAP / np.sqrt(1 + epsilon), rtol=1e-5, atol=1e-6)
    assert (np.asarray(mean.numpy()).tolist(), np.asarray(variance.numpy()).tolist()) == ([0] * 4, [1] * 4)


@pytest.mark.parametrize("nn", [ours, theirs], ids=["paddle", "torch"])
def test_a_value_is_overwritten_in_place(nn: Any) -> None:
    layer = nn.Linear(2, 3)
    nn.set_value(layer.bias, np.float32([1, 2, 3]))
    assert layer.bias.detach().numpy().tolist() == [1, 2, 3]
    with nn.no_grad():
        y = nn.linear(nn.to_tensor(np.ones((1, 2), np.float32)), layer.weight, layer.bias)
    weight = layer.weight.detach().numpy()
    np.testing.assert_allclose(y.numpy()[0], weight.sum(1 - nn.LINEAR_OUTPUT_AXIS) + [1, 2, 3], rtol=1e-5)


@pytest.mark.parametrize("nn", [ours, theirs], ids=["paddle", "torch"])
def test_the_geometry_of_a_layer_computes_what_it_computes(nn: Any) -> None:
    layer, x = nn.Conv2D(4, 6, 3, stride=(2, 1), padding=1, groups=2, bias_attr=False), nn.to_tensor(MAP)
    expected = layer(x).detach().numpy()
    found = nn.conv2d(x, layer.weight, None, **nn.geometry(layer)).detach().numpy()
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert nn.in_dynamic_mode()


@pytest.mark.parametrize("nn", [ours, theirs], ids=["paddle", "torch"])
def test_the_statistics_of_a_layer_normalise_as_it_does(nn: Any) -> None:
    layer, x = nn.BatchNorm2D(4), nn.to_tensor(3 * MAP + 1)
    layer(x)
    layer.eval()
    mean, variance, epsilon = nn.statistics(layer)
    found = (3 * MAP + 1 - mean.numpy()[:, None, None]) / np.sqrt(variance.numpy()[:, None, None] + epsilon)
    np.testing.assert_allclose(layer(x).detach().numpy(), found, atol=1e-5)


@pytest.mark.parametrize("nn", [ours, theirs], ids=["paddle", "torch"])
def test_dropout_drops_in_training_alone_and_keeps_the_mean(nn: Any) -> None:
    layer, x = nn.Dropout(0.25), nn.ones_like(nn.to_tensor(noise(64, 64)))
    kept = layer(x).numpy()
    np.testing.assert_allclose(np.unique(kept), [0.0, 4 / 3], rtol=1e-6)
    assert 0.7 < (kept > 0).mean() < 0.8
    layer.eval()
    assert (layer(x).numpy() == 1).all()


@pytest.mark.parametrize("nn", [ours, theirs], ids=["paddle", "torch"])
def test_a_text_of_no_length_has_a_finite_value(nn: Any) -> None:
    values = nn.ctc_loss(
        nn.to_tensor(noise(2, 4, 5)), nn.to_tensor(np.zeros((2, 3), np.int32)), nn.to_tensor(np.array([0, 2])), 4
    )
    assert values.shape[0] == 2
    assert np.isfinite(values.numpy()).all()


def test_batch_norm_of_torch_keeps_the_biased_variance() -> None:
    norm = theirs.BatchNorm2D(2)
    x = torch.randn(2, 2, 1, 3)
    norm(x)
    torch.testing.assert_close(norm.running_var, 0.9 + 0.1 * x.var((0, 2, 3), unbiased=False))
