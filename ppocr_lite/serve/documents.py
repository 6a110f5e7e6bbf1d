"""The documents in the body of a request: raw, as a form, or as JSON with base64.

All of this runs where pages are decoded, in a few threads, so that what it needs for one body is not needed for all.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import shutil
from collections.abc import Callable, Generator, Iterable, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from python_multipart.exceptions import FormParserError, MultipartParseError
from python_multipart.multipart import Field, File, create_form_parser

from ppocr_lite.errors import OCRError, PasswordError
from ppocr_lite.io.formats import FORMATS
from ppocr_lite.io.images import Image
from ppocr_lite.io.pages import read_every_page
from ppocr_lite.serve.problems import ProblemError
from ppocr_lite.serve.upload import Upload

Page = tuple[str, Image | OCRError]
FORM, JSON = "multipart/form-data", "application/json"
PASSWORD, PASSWORD_HEADER = "password", "X-PDF-Password"
ACCEPTED = "an image, a TIFF or a PDF; as the body itself, as the file of a form, or in JSON as base64"
NAME = "upload"  # of a document that brings none
_LONGEST_NAME = 200
_MOST_FIELDS = 20
_LOOK = 1024  # first bytes that tell an image or a PDF
_DATA_URL = re.compile(r"data:[^,]{0,200};base64,")


class Document(NamedTuple):
    """A file to read.

    Attributes:
        path: Where it is.
        name: What it is called in answers and messages.
        password: Of an encrypted PDF.
    """

    path: Path
    name: str
    password: str | None = None

    def __repr__(self) -> str:  # which may get into a log, where no password belongs
        return f"Document({self.path!r}, {self.name!r})"

    @property
    def is_pdf(self) -> bool:
        """Whether it is read as a PDF."""
        with self.path.open("rb") as file:
            return b"%PDF-" in file.read(_LOOK)

    def shown(self, text: str) -> str:
        """Return *text* with the name instead of where the file is."""
        return text.replace(str(self.path), self.name)

    def named(self, error: OCRError) -> OCRError:
        """Return *error* likewise."""
        return type(error)(self.shown(str(error)))


def find_document(upload: Upload, content_type: str, password: str | None = None) -> Document:
    """Return the one document of a body.

    Args:
        upload: The body.
        content_type: What it is.
        password: Of an encrypted PDF; one in a form or JSON goes before it.

    Raises:
        ProblemError: If there is none, there are several, or it is neither an image nor a PDF.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        document = _from_form(upload, content_type)
        upload.body.unlink()  # its file is beside it now
    elif kind == JSON:
        content = _read_json(upload.body)
        name = content.get("name", NAME)
        said = content.get(PASSWORD)
        for field, value in (("name", name), (PASSWORD, said or "")):
            if not isinstance(value, str):
                detail = f"{field} must be a string. Received: {type(value).__name__}"
                raise ProblemError(422, detail, kind="invalid-body")
        password = password if said is None else said
        document = _from_base64(upload, content.get("image"), "image", name)
        upload.body.unlink()
    else:
        document = Document(upload.body, NAME)
    check_kind(document)
    return document if document.password is not None else document._replace(password=password)


def find_images(upload: Upload, most: int) -> list[Document]:
    """Return the documents of ``{"images": [base64, …]}``.

    Args:
        upload: The body.
        most: How many there may be.

    Raises:
        ProblemError: If the body is of another form, or there are more.
    """
    images = _read_json(upload.body).get("images")
    if not isinstance(images, list) or not images:
        raise ProblemError(422, 'The body must be {"images": [base64, …]} with one image or more.', kind="invalid-body")
    if len(images) > most:
        raise ProblemError(
            413, f"At most {most} images are read at once. Received: {len(images)}", kind="too-many-pages"
        )
    found = [
        _from_base64(upload, image, f"images[{number}]", f"images[{number}]") for number, image in enumerate(images)
    ]
    for document in found:
        check_kind(document)
    return found


def read_document(
    document: Document, pages: str | None, max_pixels: int, counted: Callable[[int], None]
) -> Generator[Page, None, None]:
    """Yield the name and the pixels of each page, or why it cannot be read.

    Raises:
        ProblemError: If it is a PDF that wants a password, or another one.
    """
    for name, found in read_every_page(document.path, pages, max_pixels, document.password, counted):
        if isinstance(found, PasswordError):
            raise _encrypted(document)
        yield document.shown(name), document.named(found) if isinstance(found, OCRError) else found


