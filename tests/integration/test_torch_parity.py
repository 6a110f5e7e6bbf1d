"""The torch engine computes what the Paddle engine computes: outputs, losses, gradients, updates, files.

Each engine runs in a process of its own (:mod:`tests.integration.parity`); here their numbers are compared.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.integration import parity

ROOT = Path(__file__).parents[2]
ENGINES = ("paddle", "torch")
Arrays = dict[str, np.ndarray]

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"the {name} engine is not installed")
    for name in ENGINES
]


class Found:
    """What one engine wrote, by scenario."""

    def __init__(self, path: Path) -> None:
        self.arrays = dict(np.load(path))

    def of(self, *scenario: str) -> Arrays:
        prefix = "|".join((*scenario, ""))
        found = {key.removeprefix(prefix): value for key, value in self.arrays.items() if key.startswith(prefix)}
        assert found, f"nothing was written for {prefix}"
        return found


def run(*words: str) -> None:
    command = [sys.executable, "-W", "ignore", "-m", "tests.integration.parity", *words]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What each engine finds."""
    folder = tmp_path_factory.mktemp("parity")
    found = {engine: folder / f"{engine}.npz" for engine in ENGINES}
    for engine, path in found.items():
        run("begin", engine, str(path))
    return found


@pytest.fixture(scope="module")
def paddle(files: dict[str, Path]) -> Found:
    return Found(files["paddle"])


@pytest.fixture(scope="module")
def torch(files: dict[str, Path]) -> Found:
    return Found(files["torch"])


@pytest.fixture(params=parity.CASES, ids=list(parity.CASES))
def case(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_weights_come_back_bit_for_bit(paddle: Found, torch: Found, case: str) -> None:
    ours, theirs = (found.of(f"forward_pass/{case}", "checksum") for found in (paddle, torch))
    assert ours == theirs


def test_outputs_in_training_agree(paddle: Found, torch: Found, case: str) -> None:
    ours, theirs = (found.of(f"forward_pass/{case}", "training") for found in (paddle, torch))
    assert set(ours) == set(theirs)
    # The third map is the difference of the other two times k, so its rounding errors are 50 times theirs.
    shown = slice(0, 2) if "maps" in ours else slice(None)
    for name in ours:
        np.testing.assert_allclose(ours[name][:, shown], theirs[name][:, shown], atol=1e-4)


def test_outputs_in_evaluation_agree_after_the_statistics_moved(paddle: Found, torch: Found, case: str) -> None:
    ours, theirs = (found.of(f"forward_pass/{case}", "evaluation")["output"] for found in (paddle, torch))
    # The fixed weights are steeper than first ones: maps reach 0 and 1, and between them last bits move by 1.4e-4.
    np.testing.assert_allclose(ours, theirs, atol=2e-4)
    assert (np.abs(ours - theirs) > 1e-4).mean() < 1e-4


def test_batch_norm_statistics_agree(paddle: Found, torch: Found, case: str) -> None:
    ours, theirs = (found.of(f"forward_pass/{case}", "statistics") for found in (paddle, torch))
    assert set(ours) == set(theirs)
    for name in ours:
        np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-3, atol=1e-5, err_msg=name)


def test_losses_agree(paddle: Found, torch: Found, case: str) -> None:
    ours, theirs = (found.of(f"forward_pass/{case}", "loss") for found in (paddle, torch))
    assert list(ours) == list(theirs)
    for name in ours:
        assert theirs[name].item() == pytest.approx(ours[name].item(), rel=1e-5, abs=1e-7), name


def test_gradients_agree(paddle: Found, torch: Found, case: str) -> None:
    ours, theirs = (found.of(f"gradients/{case}", "gradient") for found in (paddle, torch))
    assert set(ours) == set(theirs)
    largest = max(float(np.abs(value).max()) for value in ours.values())
    for name, value in ours.items():
        # A bias before a batch norm has no gradient, only noise; hence the second term.
        allowed = 1e-3 * float(np.abs(value).max()) + 1e-7 * largest
        assert float(np.abs(theirs[name] - value).max()) <= allowed, name


