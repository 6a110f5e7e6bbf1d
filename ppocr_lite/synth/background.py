"""Backgrounds without text: paper, procedural scenes, and crops of the user's own photographs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.errors import DataError
from ppocr_lite.io.images import Image
from ppocr_lite.synth.draws import chance, integer, pick, uniform, weighted

SIDE = 1024  # pixels of a pooled background
POOL = {"paper": 12, "scene": 32}  # how many are made; crops, turns, mirrors and tints make many more of them
PICTURES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
Kind = Literal["paper", "scene"]


def colour(rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a random BGR colour, (3,) float32 in [0, 255]: often grey or weak, sometimes vivid."""
    value = uniform(rng, 0, 255)
    form = rng.random()
    spread = 8.0 if form < 0.35 else 50.0 if form < 0.7 else 160.0
    return np.clip(value + (rng.random(3) - 0.5) * 2 * spread, 0, 255).astype(np.float32)


def clouds(rng: np.random.Generator, height: int, width: int, cells: int) -> NDArray[np.float32]:
    """Return smooth noise in [0, 1], (height, width) float32, with about *cells* bumps along a side."""
    grid = rng.random((cells + 2, cells + 2), dtype=np.float32)
    return np.asarray(cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1))


def _paper(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A sheet's texture, fibres, stains, creases: 127 is the paper's own colour."""
    sheet = (clouds(rng, SIDE, SIDE, 4) - 0.5) * uniform(rng, 0, 22)
    grain = rng.standard_normal((SIDE, SIDE), np.float32) * np.float32(uniform(rng, 0.5, 6))
    if chance(rng, 0.6):
        grain = cv2.GaussianBlur(grain, (0, 0), uniform(rng, 0.5, 2.0)) * 2
    sheet = sheet + grain
    for _ in range(integer(rng, 0, 3)):  # creases
        line = np.zeros((SIDE, SIDE), np.float32)
        ends = [(integer(rng, 0, SIDE), integer(rng, 0, SIDE)) for _ in range(2)]
        cv2.line(line, ends[0], ends[1], uniform(rng, -30, 30), integer(rng, 1, 4), cv2.LINE_AA)
        sheet += cv2.GaussianBlur(line, (0, 0), uniform(rng, 0.7, 5))
    return np.asarray(np.clip(sheet + 127, 0, 255).astype(np.uint8))


def _scene(rng: np.random.Generator) -> Image:
    """A scene without text: a gradient or texture, then shapes as streets and rooms have them."""
    low, high = colour(rng), colour(rng)
    field = weighted(rng, ((0, 2.0), (1, 2.0), (2, 1.0)))
    if field == 0:
        mix = clouds(rng, SIDE, SIDE, integer(rng, 1, 5))
    elif field == 1:
        ramp = np.linspace(0, 1, SIDE, dtype=np.float32)
        mix = np.broadcast_to(ramp[:, None] if chance(rng, 0.6) else ramp[None], (SIDE, SIDE))
    else:
        mix = (
            0.5 * clouds(rng, SIDE, SIDE, 6) + 0.35 * clouds(rng, SIDE, SIDE, 40) + 0.15 * clouds(rng, SIDE, SIDE, 200)
        )
    image = np.ascontiguousarray((low + (high - low) * mix[..., None]).clip(0, 255).astype(np.uint8))
    for _ in range(integer(rng, 2, 16)):
        pick(rng, SHAPES)(image, rng)
    if chance(rng, 0.5):
        image = cv2.GaussianBlur(image, (0, 0), uniform(rng, 0.5, 3))
    grain = rng.standard_normal((SIDE, SIDE, 1), np.float32) * np.float32(uniform(rng, 0, 9))
    return np.clip(image + grain, 0, 255).astype(np.uint8)


def _tint(rng: np.random.Generator) -> tuple[float, ...]:
    return tuple(float(value) for value in colour(rng))


def _spot(rng: np.random.Generator) -> tuple[int, int]:
    return integer(rng, -50, SIDE + 50), integer(rng, -50, SIDE + 50)


def _block(image: Image, rng: np.random.Generator) -> None:
    (x, y), w, h = _spot(rng), integer(rng, 40, 500), integer(rng, 40, 500)
    cv2.rectangle(image, (x, y), (x + w, y + h), _tint(rng), -1)
    if chance(rng, 0.4):
        cv2.rectangle(image, (x, y), (x + w, y + h), _tint(rng), integer(rng, 1, 10))


def _polygon(image: Image, rng: np.random.Generator) -> None:
    x, y = _spot(rng)
    points = np.array([[x + integer(rng, -250, 250), y + integer(rng, -250, 250)] for _ in range(integer(rng, 3, 7))])
    cv2.fillPoly(image, [points.astype(np.int32)], _tint(rng), cv2.LINE_AA)


def _ellipse(image: Image, rng: np.random.Generator) -> None:
    axes = (integer(rng, 8, 220), integer(rng, 8, 220))
    cv2.ellipse(
        image, _spot(rng), axes, uniform(rng, 0, 180), 0, 360, _tint(rng), pick(rng, (-1, -1, 2, 6, 14)), cv2.LINE_AA
    )


def _bars(image: Image, rng: np.random.Generator) -> None:
    """Parallel strokes: fences, blinds, shelves; the commonest thing that is taken for text."""
    (x, y), step, count = _spot(rng), integer(rng, 5, 60), integer(rng, 4, 24)
    length, thick, tint = integer(rng, 30, 500), integer(rng, 1, 8), _tint(rng)
    upright = chance(rng, 0.6)
    for i in range(count):
        a = (x + i * step, y) if upright else (x, y + i * step)
        b = (a[0], a[1] + length) if upright else (a[0] + length, a[1])
        cv2.line(image, a, b, tint, thick, cv2.LINE_AA)


def _windows(image: Image, rng: np.random.Generator) -> None:
    """A grid of cells, as windows, tiles, goods on a shelf, keys."""
    (x, y), w, h = _spot(rng), integer(rng, 10, 80), integer(rng, 10, 80)
    gap, tint = integer(rng, 2, 24), _tint(rng)
    varied = chance(rng, 0.4)
    for row in range(integer(rng, 2, 8)):
        for column in range(integer(rng, 2, 10)):
            a = (x + column * (w + gap), y + row * (h + gap))
            cv2.rectangle(image, a, (a[0] + w, a[1] + h), _tint(rng) if varied else tint, -1)


def _branches(image: Image, rng: np.random.Generator) -> None:
    """Crooked strokes and leaves."""
    tint = _tint(rng)
    for _ in range(integer(rng, 3, 12)):
        steps = rng.standard_normal((integer(rng, 4, 12), 2)) * uniform(rng, 10, 50)
        points = np.cumsum(steps, 0) + np.array(_spot(rng))
        cv2.polylines(image, [points.astype(np.int32)], False, tint, integer(rng, 1, 7), cv2.LINE_AA)


def _speckle(image: Image, rng: np.random.Generator) -> None:
    """Rough patches: foliage, gravel, cloth."""
    size, cell = integer(rng, 120, 500), integer(rng, 2, 10)
    x, y = integer(rng, 0, SIDE - size), integer(rng, 0, SIDE - size)
    grid = rng.random((size // cell, size // cell, 1), dtype=np.float32)
    patch = cv2.resize(grid, (size, size), interpolation=cv2.INTER_LINEAR if chance(rng, 0.6) else cv2.INTER_NEAREST)
    low, high = colour(rng), colour(rng)
    image[y : y + size, x : x + size] = (low + (high - low) * patch[..., None]).clip(0, 255)


SHAPES = (_block, _block, _polygon, _polygon, _ellipse, _bars, _bars, _windows, _branches, _speckle)


@lru_cache(maxsize=64)
def _pooled(kind: Kind, index: int) -> NDArray[Any]:
    """Make one background of the pool; it depends on nothing but its number."""
    rng = np.random.default_rng((77, 1 if kind == "paper" else 2, index))
    return _paper(rng) if kind == "paper" else _scene(rng)


@lru_cache(maxsize=48)
def _photo(path: str) -> Image:
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        raise DataError(f"{path}: not a readable background image. Remove it from the folder or convert it.")
    scale = 1400 / max(image.shape[:2])
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image)


class Backgrounds:
    """Gives backgrounds of any size.

    Args:
        folders: Folders of photographs that hold no text; none are needed.
        share: How often a scene is one of the photographs, in [0, 1], if there are any.

    Raises:
        DataError: If a folder does not exist or holds no picture.
    """

    def __init__(self, folders: Sequence[str | Path] = (), share: float = 0.6) -> None:
        self.share = share
        self.photos: list[str] = []
        for folder in map(Path, folders):
            found = sorted(str(p) for p in folder.rglob("*") if p.suffix.lower() in PICTURES) if folder.is_dir() else []
            if not found:
                raise DataError(f"{folder}: no background pictures. Pass a folder with {', '.join(PICTURES)} files.")
            self.photos += found

    def paper(self, rng: np.random.Generator, height: int, width: int, tint: Any) -> Image:
        """Return a sheet of (height, width) in the colour *tint*, BGR."""
        if chance(rng, 0.35):
            plain = np.empty((height, width, 3), np.uint8)
            plain[:] = np.asarray(tint).clip(0, 255)
            return plain
        texture = _crop(_pooled("paper", integer(rng, 0, POOL["paper"] - 1)), rng, height, width)
        steps = np.arange(-127, 129, dtype=np.float32)[:, None] + np.asarray(tint, np.float32)
        table = np.clip(steps, 0, 255).astype(np.uint8)
        return np.asarray(cv2.LUT(cv2.cvtColor(texture, cv2.COLOR_GRAY2BGR), table.reshape(256, 1, 3)), np.uint8)

    def scene(self, rng: np.random.Generator, height: int, width: int) -> Image:
        """Return a photograph or a made scene of (height, width), a writable copy."""
        if self.photos and chance(rng, self.share):
            source = _photo(pick(rng, self.photos))
        else:
            source = _pooled("scene", integer(rng, 0, POOL["scene"] - 1))
        crop = np.array(_crop(source, rng, height, width))
        if chance(rng, 0.5):
            gains = np.array([uniform(rng, 0.6, 1.3) for _ in range(3)], np.float32)
            table = np.clip(np.arange(256, dtype=np.float32)[:, None] * gains, 0, 255).astype(np.uint8)
            crop = np.asarray(cv2.LUT(crop, table.reshape(256, 1, 3)), np.uint8)
        return crop


def _crop(source: NDArray[Any], rng: np.random.Generator, height: int, width: int) -> NDArray[Any]:
    """Cut a random part of about the wanted size, mirrored or turned at random, and fit it exactly."""
    if chance(rng, 0.5):
        source = source[:, ::-1]
    if chance(rng, 0.3):
        source = source[::-1]
    if chance(rng, 0.3):
        source = source.swapaxes(0, 1)
    zoom = uniform(rng, 0.5, 1.0) if height * width > 65_536 else uniform(rng, 1.0, 3.0)
    zoom = min(zoom, source.shape[0] / height, source.shape[1] / width)
    h, w = max(1, int(height * zoom)), max(1, int(width * zoom))
    y, x = integer(rng, 0, source.shape[0] - h), integer(rng, 0, source.shape[1] - w)
    part = source[y : y + h, x : x + w]
    if part.shape[:2] == (height, width):
        return part
    return np.asarray(cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=cv2.INTER_LINEAR))
