"""Say where a two-stage detector loses text, stage by stage, on the Eval data of a config.

python experiments/anchors/where_lost.py -c configs/det/det_mv3_mask_rcnn.yml --score-thresholds 0.3,0.5,0.7 -o \
    Global.engine=torch Eval.dataset.label_file_list=[…] Global.checkpoints=output/street_mask_rcnn

The first rows need no checkpoint: what a network reaches whose boxes and masks are the truth, with and without the last
suppression, and how well the anchors cover the truth.  The others are of the checkpoint: the proposals, and what is
found at several thresholds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ppocr_lite import geometry
from ppocr_lite.commands.console import report_errors
from ppocr_lite.config import Config
from ppocr_lite.engine.build import build_eval_dataset, build_stage
from ppocr_lite.engine.open import open_checkpoint
from ppocr_lite.engine.run import argument_parser, read_config
from ppocr_lite.metrics import METRICS
from ppocr_lite.predict.runner import FunctionRunner
from ppocr_lite.transforms.region_truth import MakeRegionTruth

OVERLAPS = (0.5, 0.7)


def main() -> None:
    """Parse, look, print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--score-thresholds", default="0.3,0.5,0.7,0.9", help="of the last scores")
    parser.add_argument("--truth-alone", action="store_true", help="leave out what needs a checkpoint")
    arguments = parser.parse_args()
    config = read_config(arguments)
    thresholds = [float(value) for value in arguments.score_thresholds.split(",")]
    pages = Pages(config)
    rows = [*pages.ceiling(), pages.anchors()]
    if not arguments.truth_alone:
        rows += pages.found(thresholds)
    for name, values in rows:
        print(f"{name}: " + ", ".join(f"{key} {value:.3f}" for key, value in values.items()))


class Pages:
    """The pages of a config's Eval section as the network sees them, each with its truth."""

    def __init__(self, config: Config) -> None:
        self.config, self.head = config, dict((config.Architecture or {})["Head"])
        dataset = build_eval_dataset(config, charset=None)
        self.samples = [dataset[0, index] for index in range(len(dataset))]
        self.stage: Any = build_stage(config, FunctionRunner(lambda image: {"regions": image}), None)
        self.inputs = [self.stage.preprocess({"image": sample["image"]}) for sample in self.samples]
        self.truths = [self._truth(*pair) for pair in zip(self.samples, self.inputs, strict=True)]

    def _truth(self, sample: Any, shown: Any) -> geometry.RegionTruth:
        scale = shown["shape"][2:]
        polygons = [geometry.scale(np.asarray(polygon, np.float32), *scale) for polygon in sample["polys"]]
        page = {"image": shown["image"].transpose(1, 2, 0), "polys": polygons, "rng": np.random.default_rng(0)}
        truth: geometry.RegionTruth = MakeRegionTruth()(page | {"ignore_tags": sample["ignore_tags"]})["truth"]
        return truth

    def score(self, polygons: list[Any]) -> dict[str, float]:
        """Return the metric of the config for the polygons found on each page, in its own pixels."""
        metric: Any = METRICS.build(self.config.Metric)
        for found, sample in zip(polygons, self.samples, strict=True):
            metric.update({"polygons": found}, {"polys": sample["polys"], "ignore_tags": sample["ignore_tags"]})
        return dict(metric.compute())

    def traced(self, page: int, regions: Any) -> list[Any]:
        """Return the polygons of the regions of a page, in its own pixels."""
        if not len(regions):
            return []
        self.stage.runner = FunctionRunner(lambda image: {"regions": regions[None]})
        return list(self.stage.detect_sample(self.inputs[page]).polygons)

    def ceiling(self) -> list[tuple[str, dict[str, float]]]:
        """Return what perfect boxes and masks reach, and what is left of them after the last suppression."""
        side = 2 * self.head.get("mask_resolution", 14)
        threshold = self.head.get("detections", {}).get("nms_thresh", 0.5)
        whole, thinned = [], []
        for page, truth in enumerate(self.truths):
            masks = [geometry.mask_in_box(*pair, side) for pair in zip(truth.outlines, truth.rects, strict=True)]
            regions = np.array(
                [[*rect, 1.0, *mask.ravel()] for rect, mask in zip(truth.rects, masks, strict=True)], np.float32
            )
            kept = geometry.nms(truth.rects, np.ones(len(truth.rects), np.float32), threshold)
            whole.append(self.traced(page, regions))
            thinned.append(self.traced(page, regions[kept]))
        texts = "the truth as boxes and masks"
        return [(texts, self.score(whole)), (f"{texts}, suppressed at {threshold}", self.score(thinned))]

    def anchors(self) -> tuple[str, dict[str, float]]:
        """Return which share of the texts some anchor overlaps by so much."""
        generator = geometry.AnchorGenerator(**self.head["anchors"])
        covered = []
        for truth in self.truths:
            shapes = [tuple(-(-side // stride) for side in truth.size) for stride in generator.strides]
            anchors = np.concatenate(generator.grid(shapes))
            covered.append(geometry.box_iou(truth.rects, anchors).max(axis=1))
        return "anchors", _shares(np.concatenate(covered))

    def found(self, thresholds: list[float]) -> list[tuple[str, dict[str, float]]]:
        """Return how well proposals and boxes cover the texts, and the metric at each of *thresholds*."""
        backend = open_checkpoint(self.config)
        proposed, boxed, regions = [], [], []
        for shown, truth in zip(self.inputs, self.truths, strict=True):
            seen = backend.head_outputs(np.asarray(shown["image"], np.float32)[None])
            proposals, found = seen["proposals"][0], seen["regions"][0]
            proposed.append(_best(truth.rects, proposals[proposals[:, 4] > 0, :4]))
            boxed.append(_best(truth.rects, found[found[:, 4] > 0, :4]))
            regions.append(found)
        rows = [("proposals", _shares(np.concatenate(proposed))), ("boxes", _shares(np.concatenate(boxed)))]
        for threshold in thresholds:
            self.stage.postprocess.score_thresh = threshold
            polygons = [self.traced(page, found) for page, found in enumerate(regions)]
            rows.append((f"found from {threshold} on", self.score(polygons)))
        return rows


def _best(truths: Any, rects: Any) -> Any:
    """Return for each truth how much the box that covers it best does."""
    if not len(rects):
        return np.zeros(len(truths), np.float32)
    return geometry.box_iou(truths, np.asarray(rects, np.float32)).max(axis=1)


def _shares(covered: Any) -> dict[str, float]:
    """Return the share of texts covered by each of ``OVERLAPS``."""
    return {f"covered by {overlap}": float((covered >= overlap).mean()) for overlap in OVERLAPS}


if __name__ == "__main__":
    report_errors(main)
