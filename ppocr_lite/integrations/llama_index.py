"""Documents for LlamaIndex, read from pictures and scans.

Example:
    >>> from llama_index.core import SimpleDirectoryReader  # doctest: +SKIP
    >>> from ppocr_lite.integrations.llama_index import PPOCRLiteReader  # doctest: +SKIP
    >>> reader = PPOCRLiteReader()  # doctest: +SKIP
    >>> files = SimpleDirectoryReader("scans", file_extractor={".png": reader, ".pdf": reader})  # doctest: +SKIP
    >>> documents = files.load_data()  # doctest: +SKIP

Source:
    llama-index-core, https://developers.llamaindex.ai/python/framework/.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Any

from ppocr_lite.install import missing
from ppocr_lite.predict.loading import Format, Mode, as_file, make_loading
from ppocr_lite.predict.skipping import OnError
from ppocr_lite.predict.system import OCR

try:
    from llama_index.core.readers.base import BaseReader
    from llama_index.core.schema import Document
except ModuleNotFoundError as error:
    raise missing(error) from error

__all__ = ["PPOCRLiteReader"]

# What says nothing about the content of a page, and is kept from embeddings and language models.
ASIDE = ("page", "total_pages", "width", "height", "angle", "score")


class PPOCRLiteReader(BaseReader):
    """Reads a file into documents, a page or the file each.

    The metadata of a page: ``file_name``, ``page_label``, from 1, and ``page``, from 0; ``total_pages``; ``width`` and
    ``height`` in pixels; ``angle``, how far it stood turned clockwise, degrees; ``score``, the mean confidence of its
    lines, if there are any. Of a file ``file_name``, ``total_pages`` and ``score``. Only the first two reach embeddings
    and language models.

    Args:
        mode: A document is a ``"page"``, or the whole ``"document"`` that a file is, form feeds between its pages.
        format: ``"text"``, or ``"markdown"``, with headings, paragraphs and tables.
        ocr: Reads them; None for one made of *options*.
        on_error: What to do about a page that cannot be read: ``"raise"``; ``"skip"``, which leaves it out, with a
            warning in the log; or a function of its name and the error, and then it is left out.
        password: Of encrypted PDF files.
        options: Arguments of :class:`~ppocr_lite.OCR`, such as ``lang="ch"``.

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

    def lazy_load_data(
        self, file: str | PurePath, extra_info: dict[str, Any] | None = None, fs: Any = None
    ) -> Iterator[Document]:
        """Yield the documents of a file one at a time; ``load_data`` takes the same and returns a list.

        Args:
            file: Its path.
            extra_info: More metadata of each document.
            fs: The file system of fsspec where it is; None for this machine's.

        Raises:
            ImageError: If it is no image or PDF that can be read and *on_error* is ``"raise"``.
            OCRError: If it is a PDF and pypdfium2 is not installed.
        """
        if fs is None:
            yield from self._load(Path(file), str(file), extra_info)
            return
        with fs.open(str(file), "rb") as source, as_file(source) as path:
            yield from self._load(path, str(file), extra_info)

    def _load(self, path: Path, name: str, extra_info: dict[str, Any] | None) -> Iterator[Document]:
        known = {"file_name": PurePath(name).name} | (extra_info or {})
        for loaded in self._loading.load([(path, name)]):
            yield Document(
                text=loaded.text(self._loading.format),
                metadata={**known, **loaded.numbers()},
                excluded_embed_metadata_keys=list(ASIDE),
                excluded_llm_metadata_keys=list(ASIDE),
            )
