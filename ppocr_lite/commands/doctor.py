"""Say what is installed, which engines and models work, how fast, and what is wrong.

Each model that comes with the package runs a few times on each engine, with as many threads as `OCR()` takes here; the
last column is the engine that `engine="auto"` chooses.

Exit status 1 if something is wrong: what stands in the way of `OCR()`, or what will surprise.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import statistics
import time
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import numpy as np

from ppocr_lite.commands.console import say, table
from ppocr_lite.errors import OCRError
from ppocr_lite.install import install_command
from ppocr_lite.predict.arguments import MAX_THREADS
from ppocr_lite.predict.bundle import Bundle, read_bundle
from ppocr_lite.predict.engines.pool import cpu_count
from ppocr_lite.predict.released import FOLDER, default_language, released
from ppocr_lite.predict.runner import ENGINES, EngineMissingError, Runner, load_runner
from ppocr_lite.predict.system import OCR
from ppocr_lite.version import __version__
from ppocr_lite.visualize import installed_fonts

# distribution → what it is needed for
PACKAGES = {
    "onnxruntime": "prediction",
    "paddlepaddle": "training, export",
    "paddlepaddle-gpu": "the same, and prediction, on a GPU",
    "setuptools": "paddlepaddle, from Python 3.12 on",
    "numpy": "everything",
    "opencv-python-headless": "everything",
    "opencv-python": "comes with imgaug",
    "pillow": "everything",
    "pyyaml": "everything",
    "pyclipper": "everything",
    "tqdm": "everything",
    "safetensors": "[train] checkpoints",
    "shapely": "[train] DetMetric",
    "fonttools": "[train] making data",
    "imgaug": "[train] augmentation of pages",
    "lmdb": "[train] LMDBDataSet",
    "rapidfuzz": "[train] RecMetric",
    "torch": "[torch] second training engine",
    "paddle2onnx": "[onnx] writing model.onnx",
    "openvino": "[openvino] engine",
    "rapidocr": "[official] networks of PP-OCR",
    "pillow-heif": "[heic] reading HEIC pictures",
    "packaging": "[onnx] paddle2onnx needs it",
    "pypdfium2": "[pdf] reading PDF files",
    "pikepdf": "[pdf] laying text over the pages of a PDF",
    "fastapi": "[serve] ppocr-lite serve",
    "uvicorn": "[serve] its HTTP",
    "python-multipart": "[serve] its forms",
    "prometheus-client": "[serve] its metrics",
    "langchain-core": "[langchain] documents for LangChain",
    "llama-index-core": "[llama-index] documents for LlamaIndex",
    "docling": "[docling] its pages, read by this package",
    "pyarrow": "[bulk] tables of ppocr-lite bulk",
    "fsspec": "[bulk] files of other systems",
    "ray": "[ray] ppocr-lite bulk --ray",
    "ocrmypdf": "[ocrmypdf] its plugin",
    "label-studio-sdk": "[label-studio] its ML backend and exports",
    "visualdl": "[visualdl] curves of a training",
}
MIB = 2**20
INPUTS = {"det": (1, 3, 736, 960), "cls": (6, 3, 48, 192), "rec": (6, 3, 32, 320)}  # a page, and batches of lines
SECONDS, MOST_RUNS = 0.5, 10  # for timing one engine on one model


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb: it has none."""


def run(arguments: argparse.Namespace) -> int:
    """Print the state of this installation; return 1 if something is wrong."""
    say(f"ppocr-lite {__version__}, Python {platform.python_version()}, {platform.platform()}, {os.cpu_count()} CPUs")
    say(f"installed in {Path(__file__).parents[1]}\n")
    say(table([("package", "version", "for"), *((n, version(n) or "-", what) for n, what in PACKAGES.items())]))
    say(f"\nfonts: {len(installed_fonts())}")
    say(f"models in {FOLDER}:")
    for line in models():
        say(f"  {line}")
    threads = min(cpu_count(), MAX_THREADS)
    problems = list(find_problems())
    if released():
        say(f"\nmilliseconds a run, median, {threads} threads:")
        say(table([("model", "input", *ENGINES, "auto"), *speeds(threads, problems)]))
    say("\nnothing is wrong" if not problems else "\nwrong:\n" + "\n".join(f"- {problem}" for problem in problems))
    return 1 if problems else 0


