"""The HTTP example answers over a real socket."""

from __future__ import annotations

import http.client
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from ppocr_lite import OCR
from tests.scripts import load_script


@pytest.fixture
def address(small_models: dict[str, Path]) -> Iterator[str]:
    serve = load_script("deploy/serve.py")
    ocr = OCR(**small_models, threads=1)
    with serve.make_server(ocr, port=0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def post(url: str, body: bytes) -> dict[str, object]:
    with urllib.request.urlopen(urllib.request.Request(url, body, method="POST"), timeout=60) as answer:
        return dict(json.load(answer))


def test_an_image_is_answered_with_its_result(address: str) -> None:
    image = cv2.imencode(".png", np.full((64, 96, 3), 255, np.uint8))[1].tobytes()
    assert post(f"{address}/ocr", image)["size"] == [64, 96]


def test_no_image_is_a_bad_request(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(f"{address}/ocr", b"not an image")
    with caught.value as answer:
        assert answer.code == 400
        assert json.load(answer)["error"]


@pytest.mark.parametrize(
    "path, length, status", [("/ocr", "abc", 411), ("/ocr", None, 411), ("/ocr", str(2**40), 413), ("/other", "0", 404)]
)
def test_other_requests_are_answered_with_the_reason(address: str, path: str, length: str | None, status: int) -> None:
    with closing(http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)) as connection:
        connection.putrequest("POST", path)
        if length is not None:
            connection.putheader("Content-Length", length)
        connection.endheaders()
        with connection.getresponse() as answer:
            assert answer.status == status
            assert json.load(answer)["error"]


def test_a_fault_of_the_server_is_its_own(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(OCR, "ocr", fail)
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(f"{address}/ocr", b"x")
    with caught.value as answer:
        assert answer.code == 500
