"""Predictions are what Label Studio's own SDK accepts, and corrections reach the label file."""

from __future__ import annotations

import base64
import functools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite import OCR, OCRResult
from ppocr_lite.data.label_studio import regions
from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.io import images
from ppocr_lite.textline import TextLine, reading_corners
from tests.conftest import DrawnPage

pytest.importorskip("label_studio_sdk", reason="needs the extra label-studio")
from label_studio_sdk.converter.utils import convert_annotation_to_yolo_obb
from label_studio_sdk.label_interface import LabelInterface

from ppocr_lite.integrations import label_studio

TEMPLATE = """
<View>
  <Image name="image" value="$ocr"/>
  <Labels name="label" toName="image"><Label value="Handwriting"/><Label value="Text"/></Labels>
  <Rectangle name="bbox" toName="image"/>
  <Polygon name="poly" toName="image"/>
  <TextArea name="transcription" toName="image" editable="true" perRegion="true" required="true"/>
</View>
"""  # as Label Studio 1.23 offers it for OCR
ONE_TAG = """
<View>
  <Image name="page" value="$image"/>
  <{tag} name="box" toName="page"><Label value="Line"/></{tag}>
  <TextArea name="text" toName="page" perRegion="true"/>
</View>
"""
CONFIGS = [TEMPLATE, ONE_TAG.format(tag="RectangleLabels"), ONE_TAG.format(tag="PolygonLabels")]
QUADS = {
    "level": [[20, 20], [220, 20], [220, 50], [20, 50]],
    "leaning": [[20, 60], [216, 99.8], [212, 119.4], [16, 79.6]],
    "downwards": [[330, 20], [330, 180], [300, 180], [300, 20]],
}


def page() -> OCRResult:
    lines = [TextLine(np.float32(quad), f"a {name} line", 0.9, 0.8) for name, quad in QUADS.items()]
    return OCRResult(tuple(lines), (200, 400))


def shapes(made: dict[str, Any]) -> list[dict[str, Any]]:
    return [part for part in made["result"] if part["type"] not in ("labels", "textarea")]


@pytest.mark.parametrize("config", CONFIGS)
def test_the_sdk_accepts_predictions_and_reads_them_back(config: str) -> None:
    made = label_studio.prediction(page(), label_studio.read_layout(config))
    assert LabelInterface(config).validate_prediction(made, return_errors=True) == []
    assert made["score"] == 0.9 and {part["score"] for part in made["result"]} == {0.9}
    found = regions(made["result"], "here")
    assert [entry["transcription"] for entry in found] == [line.text for line in page()]
    for entry, line in zip(found, page(), strict=True):
        places = {tuple(np.round(point)) for point in entry["points"]}
        assert places == {tuple(np.round(point)) for point in reading_corners(line.polygon)}


def test_turned_rectangles_are_those_of_the_sdk() -> None:
    made = label_studio.prediction(page(), label_studio.read_layout(TEMPLATE))
    for part, entry in zip(shapes(made), regions(made["result"], "here"), strict=True):
        sides = {key: part[key] for key in ("original_width", "original_height")}
        corners = convert_annotation_to_yolo_obb(part["value"] | sides, normalize=False)
        assert np.abs(np.array(corners) - entry["points"]).max() < 0.06


