"""Installed fonts: which files there are, which of their faces draw a charset, which are kept for validation."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import DataError
from ppocr_lite.install import optional
from ppocr_lite.synth import cmap
from ppocr_lite.synth.draws import pick
from ppocr_lite.synth.face import FontFace

ttLib = optional("fontTools.ttLib")  # noqa: N816  as it is called
logger = logging.getLogger(__name__)

ADVICE = (
    "Install some, for example with tools/setup_fonts.sh (Debian) or `apt-get install fonts-dejavu fonts-liberation "
    "fonts-noto-cjk`, or pass folders that hold .ttf, .otf or .ttc files."
)
SUFFIXES = (".ttf", ".otf", ".ttc")
VALIDATION_FAMILIES = 5
# Fonts whose letters are pictures, musical signs or formula parts although their cmap claims Latin.
NOT_TEXT = re.compile(
    r"symbol|dingbat|emoji|webding|wingding|awesome|icon|braille|music|math|d050000l|stixsize|"
    r"opens___|bullet|barcode|lastresort|signwriting|keyboard|small.?cap|outline|hairline|humor|becausewe|ecolier|femkekl|"
    r"linbiolinum_k|fallback",
    re.IGNORECASE,
)
# One Noto file per script repeats the Latin of Noto Sans; only the general, mono and CJK ones are kept.
NOTO_SCRIPT = re.compile(
    r"^Noto(Sans|Serif|Naskh|Kufi|Nastaliq|Rashi|Traditional|Looped)(?!(Mono|Display|CJK)?[-.\[])", re.I
)
# Words that name a weight, width or pixel size of a design, so that all of these are on one side of the split.
VARIANT = re.compile(
    r"\s*(\b(thin|light|medium|black|heavy|narrow|condensed|display|minus|no\d|sc|tc|cn|tw|mbe)\b|(bold|italic|condensed)$|\d+x\d+)",
    re.I,
)
PROBE_CODES = (0x4E00, 0x7684)  # ideographs that every Chinese font has
CJK = re.compile("[\u3400-\u9fff]")
REDRAWS = 3
UPRIGHT_SHARE = 0.75  # how often a slanted or thin face, drawn, is exchanged for another draw: most print is neither


def usual_folders() -> list[Path]:
    """Return the folders where fontconfig and the desktop systems keep fonts, those that exist."""
    home = Path.home()
    data = os.environ.get("XDG_DATA_HOME")
    candidates = [
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        (Path(data) if data else home / ".local/share") / "fonts",
        home / ".fonts",
        Path("/Library/Fonts"),
        home / "Library/Fonts",
        Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts",
    ]
    return [folder for folder in candidates if folder.is_dir()]


def _faces(path: Path, codes: NDArray[np.int64]) -> list[tuple[int, str, NDArray[np.bool_]]]:
    """Return index, family name and which of *codes* are mapped, of every face of a file; none if it is broken."""
    try:
        with path.open("rb") as file:
            single = path.suffix.lower() != ".ttc"
            fonts = [ttLib.TTFont(file, lazy=True)] if single else ttLib.TTCollection(file, lazy=True).fonts
            found = []
            for index, font in enumerate(fonts):
                family = VARIANT.sub("", str(font["name"].getBestFamilyName() or "")).strip() or path.stem
                found.append((index, family, cmap.mapped(font.reader["cmap"], codes)))
            return found
    except (ttLib.TTLibError, OSError, KeyError, AssertionError, ValueError, struct.error) as error:
        logger.debug("font %s is left out: %s", path, error)
        return []


def _wanted(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not NOT_TEXT.search(path.stem) and not NOTO_SCRIPT.match(path.name)


class FontBook:
    """The faces that can draw a charset, grouped so that each design is equally likely.

    Args:
        faces: At least one face.

    Raises:
        DataError: If *faces* is empty; says how to get some.
    """

    def __init__(self, faces: Sequence[FontFace]) -> None:
        if not faces:
            raise DataError(f"No usable font was found. {ADVICE}")
        self.faces = tuple(sorted(faces, key=lambda face: (face.family, face.name)))
        groups: dict[str, list[FontFace]] = {}
        for face in self.faces:
            groups.setdefault(face.family, []).append(face)
        self._families = list(groups.values())

    @classmethod
    def discover(
        cls,
        charset_text: str,
        folders: Iterable[str | Path] = (),
        split: Literal["train", "val", "all"] = "all",
        min_coverage: float = 0.9,
        validation: Sequence[str] = (),
    ) -> FontBook:
        """Search folders for fonts that draw most of a charset.

        Args:
            charset_text: Every character that may be asked for.
            folders: Folders or single files; none means the usual ones of the system.
            split: ``"val"`` keeps five families of each script (fewer where there are few), chosen by a hash of their
                names, ``"train"`` the others.
            min_coverage: Least share of *charset_text* in a face's cmap, in [0, 1].  For a charset with ideographs a
                face that draws only its Latin part is left out.
            validation: Families (names as in ``report``) to keep for validation instead of the hash.

        Raises:
            DataError: If a folder does not exist or no face is left.
        """
        roots = [Path(folder) for folder in folders] or usual_folders()
        for root in roots:
            if not root.exists():
                raise DataError(f"{root}: no such font folder or file. {ADVICE}")
        files = [file for root in roots for file in (sorted(root.rglob("*")) if root.is_dir() else [root])]
        wanted = {char: ord(char) for char in charset_text}
        ideographs = any(CJK.match(char) for char in wanted)
        faces = []
        for path in sorted({file.resolve() for file in files if _wanted(file)}):
            faces += _usable(path, wanted, ideographs, min_coverage)
        if not faces:
            places = ", ".join(map(str, roots)) or "the usual folders"
            raise DataError(
                f"No font in {places} draws {min_coverage:.0%} of the {len(wanted)} characters asked for. {ADVICE}"
            )
        return cls(_divide(faces, split, validation))

    @cached_property
    def _mono(self) -> list[list[FontFace]]:
        """The families that have fixed-width faces, or all if none has."""
        mono = [[face for face in group if face.monospaced] for group in self._families]
        return [group for group in mono if group] or self._families

    def pick(self, rng: np.random.Generator, monospaced: float = 0.0) -> FontFace:
        """Return a face: first a family, then one of its faces.

        Args:
            rng: Where the draw comes from.
            monospaced: Probability in [0, 1] of insisting on a fixed-width face, if there is any.
        """
        families = self._mono if monospaced and rng.random() < monospaced else self._families
        face = pick(rng, pick(rng, families))
        for _ in range(REDRAWS):
            if not (face.slanted or face.thin) or rng.random() > UPRIGHT_SHARE:
                break
            face = pick(rng, pick(rng, families))
        return face

    def report(self, charset_text: str) -> dict[str, str]:
        """Return, for each face that lacks any, the characters of *charset_text* it cannot draw."""
        lacking = {face.name: face.missing(charset_text) for face in self.faces}
        return {name: chars for name, chars in lacking.items() if chars}

    def families(self) -> list[str]:
        """Return the family names, sorted."""
        return sorted({face.family for face in self.faces})

    def __len__(self) -> int:
        """Return the number of faces."""
        return len(self.faces)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle only the faces; caches are per process."""
        return FontBook, (self.faces,)


