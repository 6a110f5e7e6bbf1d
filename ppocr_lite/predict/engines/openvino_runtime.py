"""OpenVINO; imported only when that engine is chosen."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from ppocr_lite.errors import ModelError
from ppocr_lite.predict.bundle import Bundle


class OpenVINORunner:
    """An exported network on OpenVINO; each thread has its own request on the shared network.

    Args:
        bundle: The model folder.
        device: ``"cpu"``, the only one this engine is used for.
        threads: CPU threads of one run.

    Raises:
        ModelError: If the folder has no ``model.onnx`` or ``inference.pdmodel``, or OpenVINO cannot read it.
    """

    def __init__(self, bundle: Bundle, device: str = "cpu", threads: int = 1) -> None:
        source = bundle.onnx
        if source is None and bundle.program is not None and bundle.program.suffix == ".pdmodel":
            source = bundle.program
        if source is None:
            raise ModelError(f"{bundle.folder} has no model.onnx. Export it again with paddle2onnx installed.")
        if device != "cpu":
            raise ModelError(f"engine='openvino' runs on device='cpu' only. Received: {device!r}")
        try:
            core = openvino.Core()
            self._network = core.compile_model(str(source), "CPU", {"INFERENCE_NUM_THREADS": threads})
        except RuntimeError as error:
            raise ModelError(f"OpenVINO cannot read {source}: {error}") from error
        self._own = threading.local()

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the first output for a batch (N, 3, H, W)."""
        if not hasattr(self._own, "request"):
            self._own.request = self._network.create_infer_request()
        request: Any = self._own.request
        return np.array(request.infer([np.ascontiguousarray(array)])[0], np.float32)
