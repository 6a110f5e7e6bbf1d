"""An OCR engine for Docling: an option of its PDF and image pipelines, found by its plugin system.

Example:
    >>> from docling.datamodel.pipeline_options import PdfPipelineOptions  # doctest: +SKIP
    >>> from ppocr_lite.integrations.docling import PPOCRLiteOcrOptions  # doctest: +SKIP
    >>> options = PdfPipelineOptions(
    ...     allow_external_plugins=True, ocr_options=PPOCRLiteOcrOptions()
    ... )  # doctest: +SKIP

Source:
    Docling, plugins, https://docling-project.github.io/docling/concepts/plugins/.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from ppocr_lite.install import missing
from ppocr_lite.predict.system import OCR
from ppocr_lite.textline import TextLine, reading_corners

try:
    from docling.datamodel.accelerator_options import AcceleratorOptions
    from docling.datamodel.base_models import Page
    from docling.datamodel.document import ConversionResult
    from docling.datamodel.pipeline_options import OcrOptions
    from docling.datamodel.settings import settings
    from docling.exceptions import OcrLanguageNotSupportedError
    from docling.models.base_ocr_model import BaseOcrModel
    from docling.utils.ocr_language import OcrLanguage, OcrLanguageSupport
    from docling.utils.profiling import TimeRecorder
    from docling_core.types.doc import BoundingBox, CoordOrigin
    from docling_core.types.doc.page import BoundingRectangle, TextCell
    from pydantic import Field
except ModuleNotFoundError as error:
    raise missing(error) from error

__all__ = ["PPOCRLiteOcrModel", "PPOCRLiteOcrOptions", "ocr_engines"]

# Languages whose letters the released recognisers have; the names of the recognisers themselves are taken as they are.
RECOGNISERS = {
    "ch": ("zh-Hans",),
    "en": tuple(f"{language}-Latn" for language in ("da", "de", "en", "es", "fr", "it", "nb", "nl", "no", "pt", "sv")),
}


class PPOCRLiteOcrOptions(OcrOptions):  # its arguments are fields of pydantic, so they are described there
    """Options of the engine ``ppocr_lite``, beside those that every engine of Docling has.

    Attributes:
        lang: ``["en"]`` or ``["ch"]``, or tags of BCP 47 such as ``["iso:de"]``; empty for ``OCR()``'s own.
        models: See :class:`~ppocr_lite.OCR`; then *lang* stays empty.
        arguments: Other arguments of :class:`~ppocr_lite.OCR`, by name, such as ``{"drop_score": 0.5}``.
    """

    kind: ClassVar[Literal["ppocr_lite"]] = "ppocr_lite"
    lang: Annotated[
        list[str],
        Field(description="`en` or `ch`, or BCP-47 tags behind `iso:`; empty for the released default."),
    ] = []
    models: Annotated[
        str | None,
        Field(description="Model set, such as `PP-OCRv6_small`, or a folder with networks; None for the released."),
    ] = None
    arguments: Annotated[
        dict[str, Any],
        Field(description="Other arguments of `ppocr_lite.OCR`, by name, such as `drop_score`."),
    ] = {}


class PPOCRLiteOcrModel(BaseOcrModel):
    """Reads the regions of a page that Docling chooses, by ``mode`` of the options, and gives it their lines.

    Args:
        enabled: Whether to read at all; otherwise pages pass through.
        artifacts_path: Folder of Docling's own models; not used.
        options: Of this engine.
        accelerator_options: The number of threads, and a device such as ``"cuda:0"``; ``"auto"`` is the CPU.

    Raises:
        ModelError: If a model is missing.
        ConfigError: If an argument has a wrong value, or *lang* and *models* are both given.
        OcrLanguageNotSupportedError: If no released recogniser has the letters of a language.
    """

    def __init__(
        self,
        *,
        enabled: bool,
        artifacts_path: Path | None,
        options: PPOCRLiteOcrOptions,
        accelerator_options: AcceleratorOptions,
    ) -> None:
        super().__init__(
            enabled=enabled, artifacts_path=artifacts_path, options=options, accelerator_options=accelerator_options
        )
        self.options = options
        self._ocr: OCR | None = None
        if enabled:
            codes = self.resolve_ocr_languages()
            arguments: dict[str, Any] = {
                "threads": accelerator_options.num_threads,
                "device": _device(str(getattr(accelerator_options.device, "value", accelerator_options.device))),
                **({"lang": codes[0]} if codes else {}),
                **({"models": options.models} if options.models else {}),
            }
            self._ocr = OCR(**arguments | options.arguments)

    @classmethod
    def get_options_type(cls) -> type[OcrOptions]:
        """Return the class of the options."""
        return PPOCRLiteOcrOptions

    def supported_ocr_languages(self) -> OcrLanguageSupport:
        """Return the languages that there is a released recogniser for."""
        tags = [tag for tags in RECOGNISERS.values() for tag in tags]
        return OcrLanguageSupport(bcp47=sorted(tags), native=sorted(RECOGNISERS))

    def map_ocr_language(self, language: OcrLanguage) -> str:
        """Return the name of the recogniser for a language.

        Raises:
            OcrLanguageNotSupportedError: If there is none.
        """
        said = language.native if language.is_passthrough() else language.bcp47()
        for name, tags in RECOGNISERS.items():
            if said in (name, *tags):
                return name
        raise OcrLanguageNotSupportedError(self._engine_name, language.tag(), supported=self.supported_ocr_languages())

    def __call__(self, conv_res: ConversionResult, page_batch: Iterable[Page]) -> Iterable[Page]:
        """Yield the pages, each with the lines that were read on it among its text cells."""
        for page in page_batch:
            if self._ocr is not None and page._backend is not None and page._backend.is_valid():
                with TimeRecorder(conv_res, "ocr"):
                    regions = self.get_ocr_rects(page)
                    cells = [cell for region in regions for cell in self._read(self._ocr, page, region)]
                    self.post_process_cells(cells, page, conv_res)
                if settings.debug.visualize_ocr:
                    self.draw_ocr_rects_and_cells(conv_res, page, regions)
            yield page

    def _read(self, ocr: OCR, page: Page, region: BoundingBox) -> list[TextCell]:
        """Return the lines of a region, (left, top, right, bottom) in points from the top left of the page."""
        if region.area() == 0:
            return []
        picture = page._backend.get_page_image(scale=self.options.scale, cropbox=region)
        lines = ocr.ocr(picture)
        # The picture is of whole pixels, so its scale may differ a little from what was asked for.
        height, width = lines.size
        scale = np.array([region.width / width, region.height / height])
        return [
            TextCell(
                index=index,
                text=line.text,
                orig=line.text,
                confidence=line.score,
                from_ocr=True,
                rect=_rectangle(line, scale, np.array([region.l, region.t])),
            )
            for index, line in enumerate(lines)
        ]


def ocr_engines() -> dict[str, list[type[BaseOcrModel]]]:
    """Return what Docling asks its plugins for."""
    return {"ocr_engines": [PPOCRLiteOcrModel]}


def _rectangle(line: TextLine, scale: np.ndarray, origin: np.ndarray) -> BoundingRectangle:
    """Return the place of a line on the page; its corners as Docling has them, from the bottom left anticlockwise.

    Args:
        line: In pixels of the picture of a region.
        scale: Points a pixel, (x, y).
        origin: Top left corner of the region on the page, (x, y) in points.
    """
    top_left, top_right, bottom_right, bottom_left = (
        np.array(reading_corners(line.polygon, line.angle)) * scale + origin
    )
    corners = np.array([bottom_left, bottom_right, top_right, top_left])
    named = {f"r_{axis}{n}": float(corner[i]) for n, corner in enumerate(corners) for i, axis in enumerate("xy")}
    return BoundingRectangle(**named, coord_origin=CoordOrigin.TOPLEFT)


def _device(name: str) -> str:
    """Return how :class:`OCR` calls a device of Docling."""
    kind, _, number = name.partition(":")
    return f"gpu:{number or 0}" if kind == "cuda" else "cpu"