def read_first_pages(documents: Sequence[Document], max_pixels: int) -> Generator[Page, None, None]:
    """Yield the first page of each document."""
    none: Callable[[int], None] = lambda count: None  # noqa: E731
    for document in documents:
        check_packages(document, written_over=False)
    yield from chain.from_iterable(read_document(document, "1", max_pixels, none) for document in documents)


def check_packages(document: Document, written_over: bool) -> None:
    """Refuse a PDF if what it needs is not installed here.

    Args:
        document: What is to be read.
        written_over: Whether text is to be laid over its pages.

    Raises:
        ProblemError: Names the package.
    """
    needed = ("pypdfium2", "pikepdf") if written_over else ("pypdfium2",)
    absent = [package for package in needed if find_spec(package) is None]
    if absent and document.is_pdf:
        what = "reading a PDF" if "pypdfium2" in absent else "laying text over the pages of a PDF, format=pdf,"
        detail = f"{document.name}: {what} needs the package {absent[0]}, which this service lacks: its extra [pdf]."
        raise ProblemError(501, detail, kind="not-installed")


def _encrypted(document: Document) -> ProblemError:
    if document.password is None:
        fault = f"Send its password to /v1/ocr: in the header {PASSWORD_HEADER}, or as {PASSWORD} in the form or JSON"
    else:
        fault = "The password that was sent does not open it"
    return ProblemError(422, f"{document.name}: the PDF is encrypted. {fault}.", kind="password")


def check_kind(document: Document) -> None:
    """Refuse what is neither an image nor a PDF by its first bytes.

    Raises:
        ProblemError: If it is empty (422) or of another kind (415).
    """
    with document.path.open("rb") as file:
        start = file.read(_LOOK)
    if not start:
        raise ProblemError(422, f"{document.name}: empty (0 bytes). Send {ACCEPTED}.", kind="empty")
    if not (document.is_pdf or any(known.begins(start[:64]) for known in FORMATS)):
        detail = f"{document.name}: neither an image nor a PDF: it begins with {start[:16]!r}. Send {ACCEPTED}."
        raise ProblemError(415, detail)


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ProblemError(422, f"The body is not JSON: {str(error)[:200]}", kind="invalid-body") from error
    if not isinstance(content, dict):
        raise ProblemError(422, "The body must be a JSON object.", kind="invalid-body")
    return content


def _from_base64(upload: Upload, text: object, field: str, name: str) -> Document:
    if not isinstance(text, str):
        raise ProblemError(422, f"{field} must be an image or PDF in base64. Send {ACCEPTED}.", kind="invalid-body")
    start = _DATA_URL.match(text)
    try:
        data = base64.b64decode("".join(text[start.end() if start else 0 :].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProblemError(422, f"{field} is not base64: {error}", kind="invalid-body") from error
    path = upload.folder / f"document{len(list(upload.folder.iterdir()))}"
    path.write_bytes(data)
    return Document(path, clean_name(name))


def _from_form(upload: Upload, content_type: str) -> Document:
    files: list[File] = []
    said: dict[str, str] = {}

    def take(file: File) -> None:
        files.append(file)
        if len(files) > 1:
            raise ProblemError(422, "A form must hold one file. Send one request for each.", kind="invalid-body")

    def note(field: Field) -> None:  # options come in the query
        if field.field_name == PASSWORD.encode():
            said[PASSWORD] = (field.value or b"").decode("utf-8", "replace")

    headers = {"Content-Type": content_type.encode("latin-1", "replace")}
    config = {"UPLOAD_DIR": str(upload.folder), "MAX_FIELDS": _MOST_FIELDS}
    try:
        parser = create_form_parser(headers, note, take, config)
        with upload.body.open("rb") as body:
            for chunk in iter(lambda: body.read(65536), b""):
                parser.write(chunk)
        parser.finalize()
        parser.close()
        if not files:
            raise ProblemError(422, f"The form holds no file. Send {ACCEPTED}.", kind="invalid-body")
        path = upload.folder / "file"
        files[0].file_object.seek(0)
        with path.open("wb") as target:
            shutil.copyfileobj(files[0].file_object, target)
        name = clean_name((files[0].file_name or b"").decode("utf-8", "replace"))
        return Document(path, name, said.get(PASSWORD))
    except (FormParserError, MultipartParseError, ValueError) as error:
        raise ProblemError(422, f"The form cannot be read: {str(error)[:200]}", kind="invalid-body") from error
    finally:
        _close(files)


def _close(files: Iterable[File]) -> None:
    for file in files:
        file.close()


def clean_name(name: str) -> str:
    """Return what a document is called in answers: the last part of the name it brings, without what does not print."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(character for character in last if character.isprintable())[:_LONGEST_NAME].strip() or NAME
