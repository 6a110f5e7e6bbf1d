"""Small sources for the tests of bulk, and what stands in an output."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import PIL.Image

from ppocr_lite.io import images
from tests.conftest import draw_page

ROOT = Path(__file__).parents[1]
SIZE = (140, 320)  # of a page: (height, width)


def picture(seed: int, kind: str = ".png") -> bytes:
    """Return a drawn page of two lines, encoded."""
    return images.encode(draw_page(SIZE, lines=2, seed=seed).image, kind)


def several(kind: str, *seeds: int) -> bytes:
    """Return drawn pages as one TIFF or PDF."""
    first, *rest = (PIL.Image.open(io.BytesIO(picture(seed))).convert("RGB") for seed in seeds)
    file = io.BytesIO()
    first.save(file, kind, save_all=True, append_images=rest)
    return file.getvalue()


def packed(members: Mapping[str, bytes]) -> bytes:
    """Return a tar file."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


def write_pages(folder: Path, seeds: Iterable[int]) -> Path:
    """Write drawn pages into a folder, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        (folder / f"page_{seed:03d}.png").write_bytes(picture(seed))
    return folder


def rows_of(output: Path) -> list[dict[str, Any]]:
    """Return the rows of an output, by source and page, without what differs from run to run; each is there once."""
    files = sorted(output.glob("part-*")) if output.is_dir() else [output]
    rows: list[dict[str, Any]] = []
    for file in files:
        if file.suffix == ".jsonl":
            rows += [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        else:
            import pyarrow.parquet as parquet  # noqa: PLC0415 - not everywhere

            rows += parquet.ParquetFile(file).read().to_pylist()
    assert len({row["id"] for row in rows}) == len(rows), "a page is there twice"
    for row in rows:
        del row["seconds"]
    return sorted(rows, key=lambda row: (row["source"], row["member"] or "", row["page"] or 0))


def start(*arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
    """Start ``ppocr-lite bulk`` in a process group of its own."""
    command = [sys.executable, "-m", "ppocr_lite", "bulk", *map(str, arguments)]
    return subprocess.Popen(
        command,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(*arguments: str | Path, status: int = 0, **environment: str) -> str:
    """Run ``ppocr-lite bulk`` to its end, and return what it said."""
    process = start(*arguments, **environment)
    said = process.communicate(timeout=300)[0]
    assert process.returncode == status, said
    return said


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process and all of its group, at once."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found
