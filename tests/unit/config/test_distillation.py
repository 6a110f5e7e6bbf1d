from __future__ import annotations

from typing import Any

import pytest

from ppocr_lite.config.check import check_component
from ppocr_lite.config.distillation import plain_postprocess
from ppocr_lite.errors import ConfigError
from ppocr_lite.postprocess import POSTPROCESSES

DETECTION: dict[str, Any] = {
    "name": "DistillationDBPostProcess",
    "model_name": ["Student", "Student2", "Teacher"],
    "box_thresh": 0.6,
    "max_candidates": 1000,
    "thresh": 0.3,
    "unclip_ratio": 1.5,
}
RECOGNITION: dict[str, Any] = {
    "name": "DistillationCTCLabelDecode",
    "key": "head_out",
    "model_name": ["Student", "Teacher"],
}


def translated(node: dict[str, Any], networks: tuple[str, ...] = ()) -> dict[str, Any]:
    return check_component(POSTPROCESSES, plain_postprocess(node, set(POSTPROCESSES), networks), "PostProcess")


def test_the_printed_detection_fragment_is_accepted() -> None:
    plain = {k: v for k, v in DETECTION.items() if k != "model_name"}
    assert translated(DETECTION, ("Student", "Student2", "Teacher")) == plain | {"name": "DBPostProcess"}


def test_the_printed_recognition_fragment_is_accepted() -> None:
    assert translated(RECOGNITION, ("Student", "Teacher")) == {"name": "CTCLabelDecode"}


@pytest.mark.parametrize(
    ("node", "more"),
    [(DETECTION, {"min_size": 5.0}), (DETECTION, {"shrink_ratio": 0.4}), (RECOGNITION, {"drop_score": 0.7})],
)
def test_every_argument_of_the_plain_class_is_taken(node: dict[str, Any], more: dict[str, Any]) -> None:
    assert more.items() <= translated(node | more).items()


def test_a_plain_section_is_left_as_it_is() -> None:
    node = {"name": "DBPostProcess", "thresh": 0.2}
    assert plain_postprocess(node, set(POSTPROCESSES), ("Student",)) is node


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_name": ["Studnet"]}, "PostProcess.model_name: no network is called 'Studnet'.*Did you mean 'Student'"),
        ({"model_name": "Student"}, "PostProcess.model_name must be list"),
        ({"key": 3}, "PostProcess.key must be"),
        ({"treshold": 0.3}, "PostProcess.treshold is not an argument of DBPostProcess"),
        ({"name": "DistillationDB"}, "no postprocess is called 'DistillationDB'"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        translated(DETECTION | change, ("Student", "Student2", "Teacher"))
