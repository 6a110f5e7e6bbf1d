"""Documents for LangChain, read from pictures and scans.

Example:
    >>> from ppocr_lite.integrations.langchain import PPOCRLiteLoader  # doctest: +SKIP
    >>> documents = PPOCRLiteLoader("scans/*.pdf").load()  # doctest: +SKIP

Source:
    langchain-core, https://reference.langchain.com/python/langchain-core/; the names of the metadata are those of
    PyPDFLoader in langchain-community.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ppocr_lite.install import missing
from ppocr_lite.predict.loading import Format, Loaded, Mode, as_file, find_sources, make_loading
from ppocr_lite.predict.skipping import OnError
from ppocr_lite.predict.system import OCR

try:
    from langchain_core.document_loaders import BaseBlobParser, BaseLoader
    from langchain_core.documents import Document
    from langchain_core.documents.base import Blob
except ModuleNotFoundError as error:
    raise missing(error) from error

__all__ = ["PPOCRLiteLoader", "PPOCRLiteParser"]


class PPOCRLiteLoader(BaseLoader):
    """Reads files into documents, a page or a file each.

    The metadata of a page: ``source``, the path of the file; ``page``, from 0, and ``page_label``, from 1;
    ``total_pages``; ``width`` and ``height`` in pixels; ``angle``, how far it stood turned clockwise, degrees; and
    ``score``, the mean confidence of its lines, if there are any. Of a file ``source``, ``total_pages`` and ``score``.

    Args:
        file_path: A file, a folder or a pattern such as ``"scans/*.png"``, or several of these. Images, TIFF and GIF of
            several frames, and, with the extra ``pdf``, PDF.
        mode: A document is a ``"page"``, or the whole ``"document"`` that a file is, form feeds between its pages.
        format: ``"text"``, or ``"markdown"``, with headings, paragraphs and tables.
        ocr: Reads them; None for one made of *options*.
        recursive: Look into the folders below, too.
        on_error: What to do about a page that cannot be read: ``"raise"``; ``"skip"``, which leaves it out, with a
            warning in the log; or a function of its name and the error, and then it is left out.
        password: Of encrypted PDF files.
        options: Arguments of :class:`~ppocr_lite.OCR`, such as ``lang="ch"``.

    Raises:
        ConfigError: If an argument has a wrong value.
        ModelError: If a model is missing.

    Example:
        >>> loader = PPOCRLiteLoader("scans", mode="document", format="markdown")  # doctest: +SKIP
        >>> for document in loader.lazy_load():  # doctest: +SKIP
        ...     print(document.metadata["source"], document.page_content)
    """

    def __init__(
        self,
        file_path: str | Path | Sequence[str | Path],
        *,
        mode: Mode = "page",
        format: Format = "text",
        ocr: OCR | None = None,
        recursive: bool = False,
        on_error: OnError = "raise",
        password: str | None = None,
        **options: Any,
    ) -> None:
        self.file_path, self.recursive = file_path, recursive
        self._loading = make_loading(ocr, options, mode=mode, format=format, on_error=on_error, password=password)

    def lazy_load(self) -> Iterator[Document]:
        """Yield the documents one at a time; a few pages are held, however many there are.

        Raises:
            ImageError: If there is nothing to read, or a page cannot be read and *on_error* is ``"raise"``.
            OCRError: If a PDF is to be read and pypdfium2 is not installed.
        """
        files = find_sources(self.file_path, self._loading.on_error, self.recursive)
        for loaded in self._loading.load(files):
            yield _document(loaded, self._loading.format, {"source": loaded.name})


class PPOCRLiteParser(BaseBlobParser):
    """Reads blobs, which LangChain's blob loaders bring from anywhere, into documents.

    The metadata is that of :class:`PPOCRLiteLoader`, and that of the blob.

    Args:
        mode: See :class:`PPOCRLiteLoader`, and for the others.
        format: Likewise.
        ocr: Likewise.
        on_error: Likewise.
        password: Likewise.
        options: Likewise.

    Raises:
        ConfigError: If an argument has a wrong value.
        ModelError: If a model is missing.
    """

    def __init__(
        self,
        *,
        mode: Mode = "page",
        format: Format = "text",
        ocr: OCR | None = None,
        on_error: OnError = "raise",
        password: str | None = None,
        **options: Any,
    ) -> None:
        self._loading = make_loading(ocr, options, mode=mode, format=format, on_error=on_error, password=password)

    def lazy_parse(self, blob: Blob) -> Iterator[Document]:
        """Yield the documents of a blob one at a time.

        Raises:
            ImageError: If it is no image or PDF that can be read and *on_error* is ``"raise"``.
            OCRError: If it is a PDF and pypdfium2 is not installed.
        """
        if blob.data is None:
            yield from self._parse(Path(str(blob.path)), blob)
            return
        with blob.as_bytes_io() as data, as_file(data) as path:
            yield from self._parse(path, blob)

    def _parse(self, path: Path, blob: Blob) -> Iterator[Document]:
        source = {} if blob.source is None else {"source": blob.source}
        for loaded in self._loading.load([(path, blob.source or "blob")]):
            yield _document(loaded, self._loading.format, {**blob.metadata, **source})


def _document(loaded: Loaded, kind: Format, known: dict[str, Any]) -> Document:
    return Document(page_content=loaded.text(kind), metadata={**known, **loaded.numbers()})
