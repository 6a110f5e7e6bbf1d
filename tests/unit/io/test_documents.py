from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from ppocr_lite.io.documents import ALTO, XHTML, alto, hocr, join_alto, join_hocr
from ppocr_lite.textline import TextLine, find_words

QUAD = np.float32([[100.4, 10], [200, 10], [200, 30.2], [100.4, 30.2]])


@pytest.fixture
def lines() -> list[TextLine]:
    return [TextLine(QUAD, "a <b>", 0.934, 0.8, 0, find_words("a <b>", [], QUAD)), TextLine(QUAD + 40, "中文 & é", 0.5)]


def test_hocr_has_pages_lines_and_words(lines: list[TextLine]) -> None:
    text = hocr(lines, (480, 640), 'my "scan".png')
    root = ElementTree.fromstring(text.encode())
    found = {kind: root.findall(f".//*[@class='{kind}']") for kind in ("ocr_page", "ocr_line", "ocrx_word")}
    assert [node.get("title") for node in found["ocr_page"]] == ["image \"my 'scan'.png\"; bbox 0 0 640 480; ppageno 0"]
    assert [node.get("title") for node in found["ocr_line"]][0] == (
        "bbox 100 10 200 31; poly 100.4 10 200 10 200 30.2 100.4 30.2"
    )
    assert [node.text for node in found["ocrx_word"]] == ["a", "<b>", "中文 & é"]  # no places known: one word
    assert found["ocrx_word"][0].get("title", "").endswith("x_wconf 93")
    assert len({node.get("id") for nodes in found.values() for node in nodes}) == 6
    assert root.tag == f"{{{XHTML}}}html" and root.findtext(f".//{{{XHTML}}}title") == 'my "scan".png'


def test_alto_has_lines_and_strings_with_sides(lines: list[TextLine]) -> None:
    root = ElementTree.fromstring(alto(lines, (480, 640), "scan.png").encode())
    names = {"a": ALTO}
    page = root.find(".//a:Page", names)
    assert page is not None and (page.get("WIDTH"), page.get("HEIGHT")) == ("640", "480")
    block = root.find(".//a:TextBlock", names)
    assert block is not None
    assert [block.get(side) for side in ("HPOS", "VPOS", "WIDTH", "HEIGHT")] == ["100", "10", "140", "61"]
    strings = [[node.get("CONTENT") for node in row.findall("a:String", names)] for row in block]
    assert strings == [["a", "<b>"], ["中文 & é"]]
    assert [len(row.findall("a:SP", names)) for row in block] == [1, 0]
    first = block[0].find("a:String", names)
    assert first is not None and (first.get("WC"), first.get("HPOS")) == ("0.934", "100")
    assert root.findtext(".//a:fileName", namespaces=names) == "scan.png"


def test_a_page_without_text_is_a_page() -> None:
    assert "ocr_line" not in hocr([], (5, 6)).split("<body>")[1]
    assert ElementTree.fromstring(alto([], (5, 6)).encode()).find(f".//{{{ALTO}}}TextBlock") is None


def test_hocr_of_several_pages_is_one_document(lines: list[TextLine]) -> None:
    root = ElementTree.fromstring(join_hocr([hocr(lines, (480, 640), f"a.tif#{n}") for n in (1, 2, 3)]).encode())
    assert root.tag == f"{{{XHTML}}}html"
    titles = [page.get("title", "") for page in root.findall(".//*[@class='ocr_page']")]
    assert [title.rpartition("; ")[2] for title in titles] == ["ppageno 0", "ppageno 1", "ppageno 2"]
    assert [title.partition(";")[0] for title in titles] == [f'image "a.tif#{n}"' for n in (1, 2, 3)]
    names = [node.attrib["id"] for node in root.iter() if "id" in node.attrib]
    assert len(names) == len(set(names)) == 3 * 8
    assert {"page_3", "line_3_1", "word_3_1_2"} <= set(names)


def test_alto_of_several_pages_is_one_document(lines: list[TextLine]) -> None:
    text = join_alto([alto(lines, (480, 640), f"a.tif#{n}") for n in (1, 2)], "a.tif")
    assert text.count("xmlns:xsi") == 1
    root = ElementTree.fromstring(text.encode())
    names = {"a": ALTO}
    pages = root.findall("a:Layout/a:Page", names)
    assert [(page.get("ID"), page.get("PHYSICAL_IMG_NR")) for page in pages] == [("page_1", "1"), ("page_2", "2")]
    assert len(pages[1].findall(".//a:String", names)) == 3
    assert root.findtext(".//a:fileName", namespaces=names) == "a.tif"
    ids = [node.attrib["ID"] for node in root.iter() if "ID" in node.attrib]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("write", [hocr, alto])
def test_what_xml_cannot_hold_is_left_out(write: object) -> None:
    text = write([TextLine(QUAD, "a\x00b\x1f￿c")], (5, 6), "x\x01y")  # type: ignore[operator]
    assert "abc" in text
    ElementTree.fromstring(text.encode())


def test_blocks_are_content_areas_and_text_blocks(lines: list[TextLine]) -> None:
    root = ElementTree.fromstring(hocr(lines, (100, 300), block_sizes=(1, 1)).encode())
    areas = root.findall(".//*[@class='ocr_carea']")
    assert [len(area.findall(".//*[@class='ocr_line']")) for area in areas] == [1, 1]
    assert [area.find("*").get("class") for area in areas] == ["ocr_par", "ocr_par"]  # type: ignore[union-attr]
    page = ElementTree.fromstring(alto(lines, (100, 300), block_sizes=(1, 1)).encode())
    blocks = page.findall(".//{*}TextBlock")
    assert [len(block.findall("{*}TextLine")) for block in blocks] == [1, 1]
    names = [node.get("ID") for node in page.iter() if node.get("ID")]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("quad", "stance"),
    [
        ([[100, 10], [300, 10], [300, 40], [100, 40]], "baseline 0.0000 -6"),
        ([[100, 10], [300, 30], [300, 60], [100, 40]], "baseline 0.1000 -26"),  # its box ends 20 below its left end
        ([[100, 30], [300, 10], [300, 40], [100, 60]], "baseline -0.1000 -6"),
        ([[10, 300], [10, 100], [40, 100], [40, 300]], "textangle 90"),
        ([[40, 100], [40, 300], [10, 300], [10, 100]], "textangle 270"),
    ],
)
def test_hocr_says_how_lines_stand_if_asked(quad: list[list[float]], stance: str) -> None:
    line = TextLine(np.float32(quad), "word", 0.9)
    assert hocr([line], (480, 640), baselines=True).count(f"; {stance}") == 1
    assert "baseline" not in hocr([line], (480, 640)) and "textangle" not in hocr([line], (480, 640))
