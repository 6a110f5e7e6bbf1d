"""The prediction scripts of PaddleOCR: their options, what they print and what they draw.

Source:
    PaddleOCR release/2.4, tools/infer.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import OCR, files, visualize
from ppocr_lite.commands import inputs
from ppocr_lite.commands.console import complain, say
from ppocr_lite.io import images
from ppocr_lite.io.images import Image
from ppocr_lite.predict.options import GONE, RENAMED

DRAWINGS = Path("inference_results")
# option of PaddleOCR → option of `ppocr-lite ocr`; all others are that command's own, with - or _ in their names
SWITCHES = {
    "--use_angle_cls": "--use-angle-cls",
    "--use_dilation": "--use-dilation",
    "--det_db_use_dilation": "--use-dilation",
    "--use_textline_orientation": "--use-angle-cls",
}
OPTIONS = {f"--{old}": f"--{new.replace('_', '-')}" for old, new in RENAMED.items() if f"--{old}" not in SWITCHES}
OPTIONS |= {"--draw_img_save_dir": "--output"}
IGNORED = {f"--{name}": why for name, why in GONE.items() if f"--{name}" not in OPTIONS and name != "image_dir"}


@dataclass(frozen=True)
class Given:
    """What a script of PaddleOCR was given.

    Attributes:
        paths: Images, folders or patterns.
        options: Those of ``ppocr-lite ocr`` that say the same.
        output: Where drawings go, if that was said.
    """

    paths: list[str]
    options: list[str]
    output: str | None


def read_options(description: str | None, argv: Sequence[str] | None = None) -> Given:
    """Read the options of PaddleOCR's scripts; what has no effect here is said on standard error."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--image_dir", action="append", default=[], help="image, folder or pattern")
    for old, new in SWITCHES.items():
        parser.add_argument(old, dest=new, type=_is_true, help="True or False")
    parser.add_argument("--use_gpu", type=_is_true, help="True or False")
    parser.add_argument("--gpu_id", type=int, default=0, help="which GPU")
    for old, new in OPTIONS.items():
        parser.add_argument(old, dest=new, help=f"the same as {new} of ppocr-lite ocr")
    for old, why in IGNORED.items():
        parser.add_argument(old, dest=old, nargs="?", const="", help=f"has no effect: {why}")
    known, others = parser.parse_known_args(argv)
    values = vars(known)
    if not known.image_dir:
        parser.error("--image_dir is required: an image, a folder or a pattern")
    for name, why in IGNORED.items():
        if values[name] is not None:
            complain(f"{name} has no effect: {why}.")
    named = dict.fromkeys(OPTIONS.values())
    given = [part for new in named if new != "--output" and values[new] is not None for part in (new, values[new])]
    for name in dict.fromkeys(SWITCHES.values()):
        if values[name] is not None:
            given.append(name if values[name] else name.replace("--", "--no-", 1))
    if known.use_gpu:
        given += ["--device", f"gpu:{known.gpu_id}"]
    return Given(known.image_dir, given + [_dashed(part) for part in others], values["--output"])


def advice(word: str) -> str | None:
    """Return what to write instead of an option of PaddleOCR; None if *word* is none."""
    name, _, value = word.partition("=")
    if name in ("--image_dir", "-i", "--input"):
        return f"{name} is PaddleOCR's: give the images as they are, ppocr-lite ocr {value or 'PATH'}"
    if name in ("--use_gpu", "--gpu_id"):
        return f"{name} is PaddleOCR's: use --device gpu:0, or nothing for the CPU"
    new = SWITCHES.get(name) or OPTIONS.get(name)
    if new:
        return f"{name} is PaddleOCR's: use {new}"
    if name in IGNORED:
        return f"{name} is PaddleOCR's and has no effect here: {IGNORED[name]}"
    return f"{name} is PaddleOCR's: use {_dashed(name)}" if "_" in name and _dashed(name) in inputs.OPTIONS else None


def predict_det(description: str | None, argv: Sequence[str] | None = None) -> int:
    """Find regions, log them and draw ``det_res_NAME``; return the exit status."""

    def work(ocr: OCR, name: str, image: Image) -> tuple[str, NDArray[np.uint8]]:
        began = time.perf_counter()
        found = ocr.detect(image)
        seconds = time.perf_counter() - began
        boxes = json.dumps([np.rint(polygon).astype(int).tolist() for polygon in found.polygons])
        _log(f"{Path(name).name}\t{boxes}")
        _log(f"The predict time of {name}: {seconds}")
        return f"{Path(name).name}\t{boxes}", visualize.draw_polygons(image, found.polygons)

    return _draw_each(read_options(description, argv), work, "det_res_", "det_results.txt")


