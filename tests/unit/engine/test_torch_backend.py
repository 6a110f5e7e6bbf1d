"""The torch engine on its own: exact resume, state, loader, devices; nothing here needs Paddle."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch engine is not installed")

from torch.nn import functional as F  # noqa: E402

from ppocr_lite.data.sampler import Buckets, EpochBatches, Key  # noqa: E402
from ppocr_lite.engine.backends.base import Backend, Task  # noqa: E402
from ppocr_lite.engine.backends.torch import TorchBackend  # noqa: E402
from ppocr_lite.engine.backends.torch import backend as module  # noqa: E402
from ppocr_lite.engine.backends.torch.backend import choose_device  # noqa: E402
from ppocr_lite.engine.backends.torch.optimizer import updates_done  # noqa: E402
from ppocr_lite.errors import CheckpointError, ConfigError  # noqa: E402
from ppocr_lite.losses import CTCLoss  # noqa: E402
from ppocr_lite.nn.torch import BatchNorm2D  # noqa: E402
from ppocr_lite.optim.optimizers import Adam, AdamW, Momentum  # noqa: E402

pytestmark = pytest.mark.torch

ROOT = Path(__file__).parents[3]
CLASSES = 12
REC = {
    "model_type": "rec",
    "algorithm": "CRNN",
    "Backbone": {"name": "MobileNetV3", "scale": 0.35, "model_name": "small", "small_stride": [1, 2, 2, 2]},
    "Neck": {"name": "SequenceEncoder", "hidden_size": 8},
    "Head": {"name": "CTCHead", "fc_decay": 0.00001},
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small are slower on several threads, and much slower where other work shares the cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def started(optimizer: Any = None, *, seed: int = 0, architecture: dict[str, Any] = REC) -> TorchBackend:
    backend = TorchBackend()
    backend.build(Task(architecture, CLASSES, {"name": "CTCLoss"}, optimizer or Adam(), seed=seed))
    return backend


def batch(seed: int, count: int = 3, width: int = 48) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "image": rng.standard_normal((count, 3, 32, width)).astype(np.float32),
        "label": rng.integers(1, CLASSES, (count, 6)).astype(np.int32),
        "length": rng.integers(1, 5, count),
        "path": ["x"] * count,
        "errors": {},
    }


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return set(first) == set(second) and all(first[name].tobytes() == second[name].tobytes() for name in first)


def test_it_is_a_backend() -> None:
    backend: Backend = TorchBackend()
    names = {name for name in vars(Backend) if not name.startswith("_")}
    assert not [name for name in names if not hasattr(backend, name)]


def test_it_loads_without_paddle() -> None:
    code = "import sys, ppocr_lite.engine.backends.torch; sys.exit('paddle' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("optimizer", [Adam(clip_norm_global=1.0), AdamW(), Momentum()], ids=lambda o: type(o).__name__)
def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(optimizer: Any) -> None:
    whole = started(optimizer)
    for step in range(3):
        whole.train_step([batch(step)], lr=0.01, seed=step)
    resumed = started(optimizer, seed=99)
    resumed.load_weights(whole.weights())
    resumed.load_optimizer_state(whole.optimizer_state())
    for step in range(3, 6):
        first = whole.train_step([batch(step)], lr=0.01, seed=step)
        second = resumed.train_step([batch(step)], lr=0.01, seed=step)
        assert first["loss"].item() == second["loss"].item()
    assert same(whole.weights(), resumed.weights())
    assert same(whole.optimizer_state(), resumed.optimizer_state())


def test_the_seed_decides_the_first_weights() -> None:
    assert same(started(seed=1).weights(), started(seed=1).weights())
    assert not same(started(seed=1).weights(), started(seed=2).weights())


def test_the_optimizer_state_is_empty_before_the_first_update() -> None:
    assert started().optimizer_state() == {}


def test_the_optimizer_state_has_the_layout_of_the_weights() -> None:
    backend = started()
    backend.train_step([batch(0)], lr=0.01, seed=0)
    weights, state = backend.weights(), backend.optimizer_state()
    assert state["head.fc.weight.moment1"].shape == weights["head.fc.weight"].shape == (16, CLASSES)
    np.testing.assert_allclose(state["head.fc.weight.beta1_pow_acc"], [0.9**2], rtol=1e-6)
    assert not [name for name in state if "_mean" in name]


@pytest.mark.parametrize("steps", [1, 2, 17, 1000, 50_000, 68_000])
def test_the_number_of_updates_follows_from_the_powers(steps: int) -> None:
    powers = {beta: np.array([beta ** (steps + 1)], np.float32) for beta in (0.9, 0.999)}
    assert updates_done(powers) == steps


def test_powers_that_vanished_mean_no_bias_correction() -> None:
    steps = updates_done({0.9: np.zeros(1, np.float32), 0.999: np.zeros(1, np.float32)})
    assert 1.0 - 0.999**steps == 1.0


def test_state_of_another_network_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"Unexpected: \['other\.weight\.moment1'\]"):
        started().load_optimizer_state({"other.weight.moment1": np.zeros(3, np.float32)})


def test_an_empty_text_is_left_out() -> None:
    logits, labels = torch.zeros(2, 3, CLASSES), torch.tensor([[1, 2], [0, 0]])
    both = CTCLoss().compute(logits, labels, torch.tensor([2, 0]))
    alone = CTCLoss().compute(logits[:1], labels[:1], torch.tensor([2]))
    assert both["ctc_infeasible"] == 1
    assert both["loss"] == alone["loss"]


def test_state_of_another_optimizer_is_refused() -> None:
    backend = started(Momentum())
    backend.train_step([batch(0)], lr=0.1, seed=1)
    with pytest.raises(CheckpointError, match=r"and the optimizer\. Unexpected: .*velocity"):
        started(Adam()).load_optimizer_state(backend.optimizer_state())


def test_a_batch_without_what_the_loss_reads_is_a_fault_of_the_config() -> None:
    given = {key: value for key, value in batch(0).items() if key != "label"}
    with pytest.raises(ConfigError, match=r"needs 'label', but .* only \['image', 'length', 'path'\]\..*KeepKeys"):
        started().train_step([given], lr=0.1, seed=1)


def test_weights_that_do_not_fit_are_all_named_and_change_nothing() -> None:
    backend = started()
    before = backend.weights()
    wrong = {name: value + 1 for name, value in before.items() if name != "head.fc.bias"}
    wrong |= {"head.fc.weight": np.zeros((2, 2), np.float32), "more": np.zeros(1, np.float32)}
    with pytest.raises(CheckpointError) as caught:
        backend.load_weights(wrong)
    for part in ("head.fc.bias is missing", "head.fc.weight has shape (2, 2)", "more is unexpected"):
        assert part in str(caught.value)
    assert same(backend.weights(), before)


def test_forward_changes_nothing_and_gives_probabilities() -> None:
    backend = started()
    before = backend.weights()
    probabilities = backend.forward(batch(0)["image"])
    np.testing.assert_allclose(probabilities.sum(-1), 1.0, rtol=1e-5)
    assert same(backend.weights(), before)


def test_accumulated_halves_average_their_losses() -> None:
    halves = [batch(0), batch(1)]
    losses = [started().train_step([half], lr=0.0, seed=0)["loss"].item() for half in halves]
    together = started().train_step(halves, lr=0.0, seed=0)["loss"].item()
    assert together == pytest.approx(np.mean(losses), rel=1e-5)


def test_batch_norm_keeps_the_biased_variance() -> None:
    norm = BatchNorm2D(2)
    x = torch.randn(2, 2, 1, 3)
    norm(x)
    expected = 0.9 + 0.1 * x.var((0, 2, 3), unbiased=False)
    torch.testing.assert_close(norm.running_var, expected)


def test_a_long_text_is_counted_and_does_not_teach() -> None:
    long = batch(0) | {"label": np.ones((3, 30), np.int32), "length": np.array([30, 30, 30])}
    backend = started()
    losses = backend.train_step([long], lr=0.0, seed=0)
    assert losses["ctc_infeasible"].item() == 3
    assert losses["loss"].item() == 0


class Numbers:
    """A sample is its key."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, key: Key) -> dict[str, Any]:
        epoch, index = key
        return {"image": np.full((1, 2), index, np.float32), "epoch": epoch, "path": str(index)}


