"""The registry: names are class names, signatures are schemas, runtime values come from code."""

from __future__ import annotations

from typing import Any

import pytest

from ppocr_lite.errors import RegistryError
from ppocr_lite.registry import Registry, where


@pytest.fixture
def shapes() -> Registry[Any]:
    return Registry("shape", runtime=("in_channels",))


def test_the_key_is_the_class_name(shapes: Registry[Any]) -> None:
    @shapes.register
    class Circle:
        def __init__(self, radius: int = 1) -> None:
            self.radius = radius

    assert list(shapes) == ["Circle"]
    assert shapes.get("Circle") is Circle
    assert len(shapes) == 1


def test_register_returns_the_class(shapes: Registry[Any]) -> None:
    class Circle:
        pass

    assert shapes.register(Circle) is Circle


def test_two_classes_of_one_name_are_refused_with_both_places(shapes: Registry[Any]) -> None:
    first = type("Circle", (), {})
    shapes.register(first)
    with pytest.raises(RegistryError, match="shape 'Circle' is declared twice: .* and "):
        shapes.register(type("Circle", (), {}))
    assert shapes.get("Circle") is first


@pytest.mark.parametrize("signature", ["*args", "**kwargs"])
def test_open_signatures_are_refused(shapes: Registry[Any], signature: str) -> None:
    class Args:
        def __init__(self, *args: int) -> None: ...

    class Kwargs:
        def __init__(self, **kwargs: int) -> None: ...

    with pytest.raises(RegistryError, match="spell every argument out"):
        shapes.register(Args if signature == "*args" else Kwargs)


def test_an_unknown_name_suggests_the_nearest(shapes: Registry[Any]) -> None:
    shapes.register(type("Circle", (), {}))
    with pytest.raises(RegistryError, match="No shape is called 'Cirkle'. Did you mean 'Circle'"):
        shapes.get("Cirkle")


def test_build_adds_the_runtime_values_that_the_class_takes(shapes: Registry[Any]) -> None:
    @shapes.register
    class Circle:
        def __init__(self, in_channels: int, radius: int = 1) -> None:
            self.in_channels, self.radius = in_channels, radius

    built = shapes.build({"name": "Circle", "radius": 2}, in_channels=3, charset="not taken")
    assert (built.in_channels, built.radius) == (3, 2)


def test_build_leaves_the_node_alone(shapes: Registry[Any]) -> None:
    shapes.register(type("Circle", (), {}))
    node = {"name": "Circle"}
    shapes.build(node)
    assert node == {"name": "Circle"}


def test_build_logs_where_the_class_lives(shapes: Registry[Any], caplog: pytest.LogCaptureFixture) -> None:
    @shapes.register
    class Circle:
        pass

    with caplog.at_level("DEBUG", logger="ppocr_lite.registry"):
        shapes.build({"name": "Circle"})
    assert "build shape Circle" in caplog.text
    assert "test_registry.py:" in caplog.text


def test_where_names_file_and_line() -> None:
    file, _, line = where(Registry).rpartition(":")
    assert file.endswith("registry.py")
    assert int(line) > 1


def test_where_falls_back_to_the_qualified_name() -> None:
    assert where(dict) == "builtins.dict"
