"""OCRmyPDF reads with this library: ``ocrmypdf --plugin ppocr_lite.integrations.ocrmypdf in.pdf out.pdf``.

Where this package is installed beside OCRmyPDF, its plugin is loaded by itself (entry point ``ocrmypdf``), and then
reads only if it is asked for, ``--ocr-engine ppocr-lite`` from OCRmyPDF 17 on, or if there is no Tesseract: nobody's
command changes its meaning because a package came along. ``--plugin`` asks for it in every release.

OCRmyPDF loads this file at each of its starts, so what reads pages is imported when the first page comes.

Source:
    OCRmyPDF 16.13 and 17.13, ``ocrmypdf/pluginspec.py`` and https://ocrmypdf.readthedocs.io/en/latest/plugins.html.
"""

from __future__ import annotations

import argparse
import inspect
import logging
import math
import shutil
import threading
from collections.abc import Set
from pathlib import Path
from typing import Any

import PIL.Image
import pluggy
from ocrmypdf import hookimpl, pluginspec
from ocrmypdf.exceptions import BadArgsError, InputFileError
from ocrmypdf.helpers import available_cpu_count

import ppocr_lite
from ppocr_lite import files
from ppocr_lite.errors import OCRError, suggest
from ppocr_lite.install import optional

logger = logging.getLogger(__name__)
NAME = "ppocr-lite"  # what --ocr-engine calls this engine
LANGUAGES = {"eng": "en", "chi_sim": "ch"}  # language of OCRmyPDF → released recogniser
AUTO = "auto"
TESSERACT = "ocrmypdf.builtin_plugins.tesseract_ocr"  # OCRmyPDF's own plugin; it refuses to start without Tesseract
# The confidence of a direction in OCRmyPDF's units, "15 is very confident": it turns a page from 14 on, unless told
# otherwise, so if 70 % of its text stand so.
ALL_OF_THE_TEXT = 20.0
MOST_THREADS = 4
MEGAPIXEL = 1_000_000
NO_LIMIT = 1 << 40  # pixels, for --max-image-mpixels 0
USUAL_DPI = 72.0  # of an image that does not say
LEAN = 0.005  # slope from which on a line is set askew
HAS_TREES = hasattr(pluginspec.OcrEngine, "supports_generate_ocr")  # OCRmyPDF 17
HAS_CHOICE = "options" in inspect.signature(pluginspec.get_ocr_engine).parameters  # likewise

_models, _textline = optional("ppocr_lite.predict.models"), optional("ppocr_lite.textline")
_documents = optional("ppocr_lite.io.documents")
_tesseract = optional(TESSERACT)
_elements = optional("ocrmypdf.hocrtransform")  # its OcrElement is there from 17 on
_readers: dict[tuple[Any, ...], Any] = {}
_making = threading.Lock()


class PpocrEngine(pluginspec.OcrEngine):
    """The engine as OCRmyPDF calls it: from its worker threads, or from processes of its own."""

    @staticmethod
    def version() -> str:
        """Return the version of this package."""
        return ppocr_lite.__version__

    @staticmethod
    def creator_tag(options: Any) -> str:
        """Return what the PDF says of who wrote its text."""
        return f"ppocr_lite {ppocr_lite.__version__}"

    def __str__(self) -> str:
        return f"ppocr_lite {ppocr_lite.__version__}"

    @staticmethod
    def languages(options: Any) -> Set[str]:
        """Return the languages that ``-l`` may name: with ``--ppocr-models`` whatever it does name."""
        return set(options.languages) if _option(options, "models") else set(LANGUAGES)

    @staticmethod
    def get_orientation(input_file: Path, options: Any) -> pluginspec.OrientationConfidence:
        """Return how far a page stands turned clockwise, 0, 90, 180 or 270 degrees, and how sure that is.

        The confidence is the share of the text, by length, that stands that way, times 20.
        """
        page = _read(input_file, options, rec=False)
        quarter, stretches = _quarter(page.angle), _stretches(page)
        total = sum(length for _, length in stretches)
        along = sum(length for angle, length in stretches if _quarter(angle) == quarter)
        confidence = ALL_OF_THE_TEXT * along / total if total else 0.0
        return pluginspec.OrientationConfidence(90 * quarter, round(confidence, 2))

    @staticmethod
    def get_deskew(input_file: Path, options: Any) -> float:
        """Return by how many degrees, counter-clockwise, a page must be turned for its lines to run level.

        It is the median direction of the lines that run as most of the page does, weighted by their length.
        """
        page = _read(input_file, options, rec=False)
        quarter = _quarter(page.angle)
        leaning = sorted(
            ((angle + 45) % 90 - 45, length) for angle, length in _stretches(page) if _quarter(angle) == quarter
        )
        left = sum(length for _, length in leaning) / 2
        for angle, length in leaning:
            left -= length
            if left <= 0:
                return angle
        return 0.0

    @staticmethod
    def supports_generate_ocr() -> bool:
        """Say whether this OCRmyPDF takes pages as trees."""
        return HAS_TREES

    @staticmethod
    def generate_ocr(input_file: Path, options: Any, page_number: int = 0) -> tuple[Any, str]:
        """Return what was read on a page, as a tree (``ocrmypdf.hocrtransform.OcrElement``) and as text."""
        page = _read(input_file, options)
        return _tree(page, input_file, options.languages[0], page_number), _text(page)

    @staticmethod
    def generate_hocr(input_file: Path, output_hocr: Path, output_text: Path, options: Any) -> None:
        """Write what was read on a page, as hOCR and as text."""
        page = _read(input_file, options)
        hocr = _documents.hocr(page.lines, page.size, str(input_file), page.block_sizes, baselines=True)
        files.write_text(output_hocr, hocr)
        files.write_text(output_text, _text(page))

    @staticmethod
    def generate_pdf(input_file: Path, output_pdf: Path, output_text: Path, options: Any) -> None:
        """Refuse: OCRmyPDF renders what this engine reads, see :meth:`Plugin.check_options`."""
        raise NotImplementedError("ppocr_lite leaves the text layer to OCRmyPDF: leave --pdf-renderer out.")


