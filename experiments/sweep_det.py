"""Try settings of a detector's post-processing on the Eval data of a config; print a table, the best first.

python experiments/sweep_det.py -c configs/det/det_released.yml --bundle ppocr_lite/models/det \
    --grid thresh=0.2,0.3 box_thresh=0.5,0.6,0.7 unclip_ratio=1.5,2.0,2.5 --also shrink_ratio=0.4

The network runs once an image.  ``--curved`` counts only regions that bend, of more than four points; the others are
ignored.  ``--grid`` is the product of its values; ``--also`` adds a setting to each row of a
second product, in which ``unclip_ratio`` is left out.
"""

from __future__ import annotations

import itertools
import sys
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ppocr_lite.commands.console import report_errors
from ppocr_lite.engine.build import build_eval_dataset, load_config
from ppocr_lite.engine.run import argument_parser
from ppocr_lite.metrics import DetMetric
from ppocr_lite.postprocess import DBPostProcess
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.detector import TextDetector
from ppocr_lite.predict.runner import FunctionRunner, load_runner


def main() -> None:
    """Parse, run the network, try every setting."""
    parser = argument_parser(__doc__)
    parser.add_argument("--bundle", type=Path, required=True, help="exported detector folder")
    parser.add_argument("--grid", nargs="+", required=True, metavar="NAME=V,V")
    parser.add_argument("--also", metavar="NAME=V")
    parser.add_argument("--curved", action="store_true", help="ignore regions of four points")
    arguments = parser.parse_args()
    grid = dict(parse(item) for item in arguments.grid)
    settings = product(grid)
    if arguments.also:
        name, values = parse(arguments.also)
        settings += product({k: v for k, v in grid.items() if k != "unclip_ratio"} | {name: values})
    bundle = read_bundle(arguments.bundle)
    runner, preprocess = load_runner(bundle), bundle.build_preprocess()
    pages = []
    dataset = build_eval_dataset(load_config(arguments.config, arguments.opt), charset=None)
    for sample in (dataset[0, index] for index in range(len(dataset))):
        prepared = preprocess({"image": sample["image"]})
        maps = runner.run(np.asarray(prepared["image"], np.float32)[None])
        if arguments.curved:
            straight = [len(polygon) == 4 for polygon in sample["polys"]]
            sample["ignore_tags"] = np.asarray(sample["ignore_tags"], bool) | np.array(straight, bool)
        pages.append((np.asarray(maps * 255 + 0.5, np.uint8), prepared["shape"], sample))
    rows = sorted(
        ((score(setting, preprocess, pages), setting) for setting in settings), key=lambda row: -row[0]["hmean"]
    )
    names = list(dict.fromkeys(name for setting in settings for name in setting))
    head = [*names, "hmean", "precision", "recall", "false boxes an image"]
    print(f"| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for values, setting in rows:
        shown = [str(setting.get(name, "–")) for name in names]
        figures = [f"{values[name]:.4f}" for name in ("hmean", "precision", "recall", "false_per_image")]
        print(f"| {' | '.join(shown + figures)} |")


def parse(item: str) -> tuple[str, list[Any]]:
    """Read ``name=1,2``."""
    name, _, values = item.partition("=")
    return name, [yaml.safe_load(value) for value in values.split(",")]


def product(grid: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Return every combination."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def score(setting: dict[str, Any], preprocess: Any, pages: list[Any]) -> dict[str, float]:
    """Return the metric of one setting."""
    metric = DetMetric()
    for maps, shape, sample in pages:
        stage = TextDetector(
            FunctionRunner(lambda _, m=maps: m / np.float32(255)), preprocess, DBPostProcess(**setting)
        )
        found = stage.detect_sample({"image": np.zeros((3, 1, 1), np.float32), "shape": shape})
        metric.update({"polygons": found.polygons}, sample)
    values: dict[str, float] = metric.compute()
    return values


if __name__ == "__main__":
    sys.exit(report_errors(main))