def test_a_line_longer_than_the_page_is_wide_is_given_by_its_bounds() -> None:
    line = TextLine(np.float32([[40, 20], [40, 380], [10, 380], [10, 20]]), "down", 0.9)
    made = label_studio.prediction(OCRResult((line,), (400, 100)), label_studio.read_layout(TEMPLATE))
    assert LabelInterface(TEMPLATE).validate_prediction(made, return_errors=True) == []
    assert shapes(made)[0]["value"] == {"x": 10, "y": 5, "width": 30, "height": 90, "rotation": 0}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ('<View><Image name="a" value="$b"/></View>', "A labelling config for OCR has"),
        ('<View><Text name="a" value="$b"/><TextArea name="t" toName="a"/></View>', "A labelling config for OCR has"),
        ("<View>", "Not a labelling config of Label Studio"),
    ],
)
def test_another_config_is_refused(config: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        label_studio.read_layout(config)


@pytest.fixture
def root(tmp_path: Path, drawn_page: DrawnPage) -> Path:
    folder = tmp_path / "media" / "upload" / "1"
    folder.mkdir(parents=True)
    images.write(folder / "page.png", drawn_page.image)
    return tmp_path / "media"


@pytest.fixture(scope="module")
def ocr() -> OCR:
    return OCR(lang="en", threads=1)


def task(address: str, number: int = 1) -> dict[str, Any]:
    return {"id": number, "data": {"ocr": address}}


def test_the_backend_speaks_as_label_studio_asks(root: Path, ocr: OCR, drawn_page: DrawnPage) -> None:
    client_of = pytest.importorskip("fastapi.testclient", reason="needs httpx").TestClient
    labels = root / "corrected.txt"
    app = label_studio.create_app(label_studio.Backend(ocr, label_studio.Images(root), labels))
    with client_of(app) as client:
        assert client.get("/health").json()["status"] == "UP"
        assert client.post("/setup", json={"schema": TEMPLATE}).json()["model_version"].startswith("ppocr_lite")
        refused = client.post("/setup", json={"schema": "<View/>"})
        assert refused.status_code == 400 and "TextArea" in refused.json()["error"]
        inline = "data:image/png;base64," + base64.b64encode((root / "upload/1/page.png").read_bytes()).decode()
        tasks = [task("/data/upload/1/page.png"), task("/data/upload/1/none.png", 2), task(inline, 3)]
        answer = client.post("/predict", json={"tasks": tasks, "label_config": TEMPLATE}).json()
        (made,), none, (other,) = answer["results"]
        assert none == [] and other["result"] == made["result"]
        read = [entry["transcription"] for entry in regions(made["result"], "here")]
        assert read == list(drawn_page.texts)
        corrected = next(part for part in made["result"] if part["type"] == "textarea")
        for word in ("first", "second"):
            corrected["value"]["text"] = [word]
            event = {"action": "ANNOTATION_UPDATED", "annotation": made, "task": tasks[0]}
            taken = client.post("/webhook", json=event | {"project": {"label_config": TEMPLATE}})
            assert taken.json() == {"status": "taken"}
        assert client.post("/webhook", json={"action": "START_TRAINING"}).json() == {"status": "ignored"}
    (row,) = labels.read_text(encoding="utf-8").splitlines()
    name, label = row.split("\t")
    assert name == "upload/1/page.png"
    assert [entry["transcription"] for entry in json.loads(label)] == ["second", *read[1:]]


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder and notes what it is asked for."""

    asked: list[tuple[str, str | None]] = []

    def do_GET(self) -> None:  # noqa: N802 - the name of the base class
        self.asked.append((self.path, self.headers.get("Authorization")))
        super().do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server(root: Path) -> Iterator[str]:
    """The address of a server of the images."""
    Handler.asked.clear()
    handler = functools.partial(Handler, directory=str(root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


def test_what_is_not_in_the_folder_comes_from_the_server(server: str, tmp_path: Path, root: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    found = label_studio.Images(here, server, token="secret").find(f"{server}/upload/1/page.png")
    assert isinstance(found, Path) and found.parent == here / "downloads"
    assert found.read_bytes() == (root / "upload/1/page.png").read_bytes()
    assert Handler.asked == [("/upload/1/page.png", "Token secret")]
    named = label_studio.Images(here, server, token="secret").find("/upload/1/page.png")
    assert named == found  # from the same place, so it is there already
    with pytest.raises(DataError, match="cannot be fetched: 404"):
        label_studio.Images(here, server, token="secret").find("/upload/1/none.png")


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("http://elsewhere.example/a.png", "images are not fetched from there"),
        ("https://169.254.169.254/latest/a.png", "images are not fetched from there"),
        ("file:///etc/passwd", "images are files, data:"),
        ("/data/local-files/?d=../../etc/passwd", "nothing outside is read"),
        ("data:image/png,abc", "no image that data: holds"),
    ],
)
def test_other_places_are_not_looked_at(address: str, message: str, server: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        label_studio.Images(tmp_path, server, token="secret").find(address)
    assert Handler.asked == []


def test_without_a_server_only_the_folder_is_read(root: Path) -> None:
    with pytest.raises(DataError, match="no server of Label Studio is named: --host"):
        label_studio.Images(root).find("/data/upload/1/none.png")
    with pytest.raises(DataError, match="--host"):
        label_studio.Images(root).find("s3://bucket/a.png", 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("--root", "no_such"), "no such folder"), (("--root", ".", "--models", "no_such"), "no_such")],
)
def test_the_command_says_what_is_wrong(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ppocr_lite.integrations.label_studio", *arguments]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 2 and message in done.stderr and "Traceback" not in done.stderr
