"""`ppocr-lite serve` over real sockets: what it reads, in which formats, and for whom."""

from __future__ import annotations

import base64
import io
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import PIL.Image
import pytest

from ppocr_lite import OCR, OCRResult
from ppocr_lite.serve.settings import Settings
from tests.serving import Client, form, png, serving

server = pytest.importorskip("ppocr_lite.serve.server", reason="the extra [serve] is not installed")
documents = pytest.importorskip("ppocr_lite.serve.documents", reason="the extra [serve] is not installed")

SAMPLE = (Path(__file__).parents[2] / "doc" / "samples" / "letter.tif").read_bytes()


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with serving(server, Settings(port=0, ocr={"threads": 1})) as found:
        yield found


@pytest.fixture(scope="module")
def ocr() -> OCR:
    return OCR(threads=1)


@pytest.fixture(scope="module")
def expected(ocr: OCR) -> OCRResult:
    return ocr.ocr(SAMPLE)


def several(kind: str, *texts: str) -> bytes:
    first, *rest = (PIL.Image.open(io.BytesIO(png(text))) for text in texts)
    file = io.BytesIO()
    first.save(file, kind, save_all=True, append_images=rest)
    return file.getvalue()


def test_an_image_is_answered_with_what_the_library_reads(client: Client, expected: OCRResult) -> None:
    found = client.post("/v1/ocr", SAMPLE)
    assert (found.status, found.headers["content-type"]) == (200, "application/json")
    assert len(expected) > 5
    assert OCRResult.from_dict(found.json).lines == expected.lines
    assert found.json["source"] == "upload"


def test_a_form_and_base64_are_read_as_the_body_itself(client: Client, expected: OCRResult) -> None:
    text = base64.b64encode(SAMPLE).decode()
    for found in (
        client.post_file("/v1/ocr", SAMPLE, "../../etc/pa ss\x01.tif"),
        client.post_json("/v1/ocr", {"image": text, "name": "C:\\x\\pa ss.tif"}),
        client.post_json("/v1/ocr", {"image": f"data:image/tiff;base64,{text}", "name": "pa ss.tif"}),
    ):
        assert found.json["source"] == "pa ss.tif"
        assert OCRResult.from_dict(found.json).lines == expected.lines


def test_every_format_is_to_be_had(client: Client, expected: OCRResult) -> None:
    text = client.post("/v1/ocr?format=text", SAMPLE)
    assert text.body.decode() == expected.text + "\n"
    hocr = client.post("/v1/ocr?format=hocr", SAMPLE)
    assert hocr.body.decode().count("ocr_line") == len(expected) + 1  # and among the capabilities
    alto = ElementTree.fromstring(client.post("/v1/ocr?format=alto", SAMPLE).body)
    assert len(list(alto.iter("{http://www.loc.gov/standards/alto/ns-v4#}TextLine"))) == len(expected)
    pdf = client.post("/v1/ocr?format=pdf", SAMPLE)
    assert pdf.headers["content-type"] == "application/pdf"
    assert pdf.body.startswith(b"%PDF-")
    kinds = [answer.headers["content-type"].partition(";")[0] for answer in (text, hocr)]
    assert kinds == ["text/plain", "text/html"]


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_pages_come_in_order_and_can_be_chosen(client: Client, kind: str) -> None:
    if kind == "PDF":
        pytest.importorskip("pypdfium2")
    document = several(kind, "FIRST", "SECOND", "THIRD")
    pages = client.post("/v1/ocr", document).json["pages"]
    assert [page["source"] for page in pages] == ["upload#1", "upload#2", "upload#3"]
    assert ["FIRST" in pages[0]["lines"][0]["text"], "THIRD" in pages[2]["lines"][0]["text"]] == [True, True]
    lines = client.post("/v1/ocr?format=jsonl&pages=2-&picture=true", document)
    assert lines.headers["content-type"] == "application/x-ndjson"
    found = [json.loads(line) for line in lines.body.splitlines()]
    assert [(page["page"], page["pages"], page["source"]) for page in found] == [(1, 2, "upload#2"), (2, 2, "upload#3")]
    picture = base64.b64decode(found[0]["picture"].removeprefix("data:image/jpeg;base64,"))
    with PIL.Image.open(io.BytesIO(picture)) as shown:
        assert shown.width / shown.height == pytest.approx(found[0]["size"][1] / found[0]["size"][0], rel=0.02)


def test_a_searchable_pdf_keeps_the_pages_of_the_pdf(client: Client) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    pytest.importorskip("pikepdf")
    made = client.post("/v1/ocr?format=pdf", several("PDF", "FIRST", "SECOND"))
    with pdfium.PdfDocument(made.body) as document:
        texts = [document[index].get_textpage().get_text_range() for index in range(len(document))]
    assert ["FIRST" in texts[0], "SECOND" in texts[1]] == [True, True]


SECRET = "geheim ü 密"


@pytest.fixture(scope="module")
def encrypted() -> bytes:
    pytest.importorskip("pypdfium2", reason="a PDF is read")
    pikepdf = pytest.importorskip("pikepdf", reason="a PDF is encrypted")
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(several("PDF", "FIRST", "SECOND"))) as document:
        document.save(file, encryption=pikepdf.Encryption(user=SECRET, owner="owner"))
    return file.getvalue()