def _usable(path: Path, wanted: Mapping[str, int], ideographs: bool, min_coverage: float) -> list[FontFace]:
    """Return the faces of a file that cover enough and are no copies for another region.

    *ideographs* says whether any are *wanted*; then a face without them is left out.
    """
    found: list[FontFace] = []
    codes = np.array([*wanted.values(), *PROBE_CODES], np.int64)
    for index, family, has in _faces(path, codes):
        if NOT_TEXT.search(family) or re.search(r"\b(JP|KR|HK)\b", family) or ("Mono CJK" in family):
            continue
        chars = frozenset(char for char, present in zip(wanted, has, strict=False) if present)
        script: Literal["latin", "cjk"] = "cjk" if has[len(wanted) :].all() else "latin"
        if script == "cjk":  # the ideographs are those of the proportional sister
            family = re.sub(r"\s+(Mono|Sharp)$", "", family)
        if len(chars) < min_coverage * len(wanted) or (ideographs and script != "cjk"):
            continue
        face = FontFace(str(path), index, family, chars, script)
        if not ideographs and script == "cjk" and any(other.path == face.path for other in found):
            continue  # the faces of a CJK collection share their Latin letters
        try:
            sample = sorted(chars)[:: max(1, len(chars) // 16)]
            usable = sum(face.supports(char) for char in sample)
        except OSError as error:
            logger.debug("font %s is left out: %s", path, error)
            continue
        if usable >= min_coverage * len(sample):
            found.append(face)
    return found


def _divide(faces: Sequence[FontFace], split: str, validation: Sequence[str]) -> list[FontFace]:
    """Return the faces of one half of the split; a script with a single family is in both."""
    if split == "all":
        return list(faces)
    kept: set[str] = set(validation)
    alone: set[str] = set()
    for script in ("latin", "cjk"):
        families = {face.family for face in faces if face.script == script}
        ordered = sorted(families, key=lambda family: hashlib.sha256(family.encode()).hexdigest())
        if len(ordered) == 1:
            alone |= families
        elif not validation:
            kept |= set(ordered[: min(VALIDATION_FAMILIES, max(1, len(ordered) // 4))])
    return [face for face in faces if face.family in alone or (face.family in kept) == (split == "val")]
