"""The torch training engine: Paddle's networks, losses and updates, several times faster on a CPU."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn

from ppocr_lite.data.sampler import KeyLists
from ppocr_lite.engine.backends.base import AmpLevel, Arrays, Batch, Task, Truth
from ppocr_lite.engine.backends.torch.loader import make_loader, to_tensors
from ppocr_lite.engine.backends.torch.memory import keep_freed_memory
from ppocr_lite.engine.backends.torch.optimizer import Updater
from ppocr_lite.engine.backends.torch.weights import export_weights, import_weights
from ppocr_lite.errors import CheckpointError, ConfigError
from ppocr_lite.losses import LOSSES
from ppocr_lite.modeling import build_model, predicting
from ppocr_lite.modeling.pact import calibrate
from ppocr_lite.nn import use

_LOSS = "loss."  # what the loss keeps, among the state of the optimizer


class TorchBackend:
    """Implements :class:`ppocr_lite.engine.backends.base.Backend` with PyTorch; see there for every method.

    On a GPU, AMP levels O1 and O2 both mean bfloat16 autocast, which needs no loss scale.  A CPU with bfloat16 matrix
    instructions rounds with O1 the factors of matrix products alone, which pays for a head of thousands of classes, and
    autocasts with O2, convolutions too, which pays for a ResNet; any other CPU computes in float32.

    Started by ``torchrun``, each process takes one rank, and gradients are averaged over all of them.  A compiled
    network is compiled in place, so its weights keep their names, and for training alone: pages to evaluate come in
    many sizes.
    """

    name = "torch"

    def __init__(self) -> None:
        use(self.name)
        self.rank = int(os.environ.get("RANK", "0"))
        self.world_size = int(os.environ.get("WORLD_SIZE", "1"))
        self.device = torch.device("cpu")

    @staticmethod
    def has_gpu() -> bool:
        """Say whether torch can compute on a GPU here."""
        return torch.cuda.is_available()

    def build(self, task: Task) -> None:
        """Create network, loss and optimizer; start the process group where there are several processes."""
        self.device = choose_device(task.device)
        if task.threads is not None:
            torch.set_num_threads(task.threads)
        if self.world_size > 1:
            join_processes(self.device)
        if self.device.type == "cpu":
            keep_freed_memory()
        torch.manual_seed(task.seed)
        self.autocast = self._choose_precision(task.amp)
        # Convolutions run on channels-last memory in both directions without copies: faster on CPU and GPU alike.
        network = build_model(task.architecture, task.num_classes)
        self.predicts = task.predicts
        self.network = network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if task.compile:
            self.network.compile()
        self.loss = LOSSES.build(dict(task.loss)) if task.loss else None
        if isinstance(self.loss, nn.Module):
            self.loss.to(self.device)
        self.updater = Updater(task.optimizer, self.network) if task.optimizer is not None else None

    def train_step(self, batches: Sequence[Batch], *, lr: float, seed: int) -> Mapping[str, Any]:
        """Make one optimizer update in training mode."""
        if self.loss is None or self.updater is None:
            raise ValueError("train_step needs a task with a loss and an optimizer.")
        torch.manual_seed(seed)
        torch.backends.cudnn.benchmark = True  # batches have few sizes: find the fastest convolution for each
        self.network.train()
        self.updater.zero_grad()
        total: dict[str, Tensor] = {}
        for batch in batches:
            terms = self._losses(self._on_device(batch))
            (terms["loss"] / len(batches)).backward()
            for name, value in terms.items():
                total[name] = total.get(name, 0) + value.detach() / len(batches)
        if self.world_size > 1:
            average([p.grad for p in self.network.parameters() if p.grad is not None])
            average([b for b in self.network.buffers() if b.is_floating_point()])  # one network to evaluate and save
            average(list(self._kept_by_loss().values()))
        self.updater.step(lr)
        return total

    def forward(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the first array of what the network predicts."""
        return next(iter(self.predict(image).values()))

    def predict(self, image: NDArray[np.float32]) -> Arrays:
        """Run the network in evaluation mode, past what is compiled; return what it predicts on the host."""
        torch.backends.cudnn.benchmark = False
        self.network.eval()
        with torch.inference_mode(), torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            x = torch.from_numpy(np.ascontiguousarray(image)).to(self.device)
            outputs = predicting(self.network, self.predicts).predict(x.contiguous(memory_format=torch.channels_last))
        return _on_host(outputs)

    def head_outputs(self, image: NDArray[np.float32]) -> Arrays:
        """Run the network in evaluation mode, past what is compiled, for what the loss would read."""
        self.network.eval()
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(image)).to(self.device)
            outputs = predicting(self.network, self.predicts).forward(x)
        return _on_host(outputs)

    def calibrate(self, images: Iterable[NDArray[np.float32]]) -> None:
        """Set the ranges of a quantised network to what it sees on *images* in float."""

        def run() -> None:
            for image in images:
                self.head_outputs(image)

        calibrate(self.network, run)

    def weights(self) -> Arrays:
        """Return a copy of all weights under Paddle's names, in Paddle's layout."""
        return export_weights(self.network)

    def load_weights(self, weights: Mapping[str, NDArray[Any]]) -> None:
        """Replace all weights."""
        import_weights(self.network, weights)

    def optimizer_state(self) -> Arrays:
        """Return a copy of the optimizer's state; empty before the first update."""
        state = self.updater.state() if self.updater is not None else {}
        return state | {_LOSS + name: np.array(value.cpu().numpy()) for name, value in self._kept_by_loss().items()}

    def load_optimizer_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a state either engine returned."""
        if self.updater is not None:
            self.updater.load_state({key: value for key, value in state.items() if not key.startswith(_LOSS)})
        for name, value in self._kept_by_loss().items():
            if _LOSS + name not in state:
                raise CheckpointError(f"The optimizer state lacks {_LOSS}{name}, which the loss needs to go on.")
            value.copy_(torch.from_numpy(np.asarray(state[_LOSS + name])))

    def loader(
        self,
        dataset: Any,
        batches: KeyLists,
        collate: Callable[[Sequence[Any]], dict[str, Any]],
        num_workers: int,
    ) -> Iterable[Batch]:
        """Return an iterable of batches of tensors."""
        return make_loader(dataset, batches, collate, num_workers, pin=self.device.type == "cuda")

    def total(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the sums of *values* over all processes."""
        if self.world_size == 1:
            return dict(values)
        names = sorted(values)
        sums = torch.tensor([values[name] for name in names], dtype=torch.float64)  # on the host: no waiting for a GPU
        dist.all_reduce(sums)
        return dict(zip(names, sums.tolist(), strict=True))

    def _kept_by_loss(self) -> dict[str, Tensor]:
        """Return what the loss itself has learnt; empty for most."""
        return dict(self.loss.state_dict()) if isinstance(self.loss, nn.Module) else {}

    def _choose_precision(self, amp: AmpLevel) -> bool:
        """Set how matrix products are computed on a CPU, and say whether the network runs under autocast."""
        low = amp != "O0" and computes_bfloat16(self.device)
        if self.device.type != "cpu":
            return low
        torch.set_float32_matmul_precision("medium" if low else "highest")
        return low and amp == "O2"

    def _losses(self, batch: Batch) -> Mapping[str, Tensor]:
        """Run network and loss; the loss sees float32 only."""
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast):
            outputs = self.network(image, batch) if self.network.takes_targets else self.network(image)
        terms: Mapping[str, Tensor] = self.loss(_float(outputs), batch)  # type: ignore[misc]
        return terms

    def _on_device(self, batch: Batch) -> Truth:
        moved = to_tensors(batch).items()
        return Truth({k: v.to(self.device, non_blocking=True) if isinstance(v, Tensor) else v for k, v in moved})


