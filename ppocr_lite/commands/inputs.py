"""What is given on a command line: images by path, folder or pattern, and the options of ``OCR``."""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2

from ppocr_lite import OCR
from ppocr_lite.commands.console import complain, progress
from ppocr_lite.errors import ImageError, OCRError
from ppocr_lite.io.pages import list_files

# flag → (type, choices, help); each is handed to OCR only if it is given, so the defaults stand in OCR alone
OPTIONS: dict[str, tuple[Callable[[str], Any], tuple[str, ...] | None, str]] = {
    "--lang": (str, None, "language of the bundled models"),
    "--engine": (str, ("auto", "paddle", "onnxruntime", "openvino"), "what runs the networks"),
    "--device": (str, None, "cpu, gpu:0, ..."),
    "--threads": (int, None, "CPU threads"),
    "--det-model": (str, None, "exported detector folder"),
    "--cls-model": (str, None, "exported orientation classifier folder"),
    "--rec-model": (str, None, "exported recogniser folder"),
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
    """Add ``PATH…`` and ``--recursive``."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="image, folder or pattern")
    parser.add_argument("--recursive", action="store_true", help="look into subfolders too")


def find_files(paths: Sequence[str], *, recursive: bool = False) -> list[tuple[Path, Path]]:
    """Return (file, its path below the given folder) for all *paths*, in sorted order within a folder.

    A path that names nothing to read is returned as it is: opening it will say so, and the others are still done.
    """
    found: list[tuple[Path, Path]] = []
    for given in paths:
        path = Path(given)
        try:
            files = list_files(given, recursive)
        except ImageError:
            files = [path]
        top = path if path.is_dir() and files != [path] else None
        found += [(file, file.relative_to(top) if top else Path(file.name)) for file in files]
    return found


class Names:
    """Gives what is written of each input a name of its own.

    ``a.png`` and ``a.jpg`` become ``a`` and ``a.jpg``, whatever else would be called ``a`` becomes ``a_2``, ``a_3``, ….

    Args:
        folder: Where to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._owners: dict[Path, Path] = {}

    def free(self, file: Path, relative: Path, page: str) -> Path:
        """Return the path of a page without its ending, in a folder that exists.

        Args:
            file: The input.
            relative: Its path below the folder that was given.
            page: What the page is called: *file*, with ``#3`` behind it for the third page of several.
        """
        target = self.folder / relative
        stems = itertools.chain(
            (target.with_suffix(""), target), (target.with_name(f"{target.stem}_{n}") for n in itertools.count(2))
        )
        stem = next(stem for stem in stems if self._owners.setdefault(stem, file) == file)
        stem.parent.mkdir(parents=True, exist_ok=True)
        number = page.removeprefix(str(file)).removeprefix("#")
        return stem.with_name(f"{stem.name}_p{int(number):03d}") if number else stem


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
