"""Predict with a checkpoint, as ``tools/infer_*.py`` do; an exported folder needs only ``ppocr_lite.OCR``."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.config.schema import Config
from ppocr_lite.engine.build import build_stage, load_charset
from ppocr_lite.engine.open import open_checkpoint
from ppocr_lite.engine.run import argument_parser, read_config, start_logging
from ppocr_lite.errors import ConfigError, ImageError
from ppocr_lite.families import family_of
from ppocr_lite.families.base import Stage
from ppocr_lite.io.pages import list_files, read_pages
from ppocr_lite.predict.runner import FunctionRunner
from ppocr_lite.results import Detections

log = logging.getLogger(__name__)


def main(description: str | None = None) -> int:
    """Parse the command line of a tool, predict, and print a line an image.

    Args:
        description: What the tool says of itself.

    Returns:
        The exit status: 1 if an image could not be read.
    """
    parser = argument_parser(description)
    parser.add_argument("--weights", type=Path, help="checkpoint folder, run folder or weight file")
    arguments = parser.parse_args()
    config = read_config(arguments)
    start_logging(debug=config.Global.debug)
    failed: list[Path] = []
    for line in infer(config, arguments.weights, failed):
        sys.stdout.write(line + "\n")
    return 1 if failed else 0


def infer(config: Config, weights: Path | None = None, failed: list[Path] | None = None) -> Iterator[str]:
    """Predict on the images of Global.infer_img; write each line to Global.save_res_path, too, if that is given.

    Args:
        config: A checked config with Architecture, Eval and PostProcess.
        weights: Checkpoint folder, run folder or weight file; by default as for the evaluation.
        failed: Takes the files that cannot be read, which are named in the log and left out; without it the first such
            file is an error.

    Yields:
        ``path<TAB>answer``: for det the regions as a label file has them, each with its score; for cls and rec
        ``answer<TAB>score``.

    Raises:
        ConfigError: If Global.infer_img is not given.
        ImageError: If there are no images, or one cannot be read and *failed* is not given.
    """
    source = config.Global.infer_img
    if source is None:
        raise ConfigError("Global.infer_img is required: an image, a folder or a pattern. Give -o Global.infer_img=…")
    files, stage, family = list_files(source), live_stage(config, weights), family_of(config)
    with _results(config.Global.save_res_path) as results:
        for file in files:
            try:
                for name, image in read_pages(file):
                    line = f"{name}\t{family.answer(stage, image)}"
                    results.write(line + "\n")
                    yield line
            except ImageError as error:
                if failed is None:
                    raise
                failed.append(file)
                log.error("%s", error)


def _results(path: str | None) -> TextIO:
    """Open the file of results, line by line so that a later fault takes none away; what leads nowhere if None."""
    target = Path(path or os.devnull)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target.open("w", encoding="utf-8", buffering=1)


def live_stage(config: Config, weights: Path | None = None) -> Stage:
    """Return the stage that predicts with a checkpoint, pre- and post-processing as in the evaluation.

    Raises:
        CheckpointError: If there are no weights, or they do not fit.
    """
    return build_stage(config, FunctionRunner(open_checkpoint(config, weights).predict), load_charset(config))


def live_maps(
    config: Config, weights: Path | None = None
) -> Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], Detections]]:
    """Return a function that shows what a detector sees: BGR image → its maps (3, H', W') and its regions.

    The maps are those of training: probability, threshold, and the binary map between the two. An exported network has
    only the first, so this takes a checkpoint.

    Raises:
        ConfigError: If the config is not of a detector.
        CheckpointError: If there are no weights, or they do not fit.
    """
    if not family_of(config).has_maps:
        raise ConfigError(f"Only a detector has maps. Received: a config of {config.model_type!r}")
    backend = open_checkpoint(config, weights)
    seen: list[NDArray[np.float32]] = []

    def run(image: NDArray[np.float32]) -> NDArray[np.float32]:
        seen[:] = [backend.head_outputs(image)["maps"]]  # (1, 3, H', W')
        return seen[0][:, :1]

    stage = build_stage(config, FunctionRunner(run), None)

    def look(image: NDArray[np.uint8]) -> tuple[NDArray[np.float32], Detections]:
        found = stage.look(image)
        return seen[0][0], found

    return look
