"""Files that an installed package brings: ``package:path/in/it``."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

from ppocr_lite.errors import ConfigError
from ppocr_lite.install import install_command

_IN_PACKAGE = re.compile(r"([A-Za-z_]\w+):(.+)")  # two letters at least: C:\ is a drive


def resolve_path(path: str | Path) -> Path:
    """Return the file that *path* names.

    Args:
        path: A path, or ``package:path`` for a file of an installed package, which is not imported.

    Raises:
        ConfigError: If that package is not installed.

    Example:
        >>> resolve_path("ppocr_lite:charsets/en.txt").name
        'en.txt'
    """
    match = _IN_PACKAGE.fullmatch(str(path))
    if match is None or Path(path).is_file():
        return Path(path)
    package, inner = match.groups()
    spec = importlib.util.find_spec(package)
    places = (spec.submodule_search_locations if spec is not None else None) or ()
    for place in places:
        return Path(place) / inner
    raise ConfigError(f"{path}: the package {package} is not installed here. {install_command(package)}")
