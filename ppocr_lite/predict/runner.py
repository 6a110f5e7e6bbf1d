"""What runs a network: one array in, one array out, whatever the engine."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ModelError
from ppocr_lite.predict.bundle import Bundle

Engine = Literal["auto", "paddle", "onnxruntime", "openvino"]
ENGINES = {  # engine → (package to install, our module, its class)
    "paddle": ("paddlepaddle", "ppocr_lite.predict.engines.paddle_inference", "PaddleRunner"),
    "onnxruntime": ("onnxruntime", "ppocr_lite.predict.engines.onnx_runtime", "OnnxRunner"),
    "openvino": ("openvino", "ppocr_lite.predict.engines.openvino_runtime", "OpenVINORunner"),
}


class Runner(Protocol):
    """A network that is ready to run; every implementation may be called from several threads at once."""

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for a batch (N, 3, H, W)."""
        ...


class FunctionRunner:
    """A function as a runner: the network in training, behind the same stages as an exported one.

    Args:
        function: Maps (N, 3, H, W) float32 to an array.
    """

    def __init__(self, function: Callable[[NDArray[np.float32]], NDArray[Any]]) -> None:
        self.function = function

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the function returns, as float32."""
        return np.asarray(self.function(array), np.float32)


def load_runner(bundle: Bundle, engine: Engine = "auto", device: str = "cpu", threads: int = 1) -> Runner:
    """Load the network of a model folder.

    Args:
        bundle: The folder.
        engine: ``"auto"`` takes Paddle where it is installed and the folder has a network for it, else ONNX Runtime.
        device: ``"cpu"`` or ``"gpu:<number>"``.
        threads: CPU threads of one run.

    Raises:
        ModelError: If the engine is unknown or not installed, the folder has no network for it, or it cannot be read.
    """
    if engine != "auto":
        return _load(engine, bundle, device, threads)
    problems = []
    for candidate in ("paddle", "onnxruntime"):
        if (bundle.program if candidate == "paddle" else bundle.onnx) is None:
            problems.append(f"{bundle.folder} has no network for {candidate}.")
            continue
        try:
            return _load(candidate, bundle, device, threads)
        except EngineMissingError as error:
            problems.append(str(error))
    raise ModelError(f"No engine can run {bundle.folder}. {' '.join(problems)}")


class EngineMissingError(ModelError):
    """The package of an engine is not installed."""


def _load(engine: str, bundle: Bundle, device: str, threads: int) -> Runner:
    if engine not in ENGINES:
        raise ModelError(f"There is no engine {engine!r}. Known: auto, {', '.join(ENGINES)}.")
    package, module, name = ENGINES[engine]
    try:
        runner = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise EngineMissingError(
            f"engine={engine!r} needs the package {package}, which is not installed ({error}). pip install {package}"
        ) from error
    return runner(bundle, device=device, threads=threads)  # type: ignore[no-any-return]


def gpu_index(device: str) -> int:
    """Return 1 of ``"gpu:1"``, 0 of ``"gpu"``.

    Raises:
        ModelError: If *device* is neither the CPU nor a GPU.
    """
    kind, _, number = device.partition(":")
    if kind != "gpu" or not (number or "0").isdigit():
        raise ModelError(f"device must be 'cpu' or 'gpu:<number>'. Received: {device!r}")
    return int(number or 0)
