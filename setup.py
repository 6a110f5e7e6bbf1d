"""Packaging of ppocr_lite; the requirements are read from requirements*.txt, the version from version.py."""

from __future__ import annotations

import runpy
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent


def requirements(*extras: str) -> list[str]:
    """Return the lines of requirements.txt, or of requirements-EXTRA.txt for each extra, without comments."""
    names = [f"requirements-{extra}.txt" for extra in extras] or ["requirements.txt"]
    lines = [line.partition("#")[0].strip() for name in names for line in (ROOT / name).read_text("utf-8").splitlines()]
    return [line for line in lines if line]


setup(
    name="ppocr-lite",
    version=runpy.run_path(str(ROOT / "ppocr_lite" / "version.py"))["__version__"],
    description="A compact OCR library in PaddlePaddle: reads text in images, and trains what reads it.",
    long_description=(ROOT / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["ppocr_lite", "ppocr_lite.*"]),
    package_data={"ppocr_lite": ["py.typed", "charsets/*.txt", "models/**/*"]},
    exclude_package_data={"ppocr_lite": ["models/*/model.safetensors"]},  # to train on from; not needed to read
    install_requires=requirements(),
    extras_require={
        "train": requirements("train"),
        "torch": requirements("torch"),
        "onnx": requirements("onnx"),
        "openvino": requirements("openvino"),
        "pdf": requirements("pdf"),
        "visualdl": requirements("visualdl"),
        "test": requirements("train", "pdf", "onnx", "openvino", "test"),
    },
    entry_points={"console_scripts": ["ppocr-lite = ppocr_lite.cli:main"]},
    classifiers=[
        "Intended Audience :: Developers",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Topic :: Scientific/Engineering :: Image Recognition",
        "Typing :: Typed",
    ],
)
