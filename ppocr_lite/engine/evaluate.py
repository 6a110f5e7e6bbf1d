"""Evaluation is prediction: the stages a user runs, on the network in training or on an exported folder."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import numpy as np

from ppocr_lite.charset import Charset
from ppocr_lite.errors import DataError
from ppocr_lite.predict.classifier import TextClassifier
from ppocr_lite.predict.detector import TextDetector
from ppocr_lite.predict.recognizer import TextRecognizer
from ppocr_lite.transforms.base import Sample

log = logging.getLogger(__name__)

Stage = TextDetector | TextClassifier | TextRecognizer
Predict = Callable[[Sequence[Sample]], Sequence[tuple[Any, Any]]]

# The transforms of Eval that make the truth; the rest make what the network takes.
LABEL_STEPS = ("DecodeImage", "DetLabelEncode", "CTCLabelEncode", "ClsLabelEncode", "KeepKeys")
GROUP = 256  # lines at a time: enough to find some of like width


def split_transforms(nodes: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the transforms of an evaluation as (those that make the truth, those that make the network's input).

    Lines are judged by the text of the label file as it stands, also where it has characters that the
    dictionary lacks; so their label encoders are in neither.
    """
    truth = [node for node in nodes if node["name"] in ("DecodeImage", "DetLabelEncode")]
    return truth, [node for node in nodes if node["name"] not in LABEL_STEPS]


def evaluate(
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
        stage: A detector, classifier or recogniser.
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
    predict = _predictor(stage)
    samples = _read_ahead(dataset, range(rank, len(dataset), world_size))
    size = 1 if isinstance(stage, TextDetector) else GROUP
    while group := list(islice(samples, size)):
        for result, truth in predict(group):
            metric.update(result, truth)
    if world_size > 1:
        mine = metric.counts()
        everyone = total(mine)
        metric.merge({name: everyone[name] - mine[name] for name in mine})
    values: dict[str, float] = metric.compute()
    return values


def measure_batch(
    forward: Callable[[Any], Any], postprocess: Any, metric: Any, batch: Mapping[str, Any], charset: Charset | None
) -> dict[str, float]:
    """Return the metric of a training batch of lines, on the network in evaluation mode.

    Args:
        forward: The network.
        postprocess: Its output → texts or angles.
        metric: A fresh metric.
        batch: ``image``, ``label`` and, for texts, ``length``; may be tensors of an engine.
        charset: Of a recogniser; None for a classifier.
    """
    labels = np.asarray(batch["label"])
    found = postprocess(forward(np.asarray(batch["image"])))
    if charset is None:
        classes = labels.argmax(axis=1) if labels.ndim == 2 else labels  # a mixture counts as what it has most of
        for orientation, label in zip(found, classes, strict=True):
            metric.update(postprocess.angles.index(orientation.angle), int(label))
    else:
        for recognition, label, length in zip(found, labels, np.asarray(batch["length"]), strict=True):
            metric.update(recognition.text, charset.decode(label[: int(length)].tolist()))
    return as_plain(metric.compute())


def _predictor(stage: Stage) -> Predict:
    """Return what turns samples into (result, truth) pairs as the metric of the family takes them."""
    if isinstance(stage, TextDetector):
        return lambda group: [
            (
                {"polygons": stage.detect(sample["image"]).polygons},
                {"polys": sample["polys"], "ignore_tags": sample["ignore_tags"]},
            )
            for sample in group
        ]
    if isinstance(stage, TextRecognizer):
        return lambda group: [
            (found.text, sample["label"])
            for found, sample in zip(stage.recognize([s["image"] for s in group]), group, strict=True)
        ]
    return lambda group: [
        (found.angle, _angle(sample))
        for found, sample in zip(stage.classify([s["image"] for s in group]), group, strict=True)
    ]


def _angle(sample: Sample) -> int:
    try:
        return int(sample["label"])
    except ValueError as error:
        raise DataError(f"{sample['path']}: the label must be an angle. Received: {sample['label']!r}") from error


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
