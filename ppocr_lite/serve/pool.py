"""The readers that requests choose among: few sets of networks, and thresholds at no cost of memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from typing import Any

from ppocr_lite.predict.models import list_sets, plain
from ppocr_lite.predict.system import OCR
from ppocr_lite.serve.problems import ProblemError
from ppocr_lite.serve.settings import Settings

MOST_VARIANTS = 32  # readers that share networks and differ in thresholds
# Arguments of ``OCR`` that stay as the operator said when a request names other networks.
KEPT = ("engine", "device", "threads", "max_pixels")


class ReaderPool:
    """Makes readers as they are asked for, and forgets those that were not asked for the longest.

    Args:
        settings: Says how many, and what the usual one is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._networks: OrderedDict[Hashable, OCR] = OrderedDict()
        self._variants: OrderedDict[Hashable, OCR] = OrderedDict()
        self._lock = threading.Lock()  # two requests for one set load it once

    def get(self, lang: str | None = None, models: str | None = None, **thresholds: Any) -> OCR:
        """Return a reader; loads its networks if no other holds them.

        Args:
            lang: See ``OCR``; None for the usual.
            models: Name of a set that is installed; None for the usual.
            thresholds: Other arguments of ``OCR``, by name; None for the usual.

        Raises:
            ProblemError: If there is no such set.
            OCRError: If a threshold has a wrong value, or networks cannot be loaded.
        """
        said = {name: value for name, value in thresholds.items() if value is not None}
        if models is not None:
            models = self._known(models)
        networks: Hashable = (lang, models)
        with self._lock:
            base = _kept(self._networks, networks)
            if base is None:
                base = self._networks[networks] = OCR(**self._arguments(lang, models))
                for old in _forget(self._networks, self._settings.pool):
                    for key in [key for key in self._variants if isinstance(key, tuple) and key[0] == old]:
                        del self._variants[key]
            if not said:
                return base
            variant: Hashable = (networks, tuple(sorted(said.items())))
            reader = _kept(self._variants, variant)
            if reader is None:
                reader = self._variants[variant] = base.with_options(**said)
                _forget(self._variants, MOST_VARIANTS)
            return reader

    def _arguments(self, lang: str | None, models: str | None) -> Mapping[str, Any]:
        usual = {"max_pixels": self._settings.max_pixels} | self._settings.ocr
        if lang is None and models is None:
            return usual
        kept = {name: usual[name] for name in KEPT if name in usual}
        return kept | ({"lang": lang} if models is None else {"models": models})

    @staticmethod
    def _known(models: str) -> str:
        """Return the name of an installed set; never a folder, which a request must not name."""
        installed = [listed.name for listed in list_sets() if listed.folder is not None]
        for name in installed:
            if plain(name) == plain(models):
                return name
        raise ProblemError(422, f"models: there is no set {models[:100]!r} here. There are: {', '.join(installed)}.")


def _kept(readers: OrderedDict[Hashable, OCR], key: Hashable) -> OCR | None:
    if key in readers:
        readers.move_to_end(key)
    return readers.get(key)


def _forget(readers: OrderedDict[Hashable, OCR], most: int) -> list[Hashable]:
    """Drop the oldest beyond *most*, and return their keys."""
    return [readers.popitem(last=False)[0] for _ in range(len(readers) - most)]
