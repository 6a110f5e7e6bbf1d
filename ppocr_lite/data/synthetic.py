"""Samples rendered when they are asked for, so an epoch needs no disk and no epoch repeats another."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np

from ppocr_lite.charset import Charset
from ppocr_lite.data.base import DATASETS, Dataset
from ppocr_lite.data.sampler import Key
from ppocr_lite.synth.writer import SampleMaker, build_maker
from ppocr_lite.transforms.base import Sample


@DATASETS.register
class SynthDataSet(Dataset):
    """Text lines or pages of the data maker, a pure function of (seed, epoch, index).

    Args:
        kind: ``"rec"`` gives lines with their text, ``"cls"`` lines turned by 0 or 180 degrees with the angle,
            ``"det"`` pages with their polygons.
        length: Samples of one epoch.
        character_dict_path: Dictionary whose characters are drawn, as ``Global.character_dict_path``.
        use_space_char: Whether the space is one of them.
        corpora: Text files to draw from; none means made-up words and numbers.
        fonts: Folders or files; none means the fonts of the system.
        fonts_split: ``"train"`` leaves five families of each script for ``"val"``.
        backgrounds: Folders of photographs without text, drawn upon beside the procedural backgrounds.
        max_chars: Longest line (rec, cls).
        max_width: Greatest width of a line in pixels at height 32 (rec, cls); None for any.
        page_size: (height, width) of a page in pixels (det).
        strength: How often lines are degraded; 0 is clean print, 1 usual.
        vary: Whether each epoch is drawn anew; False repeats one set, as validation needs.
        transforms: The chain.
        seed: Of the run.
        training: Whether this is the training set.
    """

    def __init__(
        self,
        kind: Literal["rec", "cls", "det"],
        length: int,
        character_dict_path: str = "en",
        use_space_char: bool = True,
        corpora: list[str] | None = None,
        fonts: list[str] | None = None,
        fonts_split: Literal["train", "val", "all"] = "train",
        backgrounds: list[str] | None = None,
        max_chars: int = 25,
        max_width: int | None = 320,
        page_size: tuple[int, int] = (960, 960),
        strength: float = 1.0,
        vary: bool = True,
        transforms: Any = None,
        seed: int = 0,
        training: bool = False,
    ) -> None:
        super().__init__(transforms, seed, training)
        self.kind, self.length, self.vary = kind, length, vary
        self.characters = "".join(Charset.load(character_dict_path, use_space_char).characters)
        self.corpora, self.fonts, self.fonts_split = corpora or [], fonts or [], fonts_split
        self.backgrounds = backgrounds or []
        self.max_chars, self.max_width = max_chars, max_width
        self.page_size, self.strength = page_size, strength

    def __len__(self) -> int:
        return self.length

    def pool(self, epoch: int) -> int:
        """Return the number of samples rendered up to the end of *epoch*."""
        return self.length * (epoch + 1 if self.vary else 1)

    def source(self, key: Key) -> str:
        """Return a name of the sample of *key*."""
        epoch, index = key
        return f"synth:{self.kind}/{epoch if self.vary else 0}/{index}"

    def read(self, key: Key) -> Sample:
        """Render the sample of *key*; ``image`` is a BGR array."""
        epoch, index = key
        rng = np.random.default_rng((self.seed, epoch if self.vary else 0, index, 1))
        image, label = self._maker.make(rng)
        return {"image": image, "label": label, "path": self.source(key)}

    @cached_property
    def _maker(self) -> SampleMaker:
        """The maker; built on first use, so each worker process opens its own fonts."""
        return build_maker(
            self.kind,
            self.characters,
            corpora=self.corpora,
            fonts=self.fonts,
            backgrounds=self.backgrounds,
            split=self.fonts_split,
            max_chars=self.max_chars,
            max_width=self.max_width,
            size=self.page_size,
            strength=self.strength,
        )
