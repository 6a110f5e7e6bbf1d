"""The engine on pages as Docling's own PDF and image backends make them; no model of Docling is needed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from ppocr_lite import OCR
from ppocr_lite.charset import Charset
from ppocr_lite.errors import ConfigError
from tests.conftest import draw_page

pytest.importorskip("docling", reason="needs the extra [docling]")
pytest.importorskip("pypdfium2", reason="a PDF is read")

from docling.backend.image_backend import ImageDocumentBackend  # noqa: E402
from docling.backend.pypdfium2_backend import PyPdfiumDocumentBackend  # noqa: E402
from docling.datamodel.accelerator_options import AcceleratorOptions  # noqa: E402
from docling.datamodel.base_models import Cluster, InputFormat, LayoutPrediction, Page  # noqa: E402
from docling.datamodel.document import ConversionResult, InputDocument  # noqa: E402
from docling.datamodel.pipeline_options import OcrMode  # noqa: E402
from docling.exceptions import OcrLanguageNotSupportedError  # noqa: E402
from docling.models.base_ocr_model import BaseOcrModel  # noqa: E402
from docling.models.factories.ocr_factory import OcrFactory  # noqa: E402
from docling.models.stages.page_preprocessing.page_preprocessing_model import (  # noqa: E402
    PagePreprocessingModel,
    PagePreprocessingOptions,
)
from docling_core.types.doc import BoundingBox, DocItemLabel  # noqa: E402

from ppocr_lite.integrations import docling as engine  # noqa: E402
from ppocr_lite.integrations.docling import PPOCRLiteOcrModel, PPOCRLiteOcrOptions  # noqa: E402

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[3]
DRAWN = draw_page((600, 800), lines=5, seed=3)
POINTS = 72 / 150  # a pixel of the drawn page
ALPHABETS = {  # beside a to z
    "da": "æøå", "de": "äöüß", "en": "", "es": "áéíñóúü¿¡", "fr": "àâæçéèêëîïôœùûüÿ", "it": "àèéìòù", "nb": "æøå",
    "nl": "éëï", "no": "æøå", "pt": "áâãàçéêíóôõú", "sv": "åäö",
}  # fmt: skip


def model(mode: OcrMode = OcrMode.FULL_PAGE, enabled: bool = True, **options: object) -> PPOCRLiteOcrModel:
    return PPOCRLiteOcrModel(
        enabled=enabled,
        artifacts_path=None,
        options=PPOCRLiteOcrOptions(mode=mode, **options),
        accelerator_options=AcceleratorOptions(num_threads=2, device="cpu"),
    )


def open_pages(path: Path, kind: InputFormat) -> tuple[ConversionResult, list[Page]]:
    """The pages of a file as Docling's pipelines prepare them before anything is read."""
    backend = PyPdfiumDocumentBackend if kind == InputFormat.PDF else ImageDocumentBackend
    document = InputDocument(path_or_stream=path, format=kind, backend=backend, filename=path.name)
    result = ConversionResult(input=document)
    for index in range(document.page_count):
        page = Page(page_no=index + 1)
        page._backend = document._backend.load_page(index)
        page.size = page._backend.get_size()
        result.pages.append(page)
    prepare = PagePreprocessingModel(PagePreprocessingOptions(images_scale=None))
    return result, list(prepare(result, result.pages))


def close(pages: Iterable[Page]) -> None:
    for page in pages:
        page._backend.unload()


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """The drawn page as a PDF, 150 pixels an inch."""
    path = tmp_path / "scan.pdf"
    PIL.Image.fromarray(cv2.cvtColor(DRAWN.image, cv2.COLOR_BGR2RGB)).save(path, resolution=150)
    return path


def box_of(polygon: np.ndarray, scale: float = POINTS) -> np.ndarray:
    return np.concatenate([polygon.min(axis=0), polygon.max(axis=0)]) * scale


def boxes_on(page: Page) -> np.ndarray:
    """(N, 4): left, top, right, bottom of each cell, points from the top left of the page."""
    boxes = [cell.rect.to_bounding_box().to_top_left_origin(page.size.height) for cell in page.cells]
    return np.array([(box.l, box.t, box.r, box.b) for box in boxes])


@pytest.mark.parametrize("scale", [2.0, 3.0])
def test_a_scanned_page_gets_its_lines_where_they_are(scan: Path, scale: float) -> None:
    result, pages = open_pages(scan, InputFormat.PDF)
    assert pages[0].cells == []
    (page,) = model(scale=scale)(result, pages)
    assert [cell.text for cell in page.cells] == list(DRAWN.texts)
    assert all(cell.from_ocr and 0.7 <= cell.confidence <= 1 for cell in page.cells)
    np.testing.assert_allclose(boxes_on(page), [box_of(polygon) for polygon in DRAWN.polys], atol=5)
    assert result.confidence.pages[1].ocr_score == pytest.approx(np.mean([cell.confidence for cell in page.cells]))
    close(pages)


def test_a_picture_is_a_page(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), DRAWN.image)
    result, pages = open_pages(path, InputFormat.IMAGE)
    (page,) = model(scale=1.0)(result, pages)
    assert [cell.text for cell in page.cells] == list(DRAWN.texts)
    scale = page.size.width / DRAWN.image.shape[1]
    np.testing.assert_allclose(boxes_on(page), [box_of(polygon, scale) for polygon in DRAWN.polys], atol=10 * scale)
    close(pages)


