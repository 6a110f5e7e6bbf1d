"""The torch engine on a GPU: the same update as on the CPU, bfloat16, resuming, batches in pinned memory.

PPOCR_LITE_TEST_ENGINE=torch python -m pytest tests/integration/test_torch_gpu.py -m gpu
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the torch engine is not installed")

from ppocr_lite.data.loader import Collate  # noqa: E402
from ppocr_lite.data.sampler import EpochBatches, Key  # noqa: E402
from ppocr_lite.engine.backends.base import AmpLevel, Task  # noqa: E402
from ppocr_lite.engine.backends.torch import TorchBackend  # noqa: E402
from ppocr_lite.optim.optimizers import Adam  # noqa: E402

pytestmark = [
    pytest.mark.torch,
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]

CLASSES = 20
DEVICE = "gpu:0"
BACKBONE = {"name": "MobileNetV3", "scale": 0.5, "model_name": "small"}
NETWORKS: dict[str, dict[str, Any]] = {
    "det": {
        "Backbone": BACKBONE | {"disable_se": True},
        "Neck": {"name": "DBFPN", "out_channels": 32},
        "Head": {"name": "DBHead", "k": 50},
    },
    "rec": {
        "Backbone": BACKBONE | {"small_stride": [1, 2, 2, 2]},
        "Neck": {"name": "SequenceEncoder", "encoder_type": "rnn", "hidden_size": 32},
        "Head": {"name": "CTCHead", "fc_decay": 0.00001},
    },
    "cls": {"Backbone": BACKBONE, "Head": {"name": "ClsHead", "class_dim": 2}},
}
LOSSES: dict[str, dict[str, Any]] = {
    "det": {"name": "DBLoss", "main_loss_type": "BCELoss"},
    "rec": {"name": "CTCLoss"},
    "cls": {"name": "ClsLoss"},
}


@pytest.fixture(autouse=True)
def plain_float32() -> Iterator[None]:
    """Without TF32, which rounds the factors of a product to ten bits, O0 is float32 on a GPU as well."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


@pytest.fixture(params=NETWORKS)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def started(family: str, device: str, amp: AmpLevel = "O0", *, compiled: bool = False, seed: int = 5) -> TorchBackend:
    architecture = {"model_type": family, "algorithm": "small", **NETWORKS[family]}
    classes = CLASSES if family == "rec" else None
    backend = TorchBackend()
    backend.build(
        Task(architecture, classes, LOSSES[family], Adam(), amp=amp, seed=seed, device=device, compile=compiled)
    )
    return backend


def batch(family: str, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    if family == "cls":
        return {"image": rng.standard_normal((8, 3, 48, 96)).astype(np.float32), "label": rng.integers(0, 2, 8)}
    if family == "rec":
        image = rng.standard_normal((8, 3, 32, 128)).astype(np.float32)
        label = rng.integers(1, CLASSES, (8, 25)).astype(np.int32)
        return {"image": image, "label": label, "length": np.array([1, 2, 3, 4, 5, 6, 7, 25])}  # 25 is too long
    size = (2, 160, 160)
    coarse = (rng.random((2, 10, 10)) < 0.3).repeat(16, 1).repeat(16, 2)
    return {
        "image": rng.standard_normal((2, 3, 160, 160)).astype(np.float32),
        "shrink_map": coarse.astype(np.float32),
        "shrink_mask": (rng.random(size) < 0.9).astype(np.float32),
        "threshold_map": rng.uniform(0.3, 0.7, size).astype(np.float32),
        "threshold_mask": (rng.random(size) < 0.4).astype(np.float32),
    }


def loss(backend: TorchBackend, family: str, step: int, *, lr: float = 0.001) -> float:
    value: float = backend.train_step([batch(family, step)], lr=lr, seed=step)["loss"].item()
    return value


def test_an_update_is_that_of_the_cpu(family: str) -> None:
    cpu, gpu = started(family, "cpu"), started(family, DEVICE)
    gpu.load_weights(cpu.weights())
    image = batch(family, 0)["image"]
    np.testing.assert_allclose(gpu.forward(image), cpu.forward(image), atol=1e-3)
    assert loss(gpu, family, 0) == pytest.approx(loss(cpu, family, 0), rel=1e-3)
    ours, theirs = gpu.optimizer_state(), cpu.optimizer_state()
    assert set(ours) == set(theirs)
    largest = max(np.abs(value).max() for value in theirs.values() if value.ndim)
    for name, value in theirs.items():  # the first moment is a tenth of the gradient
        np.testing.assert_allclose(ours[name], value, rtol=0.01, atol=1e-3 * largest, err_msg=name)
    statistics = [name for name in cpu.weights() if name.endswith(("_mean", "_variance"))]
    for name in statistics:
        np.testing.assert_allclose(gpu.weights()[name], cpu.weights()[name], rtol=1e-3, atol=1e-3, err_msg=name)


@pytest.mark.parametrize("compiled", [False, True], ids=["eager", "compiled"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
def test_bfloat16_trains(family: str, compiled: bool) -> None:
    backend = started(family, DEVICE, "O1", compiled=compiled)
    assert backend.autocast
    losses = [backend.train_step([batch(family, 0)], lr=0.003, seed=step)["loss"].item() for step in range(20)]
    assert losses[0] == pytest.approx(loss(started(family, DEVICE), family, 0), rel=0.05)
    assert losses[-1] < 0.8 * losses[0]
    assert {value.dtype for value in backend.weights().values()} == {np.dtype(np.float32)}
    assert backend.forward(batch(family, 0)["image"]).dtype == np.float32


def test_a_run_continues_on_the_gpu_and_on_the_cpu(family: str) -> None:
    whole = started(family, DEVICE)
    for step in range(3):
        loss(whole, family, step)
    weights, state = whole.weights(), whole.optimizer_state()
    expected = [loss(whole, family, step, lr=1e-4) for step in (3, 4)]
    for device in (DEVICE, "cpu"):
        resumed = started(family, device, seed=99)
        resumed.load_weights(weights)
        resumed.load_optimizer_state(state)
        assert [loss(resumed, family, step, lr=1e-4) for step in (3, 4)] == pytest.approx(expected, rel=2e-3)


class Numbers:
    """A sample is its key."""

    def __len__(self) -> int:
        return 8

    def __getitem__(self, key: Key) -> dict[str, Any]:
        return {"image": np.full((3, 4, 4), key[1], np.float32), "path": str(key[1])}


def test_batches_wait_in_pinned_memory() -> None:
    loader = started("cls", DEVICE).loader(Numbers(), EpochBatches(8, 2, shuffle=False), Collate(), 2)
    batches = list(loader)
    assert [b["path"] for b in batches] == [["0", "1"], ["2", "3"], ["4", "5"], ["6", "7"]]
    assert all(b["image"].is_pinned() for b in batches)


@pytest.mark.parametrize("family", ["det", "cls"])  # CTC hands the lengths of the texts over and waits for that
def test_an_update_does_not_wait_for_the_gpu(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LOSSES, "det", {"name": "DBLoss"})  # Dice; the mean of the hardest pixels asks for their number
    backend = started(family, DEVICE, "O1")
    pinned = {name: torch.from_numpy(value).pin_memory() for name, value in batch(family, 0).items()}
    for step in range(3):
        backend.train_step([pinned], lr=0.001, seed=step)
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        backend.train_step([pinned], lr=0.001, seed=3)
    finally:
        torch.cuda.set_sync_debug_mode("default")
