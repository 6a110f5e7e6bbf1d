"""The web page of `ppocr-lite serve` in a real Chromium, driven by Playwright.

pip install playwright axe-playwright-python; apt-get install chromium
"""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from ppocr_lite.serve.settings import Settings
from tests.serving import Client, png, serving

pytestmark = pytest.mark.slow
server = pytest.importorskip("ppocr_lite.serve.server", reason="the extra [serve] is not installed")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "doc" / "samples"
WAIT = 120_000  # milliseconds, for a busy machine


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with serving(server, Settings(port=0, api_key="key")) as found:
        yield found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any, client: Client, request: pytest.FixtureRequest) -> Iterator[Any]:
    context = chromium.new_context(**getattr(request, "param", {"viewport": {"width": 1200, "height": 900}}))
    opened = context.new_page()
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    opened.on("request", lambda one: failures.extend([one.url] if "127.0.0.1" not in one.url.split("/")[2] else []))
    opened.goto(f"http://127.0.0.1:{client.port}/")
    opened.fill("#key", "key")
    yield opened
    context.close()
    assert not failures, "an error in the page, or something of another host"


def status(page: Any, text: str) -> None:
    playwright.expect(page.locator("#status")).to_contain_text(text, timeout=WAIT)


def three_pages(folder: Path) -> Path:
    names = "letter.tif", "calculator.png", "terminal.png"
    first, *rest = (PIL.Image.open(SAMPLES / name).convert("RGB") for name in names)
    first.save(folder / "three.pdf", save_all=True, append_images=rest, resolution=150)
    return folder / "three.pdf"


def test_three_samples_are_read_from_a_pdf_and_come_back_searchable(page: Any, tmp_path: Path) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    page.set_input_files("#file", three_pages(tmp_path))
    status(page, "3 pages,")
    assert page.locator("figure img").count() == 3
    assert "quick brown dog" in page.inner_text("ol >> nth=0")
    with page.expect_download(timeout=WAIT) as download:
        page.click("#save-pdf")
    download.value.save_as(tmp_path / "read.pdf")
    with pdfium.PdfDocument(tmp_path / "read.pdf") as document:
        assert len(document) == 3
        assert "quick brown dog" in document[0].get_textpage().get_text_range()
    with page.expect_download() as download:
        page.click("#save-json")
    download.value.save_as(tmp_path / "read.json")
    saved = json.loads((tmp_path / "read.json").read_text(encoding="utf-8"))
    assert [one["source"] for one in saved["pages"]] == [f"three.pdf#{number}" for number in (1, 2, 3)]


def test_the_text_lies_over_the_picture_and_can_be_selected(page: Any) -> None:
    page.set_input_files("#file", SAMPLES / "letter.tif")
    status(page, "8 lines")
    picture, text = (page.locator(which).first.bounding_box() for which in ("figure img", "figure text"))
    assert picture["x"] < text["x"] < picture["x"] + picture["width"] / 2
    assert 0.5 < text["width"] / picture["width"] < 1
    page.locator("figure text").first.click(click_count=3)
    assert "12 point text" in page.evaluate("() => getSelection().toString()")
    page.click("#copy")
    status(page, "Copied.")


def test_a_picture_is_read_when_it_is_pasted_or_dropped(page: Any) -> None:
    data = base64.b64encode(png("PASTED")).decode()
    for kind in ("paste", "drop"):
        page.evaluate(
            """([data, kind]) => {
                const bytes = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
                const transfer = new DataTransfer();
                transfer.items.add(new File([bytes], kind + ".png", {type: "image/png"}));
                const made = {paste: new ClipboardEvent("paste", {clipboardData: transfer, bubbles: true}),
                              drop: new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true})};
                document.body.dispatchEvent(made[kind]);
            }""",
            [data, kind],
        )
        status(page, "1 line,")
        assert "PASTED" in page.inner_text("ol")


def test_what_goes_wrong_is_shown(page: Any) -> None:
    page.set_input_files("#file", SAMPLES / "README.md")
    playwright.expect(page.locator("#problem")).to_contain_text("neither an image nor a PDF", timeout=WAIT)
    page.fill("#key", "other")
    page.set_input_files("#file", SAMPLES / "letter.tif")
    playwright.expect(page.locator("#problem")).to_contain_text("Send the API key", timeout=WAIT)


def test_everything_is_reached_by_keyboard(page: Any) -> None:
    page.set_input_files("#file", SAMPLES / "letter.tif")
    status(page, "8 lines")
    page.locator("body").click(position={"x": 2, "y": 2})
    reached = []
    for _ in range(18):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("() => document.activeElement.id || document.activeElement.tagName"))
    wanted = {"file", "photo", "lang", "pages", "key", "copy", "save-text", "save-json", "save-pdf", "boxes", "LI"}
    assert wanted <= set(reached)


LOOKS = [
    {"viewport": {"width": 1200, "height": 900}, "color_scheme": "light"},
    {"viewport": {"width": 1200, "height": 900}, "color_scheme": "dark"},
    {"viewport": {"width": 390, "height": 800}, "color_scheme": "dark", "has_touch": True},
]


@pytest.mark.parametrize("page", LOOKS, indirect=True, ids=["light", "dark", "phone"])
def test_axe_finds_nothing_serious(page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page.set_input_files("#file", SAMPLES / "book.jpg")
    status(page, "34 lines")
    found = axe.Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "nothing to scroll sideways"
