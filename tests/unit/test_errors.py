"""The exceptions, and the tail of their messages."""

from __future__ import annotations

import inspect

import pytest

from ppocr_lite import errors

ALL = [cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, Exception)]


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.__name__)
def test_every_error_is_an_ocr_error(cls: type[Exception]) -> None:
    assert issubclass(cls, errors.OCRError)


@pytest.mark.parametrize("name", ["ConfigError", "DataError", "ImageError"])
def test_what_a_wrong_value_causes_is_a_value_error(name: str) -> None:
    assert issubclass(getattr(errors, name), ValueError)


def test_the_module_docstring_draws_every_error() -> None:
    assert {cls.__name__ for cls in ALL} <= set((errors.__doc__ or "").replace("├── ", "").replace("└── ", "").split())


def test_suggest_names_the_nearest_and_all() -> None:
    assert errors.suggest("haed", ["neck", "head"]) == " Did you mean 'head'? Known: head, neck."


def test_suggest_ignores_case() -> None:
    assert "Did you mean 'DBHead'?" in errors.suggest("dbhead", ["DBHead", "CTCHead"])


def test_suggest_does_not_guess_wildly() -> None:
    assert errors.suggest("zzz", ["head"]) == " Known: head."


def test_suggest_says_when_there_is_nothing() -> None:
    assert errors.suggest("head", []) == " Known: (none)."