def predict_system(description: str | None, argv: Sequence[str] | None = None) -> int:
    """Read pages, log their lines and draw them; return the exit status."""

    def work(ocr: OCR, name: str, image: Image) -> tuple[str, NDArray[np.uint8]]:
        began = time.perf_counter()
        page = ocr.ocr(image)
        _log(f"Predict time of {name}: {time.perf_counter() - began:.3f}s")
        for line in page:
            _log(f"{line.text}, {line.score:.3f}")
        lines = [{"transcription": line.text, "points": np.rint(line.polygon).astype(int).tolist()} for line in page]
        return f"{Path(name).name}\t{json.dumps(lines, ensure_ascii=False)}", page.draw(image)

    return _draw_each(read_options(description, argv), work, "", "system_results.txt")


def predict_cls(description: str | None, argv: Sequence[str] | None = None) -> int:
    """Tell which way up line images are, and log it; return the exit status."""

    def said(ocr: OCR, image: Image) -> object:
        (found,) = ocr.classify([image])
        return [str(found.angle), found.score]

    return _log_each(read_options(description, argv), said)


def predict_rec(description: str | None, argv: Sequence[str] | None = None) -> int:
    """Read line images, and log it; return the exit status."""

    def said(ocr: OCR, image: Image) -> object:
        (found,) = ocr.recognize([image])
        return (found.text, found.score)

    return _log_each(read_options(description, argv), said)


def _log_each(given: Given, said: Callable[[OCR, Image], object]) -> int:
    ocr, found = _reader(given), inputs.find_files(given.paths)

    def work(file: Path, relative: Path) -> None:
        for name, _, image in _pages(ocr, file, given):
            _log(f"Predicts of {name}:{said(ocr, image)}")

    return inputs.for_each(found, "lines", work)


def _draw_each(
    given: Given, work: Callable[[OCR, str, Image], tuple[str, NDArray[np.uint8]]], prefix: str, results: str
) -> int:
    """Call *work* for each page; write the drawing it returns as ``PREFIX NAME``, and its rows into one file."""
    output = Path(given.output or DRAWINGS)
    found = inputs.find_files(given.paths, output=output)
    names, ocr = inputs.Names(output, found), _reader(given)
    rows: list[str] = []

    def draw(file: Path, relative: Path) -> None:
        for name, page, image in _pages(ocr, file, given):
            row, drawing = work(ocr, name, image)
            rows.append(f"{row}\n")
            suffix = file.suffix if file.suffix.lower() in images.SUFFIXES else ".png"
            stem = names.free(file, relative, page)
            target = stem.with_name(f"{prefix}{stem.name}{suffix}")
            images.write(target, drawing)
            _log(f"The visualized image saved in {'' if target.is_absolute() else './'}{target}")

    status = inputs.for_each(found, "files", draw)
    output.mkdir(parents=True, exist_ok=True)
    files.write_text(output / results, "".join(rows))
    return status


def _pages(ocr: OCR, file: Path, given: Given) -> Iterator[tuple[str, str, Image]]:
    """Yield each page of a file: its name as the user wrote it, as :class:`~inputs.Names` wants it, and its pixels."""
    written = next((path for path in given.paths if Path(path) == file), str(file))
    for name, image in inputs.read_given(file, max_pixels=ocr.max_pixels):
        yield name.replace(str(file), written, 1), name, image


def _reader(given: Given) -> OCR:
    parser = argparse.ArgumentParser(add_help=False)
    inputs.add_ocr_options(parser)
    return inputs.make_ocr(parser.parse_args(given.options))


def _log(text: str) -> None:
    say(f"[{time.strftime('%Y/%m/%d %H:%M:%S')}] root INFO: {text}")


def _is_true(text: str) -> bool:
    return text.lower() in ("1", "true")


def _dashed(part: str) -> str:
    """Return ``--drop_score=0.5`` as ``--drop-score=0.5``, and what is no option as it is."""
    name, equals, value = part.partition("=")
    return name.replace("_", "-") + equals + value if part.startswith("--") else part
