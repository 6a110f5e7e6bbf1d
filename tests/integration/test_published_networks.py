"""The networks of configs/ are those that were published: with their values they compute the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import yaml

from ppocr_lite import nn
from ppocr_lite.modeling import build_model, fuse
from tests.published import Graph, copy_values, layers, published

ROOT = Path(__file__).parents[2]
# config → package and file of the published network, number of its classes
CASES = {
    "det/PP-OCRv3/PP-OCRv3_mobile_det": ("rapidocr_onnxruntime", "ch_PP-OCRv3_det_infer.onnx", None),
    "rec/PP-OCRv3/PP-OCRv3_mobile_rec": ("rapidocr_onnxruntime", "ch_PP-OCRv3_rec_infer.onnx", 6625),
    "det/PP-OCRv4/PP-OCRv4_mobile_det": ("rapidocr_onnxruntime", "ch_PP-OCRv4_det_infer.onnx", None),
    "rec/PP-OCRv4/PP-OCRv4_mobile_rec": ("rapidocr_onnxruntime", "ch_PP-OCRv4_rec_infer.onnx", 6625),
    "det/PP-OCRv6/PP-OCRv6_small_det": ("rapidocr", "PP-OCRv6_det_small.onnx", None),
    "rec/PP-OCRv6/PP-OCRv6_small_rec": ("rapidocr", "PP-OCRv6_rec_small.onnx", 18710),
}
CONVOLUTIONS = ("Conv", "ConvTranspose", "MatMul")


def network(config: str, classes: int | None) -> Any:
    """Return the network of a config, untrained, as it would be exported."""
    text = (ROOT / "configs" / f"{config}.yml").read_text(encoding="utf-8")
    model = build_model(yaml.safe_load(text)["Architecture"], classes)
    model.train(False)
    fuse(model)
    return model


def image_for(config: str) -> np.ndarray:
    """Return noise of a size that the network takes."""
    size = (96, 160) if config.startswith("det") else (48, 240)
    return np.random.default_rng(0).uniform(-1, 1, (2, 3, *size)).astype(np.float32)


@pytest.mark.parametrize("config", CASES)
def test_layers_are_those_of_the_published_graph(config: str, engine: str) -> None:
    package, name, classes = CASES[config]
    theirs = [(p.kind, p.shape) for p in Graph(published(package, name)).parts() if p.kind in CONVOLUTIONS]
    found = layers(network(config, classes), image_for(config))
    assert [(p.kind, p.shape) for p in found if p.kind in CONVOLUTIONS] == theirs


@pytest.mark.parametrize("config", CASES)
def test_with_the_published_values_it_computes_what_was_published(config: str, engine: str) -> None:
    package, name, classes = CASES[config]
    file = published(package, name)
    model, image = network(config, classes), image_for(config)
    copy_values(Graph(file), layers(model, image))
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {session.get_inputs()[0].name: image})
    with nn.no_grad():
        (found,) = model.predict(nn.to_tensor(image)).values()
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-4)
