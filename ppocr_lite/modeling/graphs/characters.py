"""The characters that a recogniser of a graph knows."""

from __future__ import annotations

from pathlib import Path

from ppocr_lite.charset import Charset, read_list
from ppocr_lite.errors import ModelError
from ppocr_lite.modeling.graphs.graph import Graph

KEY = "character"  # of the metadata, as RapidOCR writes it
_BLANK = "blank"  # what some lists begin with, for class 0


def graph_charset(graph: Graph, classes: int, dictionary: Path | str | None = None) -> Charset | None:
    """Return the characters of classes 1, 2, …; None where neither the file nor *dictionary* says them.

    The space is one more where the network has a class more than characters are listed, as PaddleOCR's
    ``use_space_char`` makes it.

    Args:
        graph: A recogniser.
        classes: Of its last layer.
        dictionary: A file with one character a line, where the graph does not hold its own.

    Raises:
        ModelError: If there are more or fewer characters than classes.
        ConfigError: If there is no such dictionary.
    """
    if dictionary is not None:
        source = str(dictionary)
        listed = list(read_list(Path(dictionary)))
    elif KEY in graph.metadata:
        source = f"{graph.source} (metadata {KEY!r})"
        listed = [line.removesuffix("\r") for line in graph.metadata[KEY].removesuffix("\n").split("\n")]
    else:
        return None
    if listed and listed[0] == _BLANK:
        del listed[0]
    if len(listed) + 2 == classes:
        listed.append(" ")
    if len(listed) + 1 != classes:
        raise ModelError(
            f"{source} lists {len(listed)} characters, but the network {graph.source} tells {classes} classes apart, "
            "the blank among them. Give the dictionary it was trained with: Architecture.Network.character_dict_path."
        )
    return Charset(listed, source, allow_duplicates=True, allow_sequences=True)
