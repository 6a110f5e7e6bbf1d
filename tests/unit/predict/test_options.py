from __future__ import annotations

import pickle

import pytest

from ppocr_lite import OCR
from ppocr_lite.predict.options import GONE, RENAMED, REPLACED, accept_old_names, translate

KNOWN = ("det_model", "device", "engine", "threads")


@pytest.mark.parametrize("name", sorted({*RENAMED, *REPLACED, *GONE}))
def test_each_old_name_warns_and_says_what_to_do(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=rf"OCR\({name}="):
        translate({name: True}, KNOWN)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"det_model_dir": "a"}, {"det_model": "a"}),
        ({"cpu_threads": 4}, {"threads": 4}),
        ({"use_gpu": True, "gpu_id": 1}, {"device": "gpu:1"}),
        ({"use_gpu": True}, {"device": "gpu:0"}),
        ({"use_gpu": False}, {}),
        ({"use_onnx": True}, {"engine": "onnxruntime"}),
        ({"show_log": False, "enable_mkldnn": True}, {}),
    ],
)
def test_old_names_mean_the_same(given: dict[str, object], expected: dict[str, object]) -> None:
    assert translate(given, KNOWN) == expected


def test_an_unknown_name_is_a_type_error_with_the_nearest() -> None:
    with pytest.raises(TypeError, match="'det_db_tresh'. Did you mean 'det_db_thresh'"):
        OCR(det_db_tresh=0.3)  # type: ignore[call-arg]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_one_thing_under_two_names_is_refused() -> None:
    with pytest.raises(TypeError, match="'det_model' under its new and its old name"):
        OCR(det_model="a", det_model_dir="b")  # type: ignore[call-arg]


class Made:
    """Takes arguments as OCR does, and keeps them."""

    @accept_old_names
    def __init__(self, *, det_model: str | None = None, threads: int | None = None) -> None:
        self.det_model, self.threads = det_model, threads

    __reduce__ = OCR.__reduce__


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("given", [{}, {"threads": 2}, {"det_model_dir": "a", "threads": 1, "show_log": False}])
def test_a_pickled_reader_is_made_anew_of_its_arguments(given: dict[str, object]) -> None:
    made = Made(**given)
    assert vars(pickle.loads(pickle.dumps(made))) == vars(made)


def test_a_reader_of_ready_stages_says_that_it_cannot_be_pickled() -> None:
    with pytest.raises(TypeError, match=r"by OCR\.of, cannot be pickled"):
        pickle.dumps(OCR.of())
