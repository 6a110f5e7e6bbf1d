"""What a family must say, and the list of those there are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from ppocr_lite.charset import Charset
from ppocr_lite.config.family import FEATURES, Features
from ppocr_lite.config.schema import Config, Node
from ppocr_lite.data import Collate
from ppocr_lite.errors import ConfigError
from ppocr_lite.io.images import Image
from ppocr_lite.predict.runner import Engine, Runner
from ppocr_lite.registry import Registry
from ppocr_lite.transforms import TRANSFORMS
from ppocr_lite.transforms.base import Compose, Sample

Stage = Any  # what a family predicts with

F = TypeVar("F", bound="type[Family]")

GROUP = 256  # lines at a time in evaluation: enough to find some of like width


class Family(ABC):
    """One kind of task: everything that depends on it, so that nothing else asks for it.

    Attributes:
        name: As ``model_type`` says it.
        features: What its backbone gives.
        defaults: Section → node, where a config does not have that section.
        group: Samples that are evaluated at a time.
        buckets: Whether ``Train.loader.bucket_batches`` means something: images of a batch that differ in width.
        measures: Whether ``Global.cal_metric_during_train`` means something.
        has_maps: Whether ``show-maps`` can draw what the loss reads, ``maps`` (N, 3, H, W).
    """

    name: ClassVar[str]
    features: ClassVar[Features] = "maps"
    defaults: ClassVar[Mapping[str, Node]] = {}
    group: ClassVar[int] = 1
    buckets: ClassVar[bool] = False
    measures: ClassVar[bool] = False
    has_maps: ClassVar[bool] = False

    @abstractmethod
    def stage(self, runner: Runner, preprocess: Compose, postprocess: Any, config: Config) -> Stage:
        """Return what predicts with a network.

        Args:
            runner: Runs the network; live in training, exported otherwise.
            preprocess: Image (H, W, 3) → ``image`` (3, H', W') and what else the stage wants.
            postprocess: What the network predicts → results.
            config: Of the run.
        """

    @abstractmethod
    def load(self, folder: Path | str, engine: Engine = "auto") -> Stage:
        """Return the stage of an exported folder."""

    @abstractmethod
    def judge(self, stage: Stage, samples: Sequence[Sample]) -> Sequence[tuple[Any, Any]]:
        """Predict on *samples*, images as they are stored; return (result, truth) pairs as the metric takes them."""

    @abstractmethod
    def answer(self, stage: Stage, image: Image) -> str:
        """Return what *stage* says about a BGR image, as one line of text."""

    def check(self, config: Config, registries: Mapping[str, Registry[Any]]) -> None:
        """Check what must hold in a config of this family alone, which is nothing unless it says so.

        Raises:
            ConfigError: If it does not.
        """
        del config, registries

    def charset(self, config: Config) -> Charset | None:
        """Return the characters that the network emits; None where it emits none."""
        return None

    def collate(self) -> Callable[[Sequence[Sample]], dict[str, Any]]:
        """Return what makes a training batch of samples."""
        return Collate()

    def fitting(self, chain: Compose, predict: Callable[[Any], Mapping[str, Any]]) -> Callable[[Sample], Sample]:
        """Return the training transforms so that they refuse what the network cannot learn, if there is such.

        Args:
            chain: The transforms.
            predict: Runs the network on (1, 3, H, W) float32.
        """
        del predict
        return chain

    def input_shape(self, transforms: Sequence[Node]) -> tuple[int, ...]:
        """Return what an exported network takes, -1 where it varies.

        Args:
            transforms: Checked nodes of the pre-processing.
        """
        return -1, 3, -1, -1

    def measure_batch(
        self, found: Any, postprocess: Any, batch: Mapping[str, Any], charset: Charset | None, metric: Any
    ) -> None:
        """Tell *metric* how the network does on a training batch.

        Only families with *measures* are asked.

        Args:
            found: What the post-processing made of the predictions.
            postprocess: That post-processing.
            batch: What the loss reads; may be tensors of an engine.
            charset: As :meth:`charset` gives it.
            metric: A fresh metric.
        """
        raise NotImplementedError(f"The family {self.name!r} is not measured in training.")


class LineFamily(Family):
    """What families that look at lines have in common: a height that the config says."""

    features: ClassVar[Features] = "line"
    group: ClassVar[int] = GROUP
    measures: ClassVar[bool] = True
    fixed_width: ClassVar[bool] = False

    def batch_size(self, config: Config) -> int:
        """Return how many lines run together: those of Eval.loader, but no more than are evaluated at a time."""
        return min(config.Eval.loader.batch_size_per_card if config.Eval else GROUP, GROUP)

    def input_shape(self, transforms: Sequence[Node]) -> tuple[int, ...]:
        """Return what an exported network takes: the height of lines, and the width where that is fixed.

        Raises:
            ConfigError: If no transform says the size of lines.
        """
        for node in transforms:
            if node["name"] in ("RecResizeImg", "ClsResizeImg"):
                resize: Any = TRANSFORMS.build(node)
                return -1, 3, resize.height, resize.width if self.fixed_width else -1
        raise ConfigError(
            "Eval.dataset.transforms must hold RecResizeImg or ClsResizeImg: it says the height of lines."
        )


FAMILIES: dict[str, Family] = {}


def register(cls: F) -> F:
    """Class decorator: make the family known to configs under its ``name``.

    Raises:
        ConfigError: If there is one of that name.
    """
    if cls.name in FAMILIES:
        raise ConfigError(f"The family {cls.name!r} is declared twice: {type(FAMILIES[cls.name])} and {cls}.")
    FAMILIES[cls.name] = cls()
    FEATURES[cls.name] = cls.features
    return cls


def family_of(config: Config) -> Family:
    """Return the family of a config.

    Raises:
        ConfigError: If the config does not say it.
    """
    return FAMILIES[config.model_type]
