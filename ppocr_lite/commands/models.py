"""List the networks that `OCR(models=NAME)` can read with here, and what installing others would bring.

Nothing is downloaded: sets are found in installed packages, and of the others the command to install them is named.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from ppocr_lite.commands.console import say, table
from ppocr_lite.predict.models import list_sets

COLUMNS = ("name", "megabytes", "stages", "languages", "licence", "where")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument("--format", choices=("txt", "json"), default="txt")


def run(arguments: argparse.Namespace) -> int:
    """Print what is here and what could be; return the exit status."""
    rows = [
        {
            "name": listed.name,
            "installed": listed.folder is not None,
            "megabytes": round(listed.megabytes, 1),
            "stages": list(listed.stages),
            "languages": listed.languages,
            "licence": listed.licence,
            "where": None if listed.folder is None else str(listed.folder),
            "install": listed.install,
        }
        for listed in list_sets()
    ]
    if arguments.format == "json":
        say(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    here = [row for row in rows if row["installed"]]
    say(table([COLUMNS, *(_cells(row, "where") for row in here)]))
    absent = [row for row in rows if not row["installed"]]
    if absent:
        say("\nnot installed:")
        say(table([(*COLUMNS[:-1], "to install"), *(_cells(row, "install") for row in absent)]))
    return 0


def _cells(row: dict[str, Any], last: str) -> list[str]:
    cells = (row["name"], row["megabytes"], " ".join(row["stages"]), row["languages"], row["licence"], row[last])
    return [str(cell) for cell in cells]
