"""Damaged model folders, configs, weights, runs and label files: loaded and used, or refused by name.

python -m tests.fuzz.folders --tries 500 --seed 0
"""

from __future__ import annotations

import argparse
import json
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import yaml
from safetensors.numpy import save_file

from ppocr_lite.data import SimpleDataSet
from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.build import load_config
from ppocr_lite.errors import OCRError
from ppocr_lite.predict.stages import load_classifier, load_detector, load_recognizer
from ppocr_lite.transforms.labels import DetLabelEncode
from tests.conftest import draw_line, draw_page
from tests.fuzz.mutate import damage, damage_text
from tests.fuzz.runner import run

ROOT = Path(__file__).parents[2]
MODELS = ROOT / "ppocr_lite" / "models"
LOADERS: dict[str, Callable[[Path], Any]] = {
    "det": lambda folder: load_detector(folder).detect(draw_page((64, 96), lines=1).image),
    "cls": lambda folder: load_classifier(folder).classify([draw_line("Lantern")]),
    "rec_en": lambda folder: load_recognizer(folder).recognize([draw_line("Lantern")]),
}


def damage_file(path: Path, rng: np.random.Generator) -> None:
    """Damage a file, in the way of its kind."""
    if path.suffix in (".yml", ".txt") and rng.random() < 0.8:
        path.write_text(damage_text(path.read_text(encoding="utf-8"), rng), encoding="utf-8", errors="surrogatepass")
    else:
        path.write_bytes(damage(path.read_bytes(), rng))


def use_model(folder: Path, rng: np.random.Generator) -> None:
    """Use a copy of a released folder whose description or network is damaged."""
    stage = str(rng.choice(list(LOADERS)))
    copy = folder / stage
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(MODELS / stage, copy, ignore=shutil.ignore_patterns("*.safetensors", "README.md"))
    damage_file(copy / str(rng.choice(["inference.yml", "inference.yml", "model.onnx", "inference.pdiparams"])), rng)
    LOADERS[stage](copy)


def use_old_model(folder: Path, rng: np.random.Generator) -> None:
    """Use a copy of a released folder without a list of its files, whose description is damaged."""
    stage = str(rng.choice(list(LOADERS)))
    copy = folder / stage
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(MODELS / stage, copy, ignore=shutil.ignore_patterns("*.safetensors", "README.md"))
    path = copy / "inference.yml"
    node = yaml.safe_load(path.read_text(encoding="utf-8"))
    del node["files"]
    path.write_text(yaml.safe_dump(node, allow_unicode=True, sort_keys=False), encoding="utf-8")
    damage_file(path, rng)
    LOADERS[stage](copy)


def use_config(folder: Path, rng: np.random.Generator) -> None:
    """Check a damaged config."""
    configs = sorted((ROOT / "configs").rglob("*.yml"))
    path = folder / "config.yml"
    shutil.copy(configs[int(rng.integers(len(configs)))], path)
    damage_file(path, rng)
    load_config(path)


def use_weights(folder: Path, rng: np.random.Generator) -> None:
    """Read damaged weights."""
    arrays = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(4, np.float16)}
    if rng.random() < 0.3:
        path = folder / "a.safetensors"
        save_file(arrays, path)
    else:
        path = folder / "a.pdparams"
        path.write_bytes(pickle.dumps(arrays, protocol=int(rng.integers(2, 6))))
    damage_file(path, rng)
    checkpoint.read_weights(path)


def use_run(folder: Path, rng: np.random.Generator) -> None:
    """Find and read the newest checkpoint of a damaged run."""
    run_folder = folder / "run"
    shutil.rmtree(run_folder, ignore_errors=True)
    saved = run_folder / "step_00000001"
    saved.mkdir(parents=True)
    save_file({"a": np.zeros(4, np.float32)}, saved / checkpoint.MODEL)
    save_file({"a.moment": np.zeros(4, np.float32)}, saved / checkpoint.OPTIMIZER)
    (saved / checkpoint.STATE).write_text(json.dumps({"step": 1, "seed": 0, "steps_per_epoch": 1}), encoding="utf-8")
    (run_folder / "latest").write_text("step_00000001", encoding="utf-8")
    files = [run_folder / "latest", *sorted(saved.iterdir())]
    damage_file(files[int(rng.integers(len(files)))], rng)
    checkpoint.read_weights(run_folder)
    checkpoint.resume(checkpoint.resolve(run_folder), _Backend(), 0, 1)  # type: ignore[arg-type]


class _Backend:
    def weights(self) -> dict[str, Any]:
        return {"a": np.zeros(4, np.float32)}

    def load_weights(self, weights: dict[str, Any]) -> None:
        del weights

    load_optimizer_state = load_weights


def use_labels(folder: Path, rng: np.random.Generator) -> None:
    """Read the samples of a damaged label file."""
    page = draw_page((120, 160), lines=2)
    cv2.imwrite(str(folder / "page.png"), page.image)
    path = folder / "labels.txt"
    path.write_text(f"page.png\t{page.label}\n" * 3, encoding="utf-8")
    damage_file(path, rng)
    dataset = SimpleDataSet(str(folder), str(path), transforms=DetLabelEncode(), training=bool(rng.random() < 0.5))
    for index in range(len(dataset)):
        dataset[(0, index)]


KINDS = (use_model, use_old_model, use_config, use_weights, use_run, use_labels)


def prepare(folder: Path, seed: int) -> Callable[[int], str]:
    """Return what makes a damaged folder or file and uses it."""

    def attempt(number: int) -> str:
        rng = np.random.default_rng((seed, number))
        use = KINDS[number % len(KINDS)]
        try:
            use(folder, rng)
        except OCRError as error:
            if len(str(error)) > 10_000:
                raise
            return f"{use.__name__}: {type(error).__name__}"
        return f"{use.__name__}: used"

    return attempt


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    return run("tests.fuzz.folders", arguments.tries, arguments.seed).finish()


if __name__ == "__main__":
    sys.exit(main())
