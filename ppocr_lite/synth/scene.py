"""Text as it stands in the world: on boards, walls and goods, turned, foreshortened, bent.

Each word has its own mark, as in the public sets of scene text; those of documents mark lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite.io.images import Image
from ppocr_lite.synth import ink, phrases
from ppocr_lite.synth.background import colour
from ppocr_lite.synth.corpus import Corpus
from ppocr_lite.synth.draws import chance, integer, pick, uniform, weighted
from ppocr_lite.synth.fonts import FontBook
from ppocr_lite.synth.line import stand_out
from ppocr_lite.synth.sheet import Mark, box_around

Words = list[tuple[str, ink.Box]]
SIZES = (16, 20, 24, 28, 32, 40, 50, 64, 84, 110)  # pixels per em
CURVE_POINTS = 6  # along each long side of a bent line


@dataclass(frozen=True)
class Sign:
    """A few lines of text before they are set into a scene.

    Attributes:
        alpha: (H, W) uint8 coverage.
        marks: Words, in pixels of *alpha*.
    """

    alpha: ink.Mask
    marks: list[Mark]


def sign(rng: np.random.Generator, fonts: FontBook, corpus: Corpus) -> Sign | None:
    """Draw one to three lines in one face, each of one to four words."""
    face = fonts.pick(rng)
    size = weighted(rng, tuple((size, 1.0 / (1 + i * 0.12)) for i, size in enumerate(SIZES)))
    lines = weighted(rng, ((1, 5.0), (2, 2.0), (3, 1.0)))
    spacing = uniform(rng, 0, 0.25) if chance(rng, 0.12) else 0.0
    drawn: list[tuple[ink.Ink, Words]] = []
    for _ in range(lines):
        text = _words(rng, corpus)
        text = text.upper() if face.capitals_only else text
        lacking = face.missing(text)
        text = " ".join("".join(char for char in text if char not in lacking).split())
        line = ink.draw(face, size, text, spacing) if text else None
        if line is not None:
            drawn.append((line, ink.word_boxes(line, face, size, text, spacing)))
        if chance(rng, 0.3):
            size = SIZES[max(0, SIZES.index(size) - integer(rng, 1, 2))]
    if not drawn:
        return None
    if len(drawn) == 1 and chance(rng, 0.18) and drawn[0][0].mask.shape[1] > 2 * drawn[0][0].mask.shape[0]:
        return _bent(rng, *drawn[0])
    pad = 6
    width = max(line.mask.shape[1] for line, _ in drawn) + 2 * pad
    gaps = [int(line.cap * uniform(rng, 0.35, 0.9)) for line, _ in drawn]
    alpha = np.zeros((sum(line.mask.shape[0] for line, _ in drawn) + sum(gaps) + 2 * pad, width), np.uint8)
    align = pick(rng, (0.0, 0.5, 0.5, 1.0))
    marks, y = [], pad
    for (line, words), gap in zip(drawn, gaps, strict=True):
        height, wide = line.mask.shape
        x = pad + int((width - 2 * pad - wide) * align)
        alpha[y : y + height, x : x + wide] = line.mask
        for text, (x0, y0, x1, y1) in words:
            marks.append(Mark(box_around(x + x0, y + y0, x + x1, y + y1, line.cap), text))
        y += height + gap
    return Sign(alpha[: y - gaps[-1] + pad], marks)


def _words(rng: np.random.Generator, corpus: Corpus) -> str:
    form = rng.random()
    if not corpus.latin or form < 0.45:
        return corpus.phrase(rng, 1, 14)
    words = " ".join(corpus.word(rng) for _ in range(weighted(rng, ((1, 5.0), (2, 3.0), (3, 1.0)))))
    if form < 0.75:
        return words.upper()
    if form < 0.9:
        return words.title()
    maker = pick(rng, (phrases.company, phrases.phone, phrases.price, phrases.web, phrases.number))
    return corpus.clean(maker(rng, lambda: corpus.word(rng))) or words


def _bent(rng: np.random.Generator, line: ink.Ink, words: Words) -> Sign:
    """Bend one line into an arc; the polygons of its words follow the curve."""
    bend = uniform(rng, 0.15, 0.8) * pick(rng, (-1, 1))
    mask, shift = ink.arc(line.mask, bend)
    height, width = line.mask.shape
    pad, marks = 6, []
    for text, (x0, _, x1, _) in words:
        columns = np.linspace(x0, x1 - 1, CURVE_POINTS)
        drop = np.interp(columns, np.arange(width), shift)
        xs = columns + np.linspace(-1, 1, CURVE_POINTS)
        top = np.stack([xs, drop - 1.5], 1)
        bottom = np.stack([xs, drop + height + 1.5], 1)[::-1]
        marks.append(Mark((np.concatenate([top, bottom]) + pad).astype(np.float32), text))
    return Sign(cv2.copyMakeBorder(mask, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0), marks)


def place(
    image: Image, item: Sign, taken: list[tuple[float, float, float, float]], rng: np.random.Generator
) -> list[Mark]:
    """Set a sign into a scene, in place, where it overlaps no other.

    Args:
        image: (H, W, 3) uint8 BGR, changed.
        item: What to place.
        taken: Boxes x0, y0, x1, y1 of the signs before; the new one is added.
        rng: Where the draws come from.

    Returns:
        The marks in pixels of *image*; empty if there was no room.
    """
    height, width = item.alpha.shape
    for _ in range(6):
        matrix, corners = _pose(item, image.shape[:2], rng)
        x0, y0 = np.floor(corners.min(0)).astype(int)
        x1, y1 = np.ceil(corners.max(0)).astype(int) + 1
        free = all(x1 < a or c < x0 or y1 < b or d < y0 for a, b, c, d in taken)
        if free and x0 >= 2 and y0 >= 2 and x1 < image.shape[1] - 2 and y1 < image.shape[0] - 2:
            break
    else:
        return []
    taken.append((x0, y0, x1, y1))
    shift = np.array([[1, 0, -x0], [0, 1, -y0], [0, 0, 1]], np.float64)
    if min(height, width) > 200 or max(height, width) > 1200:
        soft = cv2.GaussianBlur(item.alpha, (0, 0), 0.7)
    else:
        soft = item.alpha
    alpha = cv2.warpPerspective(soft, shift @ matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    _render(image[y0:y1, x0:x1], alpha.astype(np.float32) / 255, corners - (x0, y0), rng)
    return [Mark(cv2.perspectiveTransform(mark.polygon[None], matrix)[0], mark.text) for mark in item.marks]


def _pose(
    item: Sign, size: tuple[int, int], rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return a homography from the sign to the image, and the sign's corners there."""
    height, width = item.alpha.shape
    limit = min(1.0, 0.85 * size[1] / width, 0.85 * size[0] / height)
    middle, reach = weighted(rng, (((0, 4), 5.0), ((0, 18), 3.0), ((0, 60), 1.0), ((-90, 5), 0.35), ((90, 5), 0.35)))
    angle = math.radians(middle + uniform(rng, -reach, reach))
    squeeze = uniform(rng, 0.55, 1.2) if chance(rng, 0.4) else 1.0
    half = np.array([[-width, -height], [width, -height], [width, height], [-width, height]], np.float32) * np.float32(
        0.5
    )
    shaped = half * np.array([squeeze * limit, limit], np.float32)
    if chance(rng, 0.5):  # foreshortening: one end is nearer
        depth = uniform(rng, 0.0, 0.3) * pick(rng, (-1, 1))
        shaped[:, 1] *= 1 + depth * np.sign(half[:, 0])
        shaped[:, 1] += uniform(rng, -0.2, 0.2) * shaped[:, 0] * (0.3 + 0.7 * chance(rng, 0.3))
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]], np.float32)
    turned = shaped @ turn
    span = turned.max(0) - turned.min(0)
    room = np.array([size[1], size[0]], np.float32) - span
    corner = np.array(
        [uniform(rng, 0, max(1.0, float(room[0]))), uniform(rng, 0, max(1.0, float(room[1])))], np.float32
    )
    corners = (turned - turned.min(0) + corner).astype(np.float32)
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    return cv2.getPerspectiveTransform(source, corners), corners


