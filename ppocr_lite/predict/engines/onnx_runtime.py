"""ONNX Runtime; imported only when that engine is chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf, NoSuchFile

from ppocr_lite.errors import ModelError
from ppocr_lite.predict.bundle import Bundle
from ppocr_lite.predict.runner import gpu_index


class OnnxRunner:
    """An exported network on ONNX Runtime; a session may be called from several threads.

    Args:
        bundle: The model folder.
        device: ``"cpu"`` or ``"gpu:<number>"``.
        threads: CPU threads of one run.

    Raises:
        ModelError: If the folder has no ``model.onnx``, or ONNX Runtime cannot read it.
    """

    def __init__(self, bundle: Bundle, device: str = "cpu", threads: int = 1) -> None:
        if bundle.onnx is None:
            raise ModelError(f"{bundle.folder} has no model.onnx. Export it again with paddle2onnx installed.")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        provider = "CPUExecutionProvider" if device == "cpu" else "CUDAExecutionProvider"
        known = onnxruntime.get_available_providers()
        if provider not in known:
            raise ModelError(f"device={device!r}: this ONNX Runtime has no {provider}, only {', '.join(known)}.")
        chosen: list[Any] = [provider] if device == "cpu" else [(provider, {"device_id": gpu_index(device)})]
        try:
            self._session = onnxruntime.InferenceSession(str(bundle.onnx), options, providers=chosen)
        except (Fail, InvalidGraph, InvalidProtobuf, NoSuchFile) as error:
            raise ModelError(f"ONNX Runtime cannot read {bundle.onnx}: {error}") from error
        self._input = self._session.get_inputs()[0].name

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the first output for a batch (N, 3, H, W)."""
        return np.asarray(self._session.run(None, {self._input: np.ascontiguousarray(array)})[0], np.float32)
