"""Geometric augmentation of a text line by moving a few control points: distort, stretch, perspective.

Source:
    Luo et al., Learn to Augment: Joint Data Augmentation and Network Optimization for Text Recognition, CVPR 2020
    (control points along the upper and lower edge); Schaefer et al., Image Deformation Using Moving Least Squares,
    SIGGRAPH 2006 (the warp between them).

Every function takes an image and a random generator, and returns a new image of the same size. The warp is computed
exactly on a coarse grid and interpolated linearly between its nodes, which makes it cheap.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.io.images import Image

Points = NDArray[np.float64]

_CELL_PX = 8  # distance of grid nodes; the warp is smooth on this scale
_MOVE_RATIO = 1.0 / 3.0  # a point moves by at most this share of the distance to its neighbour


def distort(image: Image, rng: np.random.Generator, segments: int | None = None) -> Image:
    """Move points of both edges freely, so that each segment bends its own way.

    Args:
        image: uint8 (H, W, 3).
        rng: Source of randomness.
        segments: Parts that each edge is divided into; by default 3 to 6, drawn.
    """
    source = _edge_points(image, _draw_segments(rng) if segments is None else segments)
    reach_x, reach_y = _reach(image, source)
    move = rng.uniform(-1.0, 1.0, source.shape) * (reach_x, reach_y)
    corners = _corner_indices(source)
    move[corners] = np.abs(move[corners]) * _inwards(source[corners])
    return warp(image, source, source + move)


def stretch(image: Image, rng: np.random.Generator, segments: int | None = None) -> Image:
    """Move points of both edges together to the left or right: some segments widen, their neighbours narrow.

    Args:
        image: uint8 (H, W, 3).
        rng: Source of randomness.
        segments: Parts that each edge is divided into; by default 3 to 6, drawn.
    """
    source = _edge_points(image, _draw_segments(rng) if segments is None else segments)
    reach_x, _ = _reach(image, source, cap_by_height=False)
    half = len(source) // 2
    shift = rng.uniform(-1.0, 1.0, half) * reach_x
    shift[[0, -1]] = 0.0
    target = source.copy()
    target[:, 0] += np.concatenate([shift, shift])
    return warp(image, source, target)


def perspective(image: Image, rng: np.random.Generator) -> Image:
    """Move the four corners inwards by up to a quarter of the height, as if the line were seen at an angle.

    Args:
        image: uint8 (H, W, 3).
        rng: Source of randomness.
    """
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    reach = np.array([min(width / 8.0, height / 2.0), height / 4.0])
    move = rng.uniform(0.0, 1.0, (4, 2)) * reach * [[1, 1], [-1, 1], [-1, -1], [1, -1]]
    matrix = cv2.getPerspectiveTransform(corners, (corners + move).astype(np.float32))
    warped: Image = cv2.warpPerspective(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return warped


def warp(image: Image, source: Points, target: Points) -> Image:
    """Bend *image* so that each point of *source* moves to the one of *target*.

    Args:
        image: uint8 (H, W, 3).
        source: (K, 2) pixels, K ≥ 2, distinct.
        target: (K, 2) pixels, distinct.

    Returns:
        uint8 (H, W, 3); pixels from outside repeat the border.
    """
    height, width = image.shape[:2]
    xs, ys = _nodes(width), _nodes(height)
    grid = (xs[None, :] + 1j * ys[:, None]).ravel()
    found = rigid_moving_least_squares(grid, _complex(target), _complex(source))
    coarse = np.stack([found.real, found.imag], axis=-1).astype(np.float32).reshape(len(ys), len(xs), 2)
    fine = cv2.resize(coarse, (len(xs) * _CELL_PX, len(ys) * _CELL_PX), interpolation=cv2.INTER_LINEAR)
    inner = np.ascontiguousarray(fine[_CELL_PX : _CELL_PX + height, _CELL_PX : _CELL_PX + width])
    bent: Image = cv2.remap(image, inner, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return bent


def rigid_moving_least_squares(
    points: NDArray[np.complex128], before: NDArray[np.complex128], after: NDArray[np.complex128]
) -> NDArray[np.complex128]:
    """Move *points* (G,) as rigidly as possible, so that *before* (K,) goes to *after* (K,); x + iy throughout.

    In complex numbers a rotation with scale is one factor, and the least-squares one is
    ``a = Σ w q̂ conj(p̂) / Σ w |p̂|²`` with weights ``w = 1 / |p - v|²``; dividing by ``|a|`` makes it rigid.

    Source:
        Schaefer et al., SIGGRAPH 2006, §2.2 and §2.3 (α = 1).
    """
    difference = before[None, :] - points[:, None]  # (G, K)
    weight = 1.0 / (difference.real**2 + difference.imag**2 + 1e-6)
    weight /= weight.sum(axis=1, keepdims=True)
    centre_before, centre_after = weight @ before, weight @ after
    from_centre = difference - (centre_before - points)[:, None]  # p̂
    to_centre = after[None, :] - centre_after[:, None]  # q̂
    turned = (weight * to_centre * from_centre.conj()).sum(axis=1)
    size = np.abs(turned)
    rotation = np.where(size > 1e-9, turned / np.maximum(size, 1e-9), 1.0)
    return rotation * (points - centre_before) + centre_after


def _nodes(length: int) -> NDArray[np.float64]:
    """Return node positions of the coarse grid: cell centres, with one cell more on either side.

    cv2.resize by the factor ``_CELL_PX`` interpolates between cell centres; the outer cells, where it could only
    repeat, are cut off afterwards.
    """
    cells = -(-length // _CELL_PX) + 2
    return (np.arange(cells, dtype=np.float64) - 0.5) * _CELL_PX - 0.5


def _complex(points: Points) -> NDArray[np.complex128]:
    return points[:, 0] + 1j * points[:, 1]


def _edge_points(image: Image, segments: int) -> Points:
    """Return control points from left to right along the upper edge, then along the lower; (2 * (segments + 1), 2)."""
    height, width = image.shape[:2]
    x = np.linspace(0.0, width - 1.0, segments + 1)
    upper = np.stack([x, np.zeros_like(x)], axis=1)
    lower = np.stack([x, np.full_like(x, height - 1.0)], axis=1)
    return np.concatenate([upper, lower])


def _draw_segments(rng: np.random.Generator) -> int:
    return int(rng.integers(3, 7))


def _reach(image: Image, source: Points, cap_by_height: bool = True) -> tuple[float, float]:
    """Return how far a control point may move along x and y, in pixels."""
    height, width = image.shape[:2]
    cell = width / (len(source) // 2 - 1) * _MOVE_RATIO
    return (min(cell, height * _MOVE_RATIO) if cap_by_height else cell), min(cell, height * _MOVE_RATIO / 2.0)


def _corner_indices(source: Points) -> list[int]:
    half = len(source) // 2
    return [0, half - 1, half, len(source) - 1]


def _inwards(corners: Points) -> Points:
    """Return ±1 per coordinate: the direction from each corner towards the middle."""
    return np.where(corners > corners.mean(axis=0), -1.0, 1.0)
