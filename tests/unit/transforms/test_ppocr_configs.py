"""The transform lists of PaddleOCR's configs are accepted as they stand, and run."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import pytest

from ppocr_lite.charset import Charset
from ppocr_lite.config.check import check_component
from ppocr_lite.config.load import read_yaml
from ppocr_lite.transforms import TRANSFORMS, Compose, Sample

DET_TRAIN = """
- DecodeImage: # load image
    img_mode: BGR
    channel_first: False
- DetLabelEncode: # Class handling label
- IaaAugment:
    augmenter_args:
      - { 'type': Fliplr, 'args': { 'p': 0.5 } }
      - { 'type': Affine, 'args': { 'rotate': [-10, 10] } }
      - { 'type': Resize, 'args': { 'size': [0.5, 3] } }
- EastRandomCropData:
    size: [960, 960]
    max_tries: 50
    keep_ratio: true
- MakeBorderMap:
    shrink_ratio: 0.4
    thresh_min: 0.3
    thresh_max: 0.7
- MakeShrinkMap:
    shrink_ratio: 0.4
    min_text_size: 8
- NormalizeImage:
    scale: 1./255.
    mean: [0.485, 0.456, 0.406]
    std: [0.229, 0.224, 0.225]
    order: 'hwc'
- ToCHWImage:
- KeepKeys:
    keep_keys: ['image', 'threshold_map', 'threshold_mask', 'shrink_map', 'shrink_mask']
"""
DET_EVAL = """
- DecodeImage: {img_mode: BGR, channel_first: False}
- DetLabelEncode:
- DetResizeForTest:
- NormalizeImage: {scale: 1./255., mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], order: hwc}
- ToCHWImage:
- KeepKeys: {keep_keys: ['image', 'shape', 'polys', 'ignore_tags']}
"""
CLS_TRAIN = """
- DecodeImage: {img_mode: BGR, channel_first: False}
- ClsLabelEncode: # Class handling label
- RecAug:
    use_tia: False
- RandAugment:
- ClsResizeImg:
    image_shape: [3, 48, 192]
- KeepKeys:
    keep_keys: ['image', 'label'] # dataloader will return list in this order
"""
REC_TRAIN = """
- DecodeImage: {img_mode: BGR, channel_first: False}
- RecAug:
- CTCLabelEncode: # Class handling label
- RecResizeImg:
    image_shape: [3, 32, 320]
- KeepKeys:
    keep_keys: ['image', 'label', 'length']
"""


def run(text: str, label: str, *, size: tuple[int, int], training: bool = True) -> Sample:
    image = np.full((*size, 3), 220, np.uint8)
    sample = {"image": cv2.imencode(".png", image)[1].tobytes(), "label": label, "path": "a.png"}
    if training:
        sample["rng"] = np.random.default_rng(0)
    return compose(text, tuple(sample))(sample)


def compose(text: str, available: tuple[str, ...]) -> Compose:
    steps = []
    for entry in read_yaml(text, "config"):
        ((name, arguments),) = entry.items()
        node: dict[str, Any] = check_component(TRANSFORMS, {"name": name} | (arguments or {}), name)
        steps.append(TRANSFORMS.build(node, charset=Charset.load("en"), max_text_length=25))
    return Compose(steps, available)


PAGE_LABEL = json.dumps([{"transcription": "text", "points": [[20, 30], [160, 30], [160, 60], [20, 60]]}])


def test_detection_training() -> None:
    sample = run(DET_TRAIN, PAGE_LABEL, size=(200, 300))
    assert sample["image"].shape == (3, 960, 960)
    assert sample["image"].dtype == np.float32
    assert sample["shrink_map"].any()
    assert set(sample) == {"image", "threshold_map", "threshold_mask", "shrink_map", "shrink_mask"}


def test_detection_evaluation() -> None:
    sample = run(DET_EVAL, PAGE_LABEL, size=(200, 300), training=False)
    assert sample["image"].shape == (3, 736, 1088)
    assert sample["polys"][0].tolist() == [[20, 30], [160, 30], [160, 60], [20, 60]]


def test_classification_training() -> None:
    sample = run(CLS_TRAIN, "180", size=(40, 90))
    assert sample["image"].shape == (3, 48, 192)
    assert sample["label"] == 1


def test_recognition_training() -> None:
    sample = run(REC_TRAIN, "Hello World", size=(40, 90))
    assert sample["image"].shape[:2] == (3, 32)
    assert sample["length"] == 11


@pytest.mark.parametrize("text", [DET_TRAIN, CLS_TRAIN, REC_TRAIN])
def test_random_transforms_cannot_get_into_evaluation(text: str) -> None:
    with pytest.raises(ValueError, match="needs .*rng"):
        compose(text, ("image", "label", "path"))
