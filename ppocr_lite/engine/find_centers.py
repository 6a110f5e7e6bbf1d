"""Where the centres of ``CenterLoss`` start: the mean features of each class on the training lines read correctly."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ppocr_lite.config.schema import Config
from ppocr_lite.data import DATASETS, Collate
from ppocr_lite.engine.backends.base import Batch
from ppocr_lite.engine.build import build_chain, load_charset, require
from ppocr_lite.engine.open import open_checkpoint
from ppocr_lite.errors import ConfigError, DataError, ImageError
from ppocr_lite.losses.centers import CenterSums
from ppocr_lite.transforms.base import Sample

log = logging.getLogger(__name__)


def find_centers(config: Config, weights: Path | None = None, most: int | None = None) -> CenterSums:
    """Run a trained recogniser over its training lines, prepared as for evaluation, and average what it sees.

    Args:
        config: A checked config of a recogniser with a CTCHead, with Train and Eval.
        weights: Checkpoint folder, run folder or weight file; by default Global.checkpoints, else
            Global.pretrained_model, else the best of Global.save_model_dir.
        most: Look at this many lines only; None for all.

    Raises:
        ConfigError: If the config is of another family or of a distillation.
        CheckpointError: If there are no weights, or they do not fit.
        DataError: If not one line is read correctly.
    """
    architecture = require(config.Architecture, "Architecture")
    charset = load_charset(config)
    if charset is None or architecture.get("Models"):
        raise ConfigError("Centres are those of one recogniser. Give the config that it was trained with.")
    if architecture.get("Network"):
        raise ConfigError("Architecture.Network: centres need a CTCHead; a network that is read from a graph has none.")
    head = architecture["Head"] | {"return_feats": True}
    backend = open_checkpoint(dataclasses.replace(config, Architecture=architecture | {"Head": head}), weights)
    sums: CenterSums | None = None
    for batch in _batches(config, charset, most):
        outputs = backend.head_outputs(batch["image"])
        sums = sums or CenterSums(charset.num_classes, outputs["feats"].shape[2])
        sums.add(outputs["logits"], outputs["feats"], batch["label"], batch["length"])
    if sums is None or sums.correct == 0:
        raise DataError("The recogniser reads not one training line correctly, so there is nothing to average.")
    absent = int((sums.counts == 0).sum())
    log.info("%d of %d lines are read correctly; %d classes are on none.", sums.correct, sums.lines, absent)
    return sums


def _batches(config: Config, charset: Any, most: int | None) -> Iterator[Batch]:
    """Yield the training lines in order, without random changes, unusable ones left out."""
    train, evaluation = require(config.Train, "Train"), require(config.Eval, "Eval")
    split = dataclasses.replace(train, transforms=evaluation.transforms)
    chain = build_chain(split, charset, config.Global.max_text_length)
    dataset = DATASETS.build(train.dataset, transforms=chain, seed=config.Global.seed, training=False)
    collate, size = Collate(pad_width=True), train.loader.batch_size_per_card
    group: list[Sample] = []
    for index in range(min(len(dataset), most or len(dataset))):
        try:
            group.append(dataset[0, index])
        except (DataError, ImageError) as error:
            log.warning("Left out: %s", error)
        if len(group) == size:
            yield collate(group)
            group = []
    if group:
        yield collate(group)


def describe(sums: CenterSums) -> str:
    """Return one line: how many lines were read correctly, and how many steps of how many classes they gave."""
    seen = np.count_nonzero(sums.counts)
    return (
        f"{sums.correct} of {sums.lines} lines read correctly; "
        f"{sums.counts.sum()} steps of {seen} of {len(sums.counts)} classes"
    )
