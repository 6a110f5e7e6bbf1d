"""What a two-stage detector makes of a page, drawn: its proposals, what it would learn from them, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite import visualize
from ppocr_lite.commands.show_regions import BACKGROUND, TEXT, corners
from ppocr_lite.config import Config
from ppocr_lite.engine.build import require
from ppocr_lite.engine.open import open_checkpoint
from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import BoxCoder, RegionTruth, box_iou, paste_mask
from ppocr_lite.io.images import Image
from ppocr_lite.modeling.regions import RegionSampler
from ppocr_lite.postprocess import POSTPROCESSES

_SHOWN = 60  # boxes of a kind in one picture
_STRIDE = 32  # the network takes images whose sides are multiples of this
_BOX = 5  # corners and probability, before the mask

Array = NDArray[np.float32]


class SecondLook:
    """A trained two-stage detector that shows what goes on in it.

    Args:
        config: Of the detector.
        weights: Checkpoint folder, run folder or weight file.

    Raises:
        ConfigError: If *config* is of another detector.
        CheckpointError: If the weights do not fit.
    """

    def __init__(self, config: Config, weights: Path) -> None:
        head = (config.Architecture or {}).get("Head") or {}
        if head.get("name") != "MaskRCNNHead":
            raise ConfigError(
                f"--weights draws the proposals of a MaskRCNNHead. Received: Architecture.Head.name {head.get('name')}"
            )
        self.network: Callable[[Array], Mapping[str, Array]] = open_checkpoint(config, weights).head_outputs
        side = 2 * int(head.get("mask_resolution", 14))
        coder = BoxCoder(tuple(head.get("box_weights", (10.0, 10.0, 5.0, 5.0))))
        self.sampler = RegionSampler(coder, side, **(head.get("sampler") or {}))
        self.postprocess: Any = POSTPROCESSES.build(require(config.PostProcess, "PostProcess"), charset=None)

    def draw(self, picture: Image, image: Array, truth: RegionTruth) -> Image:
        """Return three pictures side by side.

        Args:
            picture: What to draw on, BGR (H, W, 3).
            image: The same as the network takes it, (3, H, W).
            truth: Of it.

        Returns:
            The best proposals, those in green that cover a text by half; what is sampled of all, text in green and
            background in red; the texts that are found, under their masks.
        """
        height, width = picture.shape[:2]
        padded = np.pad(image, ((0, 0), (0, -height % _STRIDE), (0, -width % _STRIDE)))
        seen = self.network(np.asarray(padded, np.float32)[None])
        proposals, regions = seen["proposals"][0], seen["regions"][0]
        rects = proposals[proposals[:, -1] > 0, :4]
        overlaps = box_iou(truth.rects, rects).max(axis=0) if len(truth.rects) else np.zeros(len(rects), np.float32)
        covers = overlaps >= self.sampler.matcher.high
        samples = self.sampler([rects], [truth])
        text = samples.labels == 1
        panels = [
            visualize.titled(_boxes(picture, rects, covers), f"proposals: {len(rects)}, {covers.sum()} cover a text"),
            visualize.titled(
                _boxes(picture, samples.rects, text), f"sampled: {text.sum()} text, {(~text).sum()} background"
            ),
            self._found(picture, regions),
        ]
        return np.asarray(cv2.hconcat(panels), np.uint8)

    def _found(self, picture: Image, regions: Array) -> Image:
        found = self.postprocess(regions)
        plane = np.zeros(picture.shape[:2], np.float32)
        for region in regions[regions[:, _BOX - 1] >= self.postprocess.score_thresh]:
            side = round(len(region[_BOX:]) ** 0.5)
            part, (x, y) = paste_mask(region[_BOX:].reshape(side, side), region[:4], plane.shape)
            area = np.s_[y : y + part.shape[0], x : x + part.shape[1]]
            plane[area] = np.maximum(plane[area], part)
        drawn = visualize.draw_polygons(visualize.draw_map(picture, plane), found.polygons, TEXT)
        return visualize.titled(drawn, f"found: {len(found.polygons)} texts, with their masks")


def _boxes(picture: Image, rects: Array, text: NDArray[np.bool_]) -> Image:
    """Return *picture* with the first boxes of both kinds, those of *text* on top."""
    drawn = visualize.draw_polygons(picture, [corners(rect) for rect in rects[~text][:_SHOWN]], BACKGROUND)
    return visualize.draw_polygons(drawn, [corners(rect) for rect in rects[text][:_SHOWN]], TEXT)
