"""A folder of scans: a picture, a PDF of three pages, and on demand one that is damaged."""

from __future__ import annotations

import io
from pathlib import Path

import PIL.Image

from tests.serving import png

PICTURE = "Lantern 42.50"
PAGES = ("Orchard", "harbour mill", "Total 18.05")


def write_scans(folder: Path) -> Path:
    """Write ``a.png`` and ``b.pdf`` into *folder*, and return it."""
    (folder / "a.png").write_bytes(png(PICTURE))
    pages = [PIL.Image.open(io.BytesIO(png(text))) for text in PAGES]
    pages[0].save(folder / "b.pdf", save_all=True, append_images=pages[1:], resolution=200)
    return folder


def write_damaged(folder: Path, name: str = "damaged.png") -> Path:
    """Write half a picture."""
    data = png("Quartz")
    (folder / name).write_bytes(data[: len(data) // 2])
    return folder / name
