"""Fetch photographs without text from the Debian archive, as backgrounds and for counting false boxes.

    python tools/setup_photos.py photos      # writes photos/{train,val} and photos/{train,val}.txt

The desktop backgrounds of Debian are photographs and drawings under free licences (each package's ``copyright`` file
names author and licence).  Those with letters on them are left out; ``val`` holds photographs only.  ``train.txt`` and
``val.txt`` list them as pages without text.  Needs ``apt-get`` and ``dpkg``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

from ppocr_lite.commands.console import report_errors
from ppocr_lite.errors import DataError, ImageError
from ppocr_lite.files import write_text
from ppocr_lite.io.images import read, write

LONGER_SIDE = 1600  # pixels
# package → (folder inside it, words in the names of pictures that show letters)
TRAIN = {
    "plasma-workspace-wallpapers": ("usr/share/wallpapers", ("screenshot", "images_dark", "FlyingKonqui")),
    "ukui-wallpapers": ("usr/share/backgrounds", ("ubuntukylin", "firstgeneration")),
}
VAL = {
    "lomiri-wallpapers-16.04": ("usr/share/backgrounds", ("greentock", "analogpattern", "umang")),
    "mate-backgrounds": ("usr/share/backgrounds/mate/nature", ()),
}
SUFFIXES = (".jpg", ".jpeg", ".png")


def main() -> None:
    """Fetch, unpack, write at most one size of each picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    output: Path = parser.parse_args().output
    with tempfile.TemporaryDirectory() as work:
        for split, packages in (("train", TRAIN), ("val", VAL)):
            for package, (folder, lettered) in packages.items():
                unpacked = fetch(package, Path(work))
                names = [save(picture, output / split) for picture in pictures(unpacked / folder, lettered)]
                print(f"{package}: {len(names)} pictures in {output / split}")
    for split in ("train", "val"):
        listed = sorted((output / split).iterdir())
        text = "".join(f"{split}/{path.name}\t[]\n" for path in listed)
        write_text(output / f"{split}.txt", text)


def fetch(package: str, work: Path) -> Path:
    """Download and unpack a package without installing it; return the folder."""
    target = work / package
    try:
        subprocess.run(["apt-get", "download", "-qq", package], cwd=work, check=True)
        archive = next(work.glob(f"{package}_*.deb"))
        subprocess.run(["dpkg", "-x", str(archive), str(target)], check=True)
    except (OSError, subprocess.CalledProcessError, StopIteration) as error:
        raise DataError(f"The package {package} could not be fetched: {error}. Is this Debian or Ubuntu?") from error
    return target


def pictures(folder: Path, lettered: tuple[str, ...]) -> list[Path]:
    """Return the pictures of a folder without letters on them, the largest file where there are several sizes."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).parts[0]
        if path.suffix.lower() not in SUFFIXES or path.is_symlink() or any(word in str(path) for word in lettered):
            continue
        if name not in found or path.stat().st_size > found[name].stat().st_size:
            found[name] = path
    return list(found.values())


def save(path: Path, folder: Path) -> str:
    """Write a picture with its longer side at most 1600 pixels; return its name."""
    try:
        image = read(path)
    except ImageError as error:
        raise DataError(f"{path.name}: {error}") from error
    scale = LONGER_SIDE / max(image.shape[:2])
    if scale < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    stem = path.stem if not path.stem[0].isdigit() or "x" not in path.stem else path.parents[2].name
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / f"{stem}.jpg", image)
    return stem


if __name__ == "__main__":
    sys.exit(report_errors(main))
