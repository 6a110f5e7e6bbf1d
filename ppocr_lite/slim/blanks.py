"""A recogniser of many classes → one that looks at them only where a character may be: ``tools/skip_blanks.py``.

At four of five steps along a line a CTC recogniser says that there is no character, yet it computes the probabilities
of all its classes there, thousands for Chinese.  A small layer, fitted to what the recogniser says on given pages, sees
beforehand at which steps nothing but the blank is likely.
"""

from __future__ import annotations

import dataclasses
import importlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import OCR
from ppocr_lite.charset import BLANK
from ppocr_lite.errors import DataError, ModelError
from ppocr_lite.io.images import ImageInput
from ppocr_lite.predict.bundle import ONNX, Bundle, read_bundle, write_bundle
from ppocr_lite.predict.released import released_model
from ppocr_lite.predict.runner import Runner, load_runner
from ppocr_lite.predict.stages import load_classifier, load_detector, load_recognizer

# Imported when they are called: they need the package onnx.
GRAPH, BLANKS = "ppocr_lite.engine.onnx_graph", "ppocr_lite.engine.onnx_blanks"
HIDDEN = 256  # cells of the gate
LEAST, MOST = -3.0, 4.0  # how far the blank leads, in logits; what is beyond these is sure either way
EMPHASIS = 3.0  # how much more an error counts at a step with a character
FEWEST = 2000  # steps with a character, to fit on