def choose_device(name: str) -> torch.device:
    """Return the device called *name*; under ``torchrun`` each process takes the GPU of its local rank.

    Args:
        name: ``"cpu"``, ``"gpu"`` or ``"gpu:0"``.

    Raises:
        ConfigError: If it is none of these or not there.
    """
    kind, _, index = name.partition(":")
    if kind == "cpu":
        return torch.device("cpu")
    if kind != "gpu" or not (index or "0").isdigit():
        raise ConfigError(f"The device must be 'cpu' or 'gpu:<number>'. Received: {name!r}.")
    number = int(os.environ.get("LOCAL_RANK", index or "0"))
    if number >= torch.cuda.device_count():
        raise ConfigError(f"Device {name!r}: torch sees {torch.cuda.device_count()} GPUs. Use 'cpu'.")
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def computes_bfloat16(device: torch.device) -> bool:
    """Say whether *device* has bfloat16 in hardware: any GPU here, a CPU with AMX (others imitate it, slowly)."""
    capabilities: Callable[[], Mapping[str, Any]] = getattr(torch.cpu, "get_capabilities", dict)  # older torch: {}
    return device.type == "cuda" or bool(capabilities().get("amx_bf16"))


def join_processes(device: torch.device) -> None:
    """Connect the processes that ``torchrun`` started; does nothing a second time.

    Tensors on a GPU travel by NCCL, those on the host by Gloo.
    """
    if dist.is_initialized():
        return
    if device.type == "cuda":
        dist.init_process_group("cpu:gloo,cuda:nccl", device_id=device)
    else:
        dist.init_process_group("gloo")


def average(tensors: Sequence[Tensor]) -> None:
    """Replace each tensor by its mean over all processes, in one transfer."""
    if not tensors:
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(mean.view_as(tensor))


def _on_host(outputs: Mapping[str, Tensor]) -> Arrays:
    return {name: value.float().contiguous().cpu().numpy() for name, value in outputs.items()}


def _float(outputs: Any) -> Any:
    """Return floating tensors as float32, in whatever nesting of dicts and tuples."""
    if isinstance(outputs, Tensor):
        return outputs.float() if outputs.is_floating_point() else outputs
    if isinstance(outputs, Mapping):
        return {key: _float(value) for key, value in outputs.items()}
    if isinstance(outputs, tuple | list):
        return type(outputs)(_float(value) for value in outputs)
    return outputs
