"""Text with its places in the formats that other programs read: hOCR and ALTO.

Source:
    hOCR 1.2, https://kba.github.io/hocr-spec/1.2/; ALTO 4.4, https://www.loc.gov/standards/alto/.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np
from numpy.typing import ArrayLike

from ppocr_lite.textline import TextLine, reading_corners, split_blocks
from ppocr_lite.version import __version__

ALTO = "http://www.loc.gov/standards/alto/ns-v4#"
ALTO_SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"
XHTML = "http://www.w3.org/1999/xhtml"
DESCENT = 0.2  # what of a line is below its baseline, as a share of its height
_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_DOCTYPE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
)
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def hocr(
    lines: Sequence[TextLine],
    size: tuple[int, int],
    source: str | None = None,
    block_sizes: Sequence[int] = (),
    baselines: bool = False,
) -> str:
    """Return a page as hOCR: ``ocr_page``, ``ocr_carea``, ``ocr_par``, ``ocr_line``, ``ocrx_word``, with ``bbox``.

    Each block is one ``ocr_carea`` with one ``ocr_par``.

    Args:
        lines: In reading order.
        size: (height, width) of the image, pixels.
        source: Path of the image.
        block_sizes: How many lines each block has; empty for one block.
        baselines: Say for each line how its text stands, ``baseline`` or ``textangle``, for programs that set it anew.
            Its baseline is an estimate: a fifth of its height above the lower edge of its region.
    """
    html = Element("html", xmlns=XHTML)
    head = SubElement(html, "head")
    SubElement(head, "title").text = _legal(source or "")
    SubElement(head, "meta", {"http-equiv": "Content-Type", "content": "text/html; charset=utf-8"})
    SubElement(head, "meta", name="ocr-system", content=f"ppocr_lite {__version__}")
    SubElement(head, "meta", name="ocr-capabilities", content="ocr_page ocr_carea ocr_par ocr_line ocrx_word")
    named = f'image "{_legal(source).replace(chr(34), chr(39))}"; ' if source else ""
    place = f"{named}bbox 0 0 {size[1]} {size[0]}; ppageno 0"
    page = SubElement(SubElement(html, "body"), "div", {"class": "ocr_page", "id": "page_1", "title": place})
    first = 1
    for number, block in enumerate(split_blocks(lines, block_sizes), 1):
        place = _bbox(np.concatenate([line.polygon for line in block]))
        area = SubElement(page, "div", {"class": "ocr_carea", "id": f"block_1_{number}", "title": place})
        paragraph = SubElement(area, "p", {"class": "ocr_par", "id": f"par_1_{number}", "title": place})
        for index, line in enumerate(block, first):
            _hocr_line(paragraph, index, line, baselines)
        first += len(block)
    ElementTree.indent(page, " ")
    return _DECLARATION + _DOCTYPE + ElementTree.tostring(html, encoding="unicode") + "\n"


def _hocr_line(paragraph: Element, number: int, line: TextLine, baselines: bool) -> None:
    outline = " ".join(f"{value:g}" for value in line.polygon.ravel().round(1).tolist())
    title = f"{_bbox(line.polygon)}; poly {outline}" + (f"; {_stance(line)}" if baselines else "")
    row = SubElement(paragraph, "span", {"class": "ocr_line", "id": f"line_1_{number}", "title": title})
    for index, word in enumerate(line.placed_words(), 1):
        title = f"{_bbox(word.polygon)}; x_wconf {round(100 * line.score)}"
        name = f"word_1_{number}_{index}"
        SubElement(row, "span", {"class": "ocrx_word", "id": name, "title": title}).text = _legal(word.text)


def _stance(line: TextLine) -> str:
    """Return how the text of a line stands: by how many quarters it is turned, or the slope and place of its base."""
    (left, top), (right, beside), _, (_, bottom) = reading_corners(line.polygon, line.angle)
    quarter = round(math.degrees(math.atan2(beside - top, right - left)) / 90) % 4
    if quarter:
        return f"textangle {360 - 90 * quarter}"
    rise = float(line.polygon[:, 1].max()) - bottom
    return f"baseline {(beside - top) / (right - left):.4f} {-round(rise + DESCENT * (bottom - top))}"


def alto(
    lines: Sequence[TextLine], size: tuple[int, int], source: str | None = None, block_sizes: Sequence[int] = ()
) -> str:
    """Return a page as ALTO 4, each block a ``TextBlock``; arguments as for :func:`hocr`."""
    root = Element("alto", {"xmlns": ALTO, "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance"})
    root.set("xsi:schemaLocation", f"{ALTO} {ALTO_SCHEMA}")
    description = SubElement(root, "Description")
    SubElement(description, "MeasurementUnit").text = "pixel"
    if source:
        SubElement(SubElement(description, "sourceImageInformation"), "fileName").text = _legal(source)
    software = SubElement(SubElement(description, "Processing", ID="processing_1"), "processingSoftware")
    SubElement(software, "softwareName").text = "ppocr_lite"
    SubElement(software, "softwareVersion").text = __version__
    height, width = size
    sides = {"HEIGHT": str(height), "WIDTH": str(width)}
    page = SubElement(SubElement(root, "Layout"), "Page", {"ID": "page_1", "PHYSICAL_IMG_NR": "1", **sides})
    space = SubElement(page, "PrintSpace", {"HPOS": "0", "VPOS": "0", **sides})
    first = 1
    for number, lines_of_block in enumerate(split_blocks(lines, block_sizes), 1):
        every = np.concatenate([line.polygon for line in lines_of_block])
        block = SubElement(space, "TextBlock", {"ID": f"block_{number}", **_sides(every)})
        for index, line in enumerate(lines_of_block, first):
            _alto_line(block, index, line)
        first += len(lines_of_block)
    ElementTree.indent(root, " ")
    return _DECLARATION + ElementTree.tostring(root, encoding="unicode") + "\n"


def join_hocr(pages: Sequence[str]) -> str:
    """Return one hOCR document of several, each of one page as :func:`hocr` writes it."""
    root, *others = (_parse(page, XHTML) for page in pages)
    (body,) = root.iterfind("body")
    for number, other in enumerate(others, 2):
        for element in other.iter():
            if "id" in element.attrib:
                element.set("id", element.attrib["id"].replace("_1", f"_{number}", 1))
        for page in other.iterfind("body/div"):
            page.set("title", page.attrib["title"].replace("ppageno 0", f"ppageno {number - 1}"))
            body.append(page)
    root.set("xmlns", XHTML)
    ElementTree.indent(root, " ")
    return _DECLARATION + _DOCTYPE + ElementTree.tostring(root, encoding="unicode") + "\n"


def join_alto(pages: Sequence[str], source: str | None = None) -> str:
    """Return one ALTO document of several, each of one page as :func:`alto` writes it; *source* is the file of all."""
    root, *others = (_parse(page, ALTO) for page in pages)
    (layout,), name = root.iterfind("Layout"), root.find(".//fileName")
    if name is not None and source:
        name.text = _legal(source)
    for number, other in enumerate(others, 2):
        for page in other.iterfind("Layout/Page"):
            for element in page.iter():
                if "ID" in element.attrib:
                    element.set("ID", f"{element.attrib['ID']}_of_{number}")
            page.set("ID", f"page_{number}")
            page.set("PHYSICAL_IMG_NR", str(number))
            layout.append(page)
    root.set("xmlns", ALTO)
    ElementTree.indent(root, " ")
    return _DECLARATION + ElementTree.tostring(root, encoding="unicode") + "\n"


def _parse(document: str, namespace: str) -> Element:
    """Return the root of a document that is all in one namespace, without it."""
    return ElementTree.fromstring(document.replace(f' xmlns="{namespace}"', "", 1))


def _alto_line(block: Element, number: int, line: TextLine) -> None:
    row = SubElement(block, "TextLine", {"ID": f"line_{number}", **_sides(line.polygon)})
    points = " ".join(f"{x:g},{y:g}" for x, y in line.polygon.round(1).tolist())
    SubElement(SubElement(row, "Shape"), "Polygon", POINTS=points)
    for index, word in enumerate(line.placed_words(), 1):
        if index > 1:
            SubElement(row, "SP")
        attributes = {"ID": f"string_{number}_{index}", **_sides(word.polygon), "WC": f"{line.score:.3f}"}
        SubElement(row, "String", {**attributes, "CONTENT": _legal(word.text)})


def _bounds(points: ArrayLike) -> tuple[int, int, int, int]:
    """Return the left, top, right and bottom of *points* (P, 2) in whole pixels."""
    corners = np.asarray(points)
    left, top = np.floor(corners.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(corners.max(axis=0)).astype(int).tolist()
    return left, top, right, bottom


def _bbox(points: ArrayLike) -> str:
    return "bbox " + " ".join(map(str, _bounds(points)))


def _sides(points: ArrayLike) -> dict[str, str]:
    left, top, right, bottom = _bounds(points)
    return {"HPOS": str(left), "VPOS": str(top), "WIDTH": str(right - left), "HEIGHT": str(bottom - top)}


def _legal(text: str) -> str:
    """Return *text* without what XML cannot hold."""
    return _NOT_IN_XML.sub("", text)
