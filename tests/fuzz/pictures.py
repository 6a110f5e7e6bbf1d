"""Damaged images and PDF files, read from one end to the other: a result, or ImageError.

python -m tests.fuzz.pictures --tries 10000 --seed 0
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import PIL.features
import PIL.Image

from ppocr_lite import OCR
from ppocr_lite.errors import ImageError
from tests.conftest import draw_page
from tests.fuzz.mutate import damage
from tests.fuzz.report import Report
from tests.fuzz.runner import run

# format of Pillow, what is said to it, mode of the picture, suffix
KINDS: tuple[tuple[str, dict[str, object], str, str], ...] = (
    ("JPEG", {}, "RGB", "jpg"),
    ("JPEG", {"progressive": True}, "RGB", "jpg"),
    ("JPEG", {}, "CMYK", "jpg"),
    ("JPEG", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"}, "L", "jpeg"),
    ("PNG", {}, "RGB", "png"),
    ("PNG", {}, "RGBA", "png"),
    ("PNG", {"transparency": 3}, "P", "png"),
    ("PNG", {}, "I;16", "png"),
    ("PNG", {}, "1", "png"),
    ("PNG", {}, "LA", "png"),
    ("TIFF", {"compression": "raw"}, "RGB", "tif"),
    ("TIFF", {"compression": "tiff_lzw"}, "RGB", "tif"),
    ("TIFF", {"compression": "tiff_deflate"}, "RGBA", "tiff"),
    ("TIFF", {"compression": "jpeg"}, "RGB", "tif"),
    ("TIFF", {"compression": "group4"}, "1", "tif"),
    ("TIFF", {"compression": "packbits", "frames": 3}, "L", "tiff"),
    ("BMP", {}, "RGB", "bmp"),
    ("BMP", {}, "P", "bmp"),
    ("WEBP", {}, "RGB", "webp"),
    ("WEBP", {"lossless": True}, "RGBA", "webp"),
    ("GIF", {}, "P", "gif"),
    ("GIF", {"frames": 3}, "P", "gif"),
    ("PDF", {}, "RGB", "pdf"),
    ("PDF", {"frames": 2}, "1", "pdf"),
    *((("AVIF", {}, "RGB", "avif"),) if PIL.features.check("avif") else ()),
)
PAGES = "1-3"  # of a damaged file, which may claim thousands


def encode(kind: str, options: dict[str, object], mode: str, seed: int) -> bytes:
    """Return a small drawn page in a format."""
    pixels = draw_page((120, 160), lines=3, seed=seed).image
    picture = PIL.Image.fromarray(np.ascontiguousarray(pixels[:, :, ::-1]))
    if mode == "I;16":
        picture = PIL.Image.fromarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY).astype(np.uint16) * 257)
    elif mode != "RGB":
        picture = picture.convert("L" if mode in ("LA",) else "RGB").convert(mode)
    options = dict(options)
    frames = int(options.pop("frames", 1))  # type: ignore[call-overload]
    if frames > 1:
        options |= {"save_all": True, "append_images": [picture] * (frames - 1)}
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def prepare(folder: Path, seed: int) -> Callable[[int], str]:
    """Return what makes a damaged file and reads it."""
    originals = [encode(kind, options, mode, seed) for kind, options, mode, _ in KINDS]
    ocr = OCR(threads=1)

    def attempt(number: int) -> str:
        rng = np.random.default_rng((seed, number))
        which = number % len(KINDS)
        path = folder / f"damaged.{KINDS[which][3]}"
        path.write_bytes(damage(originals[which], rng, originals[int(rng.integers(len(originals)))]))
        try:
            pages = list(ocr.stream(path, PAGES))
        except ImageError as error:
            if path.name not in str(error):
                raise
            return "ImageError"
        return "read" if pages else "no such page"

    return attempt


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    report: Report = run("tests.fuzz.pictures", arguments.tries, arguments.seed)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
