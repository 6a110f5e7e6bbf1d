"""Training with Paddle: network, loss, one update, weights as NumPy."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray
from paddle.io import DataLoader

from ppocr_lite.data.sampler import KeyLists
from ppocr_lite.engine import distributed
from ppocr_lite.engine.backends.base import SLOTS, Arrays, Batch, Task, Truth
from ppocr_lite.engine.backends.paddle_optimizer import create_optimizer
from ppocr_lite.engine.stopping import begin_reader
from ppocr_lite.errors import CheckpointError, ConfigError
from ppocr_lite.losses import LOSSES
from ppocr_lite.modeling import build_model, predicting
from ppocr_lite.modeling.pact import calibrate
from ppocr_lite.nn import use

log = logging.getLogger(__name__)

_SCALER = "scaler."
_LOSS = "loss."


class PaddleBackend:
    """Paddle behind :class:`ppocr_lite.engine.backends.base.Backend`."""

    name = "paddle"

    def __init__(self) -> None:
        use(self.name)
        self.rank, self.world_size = distributed.rank(), distributed.world_size()
        self.network: Any = None
        self.loss: Any = None
        self.optimizer: Any = None
        self.slots: frozenset[str] = frozenset()
        self.predicts: str | None = None
        self.amp = "O0"
        self.scaler = paddle.amp.GradScaler(enable=False)

    @staticmethod
    def has_gpu() -> bool:
        """Say whether this Paddle can compute on a GPU here."""
        return bool(paddle.is_compiled_with_cuda()) and paddle.device.cuda.device_count() > 0

    def build(self, task: Task) -> None:
        """Create network, loss and optimizer."""
        if task.compile:
            raise ConfigError("Global.compile: only Global.engine=torch compiles its networks. Received: engine paddle")
        if task.threads is not None:
            paddle.base.core.set_num_threads(task.threads)  # by default Paddle computes in one
        self._set_device(task.device)
        distributed.start()
        paddle.seed(task.seed)  # the same on every rank, so all start from the same weights
        self.network = build_model(task.architecture, num_classes=task.num_classes)
        self.predicts = task.predicts
        self.amp = task.amp if task.device != "cpu" else "O0"
        if task.loss is not None:
            self.loss = LOSSES.build(dict(task.loss))
        if task.optimizer is not None:
            learned = [p for p in self.network.parameters() if not p.stop_gradient]
            self.optimizer = create_optimizer(task.optimizer, learned)
            self.slots = SLOTS[type(task.optimizer).__name__]
            if self.amp == "O2":
                self.network, self.optimizer = paddle.amp.decorate(self.network, self.optimizer, level="O2")
        self.scaler = paddle.amp.GradScaler(enable=self.amp != "O0")

    def train_step(self, batches: Sequence[Batch], *, lr: float, seed: int) -> Mapping[str, Any]:
        """Make one update.  At level O0 auto_cast and the scaler do nothing, so there is one path."""
        paddle.seed(seed)
        self.network.train()
        self.optimizer.set_lr(lr)
        terms = [self._backward(batch, len(batches)) for batch in batches]
        learned = [p for p in self.network.parameters() if not p.stop_gradient]
        distributed.average_gradients(learned)
        self.scaler.step(self.optimizer)
        distributed.average_statistics(self._statistics())
        self.scaler.update()
        self.optimizer.clear_grad()
        if len(terms) == 1:
            return terms[0]
        return {name: paddle.add_n([term[name] for term in terms]) / len(terms) for name in terms[0]}

    def forward(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the first array of what the network predicts."""
        return next(iter(self.predict(image).values()))

    def predict(self, image: NDArray[np.float32]) -> Arrays:
        """Run the network in evaluation mode."""
        return self._evaluate(lambda network, x: network.predict(x), image)

    def head_outputs(self, image: NDArray[np.float32]) -> Arrays:
        """Run the network in evaluation mode, for what the loss would read."""
        return self._evaluate(lambda network, x: network(x), image)

    def calibrate(self, images: Iterable[NDArray[np.float32]]) -> None:
        """Set the ranges of a quantised network to what it sees on *images* in float."""

        def run() -> None:
            for image in images:
                self.head_outputs(image)

        calibrate(self.network, run)

    def weights(self) -> Arrays:
        """Return a copy of all weights and persistent buffers."""
        state = self.network.state_dict()
        return {name: np.array(value.astype(_plain(value)).numpy()) for name, value in state.items()}

    def load_weights(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Replace all weights."""
        missing, unexpected = self.network.set_state_dict(dict(weights))
        if missing or unexpected:
            raise CheckpointError(f"The weights do not fit: missing {missing}, unexpected {unexpected}.")

    def optimizer_state(self) -> Arrays:
        """Return the optimizer's state under the structural names of the weights.

        Paddle keeps it under generated names (``linear_0.w_0_moment1_0``), which depend on what the process built
        before; with structural names it can be continued anywhere.
        """
        by_length = sorted(self._names().items(), key=lambda item: -len(item[0]))
        state: Arrays = {}
        for key, value in self.optimizer.state_dict().items():
            if isinstance(value, paddle.Tensor):
                generated, name = next(item for item in by_length if key.startswith(item[0] + "_"))
                slot = key[len(generated) + 1 :].rpartition("_")[0]
                state[f"{name}.{slot}"] = np.array(value.numpy())
        for key, value in self.scaler.state_dict().items():
            state[_SCALER + key] = np.asarray(value.numpy() if isinstance(value, paddle.Tensor) else value)
        return state | {_LOSS + name: np.array(value.numpy()) for name, value in self._kept_by_loss().items()}

    def load_optimizer_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from what :meth:`optimizer_state` returned."""
        generated = {name: key for key, name in self._names().items()}
        renamed: dict[str, Any] = {}
        unknown = []
        for key, value in state.items():
            name, _, slot = key.rpartition(".")
            if name in generated and slot in self.slots:
                renamed[f"{generated[name]}_{slot}_0"] = paddle.to_tensor(value)
            elif not key.startswith((_SCALER, _LOSS)):
                unknown.append(key)
        if unknown:
            raise CheckpointError(
                f"The optimizer state does not fit the network and the optimizer. Unknown: {unknown[:20]}."
            )
        if renamed:
            self.optimizer.set_state_dict(renamed)
        scaler = {key.removeprefix(_SCALER): value for key, value in state.items() if key.startswith(_SCALER)}
        if scaler and self.amp != "O0":
            self.scaler.load_state_dict({key: _scalar(value) for key, value in scaler.items()})
        for name, kept in self._kept_by_loss().items():
            if _LOSS + name not in state:
                raise CheckpointError(f"The optimizer state lacks {_LOSS}{name}, which the loss needs to go on.")
            kept.set_value(np.asarray(state[_LOSS + name]))

    def loader(
        self,
        dataset: Any,
        batches: KeyLists,
        collate: Callable[[Sequence[Any]], dict[str, Any]],
        num_workers: int,
    ) -> Iterable[Batch]:
        """Return what yields batches of arrays, or tensors, and lists of strings."""
        if num_workers:
            return _Workers(dataset, batches, collate, num_workers)
        return _Here(dataset, batches, collate)

    def total(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the sums of *values* over all processes."""
        return distributed.total(values)

    def _backward(self, batch: Batch, count: int) -> dict[str, Any]:
        tensors = Truth({key: _tensor(value) for key, value in batch.items()})
        with paddle.amp.auto_cast(enable=self.amp != "O0", level=self.amp if self.amp != "O0" else "O1"):
            image = tensors["image"]
            outputs = self.network(image, tensors) if self.network.takes_targets else self.network(image)
        losses: dict[str, Any] = self.loss(_to_float(outputs), tensors)
        self.scaler.scale(losses["loss"] / count if count > 1 else losses["loss"]).backward()
        return {name: value.detach() for name, value in losses.items()}

    def _evaluate(self, run: Callable[[Any, Any], Mapping[str, Any]], image: NDArray[np.float32]) -> Arrays:
        self.network.eval()
        with paddle.no_grad():
            outputs = run(predicting(self.network, self.predicts), paddle.to_tensor(image))
        return {name: value.astype("float32").numpy() for name, value in outputs.items()}

    def _statistics(self) -> list[Any]:
        """What the network keeps beside its parameters: the running means and variances of batch normalisation."""
        if self.world_size == 1:
            return []
        parameters = {name for name, _ in self.network.named_parameters()}
        running = [value for name, value in self.network.state_dict().items() if name not in parameters]
        return running + list(self._kept_by_loss().values())

    def _kept_by_loss(self) -> dict[str, Any]:
        """Return what the loss itself has learnt; empty for most."""
        return dict(self.loss.state_dict()) if self.loss is not None else {}

    def _names(self) -> dict[str, str]:
        """Generated name of each parameter → its structural name."""
        return {value.name: name for name, value in self.network.named_parameters()}

    @staticmethod
    def _set_device(device: str) -> None:
        try:
            paddle.set_device(device)
        except ValueError as error:
            raise ConfigError(f"Global.device: Paddle cannot use {device!r} here: {error}") from error


class _Here:
    """Batches loaded in this process, one when it is asked for.

    Paddle's own loader reads in a thread even then, and stops the process if that is dropped while it reads.
    """

    def __init__(self, dataset: Any, batches: KeyLists, collate: Callable[[Sequence[Any]], Batch]) -> None:
        self._dataset, self._batches, self._collate = dataset, batches, collate

    def __iter__(self) -> Iterator[Batch]:
        for keys in self._batches:
            yield self._collate([self._dataset[key] for key in keys])


class _Workers:
    """Paddle's loader with worker processes, which end with the loop over it, also if that is left early.

    Paddle ends them well after the last batch only, so leaving means that no more batches are begun, and the few that
    are under way are waited for.
    """

    def __init__(
        self, dataset: Any, batches: KeyLists, collate: Callable[[Sequence[Any]], Batch], num_workers: int
    ) -> None:
        self._keys = _Until(batches)
        self._loader = DataLoader(
            dataset,
            batch_sampler=self._keys,
            collate_fn=lambda samples: _with_an_array(collate(samples)),
            num_workers=num_workers,
            use_shared_memory=False,
            worker_init_fn=lambda worker: begin_reader(),
        )

    def __iter__(self) -> Iterator[Batch]:
        self._keys.ended = False
        batches = iter(self._loader)
        try:
            yield from batches
        except GeneratorExit:
            self._keys.ended = True
            for _ in batches:
                pass
            raise


class _Until:
    """What *batches* yields, until ``ended`` is set."""

    def __init__(self, batches: KeyLists) -> None:
        self._batches, self.ended = batches, False

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Any]:
        yield from itertools.takewhile(lambda _: not self.ended, self._batches)


def _with_an_array(batch: Batch) -> Batch:
    """Paddle's loader loses count at a batch without any array, as is one of unusable samples only."""
    if any(isinstance(value, np.ndarray) for value in batch.values()):
        return batch
    return {**batch, "nothing": np.zeros(1, np.float32)}


def _tensor(value: Any) -> Any:
    return paddle.to_tensor(value) if isinstance(value, np.ndarray) else value


def _to_float(outputs: Any) -> Any:
    """Losses compute in float32, whatever the network did."""
    if isinstance(outputs, paddle.Tensor):
        return outputs.astype("float32")
    if isinstance(outputs, dict):
        return {key: _to_float(value) for key, value in outputs.items()}
    if isinstance(outputs, list | tuple):
        return type(outputs)(_to_float(value) for value in outputs)
    return outputs


def _plain(tensor: Any) -> str:
    """NumPy has no bfloat16, and half precision loses what the optimizer keeps."""
    return "float32" if tensor.dtype in (paddle.float16, paddle.bfloat16) else str(tensor.dtype).removeprefix("paddle.")


def _scalar(value: NDArray[Any]) -> Any:
    return value.item() if value.size == 1 and value.ndim == 0 else value
