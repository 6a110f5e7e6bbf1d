"""Take the picture of the web page of `ppocr-lite serve` in doc/serving.md.

    python doc/pictures/serve.py

Needs Chromium and Playwright, and a service on the usual port: `ppocr-lite serve`.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import expect, sync_playwright

HERE = Path(__file__).parent
PAGES = ("book.jpg", "terminal.png", "letter.tif")  # the picture shows the beginning of the first


def main() -> None:
    """Have the samples read as one PDF, and save what is seen."""
    first, *rest = (Image.open(HERE.parent / "samples" / name).convert("RGB") for name in PAGES)
    document = io.BytesIO()
    first.save(document, "PDF", save_all=True, append_images=rest, resolution=150)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.goto("http://127.0.0.1:8866/")
        page.set_input_files(
            "#file", {"name": "scan.pdf", "mimeType": "application/pdf", "buffer": document.getvalue()}
        )
        expect(page.locator("#status")).to_contain_text("3 pages", timeout=120_000)
        shot = Image.open(io.BytesIO(page.screenshot()))
        browser.close()
    shot.convert("RGB").quantize(256, method=Image.Quantize.MAXCOVERAGE).save(HERE / "serve.png", optimize=True)
    print(f"{(HERE / 'serve.png').stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
