"""tools/make_centers.py on a recogniser that reads one text, whatever it sees."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from safetensors.numpy import save_file

from ppocr_lite.engine.backends.base import Arrays, Task
from ppocr_lite.engine.build import build_chain, create_backend, load_charset
from ppocr_lite.engine.find_centers import find_centers
from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.losses import centers

ROOT = Path(__file__).parents[2]
Load = Callable[..., Any]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Five lines, three of them labelled "e"."""
    for index in range(5):
        image = np.random.default_rng(index).integers(0, 256, (32, 40 + 9 * index, 3), dtype=np.uint8)
        cv2.imwrite(str(tmp_path / f"{index}.png"), image)
    file = tmp_path / "labels.txt"
    file.write_text("".join(f"{index}.png\t{text}\n" for index, text in enumerate("eaexe")), encoding="utf-8")
    return file


def weights_that_read_e(config: Any, path: Path) -> Arrays:
    charset = load_charset(config)
    assert charset is not None
    backend = create_backend(config.Global.engine)
    backend.build(Task(config.Architecture, charset.num_classes, seed=1))
    weights = backend.weights()
    weights["head.fc.weight"][:] = 0
    weights["head.fc.bias"][:] = 0
    weights["head.fc.bias"][charset.encode("e")] = 5
    save_file(weights, path)
    return weights


def test_centres_are_the_mean_features_of_the_lines_read_correctly(
    load_small: Load, labels: Path, tmp_path: Path, engine: str
) -> None:
    config = load_small("rec", labels, f"Global.engine={engine}", "Train.loader.batch_size_per_card=5")
    weights = weights_that_read_e(config, tmp_path / "w.safetensors")
    sums = find_centers(config, tmp_path / "w.safetensors")
    assert (sums.lines, sums.correct) == (5, 3)
    charset = load_charset(config)
    assert charset is not None
    (index,) = charset.encode("e")
    assert np.flatnonzero(sums.counts).tolist() == [index]
    backend = create_backend(engine)
    head = config.Architecture["Head"] | {"return_feats": True}
    backend.build(Task(config.Architecture | {"Head": head}, charset.num_classes))
    backend.load_weights(weights)
    chain = build_chain(config.Eval, charset, 12)
    images = [chain({"image": labels.with_name(f"{i}.png").read_bytes(), "label": "e"})["image"] for i in (0, 2, 4)]
    # The widest of the five, 76 pixels, rounded up to 96: as wide is the batch.
    padded = [np.pad(image, ((0, 0), (0, 0), (0, 96 - image.shape[2]))) for image in images]
    feats = [backend.head_outputs(image[None])["feats"][0] for image in padded]
    np.testing.assert_allclose(sums.means()[index], np.mean(feats, axis=(0, 1)), atol=1e-4)


def test_the_tool_writes_what_the_loss_reads(write_config: Callable[..., Path], load_small: Load, labels: Path) -> None:
    path, config = write_config("rec", labels), load_small("rec", labels)
    weights, output = labels.with_name("w.safetensors"), labels.with_name("train_center.npz")
    weights_that_read_e(config, weights)
    command = [sys.executable, "tools/make_centers.py", "-c", str(path), "--weights", str(weights)]
    done = subprocess.run(
        [*command, "--output", str(output), "--most", "4"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "2 of 4 lines read correctly" in done.stdout
    charset = load_charset(config)
    assert charset is not None
    assert np.abs(centers.load(output, charset.num_classes, 32)).sum() > 0


def test_a_network_that_reads_nothing_is_named(load_small: Load, labels: Path, tmp_path: Path) -> None:
    config = load_small("rec", labels)
    weights_that_read_e(config, tmp_path / "w.safetensors")
    labels.write_text(labels.read_text(encoding="utf-8").replace("\te", "\tb"), encoding="utf-8")
    with pytest.raises(DataError, match="reads not one training line correctly"):
        find_centers(config, tmp_path / "w.safetensors")


def test_centres_of_a_detector_are_refused(load_small: Load, labels: Path) -> None:
    with pytest.raises(ConfigError, match="those of one recogniser"):
        find_centers(load_small("det", labels))