@pytest.mark.parametrize("mode", [OcrMode.LAYOUT_REGIONS, OcrMode.PDF_AWARE_LAYOUT_REGIONS, OcrMode.DEFAULT])
def test_only_the_regions_of_the_layout_are_read(scan: Path, mode: OcrMode) -> None:
    """Two regions, as a layout model would give them: around the second line, and around the last."""
    result, pages = open_pages(scan, InputFormat.PDF)
    chosen = (1, 4)
    clusters = [
        Cluster(
            id=index,
            label=DocItemLabel.TEXT,
            bbox=BoundingBox(**dict(zip("ltrb", box_of(DRAWN.polys[index]).tolist(), strict=True))),
        )
        for index in chosen
    ]
    pages[0].predictions.layout = LayoutPrediction(clusters=clusters)
    (page,) = model(mode)(result, pages)
    assert [cell.text for cell in page.cells] == [DRAWN.texts[index] for index in chosen]
    np.testing.assert_allclose(boxes_on(page), [box_of(DRAWN.polys[index]) for index in chosen], atol=5)
    assert [cell.index for cell in page.cells] == [0, 1]
    close(pages)


def test_text_of_a_pdf_stays_unless_the_whole_page_is_read(scan: Path) -> None:
    OCR(threads=2).ocr(DRAWN.image).save(scan.with_name("text.pdf"), DRAWN.image)
    for mode, read in ((OcrMode.PDF_AWARE_LAYOUT_REGIONS, False), (OcrMode.FULL_PAGE, True)):
        result, pages = open_pages(scan.with_name("text.pdf"), InputFormat.PDF)
        before = [cell.text for cell in pages[0].cells]
        assert before
        pages[0].predictions.layout = LayoutPrediction(clusters=[])  # nothing to read
        (page,) = model(mode)(result, pages)
        assert [cell.from_ocr for cell in page.cells] == [read] * len(page.cells)
        assert [cell.text for cell in page.cells] == (list(DRAWN.texts) if read else before)
        close(pages)


def test_a_line_on_its_head_begins_at_its_own_beginning(tmp_path: Path) -> None:
    path = tmp_path / "turned.png"
    cv2.imwrite(str(path), np.ascontiguousarray(DRAWN.image[::-1, ::-1]))
    result, pages = open_pages(path, InputFormat.IMAGE)
    (page,) = model(scale=1.0)(result, pages)
    assert [cell.text for cell in page.cells] == list(DRAWN.texts)
    assert {cell.rect.angle_360 // 10 for cell in page.cells} <= {17, 18}
    assert page.cells[0].rect.centre[1] > page.cells[-1].rect.centre[1]
    close(pages)


def test_a_model_that_is_switched_off_loads_nothing_and_lets_pages_through(scan: Path) -> None:
    result, pages = open_pages(scan, InputFormat.PDF)
    assert list(model(enabled=False, models="no such set")(result, pages)) == pages
    assert pages[0].cells == []
    close(pages)


def test_the_old_name_of_the_mode_is_understood() -> None:
    assert PPOCRLiteOcrOptions(force_full_page_ocr=True).mode == OcrMode.FULL_PAGE


@pytest.mark.parametrize(
    ("said", "lang"), [([], "en"), (["ch"], "ch"), (["iso:zh-CN"], "ch"), (["iso:de"], "en"), (["en"], "en")]
)
def test_a_language_chooses_the_recogniser(said: list[str], lang: str) -> None:
    assert model(lang=said)._ocr.lang == lang


def test_a_language_without_a_recogniser_is_an_error() -> None:
    for language in ("iso:ja", "de", "iso:ru"):
        with pytest.raises(OcrLanguageNotSupportedError, match="PPOCRLiteOcr"):
            model(lang=[language])


def test_the_recogniser_has_the_letters_of_its_languages() -> None:
    assert {f"{language}-Latn" for language in ALPHABETS} == set(engine.RECOGNISERS["en"])
    known = set(Charset.load("en").characters)
    for language, letters in ALPHABETS.items():
        assert set(letters) <= known, language


def test_options_reach_the_reader() -> None:
    assert model(arguments={"drop_score": 0.25})._ocr.drop_score == 0.25
    with pytest.raises(ConfigError, match="models"):
        model(lang=["en"], models="PP-OCRv6_small")
    with pytest.raises(TypeError, match="drop_skore"):
        model(arguments={"drop_skore": 0.25})


@pytest.mark.parametrize(("device", "ours"), [("auto", "cpu"), ("cpu", "cpu"), ("cuda", "gpu:0"), ("cuda:1", "gpu:1")])
def test_devices_are_called_as_ours(device: str, ours: str) -> None:
    assert engine._device(device) == ours


def test_docling_finds_the_engine_by_its_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"]["docling"] == {"ppocr_lite": engine.__name__}
    factory = OcrFactory()
    factory.process_plugin(engine.ocr_engines(), "ppocr_lite", engine.__name__)
    assert factory.registered_kind == ["ppocr_lite"]
    options = factory.create_options(kind="ppocr_lite")
    made = factory.create_instance(
        options, enabled=False, artifacts_path=None, accelerator_options=AcceleratorOptions()
    )
    assert isinstance(made, BaseOcrModel)
    assert made.get_options_type() is type(options) is PPOCRLiteOcrOptions