def _render(view: Image, alpha: NDArray[np.float32], corners: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Colour a placed sign: its board if it has one, shadow or outline, then the letters."""
    if chance(rng, 0.5):
        board = colour(rng)
        shape = np.zeros(alpha.shape, np.uint8)
        cv2.fillConvexPoly(shape, np.round(corners).astype(np.int32), 255, cv2.LINE_AA)
        ink.paint(view, shape.astype(np.float32) * np.float32(uniform(rng, 0.75, 1.0) / 255), board)
        if chance(rng, 0.3):
            cv2.polylines(
                view,
                [np.round(corners).astype(np.int32)],
                True,
                tuple(map(float, colour(rng))),
                integer(rng, 1, 4),
                cv2.LINE_AA,
            )
    base = view.reshape(-1, 3).mean(0)
    fill = stand_out(base, colour(rng), rng)
    rough = float(view.std()) > 45
    if rough or chance(rng, 0.2):
        other = stand_out(fill, colour(rng), rng)
        reach = integer(rng, 2, 5)
        if chance(rng, 0.5):
            edge = cv2.dilate(alpha, np.ones((reach, reach), np.uint8))
        else:
            edge = np.zeros_like(alpha)
            edge[reach:, reach:] = alpha[:-reach, :-reach]
        ink.paint(view, edge * np.float32(uniform(rng, 0.5, 1.0)), other)
    ink.paint(view, alpha * np.float32(uniform(rng, 0.75, 1.0)), fill)
