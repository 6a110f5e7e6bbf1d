"""Recognisers: what a line says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ppocr_lite.charset import Charset
from ppocr_lite.config.schema import Config, Node
from ppocr_lite.data import Collate, FittingLines
from ppocr_lite.errors import ConfigError
from ppocr_lite.families.base import LineFamily, Stage, register
from ppocr_lite.io.images import Image
from ppocr_lite.modeling.onnx_network import charset_of_network
from ppocr_lite.predict.recognizer import TextRecognizer
from ppocr_lite.predict.runner import Engine, Runner
from ppocr_lite.predict.stages import load_recognizer
from ppocr_lite.transforms.base import Compose, Sample
from ppocr_lite.transforms.resize import LineResize, batch_width


@register
class Recognizers(LineFamily):
    """A line → its text; of the network the probability of each character at each step."""

    name = "rec"
    buckets = True
    defaults: ClassVar[Mapping[str, Node]] = {
        "Loss": {"name": "CTCLoss"},
        "PostProcess": {"name": "CTCLabelDecode"},
        "Metric": {"name": "RecMetric"},
    }

    def stage(self, runner: Runner, preprocess: Compose, postprocess: Any, config: Config) -> Stage:
        """Return a recogniser."""
        size = self.batch_size(config)
        return TextRecognizer(runner, preprocess, postprocess, batch_size=size, policy=config.Reading)

    def load(self, folder: Path | str, engine: Engine = "auto") -> Stage:
        """Return the recogniser of an exported folder."""
        return load_recognizer(folder, engine=engine)

    def judge(self, stage: Stage, samples: Sequence[Sample]) -> Sequence[tuple[Any, Any]]:
        """Return the texts found, with the true ones."""
        found = stage.recognize([sample["image"] for sample in samples])
        return [(read.text, sample["label"]) for read, sample in zip(found, samples, strict=True)]

    def answer(self, stage: Stage, image: Image) -> str:
        """Return text and score."""
        (read,) = stage.recognize([image])
        return f"{read.text}\t{read.score:.4f}"

    def charset(self, config: Config) -> Charset | None:
        """Return the characters of Global.character_dict_path, else those that the file of a network holds.

        Raises:
            ConfigError: If neither is given.
        """
        source = config.Global.character_dict_path
        if source is None:
            found = charset_of_network(config.Architecture)
            if found is not None:
                return found
            raise ConfigError("Global.character_dict_path is required for recognition: a file, or a name such as 'en'.")
        return Charset.load(source, use_space_char=config.Global.use_space_char)

    def collate(self) -> Callable[[Sequence[Sample]], dict[str, Any]]:
        """Return what makes a batch of lines padded to one width."""
        return Collate(pad_width=True)

    def fitting(self, chain: Compose, predict: Callable[[Any], Mapping[str, Any]]) -> Callable[[Sample], Sample]:
        """Refuse lines that are too narrow for their text."""
        resize = next((step for step in chain.steps if isinstance(step, LineResize)), None)
        if resize is None:
            return chain
        width = batch_width([resize.width])
        (first, *_) = predict(np.zeros((1, 3, resize.height, width), np.float32)).values()  # (1, T, C)
        return FittingLines(chain, width / first.shape[1])

    def measure_batch(
        self, found: Any, postprocess: Any, batch: Mapping[str, Any], charset: Charset | None, metric: Any
    ) -> None:
        """Tell *metric* the texts found on a training batch, with the true ones."""
        if charset is None:
            raise ValueError("The texts of a batch are told by its characters. Received: None")
        key = "label_ctc" if "label_ctc" in batch else "label"  # as MultiLabelEncode or CTCLabelEncode makes it
        labels, lengths = np.asarray(batch[key]), np.asarray(batch["length"])
        for recognition, label, length in zip(found, labels, lengths, strict=True):
            metric.update(recognition.text, charset.decode(label[: int(length)].tolist()))