def with_password(data: bytes, password: str) -> tuple[bytes, str]:
    """A form with a PDF and a password before it."""
    body, kind = form(("file", "a.pdf", data))
    boundary = kind.partition("boundary=")[2]
    field = f'--{boundary}\r\nContent-Disposition: form-data; name="password"\r\n\r\n{password}\r\n'
    return field.encode() + body, kind


def test_an_encrypted_pdf_is_opened_by_its_password(client: Client, encrypted: bytes) -> None:
    text = base64.b64encode(encrypted).decode()
    for found in (
        client.ask("POST", "/v1/ocr", encrypted, {"X-PDF-Password": SECRET.encode()}),
        client.post("/v1/ocr", *with_password(encrypted, SECRET)),
        client.post("/v1/ocr", *with_password(encrypted, SECRET), X_PDF_Password="another"),
        client.post_json("/v1/ocr", {"image": text, "password": SECRET}),
    ):
        assert found.status == 200, found.json
        assert ["FIRST" in str(found.json["pages"][0]), "SECOND" in str(found.json["pages"][1])] == [True, True]


def test_a_password_that_is_missing_or_wrong_is_named(client: Client, encrypted: bytes) -> None:
    missing = client.post("/v1/ocr", encrypted)
    assert missing.problem == (422, "password")
    assert "X-PDF-Password" in missing.json["detail"]
    for wrong in (
        client.post("/v1/ocr?format=jsonl", encrypted, X_PDF_Password="another"),
        client.post("/v1/ocr?format=pdf", *with_password(encrypted, "another")),
        client.post_json("/v1/ocr", {"image": base64.b64encode(encrypted).decode(), "password": ""}),
    ):
        assert wrong.problem == (422, "password")
        assert "does not open it" in wrong.json["detail"]
        assert "another" not in wrong.json["detail"]
    assert client.post_json("/v1/ocr", {"image": "AAAA", "password": 7}).problem == (422, "invalid-body")
    hub = client.post_json("/predict/ocr_system", {"images": [base64.b64encode(encrypted).decode()]})
    assert hub.problem == (422, "password")


def test_what_is_laid_over_an_encrypted_pdf_stays_encrypted(client: Client, encrypted: bytes) -> None:
    pikepdf = pytest.importorskip("pikepdf")
    made = client.ask("POST", "/v1/ocr?format=pdf", encrypted, {"X-PDF-Password": SECRET.encode()})
    assert made.headers["content-type"] == "application/pdf"
    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(made.body))
    pdfium = pytest.importorskip("pypdfium2")
    with pdfium.PdfDocument(made.body, password=SECRET) as document:
        assert "SECOND" in document[1].get_textpage().get_text_range()


