from __future__ import annotations

import numpy as np
import pytest

from ppocr_lite.charset import Charset
from ppocr_lite.engine.transfer import carry_characters
from ppocr_lite.errors import CheckpointError

OLD, NEW = Charset("abc"), Charset("cxa y")  # blank a b c → blank c x a space y


def weights(classes: int, start: float) -> dict[str, np.ndarray]:
    return {
        "backbone.conv.weight": np.full((2, classes), start, np.float32),
        "head.fc.weight": start + np.arange(2 * classes, dtype=np.float32).reshape(2, classes),
        "head.fc.bias": start + np.arange(classes, dtype=np.float32),
    }


def test_shared_characters_and_the_blank_keep_what_they_learnt() -> None:
    given, wanted = weights(4, 100.0), weights(6, 0.0)
    carried = carry_characters(given, wanted, OLD, NEW)
    # new classes: 0 blank, 1 c (old 3), 2 x (fresh), 3 a (old 1), 4 space (fresh), 5 y (fresh)
    assert carried["head.fc.bias"].tolist() == [100, 103, 2, 101, 4, 5]
    assert carried["head.fc.weight"].tolist() == [[100, 103, 2, 101, 4, 5], [104, 107, 8, 105, 10, 11]]


def test_other_layers_are_left_alone_even_if_their_size_happens_to_fit() -> None:
    given = weights(4, 100.0)
    carried = carry_characters(given, weights(6, 0.0), OLD, NEW)
    assert carried["backbone.conv.weight"] is given["backbone.conv.weight"]


def test_the_same_characters_in_another_order_are_rearranged() -> None:
    given = weights(4, 100.0)
    carried = carry_characters(given, weights(4, 0.0), OLD, Charset("cab"))
    assert carried["head.fc.bias"].tolist() == [100, 103, 101, 102]


def test_what_was_given_is_not_changed() -> None:
    given = weights(4, 100.0)
    carry_characters(given, weights(4, 0.0), OLD, Charset("cab"))
    assert given["head.fc.bias"].tolist() == [100, 101, 102, 103]


def test_a_dictionary_of_another_size_than_the_weights_is_refused() -> None:
    with pytest.raises(CheckpointError, match="has 3 classes"):
        carry_characters(weights(4, 100.0), weights(6, 0.0), Charset("ab"), NEW)
