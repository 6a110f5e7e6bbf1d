"""The reader in llama-index-core's own SimpleDirectoryReader."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from ppocr_lite.errors import ImageError
from tests.scans import PAGES, PICTURE, write_damaged, write_scans

pytest.importorskip("llama_index.core", reason="needs the extra [llama-index]")
pytest.importorskip("pypdfium2", reason="a PDF is read")

import fsspec  # noqa: E402
from llama_index.core import SimpleDirectoryReader  # noqa: E402
from llama_index.core.readers.base import BaseReader  # noqa: E402
from llama_index.core.schema import MetadataMode  # noqa: E402

from ppocr_lite.integrations.llama_index import PPOCRLiteReader  # noqa: E402


@pytest.fixture(scope="module")
def reader() -> PPOCRLiteReader:
    return PPOCRLiteReader(threads=2)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scans(tmp_path_factory.mktemp("scans"))


def test_a_directory_is_read(reader: PPOCRLiteReader, scans: Path) -> None:
    assert isinstance(reader, BaseReader)
    files = SimpleDirectoryReader(scans, file_extractor={".png": reader, ".pdf": reader}, raise_on_error=True)
    documents = files.load_data()
    assert [document.text for document in documents] == [PICTURE, *PAGES]
    last = documents[-1]
    assert {key: last.metadata[key] for key in ("file_name", "page_label", "page", "total_pages", "angle")} == {
        "file_name": "b.pdf", "page_label": "3", "page": 2, "total_pages": 3, "angle": 0
    }  # fmt: skip
    assert last.metadata["file_path"] == str(scans / "b.pdf"), "what the directory reader knows stays"


def test_numbers_of_a_page_reach_no_embedding(reader: PPOCRLiteReader, scans: Path) -> None:
    (document,) = reader.load_data(scans / "a.png", extra_info={"owner": "us"})
    for mode in (MetadataMode.EMBED, MetadataMode.LLM):
        said, text = document.get_content(mode).split("\n\n")
        assert text == PICTURE
        assert sorted(said.splitlines()) == ["file_name: a.png", "owner: us", "page_label: 1"]
    assert document.metadata["width"] == 400


def test_loading_is_lazy(reader: PPOCRLiteReader, scans: Path) -> None:
    documents = reader.lazy_load_data(scans / "b.pdf")
    assert next(documents).text == PAGES[0]
    documents.close()


def test_a_file_of_another_file_system_is_read(reader: PPOCRLiteReader, scans: Path) -> None:
    memory = fsspec.filesystem("memory")
    for path in scans.iterdir():
        memory.pipe_file(f"/scans/{path.name}", path.read_bytes())
    files = SimpleDirectoryReader("/scans", fs=memory, file_extractor={".png": reader, ".pdf": reader})
    assert [document.text for document in files.load_data()] == [PICTURE, *PAGES]


def test_a_copy_in_another_process_reads_the_same(reader: PPOCRLiteReader, scans: Path) -> None:
    copy = pickle.loads(pickle.dumps(reader))  # what SimpleDirectoryReader(num_workers=) sends
    assert [document.text for document in copy.load_data(scans / "a.png")] == [PICTURE]


def test_a_file_is_a_document(scans: Path, reader: PPOCRLiteReader) -> None:
    whole = PPOCRLiteReader(mode="document", format="markdown", threads=2)
    (document,) = whole.load_data(scans / "b.pdf")
    assert document.text.count("\n---\n") == 2
    assert "page" not in document.metadata


def test_what_cannot_be_read_is_an_error_or_left_out(reader: PPOCRLiteReader, tmp_path: Path) -> None:
    damaged = write_damaged(tmp_path)
    with pytest.raises(ImageError, match=r"damaged\.png"):
        reader.load_data(damaged)
    assert PPOCRLiteReader(on_error="skip", threads=2).load_data(damaged) == []
