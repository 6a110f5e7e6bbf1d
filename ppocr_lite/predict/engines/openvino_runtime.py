"""OpenVINO; imported only when that engine is chosen."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from ppocr_lite.predict.bundle import Bundle
from ppocr_lite.predict.engines.pool import Pool, cpu_count
from ppocr_lite.predict.runner import EngineError, network_file

DEFORMABLE = b"DeformConv"  # how an ONNX network names that operator
ERRORS = (RuntimeError, ValueError, OSError, MemoryError)
PRECISION = {"INFERENCE_PRECISION_HINT": "f32"}  # left alone it takes bfloat16: probabilities were off by up to 0.15
# How many prepared layers it keeps, over all input shapes; 5000 by default, with which memory grows from page to page.
# Lines come in a dozen widths, and preparing them again takes half as long again; for a page it makes no difference.
CACHED_LAYERS = {"page": "1", "line": "1000"}


class OpenVINORunner:
    """An exported network on OpenVINO; threads share the network, and each run has a request of its own.

    Args:
        bundle: The model folder.
        device: ``"cpu"``, the only one this engine is used for.
        threads: CPU threads of one run.

    Raises:
        EngineError: If OpenVINO cannot read the network, or *device* is another.
    """

    parallel = True

    def __init__(self, bundle: Bundle, device: str = "cpu", threads: int = 1) -> None:
        self._file = network_file(bundle, "openvino")
        if device != "cpu":
            raise EngineError(f"engine='openvino' runs on device='cpu' only. Received: {device!r}")
        cached = {"CPU_RUNTIME_CACHE_CAPACITY": CACHED_LAYERS["page" if bundle.input.shape[2] < 0 else "line"]}
        streams = max(1, cpu_count() // threads)  # as many runs at once as there are processors for
        settings = {"INFERENCE_NUM_THREADS": threads * streams, "NUM_STREAMS": streams, **PRECISION, **cached}
        try:
            with _signal_stack_kept():
                network = openvino.Core().compile_model(str(self._file), "CPU", settings)
        except ERRORS as error:
            deformable = self._file is not None and DEFORMABLE in self._file.read_bytes()
            reason = "it has no deformable convolution; use engine='paddle' or 'onnxruntime'" if deformable else error
            raise EngineError(f"OpenVINO cannot read {self._file}: {reason}") from error
        self._requests: Pool[Any] = Pool(network.create_infer_request)

    def run_all(self, array: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return every output for a batch (N, 3, H, W).

        Raises:
            EngineError: If OpenVINO cannot run the network on an input of that shape.
        """
        with self._requests.lend() as request:
            try:
                outputs = request.infer([np.ascontiguousarray(array, np.float32)])
            except ERRORS as error:
                raise EngineError(f"OpenVINO cannot run {self._file} on an input of {array.shape}: {error}") from error
            # Copies: the request will write there again.
            return [np.array(outputs[port], np.float32) for port in range(len(outputs))]


class _SignalStack(ctypes.Structure):
    """``stack_t`` of Linux."""

    _fields_ = (("address", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def _signal_stack_kept() -> Iterator[None]:
    """Put back the thread's signal stack, which OpenVINO replaces when it first loads a network.

    On a processor with AMX its own holds 20 KB, of which the processor's state takes 12: a handler of Python that is
    called for the first time overruns it, and the process ends.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    before, change = _SignalStack(), ctypes.CDLL(None).sigaltstack
    change(None, ctypes.byref(before))
    try:
        yield
    finally:
        change(ctypes.byref(before), None)
