"""Immutable checkpoint folders and two pointers, ``latest`` and ``best``.

checkpoints/
├── step_00000500/{model.safetensors, optimizer.safetensors, state.json}
├── latest        text: step_00000500
└── best          text: step_00000250

A checkpoint is written under a hidden name and renamed when complete, so a kill at any moment leaves the last
good one.  A run that goes back to one of its checkpoints gives up those after it.  Arrays are stored without any
framework; see :mod:`ppocr_lite.engine.backends.base` for their names.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.engine.backends.base import Arrays, Backend
from ppocr_lite.engine.pdparams import read_pdparams
from ppocr_lite.errors import CheckpointError, DivergenceError
from ppocr_lite.files import replacing, sync
from ppocr_lite.install import optional

safetensors, tensors = optional("safetensors"), optional("safetensors.numpy")
log = logging.getLogger(__name__)

# What to do about weights that do not fit, where they are to be used as they are.
USE_ITS_CONFIG = (
    "Architecture and dictionary (Global.character_dict_path, use_space_char) must be those they were trained with: "
    "give the config.yml of their run."
)
# What PaddleOCR calls a checkpoint, behind the folder of a run → pointer.
POINTERS = {"best_accuracy": "best", "latest": "latest"}
_NAME = re.compile(r"step_\d{8,20}", re.ASCII)
MODEL, OPTIMIZER, STATE = "model.safetensors", "optimizer.safetensors", "state.json"


@dataclasses.dataclass
class TrainState:
    """What a run has reached; the step is the only clock.

    Randomness needs no state of its own: the order of samples, each sample's changes and each update's random
    layers are functions of (seed, epoch, index) and (seed, step).

    Attributes:
        step: Optimizer updates done so far.
        best: Best value of the main metric, None before the first evaluation.
        best_step: Step of that value.
        seed: Seed of the run.
        epoch: Whole epochs done.
        steps_per_epoch: Updates per epoch; with another number, step does not mean the same place.
        bad_samples: Where the training samples that were left out so far are stored.
        metrics: What the evaluation of this step said; empty if there was none.
    """

    step: int = 0
    best: float | None = None
    best_step: int = 0
    seed: int = 0
    epoch: int = 0
    steps_per_epoch: int = 0
    bad_samples: list[str] = dataclasses.field(default_factory=list)
    metrics: dict[str, float] = dataclasses.field(default_factory=dict)


def name_of(step: int) -> str:
    """Return the name of the checkpoint folder of *step*."""
    return f"step_{step:08d}"


def save(folder: Path, backend: Backend, state: TrainState) -> Path:
    """Write ``folder/step_XXXXXXXX``; it appears under that name only when complete.

    No pointer may name a checkpoint of that step yet; see :func:`go_back`.

    Raises:
        DivergenceError: If a weight is not finite; then nothing is written.
        CheckpointError: If it cannot be written, as on a full disk; nothing is left of it then.
    """
    weights = backend.weights()
    if bad := sorted(name for name, value in weights.items() if not np.isfinite(value).all()):
        raise DivergenceError(f"Step {state.step} is not saved, for weights are not finite: {_few(bad)}.")
    final = folder / name_of(state.step)
    draft = folder / f".{final.name}.tmp"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        tensors.save_file(_contiguous(weights), draft / MODEL)
        tensors.save_file(_contiguous(backend.optimizer_state()), draft / OPTIMIZER)
        (draft / STATE).write_text(json.dumps(dataclasses.asdict(state), indent=2), encoding="utf-8")
        for file in draft.iterdir():
            sync(file)
        shutil.rmtree(final, ignore_errors=True)  # left by a kill before a pointer named it, or by a run that went back
        draft.rename(final)
        sync(folder)
    except (OSError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{final} cannot be written: {error}. Checkpoints before it are whole.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return final


def point(folder: Path, pointer: str, name: str) -> None:
    """Make *pointer* name a checkpoint, atomically."""
    with replacing(folder / pointer) as draft:
        draft.write_text(name, encoding="utf-8")
        sync(draft)


def point_out(folder: Path, state: TrainState) -> None:
    """Make ``latest`` name the checkpoint of *state*, and ``best`` that of its best step, if it is there."""
    point(folder, "latest", name_of(state.step))
    best = name_of(state.best_step)
    if (folder / best / MODEL).is_file():
        point(folder, "best", best)
    else:
        (folder / "best").unlink(missing_ok=True)


def go_back(folder: Path, state: TrainState) -> None:
    """Let the run in *folder* stand at *state*, one of its checkpoints; those after it are given up.

    No pointer names them any more, so their steps may be saved anew; the next :func:`prune` removes the others.
    """
    point_out(folder, state)
    given_up = [path.name for path in sorted(folder.glob("step_*")) if path.name > name_of(state.step)]
    if given_up:
        log.warning("The run goes back to step %d and gives up %s.", state.step, ", ".join(given_up))


def prune(folder: Path, keep: int) -> None:
    """Remove all but the newest *keep* checkpoints and those a pointer names, and drafts a kill left.

    What is later than ``latest`` goes, too: a run that went back has given it up.
    """
    named = _named(folder)
    latest = _pointed(folder / "latest")
    steps = sorted(path for path in folder.glob("step_*") if path.is_dir())
    kept = [path for path in steps if path.name <= latest][-keep:]
    for path in steps:
        if path not in kept and path.name not in named:
            shutil.rmtree(path)
    for draft in folder.glob(".step_*.tmp"):
        shutil.rmtree(draft, ignore_errors=True)


def resolve(path: Path, pointer: str = "latest") -> Path:
    """Return the checkpoint folder that *path* means.

    Args:
        path: A checkpoint folder, a folder of checkpoints, or the folder of a run; behind the latter two may stand
            ``best_accuracy`` or ``latest``, which are the names of PaddleOCR.
        pointer: Which one of several: ``latest`` or ``best``.

    Raises:
        CheckpointError: If there is none.
    """
    if (path / MODEL).is_file():
        return path
    if path.name in POINTERS and not path.is_dir():
        path, pointer = path.parent, POINTERS[path.name]
    for folder in (path, path / "checkpoints"):
        if (folder / pointer).is_file():
            found = folder / _pointed(folder / pointer)
            if (found / MODEL).is_file():
                return found
            raise CheckpointError(f"{folder / pointer} names {found.name}, which is not a checkpoint.")
    raise CheckpointError(f"No {pointer!r} checkpoint under {path}.")


def resume(path: Path, backend: Backend, seed: int, steps_per_epoch: int) -> TrainState:
    """Load everything a run needs to continue exactly; *path* is a checkpoint folder.

    Raises:
        CheckpointError: If files are missing or do not fit the network, or the run divides its data otherwise.
    """
    try:
        state = TrainState(**json.loads((path / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path / STATE} cannot be read: {error}") from error
    if (state.seed, state.steps_per_epoch) != (seed, steps_per_epoch):
        raise CheckpointError(
            f"{path} was trained with seed {state.seed} and {state.steps_per_epoch} updates per epoch; this run has "
            f"{seed} and {steps_per_epoch}. Continue with the same data, batch size and number of processes, "
            "or start a new run with Global.pretrained_model."
        )
    backend.load_weights(fit_weights(read_weights(path), backend.weights(), str(path)))
    backend.load_optimizer_state(_read(path / OPTIMIZER))
    return state


def read_weights(path: Path) -> Arrays:
    """Read weights by name.

    Args:
        path: A checkpoint folder, the folder of a run (its best, else its latest checkpoint), a ``.safetensors``
            file, or a ``.pdparams`` file of PaddleOCR, with or without the suffix; or what :func:`resolve` takes.

    Raises:
        CheckpointError: If there is nothing to read there, or it is not what its name says.
    """
    if path.is_dir():
        run = path if (path / "best").is_file() else path / "checkpoints"
        return _read(resolve(path, "best" if (run / "best").is_file() else "latest") / MODEL)
    candidates = (path, path.with_name(path.name + ".safetensors"), path.with_name(path.name + ".pdparams"))
    for file in candidates:
        if file.is_file() and file.name not in POINTERS:
            return read_pdparams(file) if file.suffix == ".pdparams" else _read(file)
    if path.name.removesuffix(".pdparams") in POINTERS:
        return _read(resolve(path.with_suffix("")) / MODEL)
    raise CheckpointError(f"No weights at {path}. Looked for: {', '.join(str(file) for file in candidates)}.")


def write_weights(path: Path, weights: Mapping[str, NDArray[Any]]) -> None:
    """Write weights by name to a ``.safetensors`` file, whole or not at all.

    Raises:
        CheckpointError: If it cannot be written.
    """
    try:
        with replacing(path) as draft:
            tensors.save_file(_contiguous(weights), draft)
    except safetensors.SafetensorError as error:
        raise CheckpointError(f"{path} cannot be written: {error}") from error


def fit_weights(
    given: Mapping[str, NDArray[Any]],
    wanted: Mapping[str, NDArray[Any]],
    source: str,
    reinit: Sequence[str] = (),
    advice: str = USE_ITS_CONFIG,
) -> Arrays:
    """Return *given* as the network wants it, with its own values for the parts named in *reinit*.

    Args:
        given: What was read.
        wanted: The weights of the network as it is.
        source: Where *given* comes from, for messages.
        reinit: Prefixes of names that need not fit and then keep the values of the network.
        advice: What to do if they do not fit, for messages.

    Raises:
        CheckpointError: Lists the names that are missing, unexpected or of another shape.
    """

    def excused(name: str) -> bool:
        return any(name == prefix or name.startswith(prefix.rstrip(".") + ".") for prefix in reinit)

    missing = sorted(name for name in wanted if name not in given and not excused(name))
    unexpected = sorted(name for name in given if name not in wanted and not excused(name))
    misshapen = sorted(
        f"{name} {given[name].shape} instead of {wanted[name].shape}"
        for name in wanted
        if name in given and given[name].shape != wanted[name].shape and not excused(name)
    )
    if missing or unexpected or misshapen:
        faults = {"missing": missing, "unexpected": unexpected, "of another shape": misshapen}
        listed = "; ".join(f"{kind}: {_few(names)}" for kind, names in faults.items() if names)
        raise CheckpointError(f"{source} does not fit the network: {listed}.\n{advice}")
    fitted = {}
    for name, value in wanted.items():
        takes = name in given and given[name].shape == value.shape and not excused(name)
        fitted[name] = np.asarray(given[name]).astype(value.dtype, copy=False) if takes else value
    return fitted


def _named(folder: Path) -> set[str]:
    pointers = [folder / pointer for pointer in ("latest", "best")]
    return {_pointed(pointer) for pointer in pointers if pointer.is_file()}


def _pointed(pointer: Path) -> str:
    """Return the name of the checkpoint that a pointer names.

    Raises:
        CheckpointError: If it holds something else than such a name.
    """
    try:
        with pointer.open("rb") as file:
            name = file.read(100).decode("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CheckpointError(f"{pointer} cannot be read: {error}") from error
    if not _NAME.fullmatch(name):
        raise CheckpointError(f"{pointer} must name a checkpoint, like {name_of(500)}. Received: {name!r}")
    return name


def _few(names: list[str], limit: int = 5) -> str:
    more = f" … and {len(names) - limit} more" if len(names) > limit else ""
    return (", ".join(names[:limit]) or "none") + more


def _read(path: Path) -> Arrays:
    try:
        arrays: Arrays = tensors.load_file(path)
    except (OSError, safetensors.SafetensorError) as error:
        raise CheckpointError(f"{path} cannot be read: {error}") from error
    except (TypeError, AttributeError, KeyError, ValueError, MemoryError) as error:  # of types that NumPy lacks
        raise CheckpointError(
            f"{path}: its numbers are of a type that is not read ({error}). Write them as float32 or float16."
        ) from error
    if strange := sorted(name for name, value in arrays.items() if value.dtype.kind not in "fiub"):
        raise CheckpointError(f"{path}: weights are real numbers. These are not: {_few(strange)}.")
    return arrays


def _contiguous(arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    return {name: np.ascontiguousarray(value) for name, value in arrays.items()}
