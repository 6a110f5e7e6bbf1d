"""Time each stage: reading the file, resizing, detector, post-processing, crops, classifier, recogniser, CTC decoding.

Every image is read once to warm up, then --repeat times; the table shows milliseconds an image, the median of the
repetitions averaged over the images.  Each page of a PDF or multi-page file is an image that has been read already.

With --train the paths are configs, and the table shows how many samples a second each training engine gets through.
"""

from __future__ import annotations

import argparse
import importlib
import statistics
import time
from collections.abc import Sequence

from ppocr_lite import OCR
from ppocr_lite.commands.console import complain, progress, say, table
from ppocr_lite.commands.inputs import STDIN, add_ocr_options, add_paths, find_files, make_ocr, read_given
from ppocr_lite.errors import OCRError
from ppocr_lite.io.images import ImageInput

TOTAL = "total"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_paths(parser)
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="measurements of each image (default: 3)")
    parser.add_argument("--each", action="store_true", help="also print a line an image")
    add_ocr_options(parser)
    group = parser.add_argument_group("timing of training")
    group.add_argument("--train", action="store_true", help="the paths are configs; time updates instead of reading")
    group.add_argument("--engines", default="paddle,torch", help="comma-separated (default: paddle,torch)")
    group.add_argument("--updates", type=int, default=5, metavar="N", help="measured updates (default: 5)")
    group.add_argument(
        "-o", "--opt", nargs="+", action="extend", default=[], metavar="KEY=VALUE", help="overrides of the configs"
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure everything that is given; return the exit status."""
    if arguments.train:
        # needs the packages of the extra [train], which reading does not
        return int(importlib.import_module("ppocr_lite.commands.bench_train").run(arguments))
    files = [file for file, _ in find_files(arguments.paths, recursive=arguments.recursive)]
    started = time.perf_counter()
    ocr = make_ocr(arguments)
    say(f"loading: {1000 * (time.perf_counter() - started):.0f} ms")
    measured: list[dict[str, float]] = []
    failed = 0
    for file in progress(files, "files"):
        try:
            for name, pixels in read_given(file, max_pixels=ocr.max_pixels, password=arguments.password):
                times = measure(ocr, file if name == str(file) and file != STDIN else pixels, arguments.repeat)
                measured.append(times)
                if arguments.each:
                    say(f"{name}: {1000 * times[TOTAL]:.1f} ms, {int(times['lines'])} lines")
        except OCRError as error:
            failed += 1
            complain(f"{file}: {error}")
    if measured:
        say(report(measured))
    return 1 if failed else 0


def measure(ocr: OCR, image: ImageInput, repeat: int) -> dict[str, float]:
    """Return seconds by stage, the median of *repeat* readings, and the number of ``lines``."""
    lines = len(ocr.ocr(image))
    runs = [_once(ocr, image) for _ in range(max(repeat, 1))]
    return {stage: statistics.median(run[stage] for run in runs) for stage in runs[0]} | {"lines": float(lines)}


def _once(ocr: OCR, image: ImageInput) -> dict[str, float]:
    started = time.perf_counter()
    seconds = ocr.profile(image)
    return {**seconds, TOTAL: time.perf_counter() - started}


def report(measured: Sequence[dict[str, float]]) -> str:
    """Return the table of mean milliseconds an image, with the share of each stage."""
    stages = [stage for stage in dict.fromkeys(key for times in measured for key in times) if stage != "lines"]
    stages.sort(key=lambda stage: stage == TOTAL)
    mean = {stage: statistics.fmean(times.get(stage, 0.0) for times in measured) for stage in stages}
    rows = [["stage", "ms an image", "share"]]
    rows += [[s, f"{1000 * mean[s]:11.1f}", f"{mean[s] / mean[TOTAL]:5.0%}"] for s in stages]
    lines = statistics.fmean(times["lines"] for times in measured)
    return f"{table(rows)}\n{len(measured)} images, {lines:.1f} lines an image"
