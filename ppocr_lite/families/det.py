"""Detectors: where text is on a page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ppocr_lite.config.schema import Config, Node
from ppocr_lite.errors import ConfigError
from ppocr_lite.families.base import Family, Stage, register
from ppocr_lite.geometry.columns import COLUMN, COLUMN_HEIGHTS
from ppocr_lite.io.images import Image
from ppocr_lite.predict.detector import TextDetector
from ppocr_lite.predict.runner import Engine, Runner
from ppocr_lite.predict.stages import load_detector
from ppocr_lite.registry import Registry
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

    def check(self, config: Config, registries: Mapping[str, Registry[Any]]) -> None:
        """Check that all parts of a CTPN detector have the same anchors.

        Raises:
            ConfigError: If they do not.
        """
        transforms = config.Train.transforms if config.Train else []
        parts = {
            "Train.dataset.transforms.MakeCTPNTargets": next(
                (node for node in transforms if node["name"] == "MakeCTPNTargets"), None
            ),
            "PostProcess": config.PostProcess if (config.PostProcess or {}).get("name") == "CTPNPostProcess" else None,
        }
        anchors = {path: _anchors(node) for path, node in parts.items() if node is not None}
        if len(set(anchors.values())) > 1:
            shown = ", ".join(f"{path} {heights} at stride {stride}" for path, (heights, stride) in anchors.items())
            raise ConfigError(f"Anchors must have the same heights and stride everywhere. Received: {shown}")
        head = (config.Architecture or {}).get("Head") or {}
        if head.get("name") == "CTPNHead":
            for path, (heights, _) in anchors.items():
                if len(heights) != head.get("anchors", len(COLUMN_HEIGHTS)):
                    raise ConfigError(
                        f"Architecture.Head.anchors must be the number of heights of {path}, {len(heights)}. "
                        f"Received: {head.get('anchors', len(COLUMN_HEIGHTS))}"
                    )

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


def _anchors(node: Node) -> tuple[tuple[float, ...], int]:
    """Return heights and stride of the anchors that a node of CTPN speaks of."""
    return tuple(node.get("heights") or COLUMN_HEIGHTS), int(node.get("stride", COLUMN))
