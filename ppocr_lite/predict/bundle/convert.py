"""A network of Paddle → an ONNX file, kept for the next time."""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import sys
import tempfile
from pathlib import Path

from ppocr_lite.errors import ModelError
from ppocr_lite.install import install_command
from ppocr_lite.predict.bundle.bundle import WEIGHTS, Bundle

log = logging.getLogger(__name__)

OPSET = 14  # the first with HardSwish
SHAPED = ("Reshape", "Expand")  # operators whose second input is a shape
ONE_DIMENSION = "ppocr_lite_one_dimension"


def cache_folder() -> Path:
    """Return where what can be made again is kept, as each system has it."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "ppocr_lite"


def to_onnx(bundle: Bundle) -> Path:
    """Return the network of a folder for Paddle as an ONNX file, converted when first asked for.

    It is kept in :func:`cache_folder` under the SHA-256 of both files, so that another network never takes its place.

    Args:
        bundle: A folder with a network for Paddle.

    Raises:
        ModelError: If paddle2onnx is not installed, cannot convert the network, or there is no room for the file.
    """
    program, weights = bundle.program, bundle.folder / WEIGHTS
    if program is None:
        raise ModelError(f"{bundle.source} has no network. Export it again.")
    digest = hashlib.sha256()
    for path in (program, weights):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    kept = cache_folder() / "onnx" / f"{digest.hexdigest()}.onnx"
    if kept.is_file():
        return kept
    try:
        converter = importlib.import_module("paddle2onnx")
    except ImportError as error:
        raise ModelError(
            f"{bundle.source} has no ONNX file, and to make one takes paddle2onnx ({error}). "
            f"{install_command('paddle2onnx')}; or use engine='paddle'."
        ) from error
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            made = Path(folder) / kept.name
            converter.export(
                str(program), str(weights), str(made), opset_version=OPSET, verbose=False, optimize_tool="none"
            )
            _mend_shapes(made)
            made.replace(kept)  # whoever else converts it has the same file
    except (RuntimeError, ValueError, OSError, SystemError, TypeError) as error:
        raise ModelError(f"paddle2onnx cannot convert {bundle.source}: {error}. Use engine='paddle'.") from error
    log.info("%s was converted to %s.", bundle.source, kept)
    return kept


def _mend_shapes(path: Path) -> None:
    """Give the sides that a converted graph joins to a shape one dimension, where they have none.

    In programs of Paddle 2 the side of a shape is a list of one number, and paddle2onnx 2 makes a bare number of it.
    """
    onnx = importlib.import_module("onnx")  # paddle2onnx depends on it
    model = onnx.load(path)
    shapes = {name for node in model.graph.node if node.op_type in SHAPED for name in node.input[1:]}
    shapes |= {node.input[0] for node in model.graph.node if node.op_type == "Cast" and node.output[0] in shapes}
    nodes = []
    for node in model.graph.node:
        if node.op_type == "Concat" and node.output[0] in shapes:
            for place, name in enumerate(node.input):
                flat = f"{node.output[0]}_side_{place}"
                nodes.append(onnx.helper.make_node("Reshape", [name, ONE_DIMENSION], [flat]))
                node.input[place] = flat
        nodes.append(node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.append(onnx.helper.make_tensor(ONE_DIMENSION, onnx.TensorProto.INT64, [1], [-1]))
    onnx.save(model, path)
