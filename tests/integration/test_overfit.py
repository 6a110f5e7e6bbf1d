"""Each family learns 32 real samples by heart; what cannot do that has a fault somewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppocr_lite.engine.run import evaluate_run, train
from tests.scripts import load_script

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

COUNT = 32
SIDE = 192  # pixels of a page
Load = Callable[..., Any]
FAST = ("Global.log_smooth_window=1", "Global.print_batch_step=20", "Optimizer.lr.warmup_steps=20")


def read_labels(file: Path) -> list[tuple[str, str]]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return [(name, label) for name, label in (line.split("\t", 1) for line in lines)]


def write_labels(folder: Path, rows: list[tuple[str, str]]) -> Path:
    file = folder / "labels.txt"
    file.write_text("".join(f"{name}\t{label}\n" for name, label in rows), encoding="utf-8")
    return file


@pytest.fixture
def real_pages(shared_data: Path, tmp_path: Path) -> Path:
    """Square windows out of till receipts."""
    cut = load_script("experiments/anchors/cut_receipts.py").cut
    rows = []
    for name, label in read_labels(shared_data / "receipts_en" / "train.txt")[:COUNT]:
        image = cv2.imread(str(shared_data / "receipts_en" / name))
        window, regions = cut(image, json.loads(label), SIDE)
        rows.append((f"{Path(name).stem}.png", json.dumps(regions)))
        cv2.imwrite(str(tmp_path / rows[-1][0]), window)
    return write_labels(tmp_path, rows)


@pytest.fixture
def real_lines(shared_data: Path, tmp_path: Path) -> Path:
    """Short lines cut out of till receipts, and a dictionary of their characters beside the label file."""
    rows: list[tuple[str, str]] = []
    for name, label in read_labels(shared_data / "receipts_en" / "train.txt"):
        image = cv2.imread(str(shared_data / "receipts_en" / name))
        short = [region for region in json.loads(label) if 3 <= len(region["transcription"]) <= 6]
        for region in short[: min(2, COUNT - len(rows))]:
            points = np.asarray(region["points"], int)
            (x0, y0), (x1, y1) = points.min(axis=0), points.max(axis=0)
            rows.append((f"{len(rows)}.png", region["transcription"]))
            cv2.imwrite(str(tmp_path / rows[-1][0]), image[y0:y1, x0:x1])
        if len(rows) == COUNT:
            break
    characters = sorted({character for _, text in rows for character in text})
    (tmp_path / "dictionary.txt").write_text("\n".join(characters) + "\n", encoding="utf-8")
    return write_labels(tmp_path, rows)


@pytest.fixture
def real_turned(shared_data: Path, tmp_path: Path) -> Path:
    """Number plates, every second one upside down."""
    rows = []
    for index, (name, _) in enumerate(read_labels(shared_data / "plates_zh" / "train.txt")[:COUNT]):
        image = cv2.imread(str(shared_data / "plates_zh" / name))
        turned = index % 2 == 1
        rows.append((f"{index}.png", "180" if turned else "0"))
        cv2.imwrite(str(tmp_path / rows[-1][0]), image[::-1, ::-1] if turned else image)
    return write_labels(tmp_path, rows)


def learn(load: Load, family: str, labels: Path, *overrides: str) -> dict[str, float]:
    config = load(family, labels, *FAST, *overrides)
    train(config)
    return evaluate_run(config)


def test_a_recogniser_learns_32_lines(load_small: Load, real_lines: Path) -> None:
    steps = "[{DecodeImage: }, {CTCLabelEncode: }, {RecResizeImg: {image_shape: [3, 32, 64]}}]"
    metrics = learn(
        load_small,
        "rec",
        real_lines,
        *(f"Global.character_dict_path={real_lines.parent / 'dictionary.txt'}", "Global.epoch_num=150"),
        *("Architecture.Backbone.scale=0.5", "Architecture.Neck.hidden_size=96"),
        *("Train.loader.batch_size_per_card=4", "Optimizer.lr.learning_rate=0.004", "Optimizer.beta2=0.98"),
        *(f"Train.dataset.transforms={steps}", f"Eval.dataset.transforms={steps}"),
    )
    assert metrics["acc"] >= 0.95


def test_a_classifier_learns_32_lines(load_small: Load, real_turned: Path) -> None:
    metrics = learn(load_small, "cls", real_turned, "Global.epoch_num=25", "Train.loader.batch_size_per_card=8")
    assert metrics["acc"] == 1.0


def test_a_detector_learns_32_pages(load_small: Load, real_pages: Path) -> None:
    metrics = learn(
        load_small,
        "det",
        real_pages,
        *("Global.epoch_num=80", "Architecture.Neck.out_channels=48"),
        *("Train.loader.batch_size_per_card=4", "Optimizer.lr.learning_rate=0.004", "Optimizer.beta2=0.98"),
        f"Train.dataset.transforms[2].EastRandomCropData={{size: [{SIDE}, {SIDE}], min_crop_side_ratio: 1.0}}",
        f"Eval.dataset.transforms[2].DetResizeForTest={{limit_side_len: {SIDE}, limit_type: max}}",
    )
    assert metrics["hmean"] >= 0.9