def collate(samples: Sequence[Any]) -> dict[str, Any]:
    return {"image": np.stack([s["image"] for s in samples]), "path": [s["path"] for s in samples], "errors": {}}


@pytest.mark.parametrize("workers", [0, 2])
def test_the_loader_follows_the_sampler(workers: int) -> None:
    batches = EpochBatches(20, 4, seed=5)
    loader = TorchBackend().loader(Numbers(), batches, collate, workers)
    for epoch, start in ((0, 0), (1, 3), (0, 2)):
        batches.seek(epoch, start)
        expected = [[str(index) for _, index in keys] for keys in batches]
        found = list(loader)
        assert [b["path"] for b in found] == expected
        assert [b["image"][:, 0, 0].tolist() for b in found] == [[float(p) for p in paths] for paths in expected]


def test_workers_hand_over_groups_of_batches_as_tensors() -> None:
    batches = EpochBatches(20, 4, seed=5)
    loader = TorchBackend().loader(Numbers(), Buckets(batches, 3), lambda group: {"batches": [collate(group)]}, 1)
    groups = [group["batches"][0]["image"] for group in loader]
    assert [tuple(group.shape) for group in groups] == [(12, 1, 2), (8, 1, 2)]
    assert all(isinstance(group, torch.Tensor) for group in groups)


