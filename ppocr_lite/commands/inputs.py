"""What is given on a command line: images by path, folder or pattern, and the options of ``OCR``."""

from __future__ import annotations

import argparse
import glob
import itertools
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2

from ppocr_lite import OCR
from ppocr_lite.commands.console import add_quiet, complain, progress
from ppocr_lite.errors import ConfigError, ImageError, OCRError
from ppocr_lite.io import images
from ppocr_lite.io.formats import MAX_PIXELS
from ppocr_lite.io.images import Image
from ppocr_lite.io.pages import SEVERAL_FRAMES, list_files, read_pages
from ppocr_lite.predict.released import LANGUAGES

STDIN = Path("<stdin>")  # what is given as -
MAX_NAMED = 10  # inputs that are named for sharing a name
SINGLE = frozenset(images.SUFFIXES) - frozenset(SEVERAL_FRAMES)  # suffixes of files of one page
_PAGE = re.compile(r"(.+)_p[0-9]{3,}", re.DOTALL)


def _page_angle(text: str) -> str | int:
    return int(text) if text.isdigit() else text


# flag → (type, choices, help); each is handed to OCR only if it is given, so the defaults stand in OCR alone
OPTIONS: dict[str, tuple[Callable[[str], Any], tuple[str, ...] | None, str]] = {
    "--lang": (str, LANGUAGES, "language of the bundled models"),
    "--models": (str, None, "model set, as `ppocr-lite models` lists them, or a folder of networks"),
    "--engine": (str, ("auto", "paddle", "onnxruntime", "openvino"), "what runs the networks"),
    "--device": (str, None, "cpu, gpu:0, ..."),
    "--threads": (int, None, "CPU threads"),
    "--det-model": (str, None, "exported detector folder, or ONNX file"),
    "--cls-model": (str, None, "exported orientation classifier folder, or ONNX file"),
    "--rec-model": (str, None, "exported recogniser folder, or ONNX file"),
    "--rec-char-dict-path": (str, None, "dictionary of the recogniser, if its folder has none"),
    "--det-limit-side-len": (int, None, "side that limits the detector's input, pixels"),
    "--det-limit-type": (str, ("max", "min"), "whether that is the longest or the shortest side"),
    "--det-db-thresh": (float, None, "probability above which a pixel is text"),
    "--det-db-box-thresh": (float, None, "mean probability above which a region is kept"),
    "--det-db-unclip-ratio": (float, None, "how far regions grow"),
    "--det-db-score-mode": (str, ("fast", "slow"), "how the mean is taken"),
    "--det-box-type": (str, ("quad", "poly"), "four corners or outlines"),
    "--rec-image-shape": (str, None, "channels, height and standard width of a line, like 3,32,320"),
    "--rec-batch-num": (int, None, "lines per run of the recogniser"),
    "--rec-retry-score": (float, None, "lines from --drop-score up to this are read at other sizes, too; 0: none"),
    "--rec-margin": (float, None, "how far lines are read beyond the ends of their boxes, as a share of the height"),
    "--cls-thresh": (float, None, "certainty above which a line is turned"),
    "--cls-batch-num": (int, None, "lines per run of the classifier"),
    "--drop-score": (float, None, "lines below this score are left out"),
    "--max-pixels": (int, None, "most pixels that an image may declare"),
    "--page-angle": (_page_angle, None, "how far pages stand turned clockwise: 0, 90, 180, 270, or auto (default)"),
}

SWITCHES = {
    "--use-angle-cls": "detect and rotate upside-down lines",
    "--use-dilation": "thicken text regions before tracing them",
}


