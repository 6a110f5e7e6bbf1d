"""Where the words of made images come from: text files of the user, and makers of the strings that prose lacks."""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ppocr_lite.errors import DataError
from ppocr_lite.synth import phrases
from ppocr_lite.synth.draws import chance, integer, pick, uniform, weighted
from ppocr_lite.synth.wordlists import ACCENTED, CHINESE_FIELDS, CHINESE_UNITS, CODAS, COMMON, NUCLEI, ONSETS

IDEOGRAPH = re.compile("[\u3400-\u9fff]")
COUNTED = re.compile(r"^(\S+)[ \t]+(\d+)$")
CHINESE_SHARE = 0.1  # of the characters of a running text, ideographs: more and it is Chinese
ACCENTED_SHARE = 0.05  # of words, where the charset has letters with accents
FLATTEN = 0.4  # power on the counts of a word list: rare words are seen too, frequent ones still dominate
PLAIN = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-", "\u2026": "...",
     "\xa0": " ", "\t": " "}
)  # fmt: skip


class Corpus:
    """Strings to draw, all within one charset.

    Args:
        charset_text: Every character that may appear.
        paths: Text files, UTF-8: running text, or word lists with lines ``word count``.  None are needed: words are
            then made up and common ones repeated; for a charset with ideographs these are drawn at random.

    Raises:
        DataError: If a file cannot be read or the charset is empty.
    """

    def __init__(self, charset_text: str, paths: Sequence[str | Path] = ()) -> None:
        self.charset = frozenset(charset_text)
        if not self.charset - {" "}:
            raise DataError("The charset of the corpus is empty. Pass at least one visible character.")
        self.signs = "".join(sorted(self.charset - {" "}))
        self.ideographs = "".join(char for char in self.signs if IDEOGRAPH.match(char))
        self.accented = tuple(word for word in ACCENTED if self.charset.issuperset(word))
        self.latin = all(char in self.charset for char in string.ascii_lowercase)
        self._plain = {code: plain for code, plain in PLAIN.items() if chr(code) not in self.charset}
        self._tokens: list[str] = []  # running text, cut at spaces
        self._lists: list[tuple[list[str], np.ndarray[Any, Any]]] = []
        self._chinese = ""  # running text without spaces
        for path in paths:
            self._read(Path(path))

    def _read(self, path: Path) -> None:
        try:
            lines = path.read_text("utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(
                f"{path}: not readable as UTF-8 text ({error}). Pass plain text files as corpora."
            ) from error
        counted = [match for match in map(COUNTED.match, lines[:200]) if match]
        if len(counted) > 100:
            pairs = [line.rsplit(None, 1) for line in lines if COUNTED.match(line)]
            pairs = [pair for pair in pairs if self.charset.issuperset(pair[0])]
            if pairs:
                weights = np.cumsum(np.array([int(count) for _, count in pairs], np.float64) ** FLATTEN)
                self._lists.append(([word for word, _ in pairs], weights / weights[-1]))
            return
        text = "\n".join(lines).translate(self._plain)
        if len(IDEOGRAPH.findall(text)) > CHINESE_SHARE * len(text):  # of all of it: files begin with notes
            if self.ideographs:
                self._chinese += self.clean(text.replace("\n", ""))
            return
        kept = self.charset
        self._tokens += [token for token in text.split() if kept.issuperset(token) and len(token) <= 24]

    def clean(self, text: str) -> str:
        """Return *text* with typographic signs made plain where the charset lacks them, and strangers left out."""
        if not self.charset.issuperset(text):
            text = "".join(char for char in text.translate(self._plain) if char in self.charset)
        return text

    def word(self, rng: np.random.Generator) -> str:
        """Return one word without spaces."""
        if self.ideographs and (not self.latin or chance(rng, 0.7)):
            return self._hanzi(rng, integer(rng, 1, 4))
        if self.accented and chance(rng, ACCENTED_SHARE):
            return pick(rng, self.accented)
        form = rng.random()
        if self._lists and form < 0.55:
            words, weights = pick(rng, self._lists)
            word = words[int(np.searchsorted(weights, rng.random()))]
        elif self._tokens and form < 0.85:
            word = pick(rng, self._tokens)
        elif form < 0.93:
            word = pick(rng, COMMON)
        else:
            word = "".join(
                pick(rng, ONSETS) + pick(rng, NUCLEI) + (pick(rng, CODAS) if chance(rng, 0.4) else "")
                for _ in range(integer(rng, 1, 3))
            )
        word = self.clean(word)
        return word or pick(rng, self.signs)

    def _hanzi(self, rng: np.random.Generator, count: int) -> str:
        """Return *count* characters of Chinese running text, or that many random ideographs."""
        if self._lists and chance(rng, 0.2):
            words, weights = pick(rng, self._lists)
            word = words[int(np.searchsorted(weights, rng.random()))]
            if IDEOGRAPH.match(word):
                return word
        if len(self._chinese) > count and chance(rng, 0.8):
            start = int(rng.random() * (len(self._chinese) - count))
            return self._chinese[start : start + count].strip() or pick(rng, self.ideographs)
        return "".join(pick(rng, self.ideographs) for _ in range(count))

    def prose(self, rng: np.random.Generator, length: int) -> str:
        """Return running text of about *length* characters, never an empty string."""
        if self.ideographs and (not self.latin or chance(rng, 0.85)):
            return self._hanzi(rng, max(1, length))
        if self._tokens and chance(rng, 0.75):
            start = int(rng.random() * len(self._tokens))
            parts: list[str] = []
            left = length
            while left > 0 and start < len(self._tokens):
                parts.append(self._tokens[start])
                left -= len(parts[-1]) + 1
                start += 1
            return " ".join(parts)
        parts = []
        left, begin = length, True
        while left > 0:
            word = self.word(rng)
            parts.append(word.capitalize() if begin and chance(rng, 0.7) else word)
            begin = chance(rng, 0.1)
            if begin:
                parts[-1] += pick(rng, ".,.,;:!?")
            left -= len(parts[-1]) + 1
        return self.clean(" ".join(parts))

    def phrase(self, rng: np.random.Generator, min_chars: int = 1, max_chars: int = 25) -> str:
        """Return one line of text of any kind: words, prose, a form field, a price, a code, random signs.

        The length is in [*min_chars*, *max_chars*]; no space stands at either end and never three together.
        """
        for _ in range(20):
            text = self.clean(self._draw(rng, max_chars))
            text = re.sub(" {3,}", "  ", text).strip()
            if len(text) > max_chars:
                text = _shorten(rng, text, max_chars)
            if len(text) >= min_chars and text:
                return text
        return "".join(pick(rng, self.signs) for _ in range(max(1, min_chars)))

    def _draw(self, rng: np.random.Generator, max_chars: int) -> str:
        form = rng.random()
        if form < 0.05:  # every sign is seen, whatever the corpus
            return self._scatter(rng, integer(rng, 1, max(1, min(14, max_chars))))
        if self.ideographs and chance(rng, 0.75):
            return self._chinese_phrase(rng, max_chars)
        if not self.latin:
            return self._scatter(rng, integer(rng, 1, max(1, max_chars)))
        if form < 0.42:
            return weighted(rng, phrases.MAKERS)(rng, lambda: self.word(rng))
        if form < 0.60:
            return _recase(rng, self.word(rng))
        if form < 0.75:
            return _recase(rng, " ".join(self.word(rng) for _ in range(integer(rng, 2, 4))))
        length = integer(rng, 4, max(4, max_chars + 4))
        return _recase(rng, self.prose(rng, length), plain=0.75)

    def _scatter(self, rng: np.random.Generator, length: int) -> str:
        """Return random signs; for large charsets mostly ideographs, so that rare ones are seen."""
        source = self.ideographs if self.ideographs and chance(rng, 0.7) else self.signs
        text = "".join(pick(rng, source) for _ in range(length))
        if length > 4 and " " in self.charset and chance(rng, 0.3):
            cut = integer(rng, 1, length - 2)
            text = f"{text[:cut]} {text[cut + 1 :]}"
        return text

    def _chinese_phrase(self, rng: np.random.Generator, max_chars: int) -> str:
        """Return Chinese prose, a field with a value, a heading, a date, a price, a number or a sum."""
        if chance(rng, 0.72):
            return self._hanzi(rng, max(1, int(uniform(rng, 0.2, 1.05) * max_chars)))

        def hanzi(least: int, most: int) -> str:
            return self._hanzi(rng, integer(rng, least, most))

        year, month, day = integer(rng, 1950, 2030), integer(rng, 1, 12), integer(rng, 1, 31)
        value, count = f"{10 ** uniform(rng, 0, 5):.2f}", integer(rng, 1, 99)
        key = pick(rng, CHINESE_FIELDS)
        return pick(
            rng,
            (
                f"{year}年{month}月{day}日",
                f"¥{value}",
                f"{value}{pick(rng, CHINESE_UNITS)}",
                f"{int(10 ** uniform(rng, 3, 9)):,}",
                f"{count}.{phrases.digits(rng, integer(rng, 1, 4))}%",
                phrases.arithmetic(rng),
                phrases.signs(rng, lambda: self.word(rng)),
                phrases.lone(rng, lambda: self.word(rng)),
                f"{key}：{hanzi(2, 6)}",
                f"{key}:{phrases.code(rng, lambda: self.word(rng))}",
                f"{key} {value}",
                f"{key}{pick(rng, '：:')}",
                f"【{key}】{hanzi(2, 6)}",
                f"【{hanzi(1, 4)}】：{hanzi(2, 8)}",
                f"第{count}章 {hanzi(2, 8)}",
                f"{count}{pick(rng, ('、', '.', '. ', '）'))}{hanzi(2, 8)}",
                f"{hanzi(2, 6)}（{hanzi(1, 4)}）",
                f"《{hanzi(2, 6)}》",
                f"“{hanzi(2, 6)}”",
                phrases.phone(rng, lambda: ""),
            ),
        )


def _recase(rng: np.random.Generator, text: str, plain: float = 0.5) -> str:
    """Change the case of some texts: as it is, capitals, title case, first letter."""
    form = rng.random()
    if form < plain:
        return text
    form = (form - plain) / (1 - plain)
    if form < 0.45:
        return text.upper()
    return text.title() if form < 0.75 else text.capitalize()


def _shorten(rng: np.random.Generator, text: str, length: int) -> str:
    """Cut a text at a space if one is near the limit, else anywhere."""
    start = 0 if chance(rng, 0.7) else int(rng.random() * (len(text) - length + 1))
    piece = text[start : start + length]
    if start + length < len(text) and text[start + length] != " ":
        space = piece.rfind(" ")
        if space > length // 2:
            piece = piece[:space]
    return piece.strip()
