"""Size and SHA-256 of the files of a model folder, which its ``inference.yml`` lists.

A network that was cut short in copying may load all the same, and compute nonsense.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ppocr_lite.config.check import check_arguments
from ppocr_lite.errors import ModelError

_BLOCK = 2**20


def list_files(folder: Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return name → ``size`` in bytes and ``sha256`` of those files that are there."""
    paths = [folder / name for name in names]
    return {path.name: {"size": path.stat().st_size, "sha256": _sha256(path)} for path in paths if path.is_file()}


def check_files(folder: Path, listed: Mapping[str, Any]) -> None:
    """Compare the files of a folder with the list; one that is not there is not missed here.

    Args:
        folder: The model folder.
        listed: What :func:`list_files` returned.

    Raises:
        ConfigError: If the list is not one.
        ModelError: If a file has another size or other bytes than it says.
    """
    for name, entry in listed.items():
        wanted = check_arguments(_entry, entry, f"files.{name}")
        path = folder / str(name)
        if path.name != str(name):
            raise ModelError(f"{folder}: files of a model lie in its folder. Received: {str(name)[:80]!r}")
        if not path.is_file():
            continue
        if path.stat().st_size != wanted["size"]:
            raise ModelError(_changed(path, f"{path.stat().st_size} bytes instead of {wanted['size']}"))
        if _sha256(path) != wanted["sha256"]:
            raise ModelError(_changed(path, "its SHA-256 is another"))


def _changed(path: Path, how: str) -> str:
    return (
        f"{path} is not the file that was exported: {how}. Copy or export the folder again, or, if it was changed on "
        "purpose, take its entry out of 'files' in inference.yml."
    )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _entry(size: int, sha256: str) -> None:
    """Keys of an entry; only its signature is used."""
