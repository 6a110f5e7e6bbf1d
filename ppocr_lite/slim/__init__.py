"""Smaller networks: channels removed (FPGM), numbers of 8 bits (PACT)."""

from ppocr_lite.slim.fpgm import distance_sums, prune_architecture, prune_weights, redundant, width_after
from ppocr_lite.slim.groups import Group, Slice, channel_groups
from ppocr_lite.slim.prune import analyse_run, by_loss, by_ratio, prune_run
from ppocr_lite.slim.quantize import quantize_run
from ppocr_lite.slim.sensitivity import Sensitivities, analyse, widths_for_loss

__all__ = [
    "Group",
    "Sensitivities",
    "Slice",
    "analyse",
    "analyse_run",
    "by_loss",
    "by_ratio",
    "channel_groups",
    "distance_sums",
    "prune_architecture",
    "prune_run",
    "prune_weights",
    "quantize_run",
    "redundant",
    "width_after",
    "widths_for_loss",
]