def test_ten_updates_of_adam_agree(paddle: Found, torch: Found, case: str) -> None:
    ours, theirs = (found.of(f"ten_updates/{case}", "ten_updates")["loss"] for found in (paddle, torch))
    assert theirs.tolist() == pytest.approx(ours.tolist(), rel=0.01)


@pytest.mark.parametrize("optimizer", parity.OPTIMIZERS)
def test_one_update_moves_the_weights_alike(paddle: Found, torch: Found, optimizer: str) -> None:
    ours, theirs = (found.of(f"one_update/{optimizer}") for found in (paddle, torch))
    for name in ("head.fc.weight", "head.fc.bias", "backbone.conv2.conv.weight", "backbone.conv2.bn.weight"):
        moved = ours[name]
        assert np.abs(moved).max() > 0
        np.testing.assert_allclose(theirs[name], moved, atol=0.02 * float(np.abs(moved).max()), err_msg=name)


def test_a_penalty_of_its_own_replaces_the_common_one(paddle: Found, torch: Found) -> None:
    ours, theirs = (found.of("own_penalty") for found in (paddle, torch))
    for name in (
        "head.fc.weight",
        "head.fc.bias",
        "neck.encoder.lstm.weight_hh_l0",
        "backbone.blocks.10.linear_conv.bn.weight",
    ):
        np.testing.assert_allclose(theirs[name], ours[name], atol=0.01 * float(np.abs(ours[name]).max()))


@pytest.mark.parametrize("family", parity.DISTILLATIONS)
def test_distillation_agrees(paddle: Found, torch: Found, family: str) -> None:
    ours, theirs = (found.of(f"distillation/{family}", "terms") for found in (paddle, torch))
    assert list(ours) == list(theirs)
    for name in ours:
        assert theirs[name].item() == pytest.approx(ours[name].item(), rel=1e-4, abs=1e-5), name
    for found in (paddle, torch):
        moved = found.of(f"distillation/{family}", "moved")
        assert any(value > 0 for name, value in moved.items() if name.startswith("Student."))
        assert all(value == 0 for name, value in moved.items() if name.startswith("Teacher."))
    outputs = [found.of(f"distillation/{family}", "output")["output"] for found in (paddle, torch)]
    np.testing.assert_allclose(*outputs, atol=1e-3)


def test_accumulated_batches_agree(paddle: Found, torch: Found) -> None:
    ours, theirs = (found.of("accumulated")["loss"].item() for found in (paddle, torch))
    assert theirs == pytest.approx(ours, rel=1e-4)


def test_quantised_networks_agree(paddle: Found, torch: Found) -> None:
    ours, theirs = (found.of("quantised") for found in (paddle, torch))
    assert set(ours) == set(theirs)
    for name in set(ours) - {"output"}:
        np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-3, err_msg=name)
    np.testing.assert_allclose(theirs["output"], ours["output"], atol=2e-2)


@pytest.mark.parametrize("begun_with", ENGINES)
def test_a_run_begun_with_one_engine_continues_with_the_other(
    files: dict[str, Path], paddle: Found, torch: Found, begun_with: str, tmp_path: Path
) -> None:
    other = ENGINES[1 - ENGINES.index(begun_with)]
    run("go-on", other, str(files[begun_with]), str(tmp_path / "continued.npz"))
    begun: Any = {"paddle": paddle, "torch": torch}[begun_with]
    continued = Found(tmp_path / "continued.npz")
    for name in parity.runs():
        expected = begun.of(f"begun/{name}", "losses")["loss"].tolist()
        assert continued.of(name)["loss"].tolist() == pytest.approx(expected, rel=1e-3), name
        assert set(continued.of(name, "state")) == set(begun.of(f"begun/{name}", "state")), name
