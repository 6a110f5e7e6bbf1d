"""What the centres of CenterLoss are the means of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.losses import centers
from ppocr_lite.losses.centers import CenterSums, collapse


def one_hot(classes: list[list[int]], count: int = 4) -> np.ndarray:
    return np.eye(count, dtype=np.float32)[np.array(classes)]


@pytest.mark.parametrize(
    "classes, text",
    [([0, 1, 1, 0, 1, 2], [1, 1, 2]), ([0, 0, 0], []), ([3, 3, 3], [3]), ([2, 0, 2, 2], [2, 2]), ([1], [1])],
)
def test_repetitions_merge_and_blanks_go(classes: list[int], text: list[int]) -> None:
    assert collapse(np.array(classes)) == text


def test_only_lines_read_correctly_count_and_each_step_goes_to_its_class() -> None:
    logits = one_hot([[1, 1, 0, 2], [1, 0, 0, 3], [2, 2, 2, 2]])
    feats = np.arange(3 * 4 * 2, dtype=np.float32).reshape(3, 4, 2)
    labels = np.array([[1, 2, 9], [1, 2, 9], [2, 9, 9]])  # the second line says something else; 9 is padding
    sums = CenterSums(4, 2)
    sums.add(logits, feats, labels, np.array([2, 2, 1]))
    assert (sums.lines, sums.correct) == (3, 2)
    assert sums.counts.tolist() == [1, 2, 5, 0]
    third = feats[2].sum(axis=0)
    expected = [feats[0, 2], feats[0, :2].mean(axis=0), (feats[0, 3] + third) / 5, [0, 0]]
    np.testing.assert_allclose(sums.means(), expected, rtol=1e-6)


def test_batches_add_up() -> None:
    rng = np.random.default_rng(0)
    feats, logits = rng.random((4, 3, 2)), one_hot([[1, 0, 2]] * 4)
    labels, lengths = np.array([[1, 2]] * 4), np.array([2] * 4)
    whole, parts = CenterSums(4, 2), CenterSums(4, 2)
    whole.add(logits, feats, labels, lengths)
    for start in (0, 1, 3):
        end = {0: 1, 1: 3, 3: 4}[start]
        parts.add(logits[start:end], feats[start:end], labels[start:end], lengths[start:end])
    np.testing.assert_allclose(parts.means(), whole.means(), rtol=1e-6)


@pytest.mark.parametrize("name", ["deep/centers.npz", "deep/centers.safetensors"])
def test_what_is_saved_can_be_loaded(tmp_path: Path, name: str) -> None:
    values = np.random.default_rng(0).random((4, 2), np.float32)
    centers.save(tmp_path / name, values)
    np.testing.assert_array_equal(centers.load(tmp_path / name, 4, 2), values)


def test_a_file_that_could_not_be_loaded_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.npz or a \.safetensors"):
        centers.save(tmp_path / "centers.pkl", np.zeros((4, 2), np.float32))
    assert not (tmp_path / "centers.pkl").exists()
