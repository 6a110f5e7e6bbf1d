"""ONNX Runtime; imported only when that engine is chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as state

from ppocr_lite.predict.bundle import Bundle
from ppocr_lite.predict.runner import EngineError, gpu_index

# Its exceptions have no common base but Exception; which there are depends on the release.
NAMES = (
    *("EPFail", "EngineError", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "ModelLoaded"),
    *("ModelRequiresCompilation", "NoModel", "NoSuchFile", "NotFound", "NotImplemented", "RuntimeException"),
)
ERRORS: tuple[type[Exception], ...] = (
    *(vars(state)[name] for name in NAMES if name in vars(state)),
    *(RuntimeError, ValueError, OSError, MemoryError),
)
ERROR_LEVEL = 3  # of its own log, to standard error
SPIN_MICROSECONDS = "200"  # how long a thread waits busily: longer gains nothing, and keeps others from running


class OnnxRunner:
    """An exported network on ONNX Runtime; a session may be called from several threads.

    Args:
        bundle: The model folder.
        device: ``"cpu"`` or ``"gpu:<number>"``.
        threads: CPU threads of one run.

    Raises:
        EngineError: If ONNX Runtime cannot read the network, or has no such device.
    """

    parallel = True

    def __init__(self, bundle: Bundle, device: str = "cpu", threads: int = 1) -> None:
        self._file = bundle.onnx
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = ERROR_LEVEL
        options.enable_mem_pattern = False  # a plan of memory for every input shape, kept for ever
        options.add_session_config_entry("session.intra_op.spin_duration_us", SPIN_MICROSECONDS)
        provider = "CPUExecutionProvider" if device == "cpu" else "CUDAExecutionProvider"
        known = onnxruntime.get_available_providers()
        if provider not in known:
            raise EngineError(f"device={device!r}: this ONNX Runtime has no {provider}, only {', '.join(known)}.")
        chosen: list[Any] = [provider] if device == "cpu" else [(provider, {"device_id": gpu_index(device)})]
        try:
            self._session = onnxruntime.InferenceSession(str(self._file), options, providers=chosen)
        except ERRORS as error:
            raise EngineError(f"ONNX Runtime cannot read {self._file}: {error}") from error
        if self._session.get_providers()[0] != provider:  # it falls back without an error
            raise EngineError(f"device={device!r}: {provider} of this ONNX Runtime does not start.")
        self._input = self._session.get_inputs()[0].name

    def run_all(self, array: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return every output for a batch (N, 3, H, W).

        Raises:
            EngineError: If ONNX Runtime cannot run the network on an input of that shape.
        """
        try:
            outputs = self._session.run(None, {self._input: np.ascontiguousarray(array, np.float32)})
        except ERRORS as error:
            raise EngineError(f"ONNX Runtime cannot run {self._file} on an input of {array.shape}: {error}") from error
        return [np.asarray(output, np.float32) for output in outputs]
