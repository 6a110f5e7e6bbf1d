"""The class of PaddleOCR, for code written for it: arguments and return values of 2.x, ``predict()`` of 3.x."""

from __future__ import annotations

import inspect
import json
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import files
from ppocr_lite.errors import suggest
from ppocr_lite.io import images
from ppocr_lite.io.images import ImageInput
from ppocr_lite.predict.options import translate
from ppocr_lite.predict.system import OCR
from ppocr_lite.results import OCRResult

ADVICE = "PaddleOCR is here for code that was written for it; new code uses ppocr_lite.OCR, see doc/from_paddleocr.md."
KNOWN = tuple(name for name in inspect.signature(OCR.__init__).parameters if name != "self")
DEFAULTS = {"use_angle_cls": False}  # of PaddleOCR 2.x, where OCR has others; and lang, see below


class PaddleOCR:
    """Reads pages as ``paddleocr.PaddleOCR`` does, with the models of this package.

    Args:
        **arguments: Those of PaddleOCR 2.x and 3.x, or of :class:`~ppocr_lite.OCR`; what has no meaning here is
            accepted. As in PaddleOCR, ``lang`` is ``"ch"`` by default, and ``use_angle_cls`` False.

    Raises:
        TypeError: If an argument is of none of them; names the nearest.
        ConfigError, ModelError: As for :class:`~ppocr_lite.OCR`.
    """

    def __init__(self, **arguments: Any) -> None:
        warnings.warn(ADVICE, DeprecationWarning, stacklevel=2)
        own = {name: value for name, value in arguments.items() if name in KNOWN}
        old = {name: value for name, value in arguments.items() if name not in KNOWN}
        given = DEFAULTS | own | translate(old, KNOWN, warn=False)
        if given.get("device") == "gpu":
            given["device"] = "gpu:0"
        if given.get("models") is None and given.get("rec_model") is None:
            given["lang"] = given.get("lang") or "ch"
        self.reader = OCR(**given)
        self.use_angle_cls = bool(given["use_angle_cls"])

    def ocr(
        self, img: ImageInput | list[Any], det: bool = True, rec: bool = True, cls: bool = True, **unused: Any
    ) -> list[Any]:
        """Read an image, several, or the pages of a PDF; return what PaddleOCR 2.x does.

        Args:
            img: As for :meth:`ppocr_lite.OCR.ocr`, or the path of a PDF.
            det: Look for lines; False takes the whole image for one line.
            rec: Read the lines.
            cls: Rotate upside-down lines, if ``use_angle_cls`` was given.
            **unused: ``bin``, ``inv``, ``alpha_color`` and ``slice``, which have no effect.

        Returns:
            One entry a page: ``[[quad, (text, score)], …]``, without *rec* ``[quad, …]``, and None for a page without
            text; without *det* ``[(text, score)]``, without both ``[("0" or "180", score)]``.
        """
        _refuse_unknown(unused, "ocr", ("bin", "inv", "alpha_color", "slice"))
        cls = cls and self.use_angle_cls
        if det:
            pages = [page for page, _ in self._pages(img, cls, rec)]
            if rec:
                return [page.to_legacy() or None for page in pages]
            return [[line.polygon.tolist() for line in page] or None for page in pages]
        given = img if isinstance(img, list) else [img]
        return [self._line(images.read(image, max_pixels=self.reader.max_pixels), rec, cls) for image in given]

    def predict(self, input: ImageInput | list[Any], **unused: Any) -> list[PageResult]:  # noqa: A002 - as there
        """Read an image, several, or the pages of a PDF; return what PaddleOCR 3.x does.

        Args:
            input: As for :meth:`ocr`.
            **unused: ``use_doc_orientation_classify``, ``use_doc_unwarping`` and ``use_textline_orientation``, which
                belong to the constructor here.

        Returns:
            One mapping a page: ``rec_texts``, ``rec_scores``, ``rec_polys``, ``rec_boxes`` and more.
        """
        return list(self.predict_iter(input, **unused))

    def predict_iter(self, input: ImageInput | list[Any], **unused: Any) -> Iterator[PageResult]:  # noqa: A002
        """Yield what :meth:`predict` returns, a page at a time."""
        known = ("use_doc_orientation_classify", "use_doc_unwarping", "use_textline_orientation", "return_word_box")
        _refuse_unknown(unused, "predict", known)
        for page, image in self._pages(input, self.use_angle_cls, rec=True):
            yield PageResult(page, image, self.reader.drop_score)

    def _pages(self, given: Any, cls: bool, rec: bool) -> Iterator[tuple[OCRResult, ImageInput | None]]:
        """Yield each page with its image, None for a page of a PDF, which its source leads to."""
        one: ImageInput
        for one in given if isinstance(given, list | tuple) else [given]:
            if isinstance(one, str | Path) and Path(one).suffix.lower() == ".pdf":
                yield from ((page, None) for page in self.reader.stream(one, cls=cls, rec=rec))
            else:
                yield self.reader.ocr(one, cls=cls, rec=rec), one

    def _line(self, line: NDArray[np.uint8], rec: bool, cls: bool) -> list[tuple[str, float]]:
        """Return what is said of a line image."""
        found = None
        if cls:
            (found,) = self.reader.classify([line])
        if not rec:
            return [(str(found.angle), found.score)] if found else []
        if found and found.angle == 180 and found.score > self.reader.policy.turn_score:
            line = np.ascontiguousarray(line[::-1, ::-1])
        return [(read.text, read.score) for read in self.reader.recognize([line])]