@pytest.mark.parametrize("name", ["tpu", "gpu:x", "gpu:512"])
def test_a_device_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        choose_device(name)


class Tiny(torch.nn.Module):
    """A network that a compiler deals with in seconds; its batch norm changes itself while training."""

    takes_targets = False

    def __init__(self) -> None:
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 4, 3, stride=2, bias=False)
        self.norm = BatchNorm2D(4)
        self.fc = torch.nn.Linear(4, 2)

    def forward(self, x: Any) -> Any:
        return {"logits": self.fc(torch.relu(self.norm(self.conv(x))).mean((2, 3)))}

    def predict(self, x: Any) -> Any:
        return {"probabilities": torch.softmax(self.forward(x)["logits"], 1)}


@pytest.fixture
def tiny_pair(monkeypatch: pytest.MonkeyPatch) -> tuple[TorchBackend, TorchBackend]:
    """The same small classifier, as it is and to be compiled."""
    monkeypatch.setattr(module, "build_model", lambda architecture, num_classes: Tiny())
    pair = TorchBackend(), TorchBackend()
    for backend, compiled in zip(pair, (False, True), strict=True):
        backend.build(Task({}, None, {"name": "ClsLoss"}, Adam(), seed=1, compile=compiled))
    return pair


def tiny_batch(seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {"image": rng.standard_normal((4, 3, 16, 16)).astype(np.float32), "label": rng.integers(0, 2, 4)}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, in torch
def test_compiling_changes_no_name_and_leaves_evaluation_alone(tiny_pair: tuple[TorchBackend, TorchBackend]) -> None:
    plain, compiled = tiny_pair
    assert same(plain.weights(), compiled.weights())
    image = tiny_batch(0)["image"]
    np.testing.assert_array_equal(plain.forward(image), compiled.forward(image))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch, in torch
def test_a_compiled_network_trains_alike(tiny_pair: tuple[TorchBackend, TorchBackend]) -> None:
    if not any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "g++", "clang++")):
        pytest.skip("torch compiles for a CPU with a C++ compiler, and there is none")
    plain, compiled = tiny_pair
    for step in range(3):
        losses = [backend.train_step([tiny_batch(step)], lr=0.01, seed=step)["loss"].item() for backend in tiny_pair]
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    found = compiled.weights()
    for name, value in plain.weights().items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6, err_msg=name)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] > 0  # it was compiled indeed


def test_threads_are_those_asked_for() -> None:
    backend = TorchBackend()
    backend.build(Task(REC, CLASSES, threads=2))
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("instructions", "low"), [({"amx_bf16": True}, True), ({"amx_bf16": False}, False), ({}, False)]
)
def test_a_cpu_uses_bfloat16_if_it_computes_it(
    monkeypatch: pytest.MonkeyPatch, instructions: dict[str, bool], low: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions, raising=False)
    for amp, products, autocast in (("O1", low, False), ("O2", low, low), ("O0", False, False)):  # as it began, at last
        backend = TorchBackend()
        backend.build(Task(REC, CLASSES, amp=amp))
        assert backend.autocast == autocast
        assert torch.get_float32_matmul_precision() == ("medium" if products else "highest")


