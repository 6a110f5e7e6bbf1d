"""Detectors: where text is on a page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ppocr_lite.config.schema import Config, Node
from ppocr_lite.families.base import Family, Stage, register
from ppocr_lite.io.images import Image
from ppocr_lite.predict.detector import TextDetector
from ppocr_lite.predict.runner import Engine, Runner
from ppocr_lite.predict.stages import load_detector
from ppocr_lite.transforms.base import Compose, Sample


@register
class Detectors(Family):
    """A page → regions of text; of the network one map of probabilities."""

    name = "det"
    has_maps = True
    defaults: ClassVar[Mapping[str, Node]] = {
        "Loss": {"name": "DBLoss"},
        "PostProcess": {"name": "DBPostProcess"},
        "Metric": {"name": "DetMetric"},
    }

    def stage(self, runner: Runner, preprocess: Compose, postprocess: Any, config: Config) -> Stage:
        """Return a detector."""
        return TextDetector(runner, preprocess, postprocess)

    def load(self, folder: Path | str, engine: Engine = "auto") -> Stage:
        """Return the detector of an exported folder."""
        return load_detector(folder, engine=engine)

    def judge(self, stage: Stage, samples: Sequence[Sample]) -> Sequence[tuple[Any, Any]]:
        """Return the polygons found, with the true ones."""
        return [
            (
                {"polygons": stage.detect(sample["image"]).polygons},
                {"polys": sample["polys"], "ignore_tags": sample["ignore_tags"]},
            )
            for sample in samples
        ]

    def answer(self, stage: Stage, image: Image) -> str:
        """Return the regions as a label file has them, each with its score."""
        found = stage.detect(image)
        regions: list[dict[str, Any]] = [
            {"transcription": "", "points": np.round(polygon, 1).tolist(), "score": round(score, 4)}
            for polygon, score in zip(found.polygons, found.scores, strict=True)
        ]
        return json.dumps(regions)
