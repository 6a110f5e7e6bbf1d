"""``model.onnx`` of a network that was read from a graph: the graph, with its trained weights."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from ppocr_lite.charset import Charset
from ppocr_lite.modeling.graphs.trained import trained_graph
from ppocr_lite.modeling.onnx_network import FILE, OnnxNetwork

OPSET_OF_BYTES = 13  # the first that can say a step for each channel


def write_trained(
    network: OnnxNetwork, weights: Mapping[str, NDArray[Any]], path: Path, charset: Charset | None, bytes_follow: bool
) -> None:
    """Write a network as ONNX, its weights under their names in it.

    Args:
        network: Read from a graph.
        weights: Its own, in Paddle's layout.
        path: The file.
        charset: The characters of a recogniser.
        bytes_follow: Whether its weights will become bytes, for which the graph must be of opset 13 or later.

    Raises:
        ModelError: If it must be, and cannot be made so.
    """
    files: Any = importlib.import_module(FILE)
    graph = trained_graph(network.graph, network.plan, weights, charset)
    files.write_graph(graph, path)
    if bytes_follow and graph.opset < OPSET_OF_BYTES:
        files.convert_opset(path, OPSET_OF_BYTES)