def test_bfloat16_autocast_trains_float32_weights() -> None:
    """The path of a GPU, and of O2 on a CPU with AMX, taken on any CPU."""
    full, half = started(), started()
    half.autocast = True
    losses = [[b.train_step([batch(0)], lr=0.003, seed=step)["loss"].item() for step in range(6)] for b in (full, half)]
    assert losses[1] == pytest.approx(losses[0], rel=0.02)
    assert losses[1][0] != losses[0][0]
    assert losses[1][-1] < losses[1][0]
    assert {value.dtype for value in half.weights().values()} == {np.dtype(np.float32)}
    assert half.forward(batch(0)["image"]).dtype == np.float32


@pytest.mark.parametrize("sure", [0.0, 30.0])
def test_ctc_counts_classes_that_no_text_has(sure: float) -> None:
    """Also where a network is so sure that nothing is left for them."""
    labels, lengths = torch.tensor([[3, 9, 0], [9, 9, 4]], dtype=torch.int32), torch.tensor([2, 3])
    logits = torch.randn(2, 8, 40)
    logits[:, :, 0] += sure
    logits.requires_grad_()
    steps = torch.full((2,), 8)
    whole = F.ctc_loss(logits.log_softmax(2).transpose(0, 1), labels, steps, lengths, reduction="none").mean()
    (expected,) = torch.autograd.grad(whole, logits)
    found = CTCLoss()({"logits": logits}, {"label": labels, "length": lengths})["loss"]
    assert torch.allclose(found, whole)
    assert torch.allclose(torch.autograd.grad(found, logits)[0], expected, rtol=1e-4, atol=1e-6)


def test_frozen_networks_are_left_alone() -> None:
    models = {
        name: REC | {"freeze_params": name == "Teacher", "return_all_feats": True} for name in ("Teacher", "Student")
    }
    architecture = {"name": "DistillationModel", "model_type": "rec", "algorithm": "Distillation", "Models": models}
    entry = {"DistillationCTCLoss": {"weight": 1.0, "model_name_list": ["Student"]}}
    backend = TorchBackend()
    backend.build(Task(architecture, CLASSES, {"name": "CombinedLoss", "loss_config_list": [entry]}, Adam()))
    before = backend.weights()
    backend.train_step([batch(0)], lr=0.01, seed=0)
    changed = {
        name.partition(".")[0] for name, value in backend.weights().items() if not np.array_equal(value, before[name])
    }
    assert changed == {"Student"}


PROCESS = """
import sys, numpy as np
sys.path.insert(0, sys.argv[1])
from tests_torch_backend import batch, started
backend = started()
backend.train_step([batch(backend.rank)], lr=0.01, seed=0)
sums = backend.total({"rank": float(backend.rank), "one": 1.0})
assert sums == {"rank": 1.0, "one": 2.0}, sums
np.savez(sys.argv[2] + f"/{backend.rank}.npz", **backend.optimizer_state(), **backend.weights())
"""


@pytest.mark.slow
def test_two_processes_share_one_gradient(tmp_path: Path) -> None:
    (tmp_path / "tests_torch_backend.py").write_text(Path(__file__).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "run.py").write_text(PROCESS, encoding="utf-8")
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([*launch, str(tmp_path / "run.py"), str(tmp_path), str(tmp_path)], env=environment, check=True)
    first, second = np.load(tmp_path / "0.npz"), np.load(tmp_path / "1.npz")
    for name in first.files:
        np.testing.assert_array_equal(first[name], second[name])
    alone = [started(), started()]
    for rank, backend in enumerate(alone):
        backend.train_step([batch(rank)], lr=0.01, seed=0)
    states = [backend.optimizer_state()["head.fc.weight.moment1"] for backend in alone]
    np.testing.assert_allclose(first["head.fc.weight.moment1"], np.mean(states, axis=0), rtol=1e-4, atol=1e-8)
