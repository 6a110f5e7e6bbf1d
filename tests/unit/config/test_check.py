"""A mapping against a signature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pytest

from ppocr_lite.config.check import check_component, convert
from ppocr_lite.errors import ConfigError
from ppocr_lite.registry import Registry

SHAPES: Registry[Any] = Registry("shape", runtime=("canvas",))


@SHAPES.register
class Circle:
    def __init__(self, canvas: object, radius: float, colour: Literal["red", "blue"] = "red") -> None:
        self.canvas, self.radius, self.colour = canvas, radius, colour


@pytest.mark.parametrize(
    "value, hint, expected",
    [
        (1, float, 1.0),
        ("1./255.", float, 1 / 255),
        ("1 / 4", float | str, 0.25),
        ([1, 2], tuple[int, int], (1, 2)),
        ((1, 2), list[float], [1.0, 2.0]),
        ([1], tuple[int, ...], (1,)),
        ([1], Sequence[float], [1.0]),
        ({"a": 1}, Mapping[str, float], {"a": 1.0}),
        (None, int | None, None),
        ("x", int | str, "x"),
        ({"a": [1]}, dict[str, Any], {"a": [1]}),
    ],
)
def test_convert_follows_the_annotation(value: Any, hint: Any, expected: Any) -> None:
    found = convert(value, hint, "p")
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "value, hint, message",
    [
        ("3", int, r"p must be int. Received: '3' \(str\)"),
        (True, int, "p must be int"),
        (1.5, int, "p must be int"),
        ("1/0", float, "p divides by zero"),
        ("a/b", float, "p must be float"),
        ([1, 2, 3], tuple[int, int], "p must have 2 values"),
        ([1, "x"], list[int], r"p\[1\] must be int"),
        ({"a": "x"}, dict[str, int], r"p\.a must be int"),
        ("rde", Literal["red", "blue"], "must be one of .* Did you mean 'red'"),
        ("x", int | None, "p must be int | None"),
    ],
)
def test_a_value_that_does_not_fit_is_named(value: Any, hint: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        convert(value, hint, "p")


@pytest.mark.parametrize(
    "node, message",
    [
        ({"name": "Circl", "radius": 1}, "Loss.name: no shape is called 'Circl'. Did you mean 'Circle'"),
        ({"name": "Circle", "radious": 1}, "Loss.radious is not an argument of Circle. Did you mean 'radius'"),
        ({"name": "Circle"}, "Loss.radius is required by Circle"),
        ({"name": "Circle", "radius": 1, "canvas": 2}, "Loss.canvas is computed by the code"),
        ({"radius": 1}, "Loss must be a mapping with a 'name'"),
        (None, "Loss must be a mapping with a 'name'"),
    ],
)
def test_a_wrong_component_is_named(node: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_component(SHAPES, node, "Loss")


def test_a_message_says_where_the_class_is() -> None:
    with pytest.raises(ConfigError, match=r"Circle is defined at .*test_check\.py:\d+"):
        check_component(SHAPES, {"name": "Circle"}, "Loss")
