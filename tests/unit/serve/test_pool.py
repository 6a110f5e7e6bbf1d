"""Readers are made once, share networks, and are forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ppocr_lite.serve.settings import Settings

pool = pytest.importorskip("ppocr_lite.serve.pool", reason="the extra [serve] is not installed")


class Reader:
    """Stands for an OCR."""

    made: list[Mapping[str, Any]] = []

    def __init__(self, **options: Any) -> None:
        self.options, self.varied = options, {}  # type: ignore[var-annotated]
        self.made.append(options)

    def with_options(self, **options: Any) -> Reader:
        other = object.__new__(Reader)
        other.options, other.varied = self.options, options
        return other


@pytest.fixture
def readers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(pool, "OCR", Reader)
    monkeypatch.setattr(Reader, "made", [])
    return pool.ReaderPool(Settings(ocr={"threads": 1, "drop_score": 0.3, "lang": "en"}, pool=2))


def test_the_usual_one_is_as_the_operator_said(readers: Any) -> None:
    assert readers.get().options == {"max_pixels": Settings.max_pixels, "threads": 1, "drop_score": 0.3, "lang": "en"}
    assert readers.get("ch").options == {"max_pixels": Settings.max_pixels, "threads": 1, "lang": "ch"}
    assert readers.get(models="PPOCR-lite-en").options["models"] == "ppocr_lite_en"


def test_requests_at_once_load_networks_once(readers: Any) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: readers.get("ch"), range(30)))
    assert len(found) == len(Reader.made) == 1


def test_thresholds_need_no_networks_of_their_own(readers: Any) -> None:
    low = readers.get(drop_score=0.1, cls_thresh=None)
    assert low.varied == {"drop_score": 0.1}
    assert readers.get(drop_score=0.1) is low
    assert readers.get(drop_score=0.2) is not low
    for step in range(2 * pool.MOST_VARIANTS):
        readers.get(drop_score=0.3 + step / 1000)
    assert len(readers._variants) == pool.MOST_VARIANTS
    assert len(Reader.made) == 1


def test_the_set_not_asked_for_the_longest_is_forgotten(readers: Any) -> None:
    first = readers.get("en", drop_score=0.1)
    readers.get("ch")
    readers.get("en")
    readers.get(models="ppocr_lite_en")
    assert [options.get("lang", options.get("models")) for options in Reader.made] == ["en", "ch", "ppocr_lite_en"]
    assert readers.get("en", drop_score=0.1) is first
    readers.get("ch")
    assert len(Reader.made) == 4
    readers.get(models="ppocr_lite_en", drop_score=0.1)
    assert readers.get("en", drop_score=0.1) is not first


@pytest.mark.parametrize("name", ["/etc", "..", "ppocr_lite_xx", ""])
def test_no_folder_can_be_named(readers: Any, name: str) -> None:
    with pytest.raises(pool.ProblemError, match="there is no set"):
        readers.get(models=name)
    assert not Reader.made
