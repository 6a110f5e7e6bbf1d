from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.charset import Charset
from ppocr_lite.config.check import check_component
from ppocr_lite.errors import ConfigError
from ppocr_lite.postprocess import (
    POSTPROCESSES,
    CTCLabelDecode,
    DBPostProcess,
    DistillationCTCLabelDecode,
    DistillationDBPostProcess,
)


def test_the_printed_detection_fragment_is_accepted() -> None:
    node = {
        "name": "DistillationDBPostProcess",
        "model_name": ["Student", "Student2", "Teacher"],
        "box_thresh": 0.6,
        "max_candidates": 1000,
        "thresh": 0.3,
        "unclip_ratio": 1.5,
    }
    assert check_component(POSTPROCESSES, node, "PostProcess") == node


def test_the_printed_recognition_fragment_is_accepted() -> None:
    node = {"name": "DistillationCTCLabelDecode", "key": "head_out", "model_name": ["Student", "Teacher"]}
    assert check_component(POSTPROCESSES, node, "PostProcess") == node


def test_one_array_is_decoded_as_by_the_plain_class() -> None:
    charset = Charset("ab")
    probabilities = np.random.default_rng(0).random((2, 5, 3)).astype(np.float32)
    assert DistillationCTCLabelDecode(charset)(probabilities) == CTCLabelDecode(charset)(probabilities)


def test_each_named_network_has_its_own_result() -> None:
    plane = np.zeros((64, 64), np.float32)
    text = plane.copy()
    text[10:30, 10:50] = 0.9
    found = DistillationDBPostProcess(["Student", "Teacher"])({"Student": {"maps": text}, "Teacher": {"maps": plane}})
    assert isinstance(found, dict)
    np.testing.assert_array_equal(found["Student"].polygons, DBPostProcess()(text).polygons)
    assert found["Teacher"].polygons == []


def test_an_unknown_network_is_named() -> None:
    with pytest.raises(ConfigError, match="Studnet.*Did you mean 'Student'"):
        DistillationDBPostProcess(["Studnet"])({"Student": np.zeros((8, 8), np.float32)})
