"""What a training engine must do; the loop, the data and the checkpoints know nothing else.

One backend object serves one run.  Everything that crosses this border is NumPy (or a scalar): the
names and the layout of weights and of optimizer state are Paddle's, whatever engine computes, so a
run begun with one engine can be continued, evaluated or exported with another.

========================  =====================================================================
weight names              structural names of the Paddle network, ``state_dict()`` keys, e.g.
                          ``backbone.conv1.conv.weight``, ``head.fc.bias``
layout                    ``Linear`` is (in, out); batch norm has weight, bias, _mean, _variance;
                          float32 throughout, except integer buffers
optimizer state names     ``<weight name>.<slot>``: Adam and AdamW ``moment1``, ``moment2``,
                          ``beta1_pow_acc``, ``beta2_pow_acc`` (shape (1,); β to the number of
                          updates done **plus one**, as Paddle keeps it); Momentum ``velocity``.
                          Same layout as the weight.
loss scale of AMP         ``scaler.<key>`` among the optimizer state, only while AMP is on
what the loss keeps       ``loss.<name>`` among the optimizer state: ``state_dict()`` keys of the loss, e.g. the centres
                          of a :class:`CenterLoss` that moves them
========================  =====================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.data.sampler import Key, KeyLists
from ppocr_lite.errors import ConfigError

Arrays = dict[str, NDArray[Any]]
AmpLevel = Literal["O0", "O1", "O2"]

# A mini-batch: arrays, or what the backend's own loader made of them, and lists or mappings of strings.
Batch = Mapping[str, Any]

# Optimizer → the slots of the table above, all that its state holds for a parameter.
_ADAM = frozenset({"moment1", "moment2", "beta1_pow_acc", "beta2_pow_acc"})
SLOTS = {"Adam": _ADAM, "AdamW": _ADAM, "Momentum": frozenset({"velocity"})}


class Truth(dict[str, Any]):
    """A batch as a loss reads it; a key that is not there is a fault of the config."""

    def __missing__(self, key: str) -> Any:
        given = sorted(name for name in self if name != "errors")
        raise ConfigError(
            f"The loss needs {key!r}, but after Train.dataset.transforms samples have only {given}. "
            "Name it in KeepKeys.keep_keys, after a transform that makes it."
        )


@dataclass(frozen=True)
class Task:
    """What a backend needs in order to train; all nodes are checked ``{name: ..., ...}`` mappings.

    Attributes:
        architecture: The Architecture section, as ``build_model`` takes it.
        num_classes: Output classes of a recogniser including the blank, of a classifier; None for detection.
        loss: The Loss node. None where only weights and
            :meth:`Backend.forward` are wanted.
        optimizer: An instance from ``ppocr_lite.optim.optimizers`` (a specification, plain Python). None likewise.
        amp: Precision; ``"O0"`` is plain float32. Where the device has no low precision, other levels act as O0.
        seed: Initial weights are a function of it, on one engine.
        device: ``"cpu"`` or ``"gpu:0"``.
        compile: Compile the network before training it. An engine that cannot raises ConfigError.
        threads: CPU threads of the process for its arithmetic; None for the engine's own choice.
        predicts: Of a distillation, the network that :meth:`Backend.predict` runs; None for the first that learns.
    """

    architecture: Mapping[str, Any]
    num_classes: int | None = None
    loss: Mapping[str, Any] | None = None
    optimizer: Any = None
    amp: AmpLevel = "O0"
    seed: int = 0
    device: str = "cpu"
    compile: bool = False
    threads: int | None = None
    predicts: str | None = None


class Backend(Protocol):
    """One training engine, holding one network, one loss and one optimizer.

    Construct with no arguments, which chooses the engine of this process (:func:`ppocr_lite.nn.use`), then
    :meth:`build` once.  The two ranks are valid before :meth:`build`.

    Attributes:
        name: As ``Global.engine`` says it: ``"paddle"`` or ``"torch"``.
        rank: This process among :attr:`world_size`; 0 where the engine runs alone.
        world_size: Number of processes that train together.
    """

    name: str
    rank: int
    world_size: int

    def has_gpu(self) -> bool:
        """Say whether the engine can compute on a GPU here."""
        ...

    def build(self, task: Task) -> None:
        """Create network, loss and optimizer.

        Raises:
            ConfigError: If the parts do not fit each other or the device is not there.
        """
        ...

    def train_step(self, batches: Sequence[Batch], *, lr: float, seed: int) -> Mapping[str, Any]:
        """Make one optimizer update in training mode.

        The gradient is the mean over *batches* (more than one when gradients accumulate) and over
        the processes; clipping acts on that mean.  Losses are computed in float32.

        Args:
            batches: At least one. Each has ``image`` (N, 3, H, W) float32 and the truth the loss reads.
                Keys the loss does not read (``errors``, ``path``) may be present.
            lr: Learning rate of this update.
            seed: Seeds every random layer for this update (dropout …).  The caller derives it from
                run seed, step and rank, so there is no random state to save: a resumed run repeats it.

        Raises:
            ConfigError: If a batch lacks what the loss reads.

        Returns:
            Loss terms by name, ``"loss"`` among them, averaged over *batches*: anything ``float()``
            takes, not yet synchronised with the device. Converting later must still give this step's value.
        """
        ...

    def forward(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the first array of :meth:`predict`; most networks have no other."""
        ...

    def predict(self, image: NDArray[np.float32]) -> Arrays:
        """Run the network in evaluation mode on (N, 3, H, W); return what it predicts by name, on the host.

        Detection ``maps`` (N, 1, H, W), probabilities; recognition ``probabilities`` (N, T, C); classification
        ``probabilities`` (N, K). Of a distillation, that of :attr:`Task.predicts`.
        Leaves weights, batch-norm statistics and optimizer untouched.
        """
        ...

    def head_outputs(self, image: NDArray[np.float32]) -> Arrays:
        """Run the network in evaluation mode; return what the loss would read.

        Args:
            image: (N, 3, H, W).

        Returns:
            By name, on the host: ``maps`` (N, 3, H, W) of a detector; ``logits`` (N, T, C), and ``feats`` (N, T, D) if
            the head has ``return_feats``, of a recogniser; ``logits`` (N, K) of a classifier. Of a distillation, those
            of :attr:`Task.predicts`.
        """
        ...

    def calibrate(self, images: Iterable[NDArray[np.float32]]) -> None:
        """Set the ranges of a quantised network (``Architecture.quant``) to what it sees on *images* in float.

        Args:
            images: Batches (N, 3, H, W).

        Raises:
            ConfigError: If the network has no quantised layer.
        """
        ...

    def weights(self) -> Arrays:
        """Return a copy of all weights and persistent buffers, as the table above names and lays them out."""
        ...

    def load_weights(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Replace all weights.

        Args:
            weights: Exactly the names and shapes of :meth:`weights`; the caller has made sure
                (see ``ppocr_lite.engine.checkpoint.fit_weights``).
        """
        ...

    def optimizer_state(self) -> Arrays:
        """Return a copy of the optimizer's state; empty before the first update."""
        ...

    def load_optimizer_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from what :meth:`optimizer_state` returned, in this or another process or engine.

        Raises:
            CheckpointError: If names do not fit the parameters, or are of another optimizer; lists them.
        """
        ...

    def loader(
        self,
        dataset: Any,
        batches: KeyLists,
        collate: Callable[[Sequence[Any]], dict[str, Any]],
        num_workers: int,
    ) -> Iterable[Batch]:
        """Return an iterable of batches for :meth:`train_step`.

        Each new ``iter()`` iterates *batches* anew, so where those were told to start takes effect.  Order and content
        do not depend on *num_workers*.

        Args:
            dataset: ``dataset[key]`` gives a sample dict; *key* is an (epoch, index) tuple of ints.
            batches: Iterates over lists of keys; has a length. Serves as the batch sampler.
            collate: Makes one dict of arrays (and lists of strings) from a list of samples.
            num_workers: Worker processes; 0 reads in this process.
        """
        ...

    def total(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the sums of *values* over all processes; with one process, *values*."""
        ...


__all__ = ["SLOTS", "AmpLevel", "Arrays", "Backend", "Batch", "Key", "Task", "Truth"]
