"""Smaller networks: channels removed (FPGM), numbers of 8 bits (PACT), classes computed where a character may be."""

from ppocr_lite.slim.blanks import Gate, Skipped, fit_gate, skip_blanks
from ppocr_lite.slim.fpgm import distance_sums, prune_architecture, prune_weights, redundant, width_after
from ppocr_lite.slim.groups import Group, Slice, channel_groups
from ppocr_lite.slim.prune import analyse_run, by_loss, by_ratio, prune_run
from ppocr_lite.slim.quantize import quantize_run
from ppocr_lite.slim.sensitivity import Sensitivities, analyse, widths_for_loss

__all__ = [
    "Gate",
    "Group",
    "Sensitivities",
    "Skipped",
    "Slice",
    "analyse",
    "analyse_run",
    "by_loss",
    "by_ratio",
    "channel_groups",
    "distance_sums",
    "fit_gate",
    "prune_architecture",
    "prune_run",
    "prune_weights",
    "quantize_run",
    "redundant",
    "skip_blanks",
    "width_after",
    "widths_for_loss",
]
