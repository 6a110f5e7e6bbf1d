"""What cameras, scanners and files do to an image: blur, noise, shadow, low resolution, JPEG, thresholding.

Every function takes and returns (H, W, 3) uint8 BGR and keeps the geometry, so labels stay true.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.io.images import Image
from ppocr_lite.synth.draws import chance, integer, pick, uniform, weighted

NOISE_SIDE = 1024


@lru_cache(maxsize=2)
def _noise(channels: int) -> NDArray[np.int8]:
    """A tile (S, S, 3) of normal noise, standard deviation 32, the same in every process; grey with one channel."""
    rng = np.random.default_rng(20_001)
    tile = np.clip(rng.standard_normal((NOISE_SIDE, NOISE_SIDE, channels), np.float32) * 32, -127, 127).astype(np.int8)
    return np.repeat(tile, 3 // channels, axis=2)


def noise(image: Image, rng: np.random.Generator, sigma: float) -> Image:
    """Add normal noise of standard deviation *sigma* grey levels, coloured or grey."""
    height, width = image.shape[:2]
    tile = _noise(pick(rng, (1, 3)))
    if height > NOISE_SIDE or width > NOISE_SIDE:
        tile = np.tile(tile, (-(-height // NOISE_SIDE), -(-width // NOISE_SIDE), 1))
    y, x = integer(rng, 0, tile.shape[0] - height), integer(rng, 0, tile.shape[1] - width)
    patch = tile[y : y + height, x : x + width]
    return np.asarray(cv2.addWeighted(image, 1.0, patch, sigma / 32, 0.0, dtype=cv2.CV_8U))


def blur(image: Image, rng: np.random.Generator, sigma: float) -> Image:
    """Blur as defocus (round), as a box, or as motion along a random direction, *sigma* in pixels."""
    form = rng.random()
    if form < 0.6:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), max(0.2, sigma)))
    length = max(2, round(sigma * 3.0))
    if form < 0.75:
        return np.asarray(cv2.blur(image, (min(length, 3), min(length, 3))))
    kernel = np.zeros((length, length), np.float32)
    angle = uniform(rng, 0, np.pi)
    centre, reach = (length - 1) / 2, length / 2
    ends = [(round(centre + s * reach * np.cos(angle)), round(centre + s * reach * np.sin(angle))) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()))


def jpeg(image: Image, quality: int) -> Image:
    """Encode and decode as JPEG of *quality* 1 … 100."""
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR))


def lower(image: Image, rng: np.random.Generator, factor: float) -> Image:
    """Lose resolution: shrink by *factor* ≥ 1 and enlarge again."""
    height, width = image.shape[:2]
    size = (max(2, round(width / factor)), max(2, round(height / factor)))
    down = weighted(rng, ((cv2.INTER_AREA, 3.0), (cv2.INTER_LINEAR, 2.0), (cv2.INTER_NEAREST, 0.3)))
    small = cv2.resize(image, size, interpolation=down)
    up = pick(
        rng,
        (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_CUBIC, cv2.INTER_NEAREST if factor < 1.5 else cv2.INTER_LINEAR),
    )
    return np.asarray(cv2.resize(small, (width, height), interpolation=up))


def shade(image: Image, rng: np.random.Generator, depth: float) -> Image:
    """Light unevenly: a smooth field of factors between 1 - *depth* and 1."""
    height, width = image.shape[:2]
    field = rng.random((integer(rng, 2, 4), integer(rng, 2, 4)), dtype=np.float32)
    return _dim(image, 1 - depth * cv2.resize(field, (width, height), interpolation=cv2.INTER_LINEAR))


def shadow(image: Image, rng: np.random.Generator) -> Image:
    """Throw the shadow of an edge over a part of the image, soft or hard."""
    height, width = image.shape[:2]
    scale = 8 if max(height, width) > 256 else 1
    small = np.zeros((max(2, height // scale), max(2, width // scale)), np.float32)
    h, w = small.shape
    points = np.array([[uniform(rng, -0.3, 1.3) * w, uniform(rng, -0.3, 1.3) * h] for _ in range(integer(rng, 3, 4))])
    cv2.fillConvexPoly(small, cv2.convexHull(points.astype(np.int32)), 1.0)
    small = cv2.GaussianBlur(small, (0, 0), uniform(rng, 0.5, 6.0))
    depth = uniform(rng, 0.15, 0.55)
    return _dim(image, 1 - depth * cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def _dim(image: Image, field: NDArray[np.float32]) -> Image:
    """Multiply each pixel by its factor in *field* (H, W)."""
    return np.asarray(cv2.multiply(image, cv2.merge([field] * 3), dtype=cv2.CV_8U))


def tone(image: Image, rng: np.random.Generator) -> Image:
    """Change contrast, brightness, gamma and white balance through a table per channel."""
    ramp = np.linspace(0, 1, 256, dtype=np.float32)
    curve = ramp ** np.float32(uniform(rng, 0.65, 1.5))
    curve = (curve - 0.5) * np.float32(uniform(rng, 0.6, 1.2)) + np.float32(0.5 + uniform(rng, -0.14, 0.14))
    gains = (
        np.array([uniform(rng, 0.9, 1.1) for _ in range(3)], np.float32) if chance(rng, 0.6) else np.ones(3, np.float32)
    )
    table = np.clip(curve[:, None] * gains * 255, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(image, table.reshape(256, 1, 3)))


def fax(image: Image, rng: np.random.Generator) -> Image:
    """Threshold to black and white with grain, as office scanners do in text mode."""
    grey = cv2.cvtColor(noise(image, rng, uniform(rng, 0, 14)), cv2.COLOR_BGR2GRAY)
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_OTSU)
    lit = grey > level + uniform(rng, -12, 18)
    share = float(lit.mean())
    if share < 0.6 or float(grey.std()) < 18:  # shadow or a picture would become black blotches
        return image
    dark = integer(rng, 0, 60)
    return np.asarray(cv2.cvtColor(np.where(lit, np.uint8(255), np.uint8(dark)), cv2.COLOR_GRAY2BGR))


def degrade_line(image: Image, rng: np.random.Generator, strength: float = 1.0) -> Image:
    """Apply a random mix of effects to a text line of height 24 … 64.

    Args:
        image: (H, W, 3) uint8 BGR.
        rng: Where the draws come from.
        strength: 0 leaves the image alone, 1 is usual.
    """
    height = image.shape[0]
    if chance(rng, 0.22 * strength):
        image = shade(image, rng, uniform(rng, 0.1, 0.5))
    if chance(rng, 0.07 * strength):
        image = shadow(image, rng)
    if chance(rng, 0.38 * strength):
        image = blur(image, rng, height / 40 * uniform(rng, 0.35, 1.35))
    if chance(rng, 0.30 * strength):
        image = lower(image, rng, max(1.0, height / uniform(rng, 11, 30)))
    if chance(rng, 0.35 * strength):
        image = noise(image, rng, uniform(rng, 2, 16))
    if chance(rng, 0.35 * strength):
        image = tone(image, rng)
    if chance(rng, 0.09 * strength):
        image = fax(image, rng)
    if chance(rng, 0.30 * strength):
        image = jpeg(image, integer(rng, 25, 90))
    return image


def degrade_page(image: Image, rng: np.random.Generator, strength: float = 1.0) -> Image:
    """Apply a random mix of effects to a whole page or scene; arguments as ``degrade_line``."""
    if chance(rng, 0.45 * strength):
        image = shade(image, rng, uniform(rng, 0.1, 0.5))
    if chance(rng, 0.2 * strength):
        image = shadow(image, rng)
    if chance(rng, 0.35 * strength):
        image = blur(image, rng, uniform(rng, 0.4, 1.5))
    if chance(rng, 0.2 * strength):
        image = lower(image, rng, uniform(rng, 1.1, 1.9))
    if chance(rng, 0.4 * strength):
        image = noise(image, rng, uniform(rng, 2, 14))
    if chance(rng, 0.4 * strength):
        image = tone(image, rng)
    if chance(rng, 0.06 * strength):
        image = fax(image, rng)
    if chance(rng, 0.4 * strength):
        image = jpeg(image, integer(rng, 30, 92))
    return image