def add_ocr_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that :func:`ocr_options` collects."""
    group = parser.add_argument_group("models and thresholds (defaults: those of ppocr_lite.OCR)")
    for flag, text in SWITCHES.items():
        group.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)
    for flag, (kind, choices, text) in OPTIONS.items():
        group.add_argument(flag, type=kind, choices=choices, help=text)


def ocr_options(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the keyword arguments for ``OCR`` that were given."""
    names = [flag.removeprefix("--").replace("-", "_") for flag in (*OPTIONS, *SWITCHES)]
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def make_ocr(arguments: argparse.Namespace) -> OCR:
    """Return the reader that the options ask for; a number of threads counts for OpenCV, too."""
    options = ocr_options(arguments)
    ocr = OCR(**options)
    if "threads" in options:
        cv2.setNumThreads(options["threads"])  # of the whole process, which is a program's to decide, not a library's
    return ocr


def add_paths(parser: argparse.ArgumentParser) -> None:
    """Add ``PATH…``, and how they are read."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="image, folder or pattern; - reads standard input")
    parser.add_argument("--recursive", action="store_true", help="look into subfolders too")
    parser.add_argument("--password", help="of encrypted PDF files")
    add_quiet(parser)


def read_given(
    file: Path, pages: str | None = None, *, max_pixels: int = MAX_PIXELS, password: str | None = None
) -> Iterator[tuple[str, Image]]:
    """Yield what :func:`ppocr_lite.io.pages.read_pages` does, of standard input if *file* is :data:`STDIN`."""
    with as_file(file) as path:
        try:
            for name, pixels in read_pages(path, pages, max_pixels=max_pixels, password=password):
                yield name.replace(str(path), str(file)), pixels
        except OCRError as error:
            raise error if path == file else type(error)(str(error).replace(str(path), str(file))) from error


@contextmanager
def as_file(file: Path) -> Iterator[Path]:
    """Give a file that can be read more than once: *file*, or, if it is :data:`STDIN`, a copy of standard input."""
    if file != STDIN:
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "stdin")
        with copy.open("wb") as target:
            shutil.copyfileobj(sys.stdin.buffer, target)
        yield copy


def find_files(paths: Sequence[str], *, recursive: bool = False, output: Path | None = None) -> list[tuple[Path, Path]]:
    """Return (file, its path below the given folder) for all *paths*, in sorted order within a folder.

    A path that names nothing to read is returned as it is: opening it will say so, and the others are still done.
    What lies in *output* below a given folder is what was written earlier, and is left out.
    """
    found: list[tuple[Path, Path]] = []
    for given in paths:
        if given == "-":
            found.append((STDIN, Path("stdin")))
            continue
        path = Path(given)
        try:
            files = list_files(given, recursive)
        except ImageError:
            files = [path]
        if output is not None and files != [path]:
            files = _without(files, output, _root(path)) or [path]
        top = path if path.is_dir() and files != [path] else None
        found += [(file, file.relative_to(top) if top else Path(file.name)) for file in files]
    return found


def _root(path: Path) -> Path:
    """Return the folder that a folder or a pattern begins at."""
    while glob.has_magic(str(path)) and not path.exists():
        path = path.parent
    return path


def _without(files: list[Path], output: Path, root: Path) -> list[Path]:
    """Return *files* but those in *output*, if that lies below *root*."""
    written = output.resolve()
    if written == root.resolve() or not written.is_relative_to(root.resolve()):
        return files
    kept = [file for file in files if not file.resolve().is_relative_to(written)]
    if len(kept) < len(files):
        complain(f"{output}: {len(files) - len(kept)} files in the output folder are not read.")
    return kept


class Names:
    """Gives what is written of each input a name of its own.

    ``a.png`` and ``a.jpg`` become ``a`` and ``a.jpg``, whatever else would be called ``a`` becomes ``a_2``, ``a_3``, ….
    Names follow from the inputs alone, not from which of them can be read. Those that do not get the bare name are
    named on standard error.

    Args:
        folder: Where to.
        files: All inputs: each with its path below the folder that was given.
        endings: What is appended to the names.

    Raises:
        ConfigError: If a result would be written over an input.
    """

    def __init__(self, folder: Path, files: Sequence[tuple[Path, Path]] = (), endings: Sequence[str] = ()) -> None:
        self.folder = folder
        self._stems: dict[Path, Path] = {}  # input → what it is called
        self._owners: dict[Path, Path] = {}  # and back
        self._paged: set[Path | None] = set()  # what inputs of several pages are called
        self._pages_of: set[Path | None] = set()  # a for every input that is called a_p001 or the like
        for file, relative in files:
            self._claim(file, relative)
        self._keep_inputs([file for file, _ in files], endings)
        self._announce()

    def free(self, file: Path, relative: Path, page: str) -> Path:
        """Return the path of a page without its ending, in a folder that exists.

        Args:
            file: The input.
            relative: Its path below the folder that was given.
            page: What the page is called: *file*, with ``#3`` behind it for the third page of several.
        """
        stem = self._claim(file, relative)
        stem.parent.mkdir(parents=True, exist_ok=True)
        number = page.removeprefix(str(file)).removeprefix("#")
        return stem.with_name(f"{stem.name}_p{int(number):03d}") if number else stem

    def _claim(self, file: Path, relative: Path) -> Path:
        """Return what *file* is called, from now on if it was not before."""
        if file not in self._stems:
            paged = relative.suffix.lower() not in SINGLE
            target = self.folder / relative
            numbered = (target.with_name(f"{target.stem}_{n}") for n in itertools.count(2))
            stems = itertools.chain((target.with_suffix(""), target), numbered)
            stem = next(stem for stem in stems if self._is_free(stem, paged))
            self._stems[file], self._owners[stem] = stem, file
            self._paged |= {stem} if paged else set()
            self._pages_of |= {_first(stem)} if _first(stem) else set()
        return self._stems[file]

    def _is_free(self, stem: Path, paged: bool) -> bool:
        """Say whether nothing else is called *stem*, or may be once its pages are numbered."""
        return not (stem in self._owners or _first(stem) in self._paged or (paged and stem in self._pages_of))

    def _keep_inputs(self, files: Sequence[Path], endings: Sequence[str]) -> None:
        """Refuse to write over an input, as a drawing in the folder of the pictures may, and will the second time."""
        owners = {stem.resolve(): file for stem, file in self._owners.items()}
        for file in files:
            place = file.resolve()
            for ending in (e for e in endings if place.name.endswith(e)):
                stem = place.with_name(place.name.removesuffix(ending))
                owner = owners.get(stem) or owners.get(_first(stem) or stem)
                if owner is not None:
                    raise ConfigError(
                        f"{file} is to be read, and what is written of {owner} would take its place. "
                        "Give another folder with --output, or leave that file out."
                    )

    def _announce(self) -> None:
        other = [(file, stem) for file, stem in self._stems.items() if stem.name != Path(file.name).stem]
        for file, stem in other[:MAX_NAMED]:
            complain(f"{file}: written as {stem.relative_to(self.folder)}, for another input has the name {file.stem}.")
        if len(other) > MAX_NAMED:
            complain(f"{len(other) - MAX_NAMED} more inputs share a name, and are written under others.")


def _first(stem: Path) -> Path | None:
    """Return ``a`` for ``a_p003``, None for what is not called like a page."""
    page = _PAGE.fullmatch(stem.name)
    return stem.with_name(page[1]) if page else None


def for_each(files: Sequence[tuple[Path, Path]], what: str, work: Callable[[Path, Path], None]) -> int:
    """Call ``work(file, relative)`` for all files; name those that fail on standard error and go on.

    Returns:
        The exit status: 0, or 1 if a file failed.
    """
    failed = 0
    for file, relative in progress(files, what):
        try:
            work(file, relative)
        except BrokenPipeError:  # nobody reads what is printed any more
            raise
        except (OCRError, OSError) as error:
            failed += 1
            text = str(error)
            complain(text if str(file) in text else f"{file}: {text}")
    if failed:
        complain(f"{failed} of {len(files)} {what} failed.")
    return 1 if failed else 0