class Plugin:
    """The hooks that OCRmyPDF calls.

    Args:
        asked: Whether this engine reads unless another is named; else only if it is named itself, or if there is no
            Tesseract.
    """

    def __init__(self, asked: bool) -> None:
        self._asked = asked
        self._alone = False  # whether Tesseract's plugin was sent away

    @hookimpl
    def initialize(self, plugin_manager: pluggy.PluginManager) -> None:
        """Leave if the same plugin was named, too; and send Tesseract's plugin away where there is no Tesseract."""
        if not self._asked and plugin_manager.has_plugin(__name__):
            plugin_manager.unregister(self)
        elif not _has_tesseract():
            plugin_manager.set_blocked(TESSERACT)
            self._alone = True

    @hookimpl
    def register_options(self) -> dict[str, Any]:
        """Return the options of Tesseract's plugin if it is not there: OCRmyPDF 17 looks at them all the same."""
        return dict(_tesseract.register_options()) if self._alone else {}

    @hookimpl
    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Declare the options of the command line; the API takes them as ``ppocr_models=`` and ``ppocr_threads=``."""
        if self._alone:
            _tesseract.add_options(parser)
        group = parser.add_argument_group("ppocr_lite", f"Reading with ppocr_lite ({', '.join(LANGUAGES)})")
        group.add_argument(
            "--ppocr-models",
            metavar="NAME",
            help="networks to read with: a model set such as PP-OCRv6_small, or a folder (see `ppocr-lite models`); "
            "-l then only says which language the PDF is in",
        )
        group.add_argument(
            "--ppocr-threads",
            type=int,
            metavar="N",
            help="CPU threads that a network runs on (default: the processors, divided by the pages read at once)",
        )
        for action in parser._actions:  # argparse has no other way to an option that is there already
            if "--ocr-engine" in action.option_strings and action.choices is not None:
                action.choices = [*action.choices, NAME]

    @hookimpl
    def check_options(self, options: Any) -> None:
        """Refuse what this engine cannot do, before a file is opened."""
        if not self._reads(options):
            return
        models, threads = _option(options, "models"), _option(options, "threads")
        if threads is not None and threads < 1:
            raise BadArgsError(f"--ppocr-threads must be at least 1. Received: {threads}")
        if models is None:
            _language(options.languages)
        else:
            _refusing(lambda: _models.find_models(models))
        if options.pdf_renderer == "sandwich":
            logger.info("--pdf-renderer sandwich is for Tesseract; OCRmyPDF's own renderer sets what ppocr_lite reads")
            options.pdf_renderer = AUTO
        if options.pdf_renderer == AUTO and not HAS_TREES:
            options.pdf_renderer = "hocr"  # as Tesseract's own plugin does in OCRmyPDF 16, where it is there

    @hookimpl
    def validate(self, pdfinfo: Any, options: Any) -> None:
        """Share the processors among the pages that are read at once, and load the networks."""
        if not self._reads(options):
            return
        if _option(options, "threads") is None:
            cpus = available_cpu_count()
            at_once = max(1, min(options.jobs or cpus, len(pdfinfo)))
            _set_option(options, "threads", min(MOST_THREADS, max(1, cpus // at_once)))
        _refusing(lambda: _reader(options))

    if HAS_CHOICE:

        @hookimpl
        def get_ocr_engine(self, options: Any) -> PpocrEngine | None:
            """Return the engine if it is to read."""
            return PpocrEngine() if options is None or self._reads(options) else None

    else:

        @hookimpl
        def get_ocr_engine(self) -> PpocrEngine | None:
            """Return the engine if it is to read."""
            return PpocrEngine() if self._reads(None) else None

    def _reads(self, options: Any) -> bool:
        chosen = getattr(options, "ocr_engine", AUTO)
        return chosen == NAME or (chosen == AUTO and (self._asked or not _has_tesseract()))


def _has_tesseract() -> bool:
    return shutil.which("tesseract") is not None


def _option(options: Any, name: str) -> Any:
    """Return an option of this plugin, None if it was not given."""
    return getattr(options, f"ppocr_{name}", None)


def _set_option(options: Any, name: str, value: Any) -> None:
    """Set an option of this plugin: OCRmyPDF 17 keeps those of plugins in a dict of their own."""
    more = getattr(options, "extra_attrs", None)
    if more is None:
        setattr(options, f"ppocr_{name}", value)
    else:
        more[f"ppocr_{name}"] = value


def _language(languages: list[str]) -> str:
    """Return which released recogniser reads some languages of OCRmyPDF.

    Raises:
        BadArgsError: If none does; names those that are read.
    """
    if unknown := [name for name in languages if name not in LANGUAGES]:
        raise BadArgsError(
            f"-l {'+'.join(languages)}: ppocr_lite does not read {unknown[0]!r}.{suggest(unknown[0], LANGUAGES)} "
            "--ppocr-models takes networks for other languages."
        )
    read = {LANGUAGES[name] for name in languages}
    return "ch" if "ch" in read else "en"  # the Chinese recogniser reads English, too


def _refusing(make: Any) -> Any:
    try:
        return make()
    except OCRError as error:
        raise BadArgsError(f"ppocr_lite: {error}") from error


def _reader(options: Any) -> Any:
    """Return the OCR object of this process for these options; threads share it, a forked process loads it anew."""
    models = _option(options, "models")
    which: dict[str, Any] = {"lang": _language(options.languages)} if models is None else {"models": models}
    megapixels = getattr(options, "max_image_mpixels", None)
    if megapixels is not None:
        which["max_pixels"] = round(megapixels * MEGAPIXEL) or NO_LIMIT
    which["threads"] = _option(options, "threads")
    key = tuple(which.items())
    with _making:
        if key not in _readers:
            _readers[key] = ppocr_lite.OCR(**which)
        return _readers[key]


def _read(path: Path, options: Any, rec: bool = True) -> Any:
    try:
        return _reader(options).ocr(path, rec=rec)
    except OCRError as error:
        raise InputFileError(f"ppocr_lite: {error}") from error


def _text(page: Any) -> str:
    return f"{page.text}\n" if len(page) else ""


def _quarter(degrees: float) -> int:
    return round(degrees / 90) % 4


def _dpi(path: Path) -> float:
    """Return how many dots an inch a page image says that it has."""
    with PIL.Image.open(path) as picture:
        return float(picture.info.get("dpi", (USUAL_DPI,))[0])


def _stretches(page: Any) -> list[tuple[float, float]]:
    """Return of each line how far it is turned clockwise, degrees, and its length, pixels."""
    ends = [_textline.reading_corners(line.polygon, line.angle)[:2] for line in page]
    return [(math.degrees(math.atan2(by - ay, bx - ax)), math.dist((ax, ay), (bx, by))) for (ax, ay), (bx, by) in ends]


def _tree(page: Any, path: Path, language: str, number: int) -> Any:
    """Return a page as OCRmyPDF 17 takes it: blocks are paragraphs."""
    kinds, box = _elements.OcrClass, _elements.BoundingBox
    blocks = [
        _elements.OcrElement(
            kinds.PARAGRAPH, bbox=_box([point for line in block for point in line.polygon.tolist()]),
            language=language, direction="ltr", children=[_line(line, language) for line in block if line.text.strip()],
        )
        for block in page.blocks
    ]  # fmt: skip
    height, width = page.size
    return _elements.OcrElement(
        kinds.PAGE, bbox=box(0, 0, width, height), dpi=_dpi(path), page_number=number, children=blocks
    )


def _box(points: Any) -> Any:
    xs, ys = zip(*points, strict=True)
    return _elements.BoundingBox(min(xs), min(ys), max(xs), max(ys))


def _line(line: Any, language: str) -> Any:
    """Return a line with its words.

    OCRmyPDF sets the text of a line into its box, from a baseline that starts at the left of the box. So the box of a
    line that leans is as high as the line is at its left end, not as all of it is.
    """
    words = [
        _elements.OcrElement(_elements.OcrClass.WORD, bbox=_box(word.polygon), text=word.text, confidence=line.score)
        for word in line.placed_words()
    ]
    (ax, ay), (bx, by), _, (dx, dy) = _textline.reading_corners(line.polygon, line.angle)
    box, slope = _box(line.polygon.tolist()), math.atan2(by - ay, bx - ax)
    more: dict[str, Any] = {}
    if quarter := _quarter(math.degrees(slope)):
        more["textangle"] = (-90.0 * quarter) % 360
    elif abs(math.tan(slope)) >= LEAN and dy > ay:
        box = _elements.BoundingBox(box.left, ay, box.right, dy)
        more["baseline"] = _elements.Baseline(math.tan(slope), -_documents.DESCENT * (dy - ay))
    return _elements.OcrElement(
        _elements.OcrClass.LINE, bbox=box, language=language, confidence=line.score, children=words, **more
    )


_plugin = Plugin(asked=True)
initialize, register_options, add_options = _plugin.initialize, _plugin.register_options, _plugin.add_options
check_options, validate, get_ocr_engine = _plugin.check_options, _plugin.validate, _plugin.get_ocr_engine
offered = Plugin(asked=False)  # what the entry point names
