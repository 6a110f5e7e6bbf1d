"""The two stages of Mask R-CNN behind one head: proposals, then boxes and masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ppocr_lite import nn
from ppocr_lite.config.check import check_arguments
from ppocr_lite.errors import ConfigError
from ppocr_lite.geometry import AnchorGenerator, BoxCoder
from ppocr_lite.modeling.heads.base import HEADS
from ppocr_lite.modeling.regions import (
    BoxHead,
    BoxPostProcess,
    MaskHead,
    RegionSampler,
    RoIAlign,
    RPNHead,
    RPNPostProcess,
)
from ppocr_lite.modeling.regions.boxes import counts_of, ones

# Arguments of the head → what they are arguments of, without what the head itself supplies.
_PARTS: dict[str, tuple[type[Any], frozenset[str]]] = {
    "anchors": (AnchorGenerator, frozenset()),
    "proposals": (RPNPostProcess, frozenset({"anchors"})),
    "sampler": (RegionSampler, frozenset({"coder", "mask_side"})),
    "box": (BoxHead, frozenset({"in_channels", "resolution"})),
    "detections": (BoxPostProcess, frozenset({"coder"})),
    "mask": (MaskHead, frozenset({"in_channels"})),
}


@HEADS.register
class MaskRCNNHead(nn.Layer):
    """Region proposals, and for each proposal: is it text, where exactly, and which part of the box.

    Args:
        in_channels: Channels of the levels of a pyramid, from fine to coarse, all alike.
        anchors: Arguments of :class:`~ppocr_lite.geometry.AnchorGenerator`, one stride and size for each level.
        proposals: Arguments of :class:`~ppocr_lite.modeling.regions.RPNPostProcess`.
        sampler: Arguments of :class:`~ppocr_lite.modeling.regions.RegionSampler`.
        box: Arguments of :class:`~ppocr_lite.modeling.regions.BoxHead`.
        detections: Arguments of :class:`~ppocr_lite.modeling.regions.BoxPostProcess`.
        mask: Arguments of :class:`~ppocr_lite.modeling.regions.MaskHead`.
        box_resolution: Cells of a proposal that the box head sees, in each direction.
        mask_resolution: Cells that the mask head sees; the mask has twice as many.
        box_levels: How many of the levels, from the finest on, the second stage looks at; the coarser ones serve
            proposals alone.
        box_weights: Weights of the :class:`~ppocr_lite.geometry.BoxCoder` of the second stage.

    Raises:
        ConfigError: If the levels differ in channels, or are not as many as the strides; when called in training, if
            the maps do not have the strides that the anchors say.

    Shape:
        forward in training: ``objectness`` (N, A, H, W) and ``regression`` (N, 4 A, H, W) of each level, ``anchors``
            of each level (H W A, 4) and the generator, ``logits`` (R, 2), ``deltas`` (R, 4), ``masks`` (M, side, side)
            logits, and ``samples``, the :class:`~ppocr_lite.modeling.regions.Samples` they are for.
        forward otherwise: ``proposals`` (N, K, 5), of each x0, y0, x1, y1 in pixels of the input and its score, 0 where
            there is none, the best first; and what predict gives.
        predict: ``regions`` (N, D, 5 + side²): of each detection x0, y0, x1, y1 in pixels of the input, its
            probability, 0 where there is none, and the probability of each cell of its mask, row by row.

    Source:
        Ren et al., Faster R-CNN, NIPS 2015; Lin et al., Feature Pyramid Networks, CVPR 2017; He et al., Mask R-CNN,
        ICCV 2017; for text: Lyu et al., Mask TextSpotter, ECCV 2018.
    """

    takes_targets = True
    one_at_a_time = True  # a converter to ONNX numbers the boxes of every image 0, so exported networks take one

    def __init__(
        self,
        in_channels: Sequence[int],
        anchors: dict[str, Any],
        proposals: dict[str, Any] | None = None,
        sampler: dict[str, Any] | None = None,
        box: dict[str, Any] | None = None,
        detections: dict[str, Any] | None = None,
        mask: dict[str, Any] | None = None,
        box_resolution: int = 7,
        mask_resolution: int = 14,
        box_levels: int = 4,
        box_weights: tuple[float, float, float, float] = (10.0, 10.0, 5.0, 5.0),
    ) -> None:
        super().__init__()
        given = {"anchors": anchors, "proposals": proposals, "sampler": sampler, "box": box}
        parts = self.check(given | {"detections": detections, "mask": mask}, "Architecture.Head")
        self.generator = AnchorGenerator(**parts["anchors"])
        strides = self.generator.strides
        if isinstance(in_channels, int) or len(set(in_channels)) != 1 or len(in_channels) != len(strides):
            raise ConfigError(
                "MaskRCNNHead needs a pyramid such as FPN, whose levels have the same channels, and in anchors one "
                f"stride for each level. Received: channels {in_channels}, strides {strides}"
            )
        if not 1 <= box_levels <= len(strides):
            raise ConfigError(
                f"MaskRCNNHead.box_levels must be from 1 to {len(strides)}, the levels. Received: {box_levels}"
            )
        channels = in_channels[0]
        coder = BoxCoder(box_weights)
        self.side = 2 * mask_resolution
        self.rpn = RPNHead(channels, self.generator.per_place)
        self.proposals = RPNPostProcess(self.generator, **parts["proposals"])
        self.sampler = RegionSampler(coder, self.side, **parts["sampler"])
        self.box_align = RoIAlign(box_resolution, strides[:box_levels])
        self.box = BoxHead(channels, box_resolution, **parts["box"])
        self.detections = BoxPostProcess(coder, **parts["detections"])
        self.mask_align = RoIAlign(mask_resolution, strides[:box_levels])
        self.mask = MaskHead(channels, **parts["mask"])

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> dict[str, dict[str, Any]]:
        """Check the arguments of the parts, and return them.

        Raises:
            ConfigError: Names the path of what is unknown or of the wrong type.
        """
        return {
            name: check_arguments(part, dict(arguments.get(name) or {}), f"{path}.{name}", supplied)
            for name, (part, supplied) in _PARTS.items()
        }

    def forward(self, levels: Sequence[nn.Tensor], targets: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """See *Shape* of the class; *targets* needs ``image`` and ``truth``."""
        objectness, regression = self.rpn(levels)
        if targets is None:
            return self._second(levels, objectness, regression)
        shapes = [tuple(level.shape[2:]) for level in levels]
        first = {
            "objectness": objectness,
            "regression": regression,
            "anchors": self.generator.grid(shapes),
            "generator": self.generator,
        }
        truths = targets["truth"]
        self._check_strides(shapes, targets["image"].shape[2:])
        sizes = [[truth.size[1], truth.size[0]] * 2 for truth in truths]
        limits = nn.tensor_like(np.array(sizes, np.float32), levels[0]).unsqueeze(1)
        with nn.no_grad():
            rects, scores = self.proposals(objectness, regression, limits)
        found = zip(nn.on_host(rects), nn.on_host(scores), strict=True)
        samples = self.sampler([own[score > 0] for own, score in found], truths)
        logits, deltas = self.box(self.box_align.cut(levels, samples.rects, samples.counts))
        masks = self.mask(self.mask_align.cut(levels, samples.mask_rects, samples.mask_counts))
        return first | {"logits": logits, "deltas": deltas, "masks": masks, "samples": samples}

    def predict(self, levels: Sequence[nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        objectness, regression = self.rpn(levels)
        return {"regions": self._second(levels, objectness, regression)["regions"]}

    def _second(
        self, levels: Sequence[nn.Tensor], objectness: Sequence[nn.Tensor], regression: Sequence[nn.Tensor]
    ) -> dict[str, nn.Tensor]:
        """Return what forward does without targets, from the first stage on."""
        limits = self._limits(levels[0])
        proposals, found = self.proposals(objectness, regression, limits)
        cut = self.box_align(levels, proposals.flatten(0, 1), counts_of(proposals))
        logits, deltas = self.box(cut)
        rects, scores = self.detections(logits, deltas, proposals, found, limits)
        cut = self.mask_align(levels, rects.flatten(0, 1), counts_of(rects))
        masks = nn.sigmoid(self.mask(cut)).reshape([-1, rects.shape[1], self.side**2])
        return {
            "proposals": nn.concat([proposals, found.unsqueeze(2)], axis=2),
            "regions": nn.concat([rects, scores.unsqueeze(2), masks], axis=2),
        }

    def _limits(self, finest: nn.Tensor) -> nn.Tensor:
        """Return width, height, width, height of the input (N, 1, 4), from the map (N, C, H, W) of its finest level."""
        stride = float(self.generator.strides[0])
        across = ones(finest[:, 0, 0]).sum(1, keepdim=True) * stride  # (N, 1)
        down = ones(finest[:, 0, :, 0]).sum(1, keepdim=True) * stride
        return nn.concat([across, down, across, down], axis=1).unsqueeze(1)

    def _check_strides(self, shapes: Sequence[Sequence[int]], image: Sequence[int]) -> None:
        """Check that each level has the stride that its anchors have.

        Raises:
            ConfigError: If one has another.
        """
        for stride, shape in zip(self.generator.strides, shapes, strict=True):
            if any(-(-side // stride) != own for side, own in zip(image, shape, strict=True)):
                raise ConfigError(
                    f"Architecture.Head.anchors.strides: a level of stride {stride} has {-(-image[0] // stride)} × "
                    f"{-(-image[1] // stride)} places on an image of {image[0]} × {image[1]} pixels, but the map of "
                    f"the network has {shape[0]} × {shape[1]}. Give the strides of the backbone, and images whose "
                    "sides are multiples of 32 (Train.loader.size_divisibility)."
                )
