"""Draw what the library reads on each sample image, for doc/gallery.md and README.md.

    python doc/pictures/make.py

Needs a font; which one is installed shows in the right halves.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from ppocr_lite import OCR

HERE = Path(__file__).parent
WIDEST = 1100  # pixels of a picture


def main() -> None:
    """Read, draw and save one sample after another."""
    for page in OCR().stream(HERE.parent / "samples"):
        picture = Image.fromarray(page.draw()[:, :, ::-1])
        picture.thumbnail((WIDEST, picture.height), Image.Resampling.LANCZOS)
        path = HERE / f"{Path(page.source or '').stem}.jpg"
        picture.save(path, quality=70, optimize=True, progressive=True)
        print(f"{path.name}\t{len(page)} lines\t{path.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