def test_a_password_is_in_no_query_and_in_no_log(
    encrypted: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level("DEBUG")
    with serving(server, Settings(port=0, ocr={"threads": 1}, access_log=True)) as client:
        assert client.post("/v1/ocr?password=another", encrypted).problem == (422, "invalid-option")
        for password in ("sesame-open", "sesame-shut"):
            client.post("/v1/ocr", encrypted, X_PDF_Password=password)
            client.post("/v1/ocr?format=pdf", *with_password(encrypted, password))
    captured = capfd.readouterr()
    logged = caplog.text + captured.out + captured.err
    assert "/v1/ocr" in logged
    assert "sesame" not in logged
    assert "sesame" not in repr(documents.Document(Path("a"), "a", "sesame-open"))


@pytest.mark.parametrize(
    ("package", "query", "kind"),
    [
        ("pikepdf", "?format=pdf", (501, "not-installed")),
        ("pypdfium2", "", (501, "not-installed")),
        ("pikepdf", "?format=text", None),
    ],
)
def test_a_package_that_the_service_lacks_is_named(
    client: Client, monkeypatch: pytest.MonkeyPatch, package: str, query: str, kind: tuple[int, str] | None
) -> None:
    pytest.importorskip("pypdfium2", reason="a PDF is read")
    monkeypatch.setitem(sys.modules, package, None)
    found = client.post(f"/v1/ocr{query}", several("PDF", "FIRST"))
    if kind is None:
        assert (found.status, "FIRST" in found.body.decode()) == (200, True)
        return
    assert found.problem == kind
    assert package in found.json["detail"]
    hub = client.post_json("/predict/ocr_system", {"images": [base64.b64encode(several("PDF", "FIRST")).decode()]})
    assert hub.status == (501 if package == "pypdfium2" else 200)
    assert client.post(f"/v1/ocr{query}", SAMPLE).status == 200  # of a picture it needs no package


def test_a_damaged_page_is_named_and_the_others_are_read(client: Client) -> None:
    document = several("GIF", "FIRST", "SECOND", "THIRD")
    pages = client.post("/v1/ocr", document[: int(0.9 * len(document))]).json["pages"]
    assert "FIRST" in pages[0]["lines"][0]["text"]
    assert pages[2]["error"].startswith("upload#3: ")
    assert not pages[2]["lines"]


def test_thresholds_and_languages_are_of_one_request(client: Client, ocr: OCR) -> None:
    strict = client.post("/v1/ocr?drop_score=0.999&page_angle=0", SAMPLE).json["lines"]
    assert len(strict) == len([line for line in ocr.ocr(SAMPLE) if line.score >= 0.999])
    assert client.post("/v1/ocr?lang=ch", SAMPLE).json["lines"]
    assert len(client.post("/v1/ocr", SAMPLE).json["lines"]) > len(strict)


def test_requests_at_once_get_each_its_own(client: Client, ocr: OCR) -> None:
    pictures = [png(f"PAGE {number}", (60, 300 + 8 * number)) for number in range(16)]
    with ThreadPoolExecutor(12) as pool:
        found = list(pool.map(lambda picture: client.post("/v1/ocr", picture), pictures))
    assert [answer.json["size"] for answer in found] == [[60, 300 + 8 * number] for number in range(16)]
    alone = [ocr.ocr(picture).text for picture in pictures]
    assert len(set(alone)) > 8
    assert [OCRResult.from_dict(answer.json).text for answer in found] == alone


def test_clients_of_paddlehub_serving_are_answered(client: Client, expected: OCRResult) -> None:
    images = [base64.b64encode(data).decode() for data in (SAMPLE, png("SECOND"))]
    found = client.post_json("/predict/ocr_system", {"images": images}).json
    assert (found["msg"], found["status"], len(found["results"])) == ("", "000", 2)
    assert found["results"][0] == [
        {"text": line.text, "confidence": line.score, "text_region": line.polygon.tolist()} for line in expected
    ]
    failed = client.post_json("/predict/ocr_system", {"images": ["AAAA"]})
    assert failed.problem == (415, "unsupported-media-type")
    assert (failed.json["msg"], failed.json["results"]) == (failed.json["detail"], "")
    assert client.post_json("/predict/ocr_system", {"images": images * 51}).problem == (413, "too-many-pages")
    assert client.post_json("/predict/ocr_system", {"images": []}).problem == (422, "invalid-body")


def test_when_reading_together_fails_each_page_is_read_alone(
    client: Client, expected: OCRResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(OCR, "stream_pages", fail)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: client.post("/v1/ocr", SAMPLE), range(4)))
    assert [OCRResult.from_dict(answer.json).lines for answer in found] == [expected.lines] * 4


def test_a_mistake_of_the_service_is_its_own(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    for name in ("stream_pages", "ocr"):
        monkeypatch.setattr(OCR, name, fail)
    found = client.post("/v1/ocr", SAMPLE)
    assert found.problem == (500, "internal-server-error")
    assert b"ZeroDivision" not in found.body
    monkeypatch.undo()
    assert client.post("/v1/ocr", SAMPLE).status == 200


def test_what_happens_is_counted(client: Client) -> None:
    before = [client.metric("ppocr_pages_total"), client.metric("ppocr_lines_total")]
    answered = client.metric("ppocr_requests_total", path="/v1/ocr", status="415")
    lines = len(client.post("/v1/ocr", SAMPLE).json["lines"])
    client.post("/v1/ocr", b"text")
    assert client.metric("ppocr_pages_total") == before[0] + 1
    assert client.metric("ppocr_lines_total") == before[1] + lines
    assert client.metric("ppocr_requests_total", path="/v1/ocr", status="415") == answered + 1
    assert client.metric("ppocr_rejected_total", reason="unsupported-media-type") >= 1
    assert client.metric("ppocr_stage_seconds_count", stage="read") >= 1
    assert [client.metric(name) for name in ("ppocr_requests_under_way", "ppocr_spooled_bytes")] == [0, 0]


def test_the_pages_and_the_description_come_without_any_other_host(client: Client) -> None:
    for path in ("/", "/docs", "/static/page.js", "/static/page.css", "/static/docs.js"):
        found = client.get(path)
        assert found.status == 200
        assert b"https://" not in found.body
        assert "default-src 'none'" in found.headers["content-security-policy"]
    described = client.get("/openapi.json").json["paths"]
    assert {"/v1/ocr", "/predict/ocr_system", "/health", "/ready", "/metrics"} == set(described)
    assert client.get("/health").json["status"] == "ok"
    assert client.get("/ready").json == {"status": "ready"}


def test_sigterm_lets_what_is_under_way_be_answered() -> None:
    command = [sys.executable, "-m", "ppocr_lite.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stderr is not None
            port = next(int(line.split(":")[-1].split()[0]) for line in process.stderr if "running on" in line)
            client = Client(port)
            with ThreadPoolExecutor(4) as pool:
                under_way = [pool.submit(client.post, "/v1/ocr", SAMPLE) for _ in range(4)]
                while client.metric("ppocr_requests_under_way") < 4 and not any(one.done() for one in under_way):
                    time.sleep(0.01)
                process.send_signal(signal.SIGTERM)
                assert [one.result().status for one in under_way] == [200] * 4
            assert process.wait(30) == -signal.SIGTERM
        finally:
            process.kill()
    with pytest.raises(ConnectionRefusedError):
        client.get("/ready")
