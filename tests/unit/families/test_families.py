"""What every family promises, and what those that come with the package say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ppocr_lite.config.family import FEATURES
from ppocr_lite.engine.build import registries
from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.families import FAMILIES, Classifiers, Detectors, Family, Recognizers, register
from ppocr_lite.results import Detections

KINDS = {"Loss": "loss", "PostProcess": "postprocess", "Metric": "metric"}


@pytest.mark.parametrize("name", FAMILIES)
def test_the_defaults_are_registered_components(name: str) -> None:
    defaults = FAMILIES[name].defaults
    assert set(defaults) == set(KINDS)
    for section, node in defaults.items():
        assert node["name"] in set(registries()[KINDS[section]])


@pytest.mark.parametrize("name", FAMILIES)
def test_a_config_may_name_it(name: str) -> None:
    assert FEATURES[name] == FAMILIES[name].features


def test_a_second_family_of_a_name_is_refused() -> None:
    class Other(Detectors):
        name = "det"

    with pytest.raises(ConfigError, match="'det' is declared twice"):
        register(Other)
    assert isinstance(FAMILIES["det"], Detectors)


def test_a_family_must_say_how_it_is_judged() -> None:
    class Silent(Family):
        name = "silent"

    with pytest.raises(TypeError, match="abstract"):
        Silent()  # type: ignore[abstract]


@pytest.mark.parametrize(
    ("family", "node", "shape"),
    [
        (Detectors(), {"name": "DetResizeForTest"}, (-1, 3, -1, -1)),
        (Recognizers(), {"name": "RecResizeImg", "image_shape": (3, 32, 320)}, (-1, 3, 32, -1)),
        (Classifiers(), {"name": "ClsResizeImg", "image_shape": (3, 48, 192)}, (-1, 3, 48, 192)),
    ],
)
def test_what_an_exported_network_takes(family: Family, node: dict[str, Any], shape: tuple[int, ...]) -> None:
    assert family.input_shape([node]) == shape


@pytest.mark.parametrize("family", [Recognizers(), Classifiers()])
def test_the_height_of_lines_must_be_said(family: Family) -> None:
    with pytest.raises(ConfigError, match="it says the height of lines"):
        family.input_shape([{"name": "NormalizeImage"}])


class Stage:
    """Finds one box, reads one text, sees one angle."""

    def detect(self, image: Any) -> Detections:
        return Detections([np.float32([[0, 0], [2, 0], [2, 1], [0, 1]])], [0.5])

    def recognize(self, images: Any) -> list[Any]:
        return [Answer() for _ in images]

    classify = recognize


class Answer:
    text, angle, score = "abc", 180, 0.25


IMAGE = np.zeros((4, 4, 3), np.uint8)


def test_answers_are_one_line_of_text() -> None:
    region = '[{"transcription": "", "points": [[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0]], "score": 0.5}]'
    assert Detectors().answer(Stage(), IMAGE) == region
    assert Recognizers().answer(Stage(), IMAGE) == "abc\t0.2500"
    assert Classifiers().answer(Stage(), IMAGE) == "180\t0.2500"


def test_predictions_are_paired_with_the_truth() -> None:
    sample = {"image": IMAGE, "polys": ["truth"], "ignore_tags": [False], "label": "180", "path": "a.png"}
    ((found, truth),) = Detectors().judge(Stage(), [sample])
    assert (len(found["polygons"]), truth) == (1, {"polys": ["truth"], "ignore_tags": [False]})
    assert Recognizers().judge(Stage(), [sample]) == [("abc", "180")]
    assert Classifiers().judge(Stage(), [sample]) == [(180, 180)]


def test_a_label_that_is_no_angle_is_named() -> None:
    with pytest.raises(DataError, match=r"a\.png: the label must be an angle. Received: 'up'"):
        Classifiers().judge(Stage(), [{"image": IMAGE, "label": "up", "path": "a.png"}])


def test_a_family_that_is_not_measured_in_training_says_so() -> None:
    assert not Detectors.measures
    with pytest.raises(NotImplementedError, match="'det' is not measured in training"):
        Detectors().measure_batch(None, None, {}, None, None)
