"""Weights in half precision: the file is half as large, and what is read from it computes the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import paddle
import pytest

from ppocr_lite.engine.half import half_weights, round_weights
from ppocr_lite.errors import ModelError
from ppocr_lite.predict.engines.paddle_inference import create_predictor

Config = paddle.inference.Config


class Lines(paddle.nn.Layer):
    """A convolution, a batch normalisation, a recurrent layer and a linear one."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = paddle.nn.Conv2D(3, 32, 3, padding=1)
        self.norm = paddle.nn.BatchNorm2D(32)
        self.lstm = paddle.nn.LSTM(32, 24, num_layers=2, direction="bidirect")
        self.fc = paddle.nn.Linear(48, 10)

    def forward(self, x: paddle.Tensor) -> paddle.Tensor:
        features = self.norm(self.conv(x)).mean(axis=2).transpose([0, 2, 1])
        return self.fc(self.lstm(features)[0])


@pytest.fixture
def network() -> Lines:
    paddle.seed(3)
    made = Lines()
    made.eval()
    round_weights(made)
    return made


def save(network: Lines, folder: Path) -> int:
    spec = [paddle.static.InputSpec([None, 3, 8, None], "float32", name="x")]
    paddle.jit.save(network, str(folder / "inference"), input_spec=spec)
    return (folder / "inference.pdiparams").stat().st_size


def run(folder: Path, x: np.ndarray) -> np.ndarray:
    config = Config(str(folder / "inference.json"), str(folder / "inference.pdiparams"))
    config.disable_gpu()
    config.disable_glog_info()
    predictor = create_predictor(config)
    handle = predictor.get_input_handle("x")
    handle.reshape(x.shape)
    handle.copy_from_cpu(x)
    predictor.run()
    return np.asarray(predictor.get_output_handle(predictor.get_output_names()[0]).copy_to_cpu())


def test_a_halved_file_is_smaller_and_computes_the_same(network: Lines, tmp_path: Path) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 8, 20), np.float32)
    expected = network(paddle.to_tensor(x)).numpy()
    whole = save(network, tmp_path / "whole")
    with half_weights(network):
        half = save(network, tmp_path / "half")
    assert half < 0.6 * whole
    np.testing.assert_allclose(run(tmp_path / "half", x), expected, atol=1e-5)


def test_the_network_is_as_it_was_afterwards(network: Lines, tmp_path: Path) -> None:
    x = paddle.ones([1, 3, 8, 16])
    before, names = network(x).numpy(), sorted(network.state_dict())
    with half_weights(network):
        save(network, tmp_path)
    np.testing.assert_array_equal(network(x).numpy(), before)
    assert sorted(network.state_dict()) == names


def test_a_weight_that_half_precision_cannot_hold_is_named(network: Lines) -> None:
    network.fc.weight.set_value(paddle.full([48, 10], 1e6))
    with pytest.raises(ModelError, match=r"fc\.weight is too large for half precision"):
        round_weights(network)
