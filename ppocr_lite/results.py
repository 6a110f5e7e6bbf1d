"""What prediction returns: values that are frozen, comparable and small, and hold no image."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import images, visualize
from ppocr_lite.errors import DataError, ImageError, suggest
from ppocr_lite.images import ImageInput

Points = NDArray[np.float32]
RESULT_VERSION = 1
DRAWING_SUFFIXES = (".jpeg", ".jpg", ".png")


class Detections(NamedTuple):
    """Text regions of one image.

    Attributes:
        polygons: Each (P, 2) float32, (x, y) pixels, clockwise; P = 4 for quads.
        scores: One number in [0, 1] per polygon.
    """

    polygons: list[Points]
    scores: list[float]


class Recognition(NamedTuple):
    """The text of one line image and how sure the network is, in [0, 1]; no text scores 0."""

    text: str
    score: float


class Orientation(NamedTuple):
    """How a line image is turned, 0 or 180 degrees, and how sure the network is, in [0, 1]."""

    angle: int
    score: float


@dataclass(frozen=True, eq=False)
class TextLine:
    """One line of text.

    Attributes:
        polygon: (P, 2) float32, read-only, P = 4 for quads, (x, y) pixels of the input image; clockwise from the
            reading-order top left.
        text: Recognised text, may be empty.
        score: Recognition confidence in [0, 1].
        det_score: Detection confidence in [0, 1].
        angle: 0 or 180, degrees the crop was turned before reading.

    Raises:
        ValueError: If *polygon* is not (P, 2).
    """

    polygon: Points
    text: str = ""
    score: float = 0.0
    det_score: float = 0.0
    angle: int = 0

    def __post_init__(self) -> None:
        polygon = np.array(self.polygon, np.float32)  # a copy, so that nobody else can change it
        if polygon.ndim != 2 or polygon.shape[1] != 2:
            raise ValueError(f"TextLine.polygon must have shape (P, 2). Received: {polygon.shape}")
        polygon.flags.writeable = False
        object.__setattr__(self, "polygon", polygon)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextLine) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[Any, ...]:
        return self.polygon.shape, self.polygon.tobytes(), self.text, self.score, self.det_score, self.angle

    def to_dict(self) -> dict[str, Any]:
        """Return plain types."""
        return {
            "polygon": self.polygon.tolist(),
            "text": self.text,
            "score": self.score,
            "det_score": self.det_score,
            "angle": self.angle,
        }


@dataclass(frozen=True)
class OCRResult:
    """What was read on one image, in reading order.

    Attributes:
        lines: The lines; none if the image has no text.
        size: (height, width) of the image, pixels.
        source: Path of the image, None if it had none.
    """

    lines: tuple[TextLine, ...] = ()
    size: tuple[int, int] = (0, 0)
    source: str | None = None

    def __iter__(self) -> Iterator[TextLine]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, index: int) -> TextLine:
        return self.lines[index]

    @property
    def text(self) -> str:
        """The lines joined with newlines."""
        return "\n".join(line.text for line in self.lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain types; :meth:`from_dict` reads them back."""
        return {
            "version": RESULT_VERSION,
            "source": self.source,
            "size": list(self.size),
            "lines": [line.to_dict() for line in self.lines],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> OCRResult:
        """Return the result that :meth:`to_dict` described.

        Raises:
            DataError: If *data* is from a newer release, or something in it is missing, unknown or of the wrong type.
        """
        version = data.get("version")
        if version != RESULT_VERSION:
            raise DataError(f"A result of version {RESULT_VERSION} is expected. Received: version {version!r}")
        try:
            lines = tuple(TextLine(**line) for line in data["lines"])
            height, width = (int(side) for side in data["size"])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"Not a result as OCRResult.to_dict() writes it: {error!r}") from error
        return cls(lines, (height, width), data.get("source"))

    def to_json(self, path: Path | str | None = None) -> str:
        """Return JSON, with characters as they are, and write it to *path* if given."""
        text = json.dumps(self.to_dict(), ensure_ascii=False, indent=2)
        if path is not None:
            Path(path).write_text(text + "\n", encoding="utf-8")
        return text

    def to_legacy(self) -> list[list[Any]]:
        """Return ``[[quad, (text, score)], ...]`` as PaddleOCR 2.x returns a page; *quad* is a list of [x, y]."""
        return [[line.polygon.tolist(), (line.text, line.score)] for line in self.lines]

    def draw(self, image: ImageInput | None = None) -> NDArray[np.uint8]:
        """Return a BGR picture, (H, 2 W, 3): the image with its boxes, and beside it the text that was read.

        Args:
            image: The image; None to read the source again.

        Raises:
            ImageError: If there is no image and no source to read.
        """
        if image is None and self.source is None:
            raise ImageError("This result has no source file to draw on. Give draw(image) the image.")
        pixels = images.read(self.source if image is None else image)  # type: ignore[arg-type]
        return visualize.draw_page(pixels, [line.polygon for line in self], [line.text for line in self])

    def save(self, path: Path | str, image: ImageInput | None = None) -> None:
        """Write the result in the format that the suffix of *path* names.

        Args:
            path: ``.json``, ``.txt`` (the text), or ``.png``, ``.jpg`` (a drawing).
            image: For a drawing: the image; None to read the source again.

        Raises:
            DataError: If no format has that suffix.
            ImageError: If a drawing is wanted and there is nothing to draw on.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix == ".json":
            self.to_json(path)
        elif suffix == ".txt":
            path.write_text(self.text + "\n" if self.lines else "", encoding="utf-8")
        elif suffix in DRAWING_SUFFIXES:
            images.write(path, self.draw(image))
        else:
            known = (".json", ".txt", *DRAWING_SUFFIXES)
            raise DataError(f"{path}: no result format has the suffix {suffix!r}.{suggest(suffix, known)}")
