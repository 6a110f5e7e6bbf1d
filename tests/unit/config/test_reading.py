from __future__ import annotations

from typing import Any

import pytest

from ppocr_lite.config.reading import DEFAULT_POLICY, FIELDS, ReadingPolicy, check_reading, join_policies
from ppocr_lite.errors import ConfigError


def test_without_a_section_a_line_is_read_once_within_its_box() -> None:
    assert check_reading(None, "rec") == check_reading({}, "det") == DEFAULT_POLICY
    assert (DEFAULT_POLICY.retry_score, DEFAULT_POLICY.margin) == (0.0, 0.0)


def test_every_field_belongs_to_one_family() -> None:
    owned = [name for names in FIELDS.values() for name in names]
    assert sorted(owned) == sorted(ReadingPolicy.__dataclass_fields__)


def test_a_section_is_checked_and_converted() -> None:
    assert check_reading({"retry_score": 1, "retry_scales": [0.5, 2]}, "rec") == ReadingPolicy(1.0, (0.5, 2.0))


@pytest.mark.parametrize(
    ("node", "family", "message"),
    [
        ({"retry_scor": 0.9}, "rec", "Reading.retry_scor is not an argument.*Did you mean 'retry_score'"),
        ({"retry_score": "high"}, "rec", "Reading.retry_score must be float"),
        ({"retry_score": 95}, "rec", "Reading.retry_score must be from 0 to 1. Received: 95"),
        ({"retry_scales": [0]}, "rec", "Reading.retry_scales must be numbers from 0.1"),
        ({"margin": 1}, "rec", "Reading.margin must be at least 0 and below 1"),
        ({"clear_space": -1}, "rec", "Reading.clear_space must be from 0 to 10"),
        ({"crop_height": 0}, "rec", "Reading.crop_height must be at least 1"),
        ({"turn_score": float("nan")}, "cls", "Reading.turn_score must be from 0 to 1"),
        ({"margin": 0.1}, "det", "Reading.margin is for a rec model, and this one is det"),
        ({"turn_score": 0.5}, "rec", "Reading.turn_score is for a cls model, and this one is rec"),
    ],
)
def test_what_is_wrong_is_named(node: dict[str, Any], family: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_reading(node, family)


def test_a_page_is_read_as_each_network_says() -> None:
    classifier = ReadingPolicy(turn_score=0.5, both_ways_up=False, margin=0.9)
    recognizer = ReadingPolicy(retry_score=0.95, margin=0.05, turn_score=0.1)
    joined = join_policies(classifier, recognizer)
    assert joined == ReadingPolicy(retry_score=0.95, margin=0.05, turn_score=0.5, both_ways_up=False)
    assert join_policies(None, recognizer) == ReadingPolicy(retry_score=0.95, margin=0.05)
    assert join_policies(None, None) == DEFAULT_POLICY
