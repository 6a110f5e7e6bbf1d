"""Paddle Inference; the only module of ``predict`` that imports Paddle."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import MutableMapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import paddle
from numpy.typing import NDArray
from paddle.inference import Config, create_predictor

from ppocr_lite.predict.bundle import WEIGHTS, Bundle
from ppocr_lite.predict.runner import EngineError, gpu_index

log = logging.getLogger(__name__)

GPU_MEMORY_MB = 500  # first allocation on a GPU; it grows as needed
# What its kinds of error become in Python; RuntimeError includes the unimplemented ones.
ERRORS = (RuntimeError, ValueError, TypeError, IndexError, OSError, MemoryError, SystemError)
_TURN = threading.Lock()  # to run a network
# Layers that oneDNN keeps compiled, the last used of the process, each for one shape of input; it holds 1024 by itself.
# The three networks have 90 each, and lines come in sixteen widths, up to six together: compiling about doubles a run.
# More gains little, and memory goes on growing for longer.
COMPILED_LAYERS = "4096"
# How long a thread of OpenMP waits busily: 200 by itself, which keeps others from running; with 0 it is slow to wake.
WAIT_MILLISECONDS = "1"
SIZES = (1, 3, 6)  # batches of other sizes are filled up to these, for each size is a shape to compile for
CPUINFO = Path("/proc/cpuinfo")  # of Linux


class PaddleRunner:
    """An exported network on Paddle Inference; threads take turns.

    The networks of a process share what oneDNN has prepared, and with a bound on that Paddle counts it after each run
    while another may be changing it: two runs at once end the process, now and then.

    Args:
        bundle: The model folder.
        device: ``"cpu"`` or ``"gpu:<number>"``.
        threads: CPU threads of one run.
        onednn: Use oneDNN on a CPU; without it a run takes three to six times as long and computes as in training.
            It is left out for a network on which this release of Paddle would stop with it.

    Raises:
        EngineError: If Paddle cannot read the network, or has no such device; or in a process that was forked after
            Paddle had loaded a network, where loading one ends the process now and then.
    """

    parallel = False
    process: ClassVar[int | None] = None  # that loaded the first network

    def __init__(self, bundle: Bundle, device: str = "cpu", threads: int = 1, onednn: bool = True) -> None:
        if bundle.program is None:
            raise EngineError(f"{bundle.folder} has no network for Paddle. Use engine='onnxruntime'.")
        self._file = bundle.program
        self._any_batch = device == "cpu" and bundle.input.shape[0] < 0
        self._check_process()
        _check_readable(self._file)
        set_up_libraries(os.environ)
        config = Config(str(self._file), str(bundle.folder / WEIGHTS))
        if device == "cpu":
            config.disable_gpu()
            if onednn and not breaks_onednn(self._file, paddle.__version__):
                config.enable_mkldnn()
                config.set_mkldnn_cache_capacity(1)  # more, or 0, grows with every new input shape
            else:
                config.disable_mkldnn()
            config.set_cpu_math_library_num_threads(threads)
        else:
            index = gpu_index(device)
            count = paddle.device.cuda.device_count() if paddle.is_compiled_with_cuda() else 0
            if index >= count:
                raise EngineError(f"device={device!r}: Paddle sees {count} GPUs here. Use device='cpu'.")
            config.enable_use_gpu(GPU_MEMORY_MB, index)
        config.enable_new_executor()
        config.enable_memory_optim()
        config.disable_glog_info()
        try:
            self._predictor = create_predictor(config)
        except ERRORS as error:
            raise EngineError(f"Paddle cannot read {self._file}: {error}") from error

    @classmethod
    def _check_process(cls) -> None:
        if cls.process is None:
            cls.process = os.getpid()
        if cls.process != os.getpid():
            raise EngineError(
                "Paddle cannot load a network in a process that was forked after Paddle had loaded one. Use "
                "multiprocessing.get_context('spawn'), make the first OCR after the fork, or take another engine."
            )

    def run_all(self, array: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return every output for a batch (N, 3, H, W).

        Raises:
            EngineError: If Paddle cannot run the network on an input of that shape.
        """
        predictor = self._predictor
        batch = _filled(array) if self._any_batch else array
        with _TURN:
            try:
                handle = predictor.get_input_handle(predictor.get_input_names()[0])
                handle.reshape(batch.shape)
                handle.copy_from_cpu(np.ascontiguousarray(batch, np.float32))
                predictor.run()
                handles = [predictor.get_output_handle(name) for name in predictor.get_output_names()]
                outputs = [np.asarray(handle.copy_to_cpu(), np.float32) for handle in handles]
            except ERRORS as error:
                raise EngineError(f"Paddle cannot run {self._file} on an input of {array.shape}: {error}") from error
        return outputs if len(batch) == len(array) else [output[: len(array)] for output in outputs]


def _filled(batch: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a batch (N, …) with zeros after it, up to the next of SIZES."""
    size = next((size for size in SIZES if size >= len(batch)), len(batch))
    return np.pad(batch, ((0, size - len(batch)), *((0, 0),) * (batch.ndim - 1))) if size > len(batch) else batch


def set_up_libraries(environment: MutableMapping[str, str]) -> None:
    """Set, before they first run, what oneDNN, OpenMP and MKL read from the environment; a value that is there stands.

    On a processor of AMD the MKL in Paddle multiplies with SSE, which slows an LSTM down; ``MKL_DEBUG_CPU_TYPE=5`` has
    it use AVX2. None of them changes anything in a process where the library has run before.
    """
    environment.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", COMPILED_LAYERS)
    environment.setdefault("KMP_BLOCKTIME", WAIT_MILLISECONDS)
    if is_amd_with_avx2(CPUINFO):
        environment.setdefault("MKL_DEBUG_CPU_TYPE", "5")


def is_amd_with_avx2(cpuinfo: Path) -> bool:
    """Say whether Linux describes such a processor in that file; elsewhere there is none, and the answer is no."""
    words = set(cpuinfo.read_text(encoding="utf-8", errors="replace").split()) if cpuinfo.is_file() else set()
    return {"AuthenticAMD", "avx2", "fma"} <= words


def breaks_onednn(program: Path, version: str) -> bool:
    """Say whether a release of Paddle stops, with oneDNN, on a network: 3.3 on each interpolation in a ``.json``.

    Source:
        Paddle issue 77340; measured with 3.3.1.
    """
    breaks = version.startswith("3.3.") and program.suffix == ".json" and b'_interp"' in program.read_bytes()
    if breaks:
        log.warning("%s runs without oneDNN, several times slower: Paddle %s stops on it with it.", program, version)
    return breaks


def _check_readable(program: Path) -> None:
    """Refuse what would end the process: Paddle 2 does not know the format of Paddle 3."""
    if program.suffix == ".json" and paddle.__version__.startswith("2."):
        raise EngineError(f"Paddle {paddle.__version__} cannot read {program}, which Paddle 3 wrote. Install Paddle 3.")
