"""Weights in the layouts of other frameworks, taken over so that the network computes what theirs would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from ppocr_lite import nn
from ppocr_lite.engine.build import load_config
from ppocr_lite.engine.foreign_weights import read_foreign
from ppocr_lite.engine.import_weights import import_weights
from ppocr_lite.errors import CheckpointError
from tests.engine import array, tensor

rng = np.random.default_rng(0)


def noise(*shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


def write_keras(path: Path, layers: dict[str, dict[str, np.ndarray]], *, whole: bool = True) -> Path:
    """Write a file as Keras does: layers in order, each with the names of its weights, in order."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        root = file.create_group("model_weights") if whole else file
        root.attrs["layer_names"] = [name.encode() for name in layers]
        for name, weights in layers.items():
            group = root.create_group(name)
            group.attrs["weight_names"] = [key.encode() for key in weights]
            for key, value in weights.items():
                group[key] = value
    return path


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def keras_lstm(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The equations of keras.layers.LSTM for one sequence (T, in)."""
    units = len(recurrent)
    h, c, out = np.zeros(units), np.zeros(units), []
    for step in x:
        i, f, g, o = np.split(step @ kernel + h @ recurrent + bias, 4)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        out.append(h)
    return np.array(out)


def keras_gru(x: np.ndarray, kernel: np.ndarray, recurrent: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """The equations of keras.layers.GRU with reset_after, for one sequence (T, in)."""
    h, out = np.zeros(len(recurrent)), []
    for step in x:
        xz, xr, xh = np.split(step @ kernel + bias[0], 3)
        hz, hr, hh = np.split(h @ recurrent + bias[1], 3)
        z = sigmoid(xz + hz)
        h = z * h + (1 - z) * np.tanh(xh + sigmoid(xr + hr) * hh)
        out.append(h)
    return np.array(out)


@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3)])
def test_a_recurrent_layer_of_keras_computes_the_same(engine: str, tmp_path: Path, kind: str, gates: int) -> None:
    stored, sides = {}, []
    for side in ("forward", "backward"):
        bias = noise(4 * 3) if kind == "lstm" else noise(2, 3 * 3)
        weights = [noise(5, gates * 3), noise(3, gates * 3), bias]
        sides.append(weights)
        roles = zip(("kernel", "recurrent_kernel", "bias"), weights, strict=True)
        stored |= {f"bidirectional/{side}_{kind}/{role}:0": value for role, value in roles}
    found = read_foreign(write_keras(tmp_path / "a.h5", {"bidirectional": stored}, whole=False))
    layer = (nn.LSTM if kind == "lstm" else nn.GRU)(5, 3, direction="bidirectional")
    for name, parameter in layer.named_parameters():
        nn.set_value(parameter, found[f"bidirectional.{name}"])
    x = noise(7, 5)
    run = keras_lstm if kind == "lstm" else keras_gru
    expected = np.concatenate([run(x, *sides[0]), run(x[::-1], *sides[1])[::-1]], axis=1)
    np.testing.assert_allclose(array(layer(tensor(x[None]))[0])[0], expected, atol=1e-5)


def test_convolutions_and_normalisations_of_keras_are_turned(tmp_path: Path) -> None:
    kernel, depthwise, dense = noise(3, 2, 4, 6), noise(3, 3, 4, 2), noise(4, 6)
    layers = {
        "input_1": {},
        "conv_10": {"conv_10/kernel:0": kernel, "conv_10/bias:0": noise(6)},
        "bn": {f"bn/{role}:0": noise(6) for role in ("gamma", "beta", "moving_mean", "moving_variance")},
        "depthwise_2": {"depthwise_2/depthwise_kernel:0": depthwise},
        "dense": {"dense/kernel:0": dense},
    }
    found = read_foreign(write_keras(tmp_path / "a.hdf5", layers))
    assert list(found) == [
        *("conv_10.weight", "conv_10.bias", "bn.weight", "bn.bias", "bn._mean", "bn._variance"),
        *("depthwise_2.weight", "dense.weight"),
    ]
    assert found["conv_10.weight"].shape == (6, 4, 3, 2)
    assert found["conv_10.weight"][5, 2, 1, 0] == kernel[1, 0, 2, 5]
    assert found["depthwise_2.weight"].shape == (8, 1, 3, 3)
    assert found["depthwise_2.weight"][2 * 3 + 1, 0, 2, 0] == depthwise[2, 0, 3, 1]
    assert np.array_equal(found["dense.weight"], dense)


def test_what_keras_may_do_otherwise_is_refused(tmp_path: Path) -> None:
    weights = {"gru/kernel:0": noise(5, 9), "gru/recurrent_kernel:0": noise(3, 9), "gru/bias:0": noise(9)}
    with pytest.raises(CheckpointError, match="reset_after=True"):
        read_foreign(write_keras(tmp_path / "a.h5", {"gru": weights}))
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(CheckpointError, match="cannot be read as HDF5"):
        read_foreign(tmp_path / "text.h5")
    with pytest.importorskip("h5py").File(tmp_path / "other.h5", "w") as file:
        file["data"] = noise(3)
    with pytest.raises(CheckpointError, match="lists no layers"):
        read_foreign(tmp_path / "other.h5")


def test_a_file_of_torch_is_put_in_order_and_turned(tmp_path: Path) -> None:
    arrays = {
        "features.10.weight": noise(6, 4, 3, 3),
        "features.2.weight": noise(4, 3, 3, 3),
        "features.3.running_mean": noise(4),
        "features.3.running_var": noise(4),
        "features.3.num_batches_tracked": np.zeros((), np.int64),
        "fc.weight": noise(5, 8),
    }
    save_file(arrays, tmp_path / "a.safetensors")
    found = read_foreign(tmp_path / "a.safetensors")
    assert list(found) == [
        *("fc.weight", "features.2.weight", "features.3._mean", "features.3._variance", "features.10.weight")
    ]
    assert np.array_equal(found["fc.weight"], arrays["fc.weight"].T)


@pytest.mark.parametrize(("shape", "layout", "turned"), [
    ((5, 8), None, True), ((8, 5), None, False), ((5, 5), None, False), ((5, 5), "torch", True),
])  # fmt: skip
def test_the_layout_of_a_linear_layer_is_seen_by_its_bias(
    tmp_path: Path, shape: tuple[int, int], layout: Any, turned: bool
) -> None:
    weight = noise(*shape)
    save_file({"fc.weight": weight, "fc.bias": noise(5)}, tmp_path / "a.safetensors")
    found = read_foreign(tmp_path / "a.safetensors", layout)["fc.weight"]
    assert np.array_equal(found, weight.T if turned else weight)


def test_vgg_of_another_project_fills_ctpn_layer_by_layer(
    root: Path, engine: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Thirteen convolutions, as torchvision numbers them, and the linear layers that CTPN does not have."""
    widths = (3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
    places = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    given = {}
    for place, inputs, outputs in zip(places, widths, widths[1:], strict=False):
        given[f"features.{place}.weight"] = np.full((outputs, inputs, 3, 3), place, np.float32)
        given[f"features.{place}.bias"] = np.full(outputs, -place, np.float32)
    given |= {"classifier.0.weight": noise(7, 5), "classifier.0.bias": noise(7)}
    save_file(given, tmp_path / "vgg.safetensors")
    config = load_config(root / "configs/det/ctpn_vgg16.yml", [f"Global.engine={engine}"])
    with pytest.raises(CheckpointError, match="layers of the kind conv"):
        import_weights(config, tmp_path / "vgg.safetensors")
    with caplog.at_level("INFO", "ppocr_lite"):
        found = import_weights(config, tmp_path / "vgg.safetensors", partial=True)
    names = [f"conv{group}_{i}" for group, depth in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, depth + 1)]
    for name, place in zip(names, places, strict=True):
        assert (found[f"backbone.{name}.conv.weight"] == place).all()
        assert (found[f"backbone.{name}.conv.bias"] == -place).all()
    stays = [record.getMessage().split(" ")[0] for record in caplog.records if "stays" in record.getMessage()]
    assert sorted(stays) == ["head.conv", "head.fc", "head.rnn", "head.scores", "head.sides", "head.vertical"]
