"""Ten scans made searchable by OCRmyPDF, read by ppocr_lite and by Tesseract: words, seconds, size of the file.

python experiments/ocrmypdf_scans.py
python experiments/ocrmypdf_scans.py --scans 3 --data ../shared/data --output scans.json

Each scan becomes a PDF of one page, of 150 dots an inch; OCRmyPDF makes it searchable; the words of its text layer, as
pdftotext finds them, are counted against the true ones, letter for letter, without case and without what is not a
letter or a digit. Texts that nobody could read (###) count for nothing. Both engines run on the same files, in turn,
each in a process of its own, start included.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import PIL.Image

from ppocr_lite.commands.console import report_errors, table
from ppocr_lite.data.foreign import ILLEGIBLE
from ppocr_lite.errors import DataError, OCRError
from ppocr_lite.files import write_text
from ppocr_lite.install import need
from ppocr_lite.transforms.labels import read_lines

DPI = 150
# Folder, line of its val.txt: forms, papers, receipts and typed scans, all of whose text is known.
SCANS = (
    *(("pdf_en_forms", line) for line in (0, 1, 2)),
    *(("pdf_en_papers", line) for line in (0, 1)),
    *(("receipts_en", line) for line in (0, 1, 2)),
    *(("scan_en_typed", line) for line in (0, 1)),
)
ENGINES = {"ppocr_lite": ("--plugin", "ppocr_lite.integrations.ocrmypdf"), "Tesseract": ()}
COLUMNS = ("scan", "engine", "true words", "recall", "precision", "seconds", "bytes in", "bytes out")


def words(text: str) -> Counter[str]:
    """Return the words of a text, without case and without what is not a letter or a digit."""
    plain = ("".join(sign for sign in word if sign.isalnum()).casefold() for word in text.split())
    return Counter(word for word in plain if word)


def read_scan(folder: Path, line: int) -> tuple[Path, Counter[str]]:
    """Return a labelled image and its words.

    Raises:
        DataError: If there is no such line.
    """
    rows = read_lines(folder / "val.txt")
    if line >= len(rows):
        raise DataError(f"{folder / 'val.txt'}: has {len(rows)} lines. Wanted: number {line + 1}")
    name, _, label = rows[line][1].partition("\t")
    texts = [entry["transcription"] for entry in json.loads(label)]
    return folder / name, words(" ".join(text for text in texts if text != ILLEGIBLE))


def make_searchable(source: Path, target: Path, options: tuple[str, ...]) -> float:
    """Run OCRmyPDF and return how many seconds it took.

    Raises:
        OCRError: If it fails.
    """
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), root]))
    command = [sys.executable, "-m", "ocrmypdf", *options, str(source), str(target)]
    began = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PYTHONPATH": path})
    if done.returncode:
        raise OCRError(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr[-2000:]}")
    return time.perf_counter() - began


def text_of(path: Path) -> str:
    """Return the text of a PDF as Poppler finds it."""
    return subprocess.run(["pdftotext", str(path), "-"], capture_output=True, text=True, check=True).stdout


def measure(data: Path, count: int, folder: Path) -> list[dict[str, Any]]:
    """Return a row for each scan and engine."""
    rows = []
    for name, line in SCANS[:: max(1, len(SCANS) // count)][:count]:
        image, truth = read_scan(data / name, line)
        source = folder / f"{name}_{line}.pdf"
        with PIL.Image.open(image) as picture:
            picture.convert("RGB").save(source, resolution=DPI)
        for engine, options in ENGINES.items():
            target = source.with_name(f"{source.stem}_{engine}.pdf")
            seconds = make_searchable(source, target, options)
            read = words(text_of(target))
            right = (read & truth).total()
            rows.append(
                {
                    "scan": f"{name}/{image.name}",
                    "engine": engine,
                    "words": truth.total(),
                    "read": read.total(),
                    "right": right,
                    "seconds": seconds,
                    "in": source.stat().st_size,
                    "out": target.stat().st_size,
                }
            )
            print(*shown(rows[-1]), flush=True)
    return rows


def shown(row: dict[str, Any]) -> tuple[str, ...]:
    """Return a row as it is printed."""
    recall, precision = (row["right"] / max(1, row[of]) for of in ("words", "read"))
    figures = (f"{recall:.3f}", f"{precision:.3f}", f"{row['seconds']:.1f}", str(row["in"]), str(row["out"]))
    return (row["scan"], row["engine"], str(row["words"]), *figures)


def totals(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the sum of each engine."""
    sums = []
    for engine in ENGINES:
        mine = [row for row in rows if row["engine"] == engine]
        numbers = {key: sum(row[key] for row in mine) for key in ("words", "read", "right", "seconds", "in", "out")}
        sums.append({"scan": f"all {len(mine)}", "engine": engine, **numbers})
    return sums


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    usual = Path(os.environ.get("PPOCR_LITE_DATA", "../shared/data"))
    parser.add_argument("--data", type=Path, default=usual, help="folder of labelled scans")
    parser.add_argument("--scans", type=int, default=len(SCANS), help=f"how many of them (default: all {len(SCANS)})")
    parser.add_argument("--output", type=Path, help="JSON file for the figures")
    arguments = parser.parse_args()
    need("ocrmypdf")
    for program in ("gs", "pdftotext", "tesseract"):
        if shutil.which(program) is None:
            raise OCRError(f"{program} is not installed: apt install ghostscript poppler-utils tesseract-ocr")
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(arguments.data, arguments.scans, Path(folder))
    rows += totals(rows)
    print(table([COLUMNS, *map(shown, rows)]))
    if arguments.output:
        write_text(arguments.output, json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(report_errors(main))
