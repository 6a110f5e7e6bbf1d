"""What runs a network: one array in, one or more arrays out, whatever the engine."""

from __future__ import annotations

import ctypes
import dataclasses
import importlib
import logging
import os
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.install import install_command
from ppocr_lite.predict.bundle import Bundle
from ppocr_lite.predict.bundle.convert import to_onnx

log = logging.getLogger(__name__)

Engine = Literal["auto", "paddle", "onnxruntime", "openvino"]
ENGINES = {  # engine → (package to install, our module, its class), the fastest first: see doc/engines.md
    "onnxruntime": ("onnxruntime", "ppocr_lite.predict.engines.onnx_runtime", "OnnxRunner"),
    "openvino": ("openvino", "ppocr_lite.predict.engines.openvino_runtime", "OpenVINORunner"),
    "paddle": ("paddlepaddle", "ppocr_lite.predict.engines.paddle_inference", "PaddleRunner"),
}


GRAY = np.array([0.114, 0.587, 0.299], np.float32)  # shares of blue, green and red, ITU-R BT.601


class EngineError(ModelError):
    """An engine cannot read or run a network that another one may."""


class EngineMissingError(EngineError):
    """The package of an engine is not installed, or a folder has no file for it."""


class Network(Protocol):
    """A network on one engine; every implementation may be called from several threads at once.

    Attributes:
        parallel: Whether calls from several threads run at the same time, or one after the other.
    """

    parallel: bool

    def run_all(self, array: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return every output for a batch (N, 3, H, W)."""
        ...


class Runner(Protocol):
    """A network as the stages use it."""

    @property
    def parallel(self) -> bool:
        """Whether calls from several threads run at the same time, or one after the other."""
        ...

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for a batch (N, 3, H, W), the first where there are several."""
        ...

    def run_all(self, array: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return the outputs for a batch (N, 3, H, W) by name."""
        ...

    def on_one_thread(self) -> Runner:
        """Return what runs the same network on one CPU thread: for callers that run it several times at once."""
        ...


class FunctionRunner:
    """A function as a runner: the network in training, behind the same stages as an exported one.

    Args:
        function: Maps (N, 3, H, W) float32 to an array, or to several by name.
    """

    parallel = True

    def __init__(self, function: Callable[[NDArray[np.float32]], NDArray[Any] | Mapping[str, NDArray[Any]]]) -> None:
        self.function = function

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the function returns, the first array of several, as float32."""
        return next(iter(self.run_all(array).values()))

    def run_all(self, array: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return what the function returns by name, as float32; an array without a name is called ``output``."""
        found = self.function(array)
        named = found if isinstance(found, Mapping) else {"output": found}
        return {name: np.asarray(value, np.float32) for name, value in named.items()}

    def on_one_thread(self) -> FunctionRunner:
        """Return itself; a function has no threads that this could set."""
        return self


class EngineRunner:
    """A network on an engine; in a process that was forked after it was loaded, it is loaded again when first used.

    The threads of an engine do not live on in a forked process: to run what the parent has loaded, or only to free it,
    can hang or abort there. So it is neither run nor freed.

    Args:
        engine: Name of the engine.
        load: Loads the network for a number of CPU threads.
        device: ``"cpu"`` or ``"gpu:<number>"``.
        threads: CPU threads of one run.
        outputs: Names of what the network returns, in order.
        chosen: Which of them :meth:`run` returns.

    Attributes:
        engine: Name of the engine.

    Raises:
        EngineError: If the network cannot be loaded.
    """

    def __init__(
        self,
        engine: str,
        load: Callable[[int], Network],
        device: str = "cpu",
        threads: int = 1,
        outputs: Sequence[str] = (),
        chosen: int = 0,
    ) -> None:
        self.engine, self.outputs, self.chosen = engine, tuple(outputs), chosen
        self._load, self._device, self._threads = load, device, threads
        self._lock = threading.Lock()
        self._network: Network | None = load(threads)
        self._alone: EngineRunner | None = None
        _LOADED.add(self)

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the output for a batch (N, 3, H, W), the chosen one where there are several.

        Raises:
            EngineError: If the engine cannot run the network on an input of that shape.
            ModelError: In a forked process, on a GPU or with Paddle.
        """
        return (self._network or self._load_again()).run_all(array)[self.chosen]

    def run_all(self, array: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return the outputs for a batch (N, 3, H, W) by name; errors as for :meth:`run`."""
        return dict(zip(self.outputs, (self._network or self._load_again()).run_all(array), strict=False))

    @property
    def parallel(self) -> bool:
        """Whether calls from several threads run at the same time."""
        return (self._network or self._load_again()).parallel

    def on_one_thread(self) -> EngineRunner:
        """Return the same network on one thread, loaded when first asked for.

        Itself, if that would gain nothing: on one thread already, on a GPU, or on an engine that runs one at a time.
        """
        if self._threads == 1 or self._device != "cpu" or not self.parallel:
            return self
        with self._lock:
            if self._alone is None:
                self._alone = EngineRunner(self.engine, self._load, outputs=self.outputs, chosen=self.chosen)
            return self._alone

    def after_fork(self) -> None:
        """Forget, in a forked process, what the parent has loaded."""
        if self._network is not None:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._network))  # never freed
        self._network, self._lock = None, threading.Lock()

    def _load_again(self) -> Network:
        if self._device != "cpu":
            raise ModelError(
                f"device={self._device!r}: a forked process cannot use the GPU of its parent. Make a new OCR in it, "
                "with multiprocessing.get_context('spawn')."
            )
        with self._lock:
            if self._network is None:
                self._network = self._load(self._threads)
            return self._network


_LOADED: weakref.WeakSet[EngineRunner] = weakref.WeakSet()


def _after_fork() -> None:
    for runner in list(_LOADED):
        runner.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def load_runner(
    bundle: Bundle,
    engine: Engine = "auto",
    device: str = "cpu",
    threads: int = 1,
    trial: Sequence[int] | None = None,
) -> EngineRunner:
    """Load the network of a model folder.

    Args:
        bundle: The folder.
        engine: ``"auto"`` takes the fastest that is installed and works for this network, by the order of ``ENGINES``;
            if that is not the first, a log line says why.
        device: ``"cpu"`` or ``"gpu:<number>"``.
        threads: CPU threads of one run.
        trial: Shape of a first run, which shows whether the engine works for this network; None for none.

    Raises:
        ModelError: If no engine works; says why for each. Of a named engine, if it is not installed, or cannot read
            or run the network.
        ConfigError: If there is no such engine or device.
    """
    if engine != "auto":
        return _load(engine, bundle, device, threads, trial, convert=True)
    reasons: dict[str, EngineError] = {}
    for candidate in ENGINES:
        try:
            runner = _load(candidate, bundle, device, threads, trial)
        except EngineError as error:
            reasons[candidate] = error
            continue
        if reasons:
            expected = all(isinstance(reason, EngineMissingError) for reason in reasons.values())
            level = logging.INFO if expected else logging.WARNING
            log.log(level, "%s runs on %s. %s", bundle.source, candidate, _join(reasons))
        return runner
    raise ModelError(f"No engine can run {bundle.source} on device={device!r}. {_join(reasons)}")


def network_file(bundle: Bundle, engine: str) -> Path | None:
    """Return the file of a model folder that an engine reads, None if there is none."""
    if engine == "paddle":
        return bundle.program
    legacy = bundle.program if bundle.program is not None and bundle.program.suffix == ".pdmodel" else None
    return bundle.onnx or (legacy if engine == "openvino" else None)


class FittedNetwork:
    """A network that takes images of one channel, or one image at a time, behind the usual batches of three channels.

    Args:
        network: The network.
        channels: Channels that it takes.
        batch: Images that it takes at once; -1 for any number.
    """

    def __init__(self, network: Network, channels: int, batch: int) -> None:
        self._network, self._gray, self._batch = network, channels == 1, batch
        self.parallel = network.parallel

    def run_all(self, array: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return every output for a batch (N, 3, H, W)."""
        if self._gray:
            array = np.tensordot(GRAY, array, axes=(0, 1))[:, None]
        if self._batch < 0 or len(array) == self._batch:
            return self._network.run_all(array)
        missing = -len(array) % self._batch
        filled = np.concatenate([array, np.zeros_like(array, shape=(missing, *array.shape[1:]))])
        parts = [self._network.run_all(part) for part in np.split(filled, len(filled) // self._batch)]
        return [np.concatenate(outputs)[: len(array)] for outputs in zip(*parts, strict=True)]


def _fit(network: Network, shape: Sequence[int]) -> Network:
    batch, channels = shape[:2]
    return FittedNetwork(network, channels, batch) if channels == 1 or batch > 0 else network


def _load(
    engine: str, bundle: Bundle, device: str, threads: int, trial: Sequence[int] | None, convert: bool = False
) -> EngineRunner:
    if engine not in ENGINES:
        raise ConfigError(f"There is no engine {engine!r}. Known: auto, {', '.join(ENGINES)}.")
    package, module, name = ENGINES[engine]
    if engine == "onnxruntime" and convert and bundle.onnx is None:
        bundle = dataclasses.replace(bundle, file=to_onnx(bundle))
    if network_file(bundle, engine) is None:
        wanted = "network for Paddle" if engine == "paddle" else "model.onnx"
        raise EngineMissingError(f"{bundle.source} has no {wanted}. Export it again, or use another engine.")
    try:
        implementation = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise EngineMissingError(
            f"engine={engine!r} needs {package}, which is not installed ({error}). {install_command(package)}"
        ) from error
    except (ImportError, OSError) as error:
        raise EngineError(f"engine={engine!r}: {package} is installed and cannot be imported: {error}") from error

    def load(count: int) -> Network:
        return _fit(implementation(bundle, device, count), bundle.input.shape)

    runner = EngineRunner(engine, load, device, threads, bundle.outputs)
    if trial is not None and not np.isfinite(runner.run(np.zeros(trial, np.float32))).all():
        raise EngineError(f"{engine} computes something that is no number for an empty input of {bundle.source}.")
    return runner


def _join(reasons: Mapping[str, EngineError]) -> str:
    return " ".join(f"Not on {engine}: {reason}" for engine, reason in reasons.items())


def gpu_index(device: str) -> int:
    """Return 1 of ``"gpu:1"``, 0 of ``"gpu"``.

    Raises:
        ConfigError: If *device* is neither the CPU nor a GPU.
    """
    kind, _, number = device.partition(":")
    if kind != "gpu" or not (number or "0").isdigit():
        raise ConfigError(f"device must be 'cpu' or 'gpu:<number>'. Received: {device!r}")
    return int(number or 0)
