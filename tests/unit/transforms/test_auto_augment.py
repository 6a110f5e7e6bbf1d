from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.transforms import auto_augment
from ppocr_lite.transforms.auto_augment import PAIRS, AutoAugment
from ppocr_lite.transforms.rand_augment import OPERATIONS


def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, (32, 100, 3), dtype=np.uint8)


def run(seed: int, prob: float = 1.0) -> np.ndarray:
    result: np.ndarray = AutoAugment(prob)({"image": picture(), "rng": np.random.default_rng(seed)})["image"]
    return result


def test_there_are_twenty_five_pairs_of_known_operations() -> None:
    assert len(PAIRS) == 25
    for pair in PAIRS:
        for operation, probability, magnitude in pair:
            assert operation in OPERATIONS
            assert 0 <= probability <= 1
            assert 0 <= magnitude <= 9


def test_a_pair_applies_its_operations_in_order_with_their_strength(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, float]] = []

    def note(name: str) -> auto_augment.Operation:
        return lambda image, level: (calls.append((name, level)), image)[1]

    monkeypatch.setattr(auto_augment, "PAIRS", (((note("first"), 1.0, 9), (note("never"), 0.0, 9)),
                                                ((note("first"), 1.0, 9), (note("second"), 1.0, 3))))  # fmt: skip
    for seed in range(40):
        run(seed)
    names = [name for name, _ in calls]
    assert "never" not in names
    assert names.count("first") == 40
    assert 10 < names.count("second") < 30
    assert {round(abs(level), 4) for name, level in calls if name == "second"} == {0.3333}
    assert {np.sign(level) for _, level in calls} == {-1.0, 1.0}


def test_pictures_differ_and_keep_their_size() -> None:
    results = [run(seed) for seed in range(30)]
    assert all(result.shape == (32, 100, 3) and result.dtype == np.uint8 for result in results)
    assert len({result.tobytes() for result in results}) > 15


def test_with_probability_zero_nothing_changes() -> None:
    assert all((run(seed, 0.0) == picture()).all() for seed in range(5))


def test_a_probability_above_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="AutoAugment needs prob"):
        AutoAugment(1.5)
