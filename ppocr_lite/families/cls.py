"""Classifiers: which way up a line stands."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ppocr_lite.charset import Charset
from ppocr_lite.config.schema import Config, Node
from ppocr_lite.errors import ConfigError, DataError
from ppocr_lite.families.base import LineFamily, Stage, register
from ppocr_lite.io.images import Image
from ppocr_lite.predict.classifier import TextClassifier
from ppocr_lite.predict.runner import Engine, Runner
from ppocr_lite.predict.stages import load_classifier
from ppocr_lite.registry import Registry
from ppocr_lite.transforms.base import Compose, Sample


@register
class Classifiers(LineFamily):
    """A line → an angle; of the network the probability of each."""

    name = "cls"
    fixed_width = True
    defaults: ClassVar[Mapping[str, Node]] = {
        "Loss": {"name": "ClsLoss"},
        "PostProcess": {"name": "ClsPostProcess"},
        "Metric": {"name": "ClsMetric"},
    }

    def stage(self, runner: Runner, preprocess: Compose, postprocess: Any, config: Config) -> Stage:
        """Return a classifier."""
        size = self.batch_size(config)
        return TextClassifier(runner, preprocess, postprocess, batch_size=size, policy=config.Reading)

    def load(self, folder: Path | str, engine: Engine = "auto") -> Stage:
        """Return the classifier of an exported folder."""
        return load_classifier(folder, engine=engine)

    def judge(self, stage: Stage, samples: Sequence[Sample]) -> Sequence[tuple[Any, Any]]:
        """Return the angles found, with the true ones.

        Raises:
            DataError: If a label is no angle.
        """
        found = stage.classify([sample["image"] for sample in samples])
        return [(turned.angle, _angle(sample)) for turned, sample in zip(found, samples, strict=True)]

    def answer(self, stage: Stage, image: Image) -> str:
        """Return angle and score."""
        (turned,) = stage.classify([image])
        return f"{turned.angle}\t{turned.score:.4f}"

    def check(self, config: Config, registries: Mapping[str, Registry[Any]]) -> None:
        """Check that there is one class for each label of the answers."""
        if config.Architecture is None or config.PostProcess is None:
            return
        labels = _argument(registries["postprocess"], config.PostProcess, "label_list")
        for network in (config.Architecture.get("Models") or {"": config.Architecture}).values():
            if network.get("Network"):
                continue  # its file says how many, and is not read here
            classes = _argument(registries["head"], network["Head"], "class_dim")
            if labels is not None and classes is not None and len(labels) != classes:
                raise ConfigError(
                    f"PostProcess.label_list must have one label for each of the {classes} classes of Head.class_dim. "
                    f"Received: {list(labels)}"
                )

    def measure_batch(
        self, found: Any, postprocess: Any, batch: Mapping[str, Any], charset: Charset | None, metric: Any
    ) -> None:
        """Tell *metric* the angles found on a training batch, with the true ones."""
        labels = np.asarray(batch["label"])
        classes = labels.argmax(axis=1) if labels.ndim == 2 else labels  # a mixture counts as what it has most of
        for orientation, label in zip(found, classes, strict=True):
            metric.update(postprocess.angles.index(orientation.angle), int(label))


def _angle(sample: Sample) -> int:
    try:
        return int(sample["label"])
    except ValueError as error:
        raise DataError(f"{sample['path']}: the label must be an angle. Received: {sample['label']!r}") from error


def _argument(registry: Registry[Any], node: Node, name: str) -> Any:
    """Return an argument of a checked component, or its default where the file is silent; None if it takes none."""
    parameter = inspect.signature(registry.get(node["name"])).parameters.get(name)
    return None if parameter is None else node.get(name, parameter.default)
