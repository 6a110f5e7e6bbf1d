"""Boxes, text and probability maps drawn on images."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from numpy.typing import NDArray

from ppocr_lite.io.images import Image

Color = tuple[int, int, int]

PALETTE: tuple[Color, ...] = (  # BGR, dark enough to be read on white
    (180, 60, 20), (20, 110, 20), (30, 30, 190), (150, 20, 130), (0, 110, 170), (120, 120, 0),
)  # fmt: skip
TITLE_HEIGHT = 22
MAP_NAMES = ("probability", "threshold", "binary")
MISSING_GLYPH = "\U0010fffd"  # private use: what a font draws for it, it draws for any character it lacks
PREFERRED = ("notosanscjk", "sourcehan", "wqy", "uming", "ukai", "simhei", "msyh", "pingfang", "dejavusans", "arial")


def draw_polygons(image: Image, polygons: Sequence[NDArray[np.float32]], color: Color | None = None) -> Image:
    """Return a copy of *image* (H, W, 3) with the outlines of *polygons*, each (P, 2).

    Args:
        image: BGR uint8.
        polygons: (x, y) pixels.
        color: BGR; None to go through a palette.
    """
    canvas = image.copy()
    thickness = max(1, round(min(image.shape[:2]) / 400))
    for index, polygon in enumerate(polygons):
        points = np.round(polygon).astype(np.int32).reshape(1, -1, 2)
        cv2.polylines(canvas, list(points), True, color or PALETTE[index % len(PALETTE)], thickness, cv2.LINE_AA)
    return canvas


def draw_page(image: Image, polygons: Sequence[NDArray[np.float32]], texts: Sequence[str]) -> Image:
    """Return *image* with its boxes and, beside it on white, each text in the place and size of its box.

    Args:
        image: BGR uint8 (H, W, 3).
        polygons: Each (P, 2), (x, y) pixels; four points are taken as corners, clockwise from the top left.
        texts: One per polygon, may be empty.

    Returns:
        BGR uint8 (H, 2 W, 3).
    """
    page = np.full_like(image, 255)
    for index, (polygon, text) in enumerate(zip(polygons, texts, strict=True)):
        if text:
            _paste_text(page, text, np.asarray(polygon, np.float32), PALETTE[index % len(PALETTE)])
    return np.hstack([draw_polygons(image, polygons), draw_polygons(page, polygons)])


def draw_map(image: Image, values: NDArray[np.float32], opacity: float = 0.5) -> Image:
    """Return *image* (H, W, 3) under a map in false colours: blue is 0, red is 1.

    Args:
        image: BGR uint8.
        values: (h, w) in [0, 1], such as a probability, shrink or threshold map; stretched to the image.
        opacity: Of the colours where the map is 1; they fade with its values.
    """
    height, width = image.shape[:2]
    stretched = cv2.resize(np.clip(np.nan_to_num(values), 0, 1).astype(np.float32), (width, height))
    colors = cv2.applyColorMap((stretched * 255).astype(np.uint8), cv2.COLORMAP_JET)
    weight = (opacity * stretched)[:, :, None]
    return np.asarray((image * (1 - weight) + colors * weight).round(), np.uint8)


def titled(image: Image, title: str) -> Image:
    """Return *image* (H, W, 3) under a white strip with *title*; what is not ASCII becomes question marks."""
    strip = np.full((TITLE_HEIGHT, image.shape[1], 3), 255, np.uint8)
    plain = title.encode("ascii", "replace").decode("ascii")
    cv2.putText(strip, plain, (4, TITLE_HEIGHT - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([strip, image])


def draw_maps(image: Image, maps: NDArray[np.float32], polygons: Sequence[NDArray[np.float32]]) -> Image:
    """Return *image* four times: with the outlines of *polygons*, and under each of the maps of a detector.

    Args:
        image: BGR uint8 (H, W, 3).
        maps: (3, h, w) in [0, 1]: probability, threshold, binary.
        polygons: (x, y) pixels of *image*.

    Returns:
        BGR uint8 (2 (H + strip), 2 W, 3).
    """
    panels = [titled(draw_polygons(image, polygons), f"{len(polygons)} regions")]
    panels += [titled(draw_map(image, values), name) for values, name in zip(maps, MAP_NAMES, strict=True)]
    return np.vstack([np.hstack(panels[:2]), np.hstack(panels[2:])])


def text_image(text: str, height: int, color: Color = (0, 0, 0)) -> Image:
    """Return *text* on white, BGR uint8 (height, w, 3), w as long as the text needs.

    Characters are drawn in an installed font that has them all; where none has, OpenCV draws what is ASCII and
    question marks.
    """
    found = find_font(text, height)
    if found is None:
        return _ascii_image(text, height, color)
    left, top, right, bottom = found.getbbox(text, anchor="lt")
    canvas = PIL.Image.new("RGB", (max(round(right - left), 1), height), "white")
    offset = (height - (bottom - top)) / 2
    PIL.ImageDraw.Draw(canvas).text((-left, offset - top), text, fill=color[::-1], font=found, anchor="lt")
    return np.ascontiguousarray(np.asarray(canvas)[:, :, ::-1])


def find_font(text: str, height: int) -> PIL.ImageFont.FreeTypeFont | None:
    """Return an installed font in which every character of *text* has a shape, for lines *height* pixels high."""
    wanted = "".join(sorted(set(text) - {" "}))
    path = _font_with(wanted)
    return None if path is None else _open_font(path, max(round(height * 0.8), 4))


@functools.lru_cache(maxsize=4096)
def _font_with(characters: str) -> Path | None:
    for path in installed_fonts():
        font = _open_font(path, 16)
        if font is not None and _has_all(font, characters):
            return path
    return None


@functools.lru_cache(maxsize=1)
def installed_fonts() -> tuple[Path, ...]:
    """Return the font files of this machine, those that cover many scripts first."""

    def rank(path: Path) -> tuple[int, str]:
        name = path.name.lower().replace("-", "").replace("_", "")
        return next((i for i, start in enumerate(PREFERRED) if name.startswith(start)), len(PREFERRED)), str(path)

    files = {path for folder in _font_folders() for path in folder.rglob("*") if _is_font(path)}
    return tuple(sorted(files, key=rank))


def _font_folders() -> Iterator[Path]:
    if sys.platform == "win32":
        yield Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts"
    elif sys.platform == "darwin":
        yield from (Path("/System/Library/Fonts"), Path("/Library/Fonts"), Path.home() / "Library/Fonts")
    else:
        shared = os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
        yield from (Path(folder) / "fonts" for folder in shared.split(":"))
        yield from (Path.home() / ".fonts", Path.home() / ".local/share/fonts")


def _is_font(path: Path) -> bool:
    return path.suffix.lower() in (".ttf", ".otf", ".ttc")


@functools.lru_cache(maxsize=256)
def _open_font(path: Path, size: int) -> PIL.ImageFont.FreeTypeFont | None:
    try:
        return PIL.ImageFont.truetype(str(path), size)
    except OSError:  # damaged, or a bitmap font
        return None


def _has_all(font: PIL.ImageFont.FreeTypeFont, characters: str) -> bool:
    missing = bytes(font.getmask(MISSING_GLYPH))
    shapes = (bytes(font.getmask(character)) for character in characters)
    return all(shape not in (missing, b"") for shape in shapes)


def _ascii_image(text: str, height: int, color: Color) -> Image:
    plain = text.encode("ascii", "replace").decode("ascii")
    scale = height / 32
    (width, tall), baseline = cv2.getTextSize(plain, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    canvas = np.full((height, max(width, 1), 3), 255, np.uint8)
    bottom = (height + tall - baseline) // 2
    cv2.putText(canvas, plain, (0, bottom), cv2.FONT_HERSHEY_SIMPLEX, scale, color, 1, cv2.LINE_AA)
    return canvas


def _paste_text(page: Image, text: str, polygon: NDArray[np.float32], color: Color) -> None:
    """Draw *text* into the box of *polygon* on *page*, in place, darker pixels winning."""
    quad = polygon if len(polygon) == 4 else cv2.boxPoints(cv2.minAreaRect(polygon))
    width, height = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])
    if height > 1.5 * width:  # a line written downwards
        quad, width, height = np.roll(quad, -1, axis=0), height, width
    line = text_image(text, max(round(float(height)), 8), color)
    corners = np.array([[0, 0], [line.shape[1], 0], [line.shape[1], line.shape[0]], [0, line.shape[0]]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, np.asarray(quad, np.float32))
    low = np.clip(np.floor(quad.min(axis=0)).astype(int), 0, None)
    high = np.minimum(np.ceil(quad.max(axis=0)).astype(int) + 1, page.shape[1::-1])
    if (high <= low).any():
        return
    shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]], np.float64)
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    drawn = cv2.warpPerspective(
        line, shift @ matrix, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_CONSTANT, borderValue=(255, 255, 255)
    )
    area = page[low[1] : high[1], low[0] : high[0]]
    np.minimum(area, np.asarray(drawn, np.uint8), out=area)
