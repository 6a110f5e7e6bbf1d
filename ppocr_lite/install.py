"""How to install a package that is missing, by the way this installation of ppocr_lite was made.

A checkout, a wheel, a repository and a package index each need a command of their own; every message that names one
takes it from :func:`install_command`.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ppocr_lite.errors import OCRError

DISTRIBUTION = "ppocr-compact"  # as pyproject.toml has it; `ppocr-lite` on the package index is another project
SOURCE = Path(__file__).parents[1]
# distribution → the extra of pyproject.toml that brings it; what a plain install brings is in none
EXTRAS = {
    **dict.fromkeys(("imgaug", "lmdb", "rapidfuzz", "shapely", "safetensors", "fonttools"), "train"),
    "torch": "torch",
    **dict.fromkeys(("paddle2onnx", "packaging"), "onnx"),
    "openvino": "openvino",
    "rapidocr": "official",
    **dict.fromkeys(("pypdfium2", "pikepdf"), "pdf"),
    "pillow-heif": "heic",
    **dict.fromkeys(("fastapi", "uvicorn", "python-multipart", "prometheus-client"), "serve"),
    "langchain-core": "langchain",
    "llama-index-core": "llama-index",
    "docling": "docling",
    **dict.fromkeys(("pyarrow", "fsspec"), "bulk"),
    "ray": "ray",
    "ocrmypdf": "ocrmypdf",
    "label-studio-sdk": "label-studio",
    "visualdl": "visualdl",
}
# module → distribution, where the names differ
_DISTRIBUTIONS = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "docling_core": "docling",
    "fontTools": "fonttools",
    "langchain_core": "langchain-core",
    "llama_index": "llama-index-core",
    "label_studio_sdk": "label-studio-sdk",
    "onnx": "paddle2onnx",
    "paddle": "paddlepaddle",
    "pillow_heif": "pillow-heif",
    "prometheus_client": "prometheus-client",
    "python_multipart": "python-multipart",
    "yaml": "pyyaml",
}


def install_command(module: str) -> str:
    """Return the command that installs the package of *module* here, such as ``pip install "ppocr-compact[pdf]"``.

    Args:
        module: Name of a module or of a distribution, such as ``"pypdfium2"``.
    """
    root = module.partition(".")[0]
    package = _DISTRIBUTIONS.get(root, root)
    return f"pip install {_with_extra(EXTRAS[package])}" if package in EXTRAS else f"pip install {package}"


def optional(module: str) -> Any:
    """Return what stands for a module of an extra: it is imported when something of it is first used.

    So checking a config, listing components and ``--help`` need no extra.

    Args:
        module: Its full name.

    Returns:
        Has what the module has. Raises OCRError on use if the package is not installed; says how to install it.
    """
    return _Module(module)


class _Module:
    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):  # asked by what looks through modules, not by who uses this one
            raise AttributeError(attribute)
        need(self._name)
        value = getattr(importlib.import_module(self._name), attribute)
        self.__dict__[attribute] = value
        return value


def need(*modules: str) -> None:
    """Import modules of extras.

    Raises:
        OCRError: If the package of one is not installed; says how to install it.
    """
    for module in modules:
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            raise missing(error) from error


def missing(error: ModuleNotFoundError) -> OCRError:
    """Return what to tell a user of a module that was not found."""
    name = error.name or str(error)
    return OCRError(f"{name.partition('.')[0]} is not installed: {install_command(name)}")


def _with_extra(extra: str) -> str:
    """Return what pip must be given to add *extra* to this installation."""
    if (SOURCE / "pyproject.toml").is_file():  # run in place
        return f'-e "{_place(SOURCE)}[{extra}]"'
    origin = _origin()
    url = str(origin.get("url", ""))
    if "dir_info" in origin:
        folder = Path(unquote(urlsplit(url).path))
        return f'"{_place(folder)}[{extra}]"' if folder.is_dir() else f'".[{extra}]" in a checkout of ppocr_lite'
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
    return f'"{DISTRIBUTION}[{extra}]{url and " @ " + url}"'


def _place(folder: Path) -> str:
    return "." if folder == Path.cwd() else str(folder)


def _origin() -> dict[str, Any]:
    """Return what pip noted down of a direct origin (PEP 610); empty if this came from an index or is unknown."""
    metadata = importlib.import_module("importlib.metadata")  # with it every start would take 20 ms more
    try:
        text = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
    except metadata.PackageNotFoundError:
        return {}
    return dict(json.loads(text)) if text else {}
