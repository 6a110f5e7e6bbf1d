"""Label Studio: pages are read before a person labels them, and what the person has corrected becomes a label file.

python -m ppocr_lite.integrations.label_studio --root media --labels media/corrected.txt

It is an ML backend: ``/predict`` answers with a region and a transcription for each line, and ``/webhook`` takes
annotations into a label file; ``ppocr-lite convert label-studio`` takes them from an export. Only images below *root*
are read, and, through the helper of Label Studio's own SDK, those of servers that are named; these are kept in
``root/downloads``.

Source:
    What Label Studio 1.23 sends and expects (``label_studio/ml/api_connector.py``, ``ml/models.py``), and
    label-studio-sdk 2.1, whose ``LabelInterface`` reads the labelling configs. The package ``label-studio-ml`` of the
    index is of 2023, asks for Flask 1 and replaces the module ``attr``, so nothing is built on it.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import logging
import math
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ppocr_lite import files
from ppocr_lite.data.label_studio import POLYGONS, RECTANGLES, WHOLE, file_below, image_address, regions
from ppocr_lite.errors import ConfigError, DataError, OCRError, shown
from ppocr_lite.install import need, optional
from ppocr_lite.predict.released import LANGUAGES
from ppocr_lite.predict.system import OCR
from ppocr_lite.results import OCRResult
from ppocr_lite.textline import Points, TextLine, reading_corners
from ppocr_lite.transforms.labels import read_lines
from ppocr_lite.version import __version__

MODEL_VERSION = f"ppocr_lite {__version__}"
USUAL_LABEL = "Text"  # taken if the config has it, else its first
CLOUD = ("s3", "gs", "azure-blob")  # Label Studio hands out links to these
DOWNLOADS = "downloads"
EVENTS = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED")
LOCAL = "127.0.0.1"
PORT = 9090  # where Label Studio's own backends listen

_interface = optional("label_studio_sdk.label_interface")
_sdk_io = optional("label_studio_sdk._extensions.label_studio_tools.core.utils.io")
_fastapi, _uvicorn = optional("fastapi"), optional("uvicorn")
logger = logging.getLogger(__name__)


class Layout(NamedTuple):
    """Which tags of a labelling config take a line.

    Attributes:
        image: Name of the tag of the image.
        key: Under which key of a task's data its address stands.
        rectangle: Type and name of the tag of rectangles; None if there is none.
        polygon: Likewise of polygons. At least one of the two is there.
        labels: Name of the ``Labels`` tag beside tags without labels of their own; None if there is none.
        label: The label that lines get; None if there are none.
        text: Name of the tag of transcriptions, a ``TextArea`` for each region.
    """

    image: str
    key: str
    rectangle: tuple[str, str] | None
    polygon: tuple[str, str] | None
    labels: str | None
    label: str | None
    text: str


def read_layout(config: str) -> Layout:
    """Return where a labelling config (XML) wants lines.

    Raises:
        ConfigError: If it is not one for OCR: an ``Image``, a tag of rectangles or polygons, and a ``TextArea``.
        OCRError: If label-studio-sdk is not installed.
    """
    need("label_studio_sdk")
    try:
        interface = _interface.LabelInterface(config)
    except Exception as error:  # noqa: BLE001 - the SDK names no errors: any is one of the config
        raise ConfigError(f"Not a labelling config of Label Studio: {error}. Received: {shown(config)}") from error
    images = [tag for tag in interface.objects if tag.tag == "Image"]
    tags = {tag.tag.lower(): tag for tag in interface.controls if images and images[0].name in tag.to_name}
    rectangle, polygon = (
        next(((kind, str(tags[kind].name)) for kind in kinds if kind in tags), None) for kinds in (RECTANGLES, POLYGONS)
    )
    shapes = [shape for shape in (rectangle, polygon) if shape is not None]
    if not images or not shapes or "textarea" not in tags:
        raise ConfigError(
            "A labelling config for OCR has an Image, a Rectangle, RectangleLabels, Polygon or PolygonLabels, and a "
            f"TextArea of it. There are: {', '.join(sorted(tags)) or 'none'}."
        )
    plain = any(not kind.endswith("labels") for kind, _ in shapes)
    named = tags.get("labels") if plain else tags[shapes[0][0]]
    known = list(named.labels or ()) if named else []
    return Layout(
        image=images[0].name,
        key=images[0].value.lstrip("$"),
        rectangle=rectangle,
        polygon=polygon,
        labels=named.name if plain and named else None,
        label=USUAL_LABEL if USUAL_LABEL in known else next(iter(known), None),
        text=tags["textarea"].name,
    )


def prediction(page: OCRResult, layout: Layout) -> dict[str, Any]:
    """Return what was read on a page as a prediction of Label Studio: for each line its region and its text.

    Places are per cent of the sides of the image. A rectangle is turned clockwise about its first corner, by
    ``rotation``; one that would be longer than the image is wide is given by its bounds.

    Args:
        page: What was read.
        layout: Where the labelling config wants it.
    """
    result = [part for number, line in enumerate(page) for part in _regions(line, f"line_{number}", page.size, layout)]
    score = sum(line.score for line in page) / len(page) if len(page) else 0.0
    return {"model_version": MODEL_VERSION, "score": round(score, 4), "result": result}


def _regions(line: TextLine, name: str, size: tuple[int, int], layout: Layout) -> Iterator[dict[str, Any]]:
    outlined = layout.rectangle is None or (layout.polygon is not None and len(line.polygon) != 4)
    kind, control = (layout.polygon if outlined else layout.rectangle) or ("", "")  # one of them is there
    place = _outline(line.polygon, size) if outlined else _rectangle(line, size)
    labelled = {kind: [layout.label]} if kind.endswith("labels") and layout.label else {}
    parts: list[tuple[str, str, dict[str, Any]]] = [(kind, control, labelled)]
    if layout.labels and layout.label:
        parts.append(("labels", layout.labels, {"labels": [layout.label]}))
    parts.append(("textarea", layout.text, {"text": [line.text]}))
    for kind, control, value in parts:
        yield {
            "id": name,
            "type": kind,
            "from_name": control,
            "to_name": layout.image,
            "original_width": size[1],
            "original_height": size[0],
            "image_rotation": 0,
            "score": round(line.score, 4),
            "value": place | value,
        }


def _outline(polygon: Points, size: tuple[int, int]) -> dict[str, Any]:
    return {"points": (polygon / (size[1], size[0]) * WHOLE).round(4).tolist(), "closed": True}


def _rectangle(line: TextLine, size: tuple[int, int]) -> dict[str, Any]:
    height, width = size
    first, second, _, last = reading_corners(line.polygon, line.angle)
    across, down = math.dist(first, second) / width * WHOLE, math.dist(first, last) / height * WHOLE
    turned = math.degrees(math.atan2(second[1] - first[1], second[0] - first[0])) % 360
    if max(across, down) > WHOLE:
        (left, top), (right, bottom) = line.polygon.min(axis=0).tolist(), line.polygon.max(axis=0).tolist()
        first, turned = (left, top), 0.0
        across, down = (right - left) / width * WHOLE, (bottom - top) / height * WHOLE
    place = {"x": first[0] / width * WHOLE, "y": first[1] / height * WHOLE, "width": across, "height": down}
    return {name: round(min(value, WHOLE), 4) for name, value in place.items()} | {"rotation": round(turned, 4)}


class Images:
    """Where the images of tasks are: below one folder, and on the server that is named.

    Args:
        root: The only folder that files are read from: the media folder of Label Studio, with ``upload`` in it, or
            its root of local files.
        host: Address of Label Studio, such as ``http://127.0.0.1:8080``; None to read files alone.
        token: Its access token; by default the SDK looks into ``LABEL_STUDIO_API_KEY``.
        hosts: Names of other servers that images may be fetched from.
    """

    def __init__(
        self, root: Path, host: str | None = None, token: str | None = None, hosts: Iterable[str] = ()
    ) -> None:
        self.root = root.resolve()
        self._host, self._token = host, token
        self._hosts = {*hosts, *filter(None, [urlsplit(host or "").hostname])}

    def find(self, address: str, task: int | None = None) -> Path | bytes:
        """Return the image of a task: its file, or what it holds if the address itself does (``data:``).

        Args:
            address: As the data of the task have it.
            task: Number of the task, for images in a cloud.

        Raises:
            DataError: If the image is elsewhere than in the folder or on the servers, or cannot be fetched.
        """
        scheme = urlsplit(address).scheme
        if scheme == "data":
            return _inline(address)
        if scheme in ("http", "https") and urlsplit(address).hostname not in self._hosts:
            known = ", ".join(sorted(self._hosts)) or "none"
            raise DataError(f"{shown(address)}: images are not fetched from there. Servers: {known}; see --allow-host.")
        if scheme in ("http", "https", *CLOUD):
            return self._fetch(address, task)
        if scheme:
            raise DataError(
                f"{shown(address)}: images are files, data:, http, https, or of a cloud. Received: {scheme}:"
            )
        return file_below(self.root, address) or self._fetch(address, task)

    def _fetch(self, address: str, task: int | None) -> Path:
        if self._host is None:
            raise DataError(
                f"{shown(address)}: no file below {self.root}, and no server of Label Studio is named: --host."
            )
        folder = self.root / DOWNLOADS
        folder.mkdir(exist_ok=True)
        # A whole address, so that the helper fetches it; of a bare path it would look for a file of its own.
        whole = address if urlsplit(address).scheme else f"{self._host.rstrip('/')}/{address.removeprefix('/')}"
        need("label_studio_sdk")
        try:
            found = _sdk_io.get_local_path(
                whole, cache_dir=str(folder), hostname=self._host, access_token=self._token, task_id=task
            )
        except Exception as error:  # noqa: BLE001 - whatever the SDK and its HTTP raise, the image is not there
            raise DataError(f"{shown(address)}: cannot be fetched: {error}") from error
        return Path(found)


def _inline(address: str) -> bytes:
    """Return what a ``data:`` address holds."""
    head, comma, body = address.partition(",")
    try:
        if not comma or not head.endswith(";base64"):
            raise ValueError("it is not base64")
        return base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error) as error:
        raise DataError(f"{shown(address)}: no image that data: holds: {error}") from error


class Backend:
    """What the ML backend does, whatever brings the requests.

    Args:
        ocr: Reads the pages; one for all requests.
        images: Where they are.
        labels: Label file that corrections go to; None to take none.
    """

    def __init__(self, ocr: OCR, images: Images, labels: Path | None = None) -> None:
        self._ocr, self._images, self._labels = ocr, images, labels
        self._writing = threading.Lock()

    def predict(self, tasks: Sequence[Mapping[str, Any]], config: str) -> list[list[dict[str, Any]]]:
        """Return the predictions of each task: one, or none if its image cannot be read, which a warning says."""
        layout = read_layout(config)
        results: list[list[dict[str, Any]]] = []
        for task in tasks:
            where = f"task {task.get('id')}"
            try:
                image = self._images.find(image_address(task["data"], where, layout.key), task.get("id"))
                results.append([prediction(self._ocr.ocr(image), layout)])
            except OCRError as error:
                logger.warning("%s is left out: %s", where, error)
                results.append([])
        return results

    def take(self, event: Mapping[str, Any]) -> bool:
        """Put an annotation that a webhook sends into the label file, in the place of what is there of its image.

        Returns:
            Whether it was one.

        Raises:
            DataError: If it cannot be a label.
        """
        if self._labels is None or event.get("action") not in EVENTS:
            return False
        task, project = event["task"], event.get("project") or {}
        key = read_layout(project["label_config"]).key if project.get("label_config") else None
        where = f"task {task.get('id')}"
        image = self._images.find(image_address(task["data"], where, key), task.get("id"))
        if isinstance(image, bytes):
            raise DataError(f"{where}: its image has no file, it stands in the task itself. A label file names files.")
        entries = regions(event["annotation"]["result"], where)
        name = os.path.relpath(image, self._labels.resolve().parent).replace(os.sep, "/")
        with self._writing:
            before = [line for _, line in read_lines(self._labels)] if self._labels.exists() else []
            rows = {row.partition("\t")[0]: row for row in before}
            rows[name] = f"{name}\t{json.dumps(entries, ensure_ascii=False)}"
            files.write_text(self._labels, "".join(f"{row}\n" for row in rows.values()))
        return True


def create_app(backend: Backend) -> Any:
    """Return the ML backend as an ASGI application.

    Raises:
        OCRError: If fastapi is not installed.
    """
    need("fastapi")
    app = _fastapi.FastAPI(title=MODEL_VERSION, docs_url=None, redoc_url=None)

    def health() -> dict[str, Any]:
        return {"status": "UP", "model_class": "ppocr_lite"}

    def setup(body: dict[str, Any]) -> dict[str, Any]:
        read_layout(str(body.get("schema")))
        return {"model_version": MODEL_VERSION}

    def predict(body: dict[str, Any]) -> dict[str, Any]:
        results = backend.predict(body.get("tasks") or [], str(body.get("label_config")))
        return {"results": results, "model_version": MODEL_VERSION}

    def webhook(body: dict[str, Any]) -> dict[str, Any]:
        return {"status": "taken" if backend.take(body) else "ignored"}

    def refuse(request: Any, error: Exception) -> Any:
        return _fastapi.responses.JSONResponse({"error": str(error)}, 400)

    app.get("/")(health)
    app.get("/health")(health)
    app.get("/versions")(lambda: {"versions": [MODEL_VERSION]})
    app.post("/setup")(setup)
    app.post("/predict")(predict)
    app.post("/webhook")(webhook)
    app.add_exception_handler(OCRError, refuse)
    return app


def main() -> None:
    """Serve the ML backend."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, required=True, help="folder of the images; no other is read")
    parser.add_argument("--labels", type=Path, metavar="FILE", help="label file that corrections go to")
    parser.add_argument("--host", metavar="URL", help="address of Label Studio, to fetch images that are not there")
    parser.add_argument("--allow-host", action="append", default=[], metavar="NAME", help="fetch from here, too")
    parser.add_argument("--listen", default=LOCAL, metavar="ADDRESS", help=f"address to listen on (default: {LOCAL})")
    parser.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}")
    parser.add_argument("--lang", choices=LANGUAGES, help="released recogniser")
    parser.add_argument("--models", metavar="NAME", help="a model set or a folder of networks")
    given = parser.parse_args()
    if not given.root.is_dir():
        parser.error(f"--root {given.root}: there is no such folder.")
    images = Images(given.root, given.host, hosts=given.allow_host)
    try:
        need("label_studio_sdk", "fastapi", "uvicorn")
        app = create_app(Backend(OCR(lang=given.lang, models=given.models), images, given.labels))
    except OCRError as error:
        parser.error(str(error))
    _uvicorn.run(app, host=given.listen, port=given.port)


if __name__ == "__main__":
    main()
