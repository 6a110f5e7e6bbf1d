"""The characters that a graph was trained with."""

from __future__ import annotations

from pathlib import Path

import pytest

from ppocr_lite.errors import ModelError
from ppocr_lite.modeling.graphs import Graph
from ppocr_lite.modeling.graphs.characters import graph_charset


def graph(**metadata: str) -> Graph:
    return Graph("network.onnx", (), {}, "x", (-1, 3, 48, -1), "y", 12, metadata=metadata)


@pytest.mark.parametrize(
    "listed, classes, characters",
    [
        ("a\nb\nc", 4, ("a", "b", "c")),
        ("a\nb\nc\n", 5, ("a", "b", "c", " ")),  # use_space_char
        ("blank\na\nb", 3, ("a", "b")),
        ("a\r\nb\r\n🇨🇳", 4, ("a", "b", "🇨🇳")),  # a flag is two code points
    ],
)
def test_classes_tell_what_the_list_means(listed: str, classes: int, characters: tuple[str, ...]) -> None:
    charset = graph_charset(graph(character=listed), classes)
    assert charset is not None
    assert charset.characters == characters


def test_a_dictionary_stands_in_for_the_metadata(tmp_path: Path) -> None:
    path = tmp_path / "dictionary.txt"
    path.write_text("x\ny\n", encoding="utf-8")
    charset = graph_charset(graph(), 4, path)
    assert charset is not None
    assert charset.characters == ("x", "y", " ")


def test_nothing_is_known_without_either() -> None:
    assert graph_charset(graph(), 4) is None


def test_another_length_is_refused() -> None:
    with pytest.raises(ModelError, match=r"lists 3 characters, but the network network.onnx tells 9 classes apart"):
        graph_charset(graph(character="a\nb\nc"), 9)
