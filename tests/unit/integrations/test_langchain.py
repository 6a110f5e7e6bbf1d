"""The loader and the parser in langchain-core's own classes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ppocr_lite import OCR
from ppocr_lite.errors import ConfigError, ImageError
from tests.scans import PAGES, PICTURE, write_damaged, write_scans

pytest.importorskip("langchain_core", reason="needs the extra [langchain]")
pytest.importorskip("pypdfium2", reason="a PDF is read")

from langchain_core.document_loaders import BaseBlobParser, BaseLoader, BlobLoader  # noqa: E402
from langchain_core.documents.base import Blob  # noqa: E402

from ppocr_lite.integrations.langchain import PPOCRLiteLoader, PPOCRLiteParser  # noqa: E402


@pytest.fixture(scope="module")
def ocr() -> OCR:
    return OCR(threads=2)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scans(tmp_path_factory.mktemp("scans"))


def test_a_page_is_a_document_with_its_metadata(ocr: OCR, scans: Path) -> None:
    loader = PPOCRLiteLoader(scans, ocr=ocr)
    assert isinstance(loader, BaseLoader)
    documents = loader.load()
    assert [document.page_content for document in documents] == [PICTURE, *PAGES]
    last = documents[-1].metadata
    height, width = list(ocr.stream(scans / "b.pdf"))[-1].size
    assert {key: value for key, value in last.items() if key != "score"} == {
        "source": str(scans / "b.pdf"),
        "page": 2,
        "page_label": "3",
        "total_pages": 3,
        "width": width,
        "height": height,
        "angle": 0,
    }
    assert 0.5 < last["score"] <= 1
    assert all(isinstance(value, str | int | float) for value in last.values()), "what vector stores take"


def test_a_file_is_a_document(ocr: OCR, scans: Path) -> None:
    loader = PPOCRLiteLoader([scans / "*.pdf", scans / "a.png"], mode="document", format="markdown", ocr=ocr)
    first, second = loader.lazy_load()
    assert (first.metadata["source"], first.metadata["total_pages"]) == (str(scans / "b.pdf"), 3)
    assert first.page_content.count("\n---\n") == 2
    assert second.page_content.endswith(PICTURE + "\n")


def test_loading_is_lazy(ocr: OCR, scans: Path) -> None:
    documents = PPOCRLiteLoader(scans / "b.pdf", ocr=ocr).lazy_load()
    assert next(documents).page_content == PAGES[0]
    documents.close()


def test_documents_come_asynchronously(ocr: OCR, scans: Path) -> None:
    documents = asyncio.run(PPOCRLiteLoader(scans, ocr=ocr).aload())
    assert [document.page_content for document in documents] == [PICTURE, *PAGES]


def test_errors_are_raised_or_left_out(ocr: OCR, tmp_path: Path) -> None:
    write_scans(tmp_path)
    damaged = write_damaged(tmp_path)
    with pytest.raises(ImageError, match=r"damaged\.png"):
        PPOCRLiteLoader(tmp_path, ocr=ocr).load()
    told: list[str | None] = []
    loader = PPOCRLiteLoader(tmp_path, ocr=ocr, on_error=lambda name, error: told.append(name))
    assert len(loader.load()) == 4
    assert told == [str(damaged)]


def test_a_wrong_argument_fails_before_anything_is_read(ocr: OCR) -> None:
    with pytest.raises(ConfigError, match="mode='single'"):
        PPOCRLiteLoader("none", mode="single", ocr=ocr)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="drop_skore"):
        PPOCRLiteLoader("none", drop_skore=0.5)


class Scans(BlobLoader):
    """A loader of blobs, as LangChain has them for folders and buckets."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def yield_blobs(self):
        for path in sorted(self.folder.iterdir()):
            yield Blob.from_path(path)
            yield Blob.from_data(path.read_bytes(), metadata={"source": f"s3://scans/{path.name}", "owner": "us"})


def test_a_parser_reads_blobs_of_files_and_of_memory(ocr: OCR, scans: Path) -> None:
    parser = PPOCRLiteParser(ocr=ocr)
    assert isinstance(parser, BaseBlobParser)
    documents = [document for blob in Scans(scans).yield_blobs() for document in parser.lazy_parse(blob)]
    assert [document.page_content for document in documents] == [PICTURE, PICTURE, *PAGES, *PAGES]
    assert [document.metadata["source"] for document in documents[:3]] == [
        str(scans / "a.png"), "s3://scans/a.png", str(scans / "b.pdf")
    ]  # fmt: skip
    assert documents[-1].metadata["owner"] == "us"
    assert documents[-1].metadata["page"] == 2


def test_an_error_of_a_blob_names_its_source(ocr: OCR) -> None:
    blob = Blob.from_data(b"no picture", metadata={"source": "s3://scans/c.png"})
    with pytest.raises(ImageError, match="^s3://scans/c.png: "):
        PPOCRLiteParser(ocr=ocr).parse(blob)
    with pytest.raises(ImageError, match="^blob: "):
        PPOCRLiteParser(ocr=ocr).parse(Blob.from_data(b"no picture"))
