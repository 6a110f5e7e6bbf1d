"""A small notebook, run by a real kernel: a page shows itself with its boxes, and long work shows a bar."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from ppocr_lite import OCR
from ppocr_lite.io import images

nbformat = pytest.importorskip("nbformat", reason="needs nbformat, nbclient and ipykernel")
nbclient = pytest.importorskip("nbclient", reason="needs nbformat, nbclient and ipykernel")
pytest.importorskip("ipykernel", reason="needs nbformat, nbclient and ipykernel")

CELLS = (
    "from ppocr_lite import OCR\nocr = OCR(threads=2)\npage = ocr.ocr('letter.tif')\npage",
    "texts = [page.text for page in ocr.stream('letter.tif', progress=True)]\nlen(texts)",
    "[text for text, _ in ocr.recognize(page.crops(margin=0.05))] == [line.text for line in page]",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory, root: Path) -> list[list[Any]]:
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "letter.tif").write_bytes((root / "doc" / "samples" / "letter.tif").read_bytes())
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in CELLS])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    return [cell.outputs for cell in notebook.cells]


def test_a_page_is_shown_with_its_boxes(outputs: list[list[Any]], root: Path) -> None:
    ((shown,)) = outputs[0]
    found = re.fullmatch(r'<img alt="" src="data:image/jpeg;base64,([\w+/=]+)">', shown.data["text/html"])
    assert found
    picture = images.decode(base64.b64decode(found[1])).astype(int)
    drawn = OCR(threads=2).ocr(root / "doc" / "samples" / "letter.tif").draw()
    assert picture.shape == drawn.shape
    assert abs(picture - drawn).mean() < 5


def test_a_stream_shows_a_bar(outputs: list[list[Any]]) -> None:
    bars = [out for out in outputs[1] if out.output_type in ("stream", "display_data")]
    assert re.search(r"[01]/1 \[", str(bars)), "0/1 is what a widget shows where widgets are not drawn"
    assert outputs[1][-1].data["text/plain"] == "1"


def test_lines_that_are_cut_out_read_the_same(outputs: list[list[Any]]) -> None:
    assert outputs[2][-1].data["text/plain"] == "True"
