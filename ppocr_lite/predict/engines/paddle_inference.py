"""Paddle Inference; the only module of ``predict`` that imports Paddle."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray
from paddle.inference import Config, create_predictor

from ppocr_lite.errors import ModelError
from ppocr_lite.predict.bundle import WEIGHTS, Bundle
from ppocr_lite.predict.runner import gpu_index

GPU_MEMORY_MB = 500  # first allocation on a GPU; it grows as needed


class PaddleRunner:
    """An exported network on Paddle Inference.

    Each thread works on its own clone, which shares the weights, so calls may overlap.

    Args:
        bundle: The model folder.
        device: ``"cpu"`` or ``"gpu:<number>"``.
        threads: CPU threads of one run.
        onednn: Use oneDNN on a CPU; without it a run takes three to six times as long and computes as in training.

    Raises:
        ModelError: If the folder has no Paddle network, or Paddle cannot read it.
    """

    def __init__(self, bundle: Bundle, device: str = "cpu", threads: int = 1, onednn: bool = True) -> None:
        if bundle.program is None:
            raise ModelError(f"{bundle.folder} has no network for Paddle. Use engine='onnxruntime'.")
        config = Config(str(bundle.program), str(bundle.folder / WEIGHTS))
        if device == "cpu":
            config.disable_gpu()
            if onednn:
                config.enable_mkldnn()
                config.set_mkldnn_cache_capacity(1)  # more, or 0, grows with every new input shape
            else:
                config.disable_mkldnn()
            config.set_cpu_math_library_num_threads(threads)
        else:
            index = gpu_index(device)
            count = paddle.device.cuda.device_count() if paddle.is_compiled_with_cuda() else 0
            if index >= count:
                raise ModelError(f"device={device!r}: Paddle sees {count} GPUs here. Use device='cpu'.")
            config.enable_use_gpu(GPU_MEMORY_MB, index)
        config.enable_new_executor()
        config.enable_memory_optim()
        config.disable_glog_info()
        try:
            self._first = create_predictor(config)
        except (RuntimeError, ValueError, OSError, NotImplementedError) as error:
            raise ModelError(f"Paddle cannot read {bundle.program}: {error}") from error
        self._lock = threading.Lock()
        self._own = threading.local()

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the first output for a batch (N, 3, H, W)."""
        predictor = self._predictor()
        handle = predictor.get_input_handle(predictor.get_input_names()[0])
        handle.reshape(array.shape)
        handle.copy_from_cpu(np.ascontiguousarray(array, np.float32))
        predictor.run()
        output = predictor.get_output_handle(predictor.get_output_names()[0])
        return np.asarray(output.copy_to_cpu(), np.float32)

    def _predictor(self) -> Any:
        if not hasattr(self._own, "predictor"):
            with self._lock:
                self._own.predictor = self._first.clone()
        return self._own.predictor
