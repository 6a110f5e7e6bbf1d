"""What the rows of an output depend on: it stands beside them, and rows of other settings are not added."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ppocr_lite.bulk.document import Options
from ppocr_lite.errors import ModelError
from ppocr_lite.predict.bundle.checksums import list_files
from ppocr_lite.predict.models import STAGES, find_models
from ppocr_lite.version import __version__

COLUMNS = 1  # to be counted up when the columns of the output change
SPEED = ("engine", "device", "threads", "rec_batch_num", "cls_batch_num")  # change no row but for the last digits


def settings_of(options: Options) -> dict[str, Any]:
    """Return what the rows depend on: version, options, and the files of networks that are not part of the package.

    Raises:
        ModelError: If there are no such networks.
    """
    ocr = {name: str(value) if isinstance(value, Path) else value for name, value in options.ocr.items()}
    return {
        "made_by": f"ppocr_lite {__version__}",
        "columns": COLUMNS,
        "format": options.format,
        "pages": options.pages,
        "column": options.column,
        "ocr": {name: value for name, value in sorted(ocr.items()) if name not in SPEED and value is not None},
        "networks": {stage: _fingerprint(path) for stage, path in _networks(options).items()},
    }


def _networks(options: Options) -> dict[str, Path]:
    """Return the file or folder of each network that was chosen by name or path."""
    found: dict[str, Path] = {}
    models = find_models(options.ocr["models"]) if options.ocr.get("models") else None
    for stage in STAGES:
        given = options.ocr.get(f"{stage}_model")
        if given:
            found[stage] = Path(given)
        elif models is not None:
            try:
                found[stage] = models.path(stage)
            except ModelError:  # a set need not have all stages; OCR says which it needs
                continue
    return found


def _fingerprint(path: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a network."""
    folder, names = (path, [p.name for p in path.iterdir()]) if path.is_dir() else (path.parent, [path.name])
    return {name: entry["sha256"] for name, entry in sorted(list_files(folder, names).items())}
