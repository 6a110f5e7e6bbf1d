"""Characters ↔ class indices of a recogniser; index 0 is the CTC blank."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ppocr_lite.errors import ConfigError, DataError, suggest

BLANK = 0  # the class of no character, between two of the same
_FOLDER = Path(__file__).parent / "charsets"
_HEADER = "# "
LONGEST = 8  # code points of one character of a published list: flags have two, families of emoji up to seven


class Charset:
    """An ordered list of characters; the first has index 1, because 0 is the blank.

    Args:
        characters: One-character strings, in index order, without the blank.
        source: Where they come from, for messages.
        allow_duplicates: Some published models were trained on a list with a repeated character (often the space).
            Their indices must be kept; text is then encoded with the first of the two.
        allow_sequences: Some published lists hold flags and the like, which are one character to a reader and several
            code points in text. Text is then encoded with the longest entries that fit.

    Raises:
        ConfigError: If there are no characters, or one is repeated or not exactly one character long.

    Example:
        >>> charset = Charset("abc")
        >>> charset.encode("cab"), charset.num_classes
        ([3, 1, 2], 4)
    """

    def __init__(
        self,
        characters: Iterable[str],
        source: str = "characters",
        allow_duplicates: bool = False,
        allow_sequences: bool = False,
    ) -> None:
        self.characters: tuple[str, ...] = tuple(characters)
        if not self.characters:
            raise ConfigError(f"{source}: a character list must not be empty.")
        self._indices: dict[str, int] = {}
        for position, character in enumerate(self.characters):
            if not (allow_sequences and character):
                _check_single(character, f"{source}: character {position}")
            if character in self._indices and not allow_duplicates:
                first = self._indices[character] - 1
                raise ConfigError(f"{source}: character {position} repeats {character!r} of position {first}.")
            self._indices.setdefault(character, position + 1)
        sequences = sorted((c for c in self._indices if len(c) > 1), key=len, reverse=True)
        self._units = re.compile("|".join([*map(re.escape, sequences), "."]), re.DOTALL) if sequences else None

    @classmethod
    def load(cls, source: str | Path, use_space_char: bool = True, allow_duplicates: bool = False) -> Charset:
        r"""Read a dictionary file, or one of the named lists of the package.

        A dictionary is UTF-8 text with one character a line. Its first line may be a comment that starts with
        ``"# "``; a lone ``#`` is the character. Line ends may be ``\n`` or ``\r\n``.

        Args:
            source: Path of a file, or a name such as ``"en"``.
            use_space_char: Append the space, unless the list has it already.
            allow_duplicates: Accept a list that repeats a character, as for the class itself.

        Raises:
            ConfigError: If there is no such file, it is not UTF-8, or a line is empty, repeated or longer than
                one character. Names the line.
        """
        path = _find(source)
        characters = _read_lines(_read_text(path), str(path), allow_duplicates)
        if use_space_char and " " not in characters:
            characters.append(" ")
        return cls(characters, str(path), allow_duplicates)

    @property
    def num_classes(self) -> int:
        """Number of classes of a CTC head: the characters and the blank."""
        return len(self.characters) + 1

    def encode(self, text: str) -> list[int]:
        """Return one index per character of *text*.

        Raises:
            DataError: Names the characters that the list does not have.
        """
        try:
            return [self._indices[unit] for unit in self._split(text)]
        except KeyError:
            missing = "".join(dict.fromkeys(self.missing(text)))
            raise DataError(
                f"The character list has no {missing!r}, found in {text!r}. "
                "Add the characters to the dictionary, or leave the line out."
            ) from None

    def decode(self, indices: Sequence[int]) -> str:
        """Return the text of *indices*; blanks are left out, repetitions kept (see ``CTCLabelDecode``)."""
        return "".join(self.characters[index - 1] for index in indices if index != BLANK)

    def missing(self, text: str) -> list[str]:
        """Return the characters of *text*, in order, that cannot be encoded."""
        return [unit for unit in self._split(text) if unit not in self._indices]

    def _split(self, text: str) -> Sequence[str]:
        """Return the entries of the list that *text* is made of."""
        return text if self._units is None else self._units.findall(text)

    def __contains__(self, character: object) -> bool:
        return character in self._indices

    def __len__(self) -> int:
        return len(self.characters)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Charset) and self.characters == other.characters

    def __hash__(self) -> int:
        return hash(self.characters)

    def __repr__(self) -> str:
        return f"Charset({len(self.characters)} characters, {self.num_classes} classes)"


def read_list(source: str | Path) -> list[str]:
    """Return the lines of a published dictionary as they are: flags are several code points, lines may repeat.

    Args:
        source: Path of a file, or a name, as for :meth:`Charset.load`.

    Raises:
        ConfigError: If there is no such file, it is not UTF-8, or a line is empty or longer than a character can be.
            Names the line.
    """
    path = _find(source)
    lines = _lines(_read_text(path))
    skipped = 1 if lines[0].startswith(_HEADER) else 0
    for number, line in enumerate(lines[skipped:], start=skipped + 1):
        if not 0 < len(line) <= LONGEST:
            raise ConfigError(f"{path}:{number}: expected one character. Received: {line[:80]!r}.")
    return lines[skipped:]


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text: {error}. Save the dictionary as UTF-8.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}.") from error


def _lines(text: str) -> list[str]:
    # Not splitlines(): U+2028 and others that it splits at may be characters of a dictionary.
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _find(source: str | Path) -> Path:
    path = Path(source)
    if path.is_file():
        return path
    named = _FOLDER / f"{source}.txt"
    if isinstance(source, str) and source.isidentifier() and named.is_file():
        return named
    hint = suggest(str(source), (p.stem for p in _FOLDER.glob("*.txt")))
    raise ConfigError(f"There is no dictionary file at {source}, and no character list of that name.{hint}")


def _read_lines(text: str, source: str, allow_duplicates: bool) -> list[str]:
    lines = _lines(text)
    skipped = 1 if lines[0].startswith(_HEADER) else 0
    seen: dict[str, int] = {}
    for number, line in enumerate(lines[skipped:], start=skipped + 1):
        _check_single(line, f"{source}:{number}")
        if line in seen and not allow_duplicates:
            raise ConfigError(f"{source}:{number}: {line!r} is already on line {seen[line]}. Remove one of the two.")
        seen[line] = number
    return lines[skipped:]


def _check_single(character: str, where: str) -> None:
    if len(character) != 1:
        codes = " ".join(f"U+{ord(c):04X}" for c in character) or "nothing"
        raise ConfigError(f"{where}: expected exactly one character. Received: {character!r} ({codes}).")
