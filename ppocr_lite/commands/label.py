"""Label images by reading them, for a person to correct or a network to learn from.

Pages become rows of PPOCRLabel's Label.txt, path<TAB>[{"transcription", "points", "difficult", "score"}, …]; with
--crops each image is one line, and the rows are those of rec_gt.txt, path<TAB>text.  Paths are relative to the folder
of the output.

A text that is not to be kept (below --min-score, or read differently the second time) stands on a page as ###, which is
neither trained on nor scored, and can be left out with --drop; of a crop there is no row.  What stands in the output
already stays, and its images are not read again; an interrupted run goes on where it stopped.  If the output is the
Label.txt of the images' own folder, Cache.cach is written beside it, from which PPOCRLabel offers them for review.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from ppocr_lite import OCR, OCRResult
from ppocr_lite.commands import inputs
from ppocr_lite.commands.console import say
from ppocr_lite.data.label_file import LabelFile, write_ppocrlabel_cache
from ppocr_lite.errors import ConfigError, ImageError
from ppocr_lite.io.images import Image
from ppocr_lite.io.pages import read_pages
from ppocr_lite.predict.agreement import BORDER, read_regions, with_border
from ppocr_lite.textline import TextLine, reading_corners

MIN_SCORE = 0.5
UNREAD = "###"
SPEED = ("engine", "device", "threads", "rec_batch_num", "cls_batch_num", "max_pixels")  # change no label


class Rule(NamedTuple):
    """Which readings are kept.

    Attributes:
        min_score: Those with at least this score,
        again: and that a second look at the page (its lines) or the crop (None) reads the same, if there is one.
        drop: Whether the others are left out; else they stand as ``###``.
    """

    min_score: float
    again: Callable[[Image, OCRResult | None], list[str]] | None
    drop: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    inputs.add_paths(parser)
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="Label.txt, or another label file")
    parser.add_argument("--crops", action="store_true", help="each image is one line of text")
    parser.add_argument("--min-score", type=float, default=MIN_SCORE, help=f"of a text that is kept ({MIN_SCORE})")
    parser.add_argument("--agree", action="store_true", help="keep what reads the same with a wider border, too")
    parser.add_argument("--agree-with", metavar="MODELS", help="keep what this model set or folder reads the same, too")
    parser.add_argument("--drop", action="store_true", help="leave out what is not kept, instead of writing ###")
    inputs.add_ocr_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Label everything that is given; return the exit status."""
    if not 0 <= arguments.min_score <= 1:
        raise ConfigError(f"--min-score must be from 0 to 1. Received: {arguments.min_score}")
    files = inputs.find_files(arguments.paths, recursive=arguments.recursive)
    if arguments.drop_score is None:
        arguments.drop_score = 0.0  # the boxes of doubtful lines are wanted, too
    ocr = inputs.make_ocr(arguments)
    rule = Rule(arguments.min_score, _second_look(ocr, arguments), arguments.drop)
    label = _crop_label if arguments.crops else _page_label
    with closing(LabelFile(arguments.output, _settings(arguments))) as labels:

        def work(file: Path, _: Path) -> None:
            if file not in labels:  # one that is given twice
                labels.add(file, label(ocr, _only_page(file, ocr.max_pixels), rule))

        todo = [(file, relative) for file, relative in files if file not in labels]
        status = inputs.for_each(todo, "images", work)
        count = labels.finish()
        write_ppocrlabel_cache(labels)
    say(f"{arguments.output}: {count} images, {len(files) - len(todo)} of them labelled before")
    return status


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the labels depend on."""
    own = {name: getattr(arguments, name) for name in ("crops", "min_score", "agree", "agree_with", "drop")}
    return own | {name: value for name, value in inputs.ocr_options(arguments).items() if name not in SPEED}


def _second_look(ocr: OCR, arguments: argparse.Namespace) -> Callable[[Image, OCRResult | None], list[str]] | None:
    """Return what reads the lines of a page, or a crop, the second time."""
    if not arguments.agree and arguments.agree_with is None:
        return None
    reader = ocr if arguments.agree_with is None else OCR(models=arguments.agree_with, use_angle_cls=False)
    border = BORDER if arguments.agree else 0.0

    def again(image: Image, page: OCRResult | None) -> list[str]:
        if page is None:
            return [reader.recognize([with_border(image, border) if border else image])[0].text]
        angles = [line.angle for line in page]
        return read_regions(image, [line.polygon for line in page], reader.recognize, angles, border)

    return again


def _only_page(file: Path, max_pixels: int) -> Image:
    with closing(read_pages(file, max_pixels=max_pixels)) as pages:
        name, pixels = next(pages)
    if name != str(file):
        raise ImageError(f"{file}: a file of several pages, and a label file names images. Save its pages as images.")
    return pixels


def _page_label(ocr: OCR, image: Image, rule: Rule) -> str:
    """Return the label of a page."""
    page = ocr.ocr(image)
    second = rule.again(image, page) if rule.again else [line.text for line in page]
    kept = [_is_kept(line, other, rule) for line, other in zip(page, second, strict=True)]
    entries = [_entry(line, good) for line, good in zip(page, kept, strict=True) if good or not rule.drop]
    return json.dumps(entries, ensure_ascii=False)


def _crop_label(ocr: OCR, image: Image, rule: Rule) -> str | None:
    """Return the text of a line image; None if it is not to be kept, or stands on its head."""
    (line,) = ocr.ocr(image, det=False)
    second = rule.again(image, None) if rule.again else [line.text]
    return line.text if line.angle == 0 and _is_kept(line, second[0], rule) else None


def _is_kept(line: TextLine, second: str, rule: Rule) -> bool:
    return bool(line.text.strip()) and line.score >= rule.min_score and line.text == second


def _entry(line: TextLine, good: bool) -> dict[str, Any]:
    points = line.polygon.tolist() if len(line.polygon) != 4 else reading_corners(line.polygon, line.angle)
    return {
        "transcription": line.text if good else UNREAD,
        "points": [[round(x, 1), round(y, 1)] for x, y in points],
        "difficult": not good,
        "score": round(line.score, 4),
    }
