"""Exported networks give what the live ones give, at sizes other than those they were traced with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import paddle
import pytest
from paddle.static import InputSpec

from ppocr_lite.engine.export import Prediction
from ppocr_lite.modeling import build_model

DET: dict[str, Any] = {
    "model_type": "det",
    "Backbone": {"name": "MobileNetV3", "model_name": "large", "scale": 0.5, "disable_se": True},
    "Neck": {"name": "DBFPN", "out_channels": 96},
    "Head": {"name": "DBHead", "k": 50},
}
SEQUENCE: dict[str, Any] = {
    "model_type": "rec",
    "Neck": {"name": "SequenceEncoder", "encoder_type": "rnn", "hidden_size": 48},
    "Head": {"name": "CTCHead", "fc_decay": 0.00001},
}
HEAD = {"name": "DBHead", "k": 50}
V3 = {"name": "PPLCNetV3", "scale": 0.25, "conv_kxk_num": 1}
V4 = {"name": "PPLCNetV4", "model_size": "tiny"}
SMALL = {"name": "MobileNetV3", "model_name": "small", "scale": 0.5}
CASES: dict[str, tuple[dict[str, Any], list[tuple[int, int]]]] = {
    "det": (DET, [(64, 96), (160, 128)]),
    "det-lcnet-v3": (
        {"model_type": "det", "Backbone": V3, "Neck": {"name": "RSEFPN", "out_channels": 24}, "Head": HEAD},
        [(64, 96), (160, 128)],
    ),
    "det-lcnet-v4": (
        {
            "model_type": "det",
            "Backbone": V4,
            "Neck": {"name": "RepLKFPN", "out_channels": 24},
            "Head": HEAD | {"aux_in_channels": 24, "fix_nan": True},
        },
        [(64, 96), (160, 128)],
    ),
    "det-pan": (
        {
            "model_type": "det",
            "Backbone": SMALL,
            "Neck": {"name": "LKPAN", "out_channels": 24, "intracl": True},
            "Head": HEAD | {"kernel_list": [7, 2, 2]},
        },
        [(64, 96), (160, 128)],
    ),
    "det-rep-pan": (
        {"model_type": "det", "Backbone": V4, "Neck": {"name": "RepLKPAN", "out_channels": 24}, "Head": HEAD},
        [(64, 96), (160, 128)],
    ),
    "rec": (SEQUENCE | {"Backbone": SMALL | {"small_stride": [1, 2, 2, 2]}}, [(32, 320), (32, 96)]),
    "rec-one-row": (SEQUENCE | {"Backbone": SMALL | {"small_stride": [2, 2, 2, 2]}}, [(32, 320), (32, 96)]),
    "rec-lcnet": (SEQUENCE | {"Backbone": {"name": "MobileNetV1Enhance", "scale": 0.5}}, [(32, 320), (32, 96)]),
    "cls": (
        {
            "model_type": "cls",
            "Backbone": {"name": "MobileNetV3", "model_name": "small", "scale": 0.35},
            "Head": {"name": "ClsHead", "class_dim": 2},
        },
        [(48, 192)],
    ),
}


LONG = ("det-lcnet-v3", "det-lcnet-v4", "det-pan", "det-rep-pan")  # to export


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in CASES]
)
def test_exported_network_equals_the_live_one(name: str, tmp_path: Path) -> None:
    architecture, sizes = CASES[name]
    paddle.seed(0)
    model = build_model(architecture, num_classes=97)
    with paddle.no_grad():
        model(paddle.rand([2, 3, *sizes[0]]))  # statistics other than the first ones
    model.eval()
    spec = InputSpec([None, 3, None, None], "float32", name="x")
    (name,) = model.predict(paddle.rand([1, 3, *sizes[0]]))
    paddle.jit.save(Prediction(model, [name]), str(tmp_path / "inference"), input_spec=[spec])
    predictor = load(tmp_path)
    for batch, (height, width) in enumerate(sizes, start=1):
        image = np.random.default_rng(batch).random((batch, 3, height, width), np.float32)
        with paddle.no_grad():
            expected = model.predict(paddle.to_tensor(image))[name].numpy()
        # An untrained network's logits reach hundreds, where the last bits of float32 move a probability by 1e-3.
        np.testing.assert_allclose(run(predictor, image), expected, atol=5e-3)


def load(folder: Path) -> Any:
    config = paddle.inference.Config(str(folder / "inference.json"), str(folder / "inference.pdiparams"))
    config.disable_gpu()
    config.enable_mkldnn()
    config.set_mkldnn_cache_capacity(1)
    config.enable_new_executor()
    config.enable_memory_optim()
    config.disable_glog_info()
    return paddle.inference.create_predictor(config)


def run(predictor: Any, image: np.ndarray) -> np.ndarray:
    handle = predictor.get_input_handle(predictor.get_input_names()[0])
    handle.reshape(image.shape)
    handle.copy_from_cpu(image)
    predictor.run()
    (name,) = predictor.get_output_names()
    return predictor.get_output_handle(name).copy_to_cpu()