@dataclass(frozen=True)
class Gate:
    """How far the blank leads at a step, guessed from its features: one hidden layer of rectified cells.

    Attributes:
        hidden: (D, H) weights.
        hidden_bias: (H,).
        out: (H, 1) weights.
        out_bias: (1,).
    """

    hidden: NDArray[np.float32]
    hidden_bias: NDArray[np.float32]
    out: NDArray[np.float32]
    out_bias: NDArray[np.float32]

    def leads(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (N,) for features (N, D)."""
        layer = np.maximum(features @ self.hidden + self.hidden_bias, 0)
        lead: NDArray[np.float32] = (layer @ self.out + self.out_bias)[:, 0]
        return lead


@dataclass(frozen=True)
class Skipped:
    """What came of it, on batches of lines that the gate was not fitted on.

    Attributes:
        steps: Steps along these lines.
        blank: Share of them at which the recogniser finds no character.
        skipped: Share that the gate lets pass unseen.
        missed: How many of these have a character.
        lines: Lines on all pages.
        differing: How many of them are read otherwise than before.
    """

    steps: int
    blank: float
    skipped: float
    missed: int
    lines: int
    differing: int


class Watched:
    """A recogniser's network that keeps what its last layer sees and says.

    Args:
        network: Returns ``features`` and ``logits`` besides its probabilities.

    Attributes:
        features: (N × T, D) of each batch.
        leads: (N × T,) of each batch, logit of the blank less that of the likeliest character.
    """

    parallel = False

    def __init__(self, network: Runner) -> None:
        self.network = network
        self.features: list[NDArray[np.float32]] = []
        self.leads: list[NDArray[np.float32]] = []

    def run(self, array: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probabilities (N, T, C) for a batch (N, 3, H, W)."""
        return next(iter(self.run_all(array).values()))

    def run_all(self, array: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Return all outputs for a batch (N, 3, H, W) by name."""
        outputs = self.network.run_all(array)
        features, logits = outputs["features"], outputs["logits"]
        self.features.append(features.reshape(-1, features.shape[-1]))
        characters = np.delete(logits, BLANK, axis=2).max(2)
        self.leads.append((logits[..., BLANK] - characters).reshape(-1))
        return outputs

    def on_one_thread(self) -> Watched:
        """Return itself."""
        return self


def fit_gate(features: NDArray[np.float32], leads: NDArray[np.float32], seed: int = 0) -> Gate:
    """Fit a gate: its cells are random, and what they add up to is a least-squares solution.

    Args:
        features: (N, D), what the last layer of the recogniser sees at a step.
        leads: (N,), logit of the blank less that of the likeliest character.
        seed: Of the cells.

    Source:
        Huang et al., Extreme learning machine, Neurocomputing 2006.
    """
    middle, spread = features.mean(0), features.std(0) + 1e-6
    rng = np.random.default_rng(seed)
    dimension = features.shape[1]
    hidden = rng.normal(size=(dimension, HIDDEN)) / np.sqrt(dimension) / spread[:, None]
    bias = rng.normal(size=HIDDEN) - middle @ hidden
    layer = np.maximum(features @ hidden + bias, 0)
    layer = np.column_stack([layer, np.ones(len(layer))])  # (N, H + 1)
    weighted = layer * np.where(leads > 0, 1.0, EMPHASIS)[:, None]
    ridge = 1e-6 * len(layer) * np.eye(HIDDEN + 1)
    solution = np.linalg.solve(weighted.T @ layer + ridge, weighted.T @ np.clip(leads, LEAST, MOST))
    values = (hidden, bias, solution[:-1, None], solution[-1:])
    return Gate(*(value.astype(np.float32) for value in values))


def skip_blanks(model: Path, pages: Sequence[ImageInput], output: Path) -> Skipped:
    """Write a copy of a recogniser whose ONNX network computes its classes only where a character may be.

    Args:
        model: Exported folder with a ``model.onnx``, or an ONNX file.
        pages: Images to fit it on, of the kinds that it is to read; the released detector finds their lines. Thirty
            pages of text will do.
        output: Folder to write, which must not be there.

    Raises:
        ModelError: If there is no ONNX network, it does not end in a linear layer and a softmax, or *output* is there.
        DataError: If too few characters are on the pages.
    """
    bundle = read_bundle(model, "rec")
    if bundle.onnx is None:
        raise ModelError(f"{model} has no {ONNX}. Export it with onnx=True.")
    if output.exists():
        raise ModelError(f"{output} is already there. Give another folder.")
    watched, before = _watch(bundle, pages)
    count = sum(int((leads <= 0).sum()) for leads in watched.leads)
    if count < FEWEST:
        raise DataError(
            f"The pages have {count} steps with a character, too few to fit on. Needed: {FEWEST}, some ten full pages."
        )
    # of four batches two are fitted on, a third says with them where the threshold is, the last is for the figures
    part = np.concatenate([np.full(len(leads), index % 4) for index, leads in enumerate(watched.leads)])
    features, leads = np.concatenate(watched.features), np.concatenate(watched.leads)
    has_character, fitted, unseen = leads <= 0, part <= 1, part == part.max()
    gate = fit_gate(features[fitted], leads[fitted])
    guesses = gate.leads(features)
    threshold = float(guesses[has_character & ~unseen].max())
    changed = (dataclasses.asdict(gate), threshold, features[np.argmax(leads)])
    _write(bundle, output, "insert_gate", *changed)
    after = _read(output if bundle.file is None else output / bundle.file.name, pages)
    closed = guesses[unseen] > threshold
    return Skipped(
        steps=int(unseen.sum()),
        blank=float(1 - has_character[unseen].mean()),
        skipped=float(closed.mean()),
        missed=int((closed & has_character[unseen]).sum()),
        lines=len(before),
        differing=sum(one != other for one, other in zip(before, after, strict=True)),
    )


def _watch(bundle: Bundle, pages: Sequence[ImageInput]) -> tuple[Watched, list[str]]:
    """Return what the last layer of a recogniser sees on *pages*, and the lines that it reads."""
    with tempfile.TemporaryDirectory() as folder:
        exposed = _write(bundle, Path(folder) / "exposed", "expose_head")
        exposed = dataclasses.replace(exposed, outputs=(*bundle.outputs[:1], "features", "logits"))
        watched = Watched(load_runner(exposed, "onnxruntime"))
        return watched, _read(bundle.source, pages, watched)


def _read(model: Path, pages: Sequence[ImageInput], network: Watched | None = None) -> list[str]:
    recognizer = load_recognizer(model, engine="onnxruntime")
    if network is not None:
        recognizer.runner = network
    detector, classifier = load_detector(released_model("det", "ch")), load_classifier(released_model("cls", "ch"))
    reader = OCR.of(detector, classifier, recognizer)
    return [line.text for page in pages for line in reader.ocr(page, cls=True).lines]


def _write(bundle: Bundle, folder: Path, change: str, *arguments: Any) -> Bundle:
    """Copy a model into a new folder with its ONNX network changed; return what is there then."""
    if bundle.file is not None:
        folder.mkdir(parents=True)
        shutil.copy(bundle.file, folder)
        copied = dataclasses.replace(bundle, folder=folder, file=folder / bundle.file.name)
    else:
        shutil.copytree(bundle.folder, folder)
        copied = dataclasses.replace(bundle, folder=folder)
    graph, blanks = importlib.import_module(GRAPH), importlib.import_module(BLANKS)
    graph.rewrite(copied.onnx, getattr(blanks, change), *arguments)
    if bundle.file is None:
        write_bundle(copied)
    return copied
