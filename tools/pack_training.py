"""Pack what a training run needs into files for a machine without a network.

The machine has Python, torch, NumPy, OpenCV, Pillow, SciPy and PyYAML, no Paddle.  Into the archive go the package
with the weights of the released models, tools, configs and experiments, the label files with the images they name,
fonts, text, and wheels of the few small packages that are missing there.  It is cut into files of at most ``--limit``
megabytes.

Data inside the repository keep their place in it; other folders come into ``data``, where PPOCR_LITE_DATA points then.

Here:   python tools/pack_training.py --output packed --labels train_data/det/*.txt --corpora en.txt --fonts FOLDER
There:  cat training.tar.gz.* | tar xz && . training/enter.sh
        python3 tools/train.py -c configs/det/det_mv3_db.yml -o Global.engine=torch Global.device=gpu:0 Global.amp=O1
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from ppocr_lite.commands.console import report_errors
from ppocr_lite.errors import DataError
from ppocr_lite.transforms.labels import read_lines

REPOSITORY = Path(__file__).resolve().parents[1]
ROOT = "training"
NAME = "training.tar.gz"
SOURCES = ("ppocr_lite", "configs", "tools", "experiments")
SKIPPED = ("__pycache__",)
MODELS, WEIGHTS = "models", "model.safetensors"  # of the released models the weights come along, not the exports
# What training imports and such a machine usually lacks.
WHEELS = ("pyclipper", "lmdb", "rapidfuzz", "shapely", "safetensors", "fonttools", "tqdm")
# IaaAugment's library, and what that imports of the much it declares.
WHEELS += ("imgaug", "imageio", "lazy-loader", "packaging", "scikit-image", "six")
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
ENTER = """# Source this file:  . training/enter.sh
cd training || return
[ -d site ] || for wheel in wheels/*.whl; do python3 -m zipfile -e "$wheel" site; done
export PYTHONPATH="$PWD:$PWD/site${PYTHONPATH:+:$PYTHONPATH}"
export PPOCR_LITE_DATA="$PWD/data" PPOCR_LITE_CORPORA="$PWD/corpora"
export XDG_DATA_HOME="$PWD/share"  # where the data maker finds share/fonts
"""


class Parts:
    """A file to write to that is really several, each of at most *limit* bytes.

    Args:
        path: ``path.00``, ``path.01``, … are written.
        limit: Bytes of one part.
    """

    def __init__(self, path: Path, limit: int) -> None:
        self.path, self.limit = path, limit
        self.paths: list[Path] = []
        self._file: Any = None
        self._room = 0

    def write(self, data: bytes) -> int:
        """Append *data*, going on to the next part where one is full."""
        view = memoryview(data)
        while view:
            if not self._room:
                self.close()
                self.paths.append(self.path.with_name(f"{self.path.name}.{len(self.paths):02d}"))
                self._file, self._room = self.paths[-1].open("wb"), self.limit
            piece = view[: self._room]
            self._file.write(piece)
            self._room -= len(piece)
            view = view[len(piece) :]
        return len(data)

    def close(self) -> None:
        """Close the part at hand."""
        if self._file is not None:
            self._file.close()


def main() -> None:
    """Parse, collect, pack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True, help="folder for the parts")
    parser.add_argument("--labels", type=Path, nargs="*", default=[], help="label files; their images come along")
    parser.add_argument("--folders", type=Path, nargs="*", default=[], help="folders that come along whole")
    parser.add_argument("--corpora", type=Path, nargs="*", default=[], help="text files")
    parser.add_argument("--fonts", type=Path, nargs="*", default=[], help="font files or folders of fonts")
    parser.add_argument("--wheels", nargs="*", default=list(WHEELS), help="packages to download as wheels")
    parser.add_argument("--python", default="3.12", help="Python over there")
    parser.add_argument("--limit", type=float, default=60.0, help="megabytes of one part")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    wheels = arguments.output / "wheels"
    download(arguments.wheels, wheels, arguments.python)
    members = {
        **sources(),
        **{name: path for labels in arguments.labels for name, path in data_files(labels)},
        **{name: path for folder in arguments.folders for name, path in folder_files(folder)},
        **{f"corpora/{path.name}": path for path in arguments.corpora},
        **{f"share/fonts/{name}": path for name, path in font_files(arguments.fonts)},
        **{f"wheels/{path.name}": path for path in sorted(wheels.glob("*.whl"))},
    }
    parts = pack(members, arguments.output / NAME, int(arguments.limit * 1e6))
    for path in parts:
        print(f"{path}\t{path.stat().st_size / 1e6:.1f} MB")
    print(f"{len(members)} files in {len(parts)} parts.")


def sources() -> dict[str, Path]:
    """Return name → path of the package, the tools and the configs; of released models the weights alone."""
    found = {}
    for folder in SOURCES:
        for path in sorted((REPOSITORY / folder).rglob("*")):
            relative = path.relative_to(REPOSITORY)
            left_out = set(SKIPPED) & set(relative.parts) or (MODELS in relative.parts and path.name != WEIGHTS)
            if path.is_file() and not left_out:
                found[relative.as_posix()] = path
    return found


def data_files(labels: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of a label file and of every image it names.

    Raises:
        DataError: If an image is missing.
    """
    folder = labels.parent
    place = place_of(folder)
    yield f"{place}/{labels.name}", labels
    for number, line in read_lines(labels):
        name = line.partition("\t")[0]
        if not name:
            continue
        if not (folder / name).is_file():
            raise DataError(f"{labels}:{number}: no image {folder / name}.")
        yield f"{place}/{name}", folder / name


def folder_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of every file of a folder, for pictures that no label file names."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"{place_of(folder)}/{path.relative_to(folder).as_posix()}", path


def place_of(folder: Path) -> str:
    """Return where *folder* stands in the archive."""
    folder = Path(os.path.normpath(folder.absolute()))  # links inside the repository count as what they stand for
    return folder.relative_to(REPOSITORY).as_posix() if folder.is_relative_to(REPOSITORY) else f"data/{folder.name}"


def font_files(given: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Yield name and path of the fonts among files and folders; names start with that of the given one."""
    for path in given:
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if file.suffix.lower() in (".ttf", ".otf", ".ttc"):
                yield file.relative_to(path.parent).as_posix(), file


def download(names: Iterable[str], folder: Path, python: str) -> None:
    """Fetch wheels for Linux on x86-64 and another Python, without what they depend on; earlier ones are removed."""
    for old in folder.glob("*.whl"):
        old.unlink()
    names = list(names)
    if not names:
        return
    limits = folder.parent / "limits.txt"
    limits.write_text("\n".join(requirements("train")), encoding="utf-8")
    target = ["--only-binary=:all:", "--no-deps", "--python-version", python, "--implementation", "cp"]
    platforms = [part for platform in PLATFORMS for part in ("--platform", platform)]
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        *target,
        *platforms,
        "-c",
        str(limits),
        "-d",
        str(folder),
        *names,
    ]
    subprocess.run(command, check=True)


def requirements(extra: str) -> list[str]:
    """Return what a plain install needs, and what an extra of pyproject.toml adds."""
    plain = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*plain.splitlines(), *project["optional-dependencies"][extra]]


def pack(members: dict[str, Path], path: Path, limit: int) -> list[Path]:
    """Write the archive in parts and return them; parts of an earlier archive are removed first."""
    for old in path.parent.glob(f"{path.name}.*"):
        old.unlink()
    parts = Parts(path, limit)
    with tarfile.open(fileobj=parts, mode="w|gz") as archive:  # type: ignore[call-overload]
        for name, member in members.items():
            archive.add(member, f"{ROOT}/{name}", recursive=False)
        text = ENTER.encode()
        entry = tarfile.TarInfo(f"{ROOT}/enter.sh")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text))
    parts.close()
    return parts.paths


if __name__ == "__main__":
    sys.exit(report_errors(main))