def version(distribution: str) -> str | None:
    """Return the version of an installed distribution, None if it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def has(engine: str) -> bool:
    """Say whether the package of a prediction engine can be imported; does not import it."""
    module = {"paddlepaddle": "paddle"}.get(ENGINES[engine][0], ENGINES[engine][0])
    return importlib.util.find_spec(module) is not None


def models() -> Iterator[str]:
    """Yield a line for each model that comes with the package."""
    for name in released():
        folder = FOLDER / name
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        try:
            bundle = read_bundle(folder)
        except OCRError as error:
            yield f"{name}: {error}"
            continue
        metrics = ", ".join(f"{key} {value}" for key, value in bundle.metrics.items())
        yield f"{name}: {bundle.algorithm or bundle.model_type}, {size / MIB:.1f} MiB{', ' if metrics else ''}{metrics}"


def find_problems() -> Iterator[str]:
    """Yield what stands in the way of ``OCR()``, and what will surprise."""
    if not any(has(engine) for engine in ENGINES):
        yield f"no engine is installed: {install_command('onnxruntime')}"
    if version("paddlepaddle") and version("paddlepaddle-gpu"):
        yield "paddlepaddle and paddlepaddle-gpu are both installed: uninstall both, then install the one you want"
    plain, headless = version("opencv-python"), version("opencv-python-headless")
    if plain and headless and plain != headless:
        yield f"opencv-python {plain} and opencv-python-headless {headless} hold the same module: make them equal"
    if not installed_fonts():
        yield "no fonts are installed: drawings show question marks for text outside ASCII, and synth makes nothing"
    if not released():
        yield "no models come with this package: give det_model= and rec_model="
        return
    yield from _model_problems()


def speeds(threads: int, problems: list[str]) -> Iterator[list[str]]:
    """Yield a row for each model: its name, the input, milliseconds on each engine, and which one "auto" chooses.

    Args:
        threads: CPU threads of one run.
        problems: Where to add what goes wrong.
    """
    for name in released():
        try:
            bundle = read_bundle(FOLDER / name)
        except OCRError as error:
            problems.append(f"{name}: {error}")
            continue
        shape = input_shape(bundle)
        times: list[str] = []
        for engine in ENGINES:
            try:
                runner = load_runner(bundle, engine, threads=threads)  # type: ignore[arg-type]
                times.append(f"{milliseconds(runner, shape):{len(engine)}.1f}")
            except EngineMissingError:
                times.append("-".rjust(len(engine)))
            except OCRError as error:
                problems.append(f"{name} on {engine}: {error}")
                times.append("fails".rjust(len(engine)))
        yield [name, "x".join(map(str, shape)), *times, _chosen(bundle, threads, shape)]


def input_shape(bundle: Bundle) -> tuple[int, ...]:
    """Return an input of usual size for a model: what it fixes, and ``INPUTS`` where it leaves it open."""
    fixed = (-1, *bundle.input.shape[1:])
    return tuple(own if own > 0 else usual for own, usual in zip(fixed, INPUTS[bundle.model_type], strict=True))


def milliseconds(runner: Runner, shape: tuple[int, ...]) -> float:
    """Return the median time of a run, after a first one that is not counted."""
    sample = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    runner.run(sample)
    times: list[float] = []
    while len(times) < 3 or (len(times) < MOST_RUNS and sum(times) < SECONDS):
        started = time.perf_counter()
        runner.run(sample)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times)


def _chosen(bundle: Bundle, threads: int, shape: tuple[int, ...]) -> str:
    try:
        return load_runner(bundle, "auto", threads=threads, trial=(1, *shape[1:])).engine
    except OCRError:
        return "none"


def _model_problems() -> Iterator[str]:
    try:
        OCR(lang=default_language()).ocr(np.full((64, 64, 3), 255, np.uint8))  # type: ignore[arg-type]
    except OCRError as error:
        yield f"OCR(): {error}"
