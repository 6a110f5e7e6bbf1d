"""Evaluation is prediction: the stages a user runs, on the network in training or on an exported folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np

from ppocr_lite.errors import DataError
from ppocr_lite.families import Family
from ppocr_lite.families.base import Stage
from ppocr_lite.transforms.base import Sample

log = logging.getLogger(__name__)

# The transforms of Eval that make the truth; the rest make what the network takes.
LABEL_STEPS = ("DecodeImage", "DetLabelEncode", "CTCLabelEncode", "MultiLabelEncode", "ClsLabelEncode", "KeepKeys")


def split_transforms(nodes: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the transforms of an evaluation as (those that make the truth, those that make the network's input).

    Lines are judged by the text of the label file as it stands, also where it has characters that the
    dictionary lacks; so their label encoders are in neither.
    """
    truth = [node for node in nodes if node["name"] in ("DecodeImage", "DetLabelEncode")]
    return truth, [node for node in nodes if node["name"] not in LABEL_STEPS]


def evaluate(
    family: Family,
    stage: Stage,
    dataset: Any,
    metric: Any,
    *,
    rank: int = 0,
    world_size: int = 1,
    total: Callable[[Mapping[str, float]], dict[str, float]] = dict,
) -> dict[str, float]:
    """Run *stage* over *dataset* and return what *metric* says; the first entry is the main one.

    Args:
        family: Says how the stage is judged.
        stage: What predicts.
        dataset: ``dataset[(0, index)]`` gives ``image`` (H, W, 3) uint8 and the truth.
        metric: A fresh metric: update, counts, merge, compute.
        rank: This process; it evaluates every *world_size*-th sample.
        world_size: Number of processes.
        total: Adds counts over the processes.

    Raises:
        DataError: If a sample is unusable; evaluation never leaves one out.
    """
    if len(dataset) == 0:
        raise DataError("There is nothing to evaluate: the data set is empty.")
    samples = _read_ahead(dataset, range(rank, len(dataset), world_size))
    while group := list(islice(samples, family.group)):
        for result, truth in family.judge(stage, group):
            metric.update(result, truth)
    if world_size > 1:
        mine = metric.counts()
        everyone = total(mine)
        metric.merge({name: everyone[name] - mine[name] for name in mine})
    values: dict[str, float] = metric.compute()
    return values


def _read_ahead(dataset: Any, indices: range, ahead: int = 8) -> Iterator[Sample]:
    """Yield samples in order; one thread reads while the network runs."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        rest = iter(indices)
        waiting = [pool.submit(dataset.__getitem__, (0, index)) for index in islice(rest, ahead)]
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(dataset.__getitem__, (0, index)) for index in islice(rest, 1)]


def as_plain(metrics: Mapping[str, float]) -> dict[str, float]:
    """Return metrics as plain floats, for JSON and YAML."""
    return {name: float(np.asarray(value)) for name, value in metrics.items()}