class PageResult(dict[str, Any]):
    """A page as ``predict()`` of PaddleOCR 3.x returns it: a mapping with ``save_to_img``, ``save_to_json``, ``print``.

    Args:
        page: What was read.
        image: The image; None to read the source again for a drawing.
        drop_score: Below which lines were left out.
    """

    def __init__(self, page: OCRResult, image: ImageInput | None, drop_score: float) -> None:
        source, _, number = (page.source or "").partition(".pdf#")
        polygons = [np.rint(line.polygon).astype(np.int16) for line in page]
        boxes = [[*polygon.min(axis=0), *polygon.max(axis=0)] for polygon in polygons]
        super().__init__(
            input_path=(f"{source}.pdf" if number else page.source),
            page_index=int(number) - 1 if number.isdigit() else None,
            dt_polys=polygons,
            textline_orientation_angles=[int(line.angle == 180) for line in page],
            text_rec_score_thresh=drop_score,
            rec_texts=[line.text for line in page],
            rec_scores=[line.score for line in page],
            rec_polys=polygons,
            rec_boxes=np.array(boxes, np.int16).reshape(-1, 4),
        )
        self._page, self._image = page, image

    @property
    def json(self) -> dict[str, Any]:
        """Plain types under the key ``res``."""
        plain = {name: _plain(value) for name, value in self.items()}
        return {"res": plain}

    def print(self) -> None:
        """Write what :attr:`json` holds to standard output."""
        sys.stdout.write(f"{self.json}\n")

    def save_to_json(self, save_path: str | Path) -> None:
        """Write the mapping as JSON to a file, or as ``NAME_res.json`` into a folder."""
        text = json.dumps(self.json["res"], ensure_ascii=False, indent=4)
        files.write_text(self._target(save_path, "_res.json"), text + "\n", errors="backslashreplace")

    def save_to_img(self, save_path: str | Path) -> None:
        """Draw what was read to a file, or as ``NAME_ocr_res_img.jpg`` into a folder."""
        images.write(self._target(save_path, "_ocr_res_img.jpg"), self._page.draw(self._image))

    def _target(self, save_path: str | Path, ending: str) -> Path:
        path = Path(save_path)
        if not path.suffix:
            page = "" if self["page_index"] is None else f"_{self['page_index']}"
            path = path / f"{Path(self['input_path'] or 'image').stem}{page}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _refuse_unknown(given: dict[str, Any], method: str, known: tuple[str, ...]) -> None:
    for name in given:
        if name not in known:
            raise TypeError(f"PaddleOCR.{method}() has no argument {name!r}.{suggest(name, known)}")
