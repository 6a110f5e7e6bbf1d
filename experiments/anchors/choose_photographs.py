"""Write the first photographs of a label file that have at least two readable texts as a label file of their own.

python experiments/anchors/choose_photographs.py LABELS --output FILE
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ppocr_lite.transforms.labels import IGNORED_TEXTS, read_lines


def main() -> None:
    """Choose and write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("labels", type=Path)
    options.add_argument("--output", type=Path, required=True)
    options.add_argument("--count", type=int, default=32)
    arguments = options.parse_args()
    lines = [line for _, line in read_lines(arguments.labels) if readable(line) >= 2]
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(f"{line}\n" for line in lines[: arguments.count])
    arguments.output.write_text(text, encoding="utf-8")


def readable(line: str) -> int:
    """Return how many texts of a line of a label file can be read."""
    return sum(entry["transcription"] not in IGNORED_TEXTS for entry in json.loads(line.split("\t", 1)[1]))


if __name__ == "__main__":
    main()
