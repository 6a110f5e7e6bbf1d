"""A pool of training samples in shared memory: some processes make samples, others train on them.

Making a line costs ten times as much processor time as training on it costs a GPU, so a sample is used more than once:
makers overwrite the oldest samples in their own part of the pool, trainers draw from all that is there.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

TEXT_BYTES = 240  # of a label, UTF-8


class Ring:
    """Samples of one shape.

    Args:
        folder: Where the pool's files are, in memory (``/dev/shm/…``).
        name: Of the pool.
        shape: Of a sample, uint8; only for the process that creates the pool.
        slots: Samples that it holds.
        writers: Processes that fill it; each has an equal part.
    """

    def __init__(
        self, folder: Path, name: str, shape: tuple[int, ...] | None = None, slots: int = 0, writers: int = 1
    ) -> None:
        place = folder / name
        if shape is not None:
            place.mkdir(parents=True, exist_ok=True)
            (place / "ring.json").write_text(json.dumps({"shape": shape, "slots": slots, "writers": writers}))
        found = json.loads((place / "ring.json").read_text())
        self.shape, self.slots, self.writers = tuple(found["shape"]), found["slots"], found["writers"]
        self.part = self.slots // self.writers
        mode = "w+" if shape is not None else "r+"

        def array(what: str, dtype: type, *size: int) -> np.memmap:
            return np.memmap(place / what, dtype, mode, shape=size)

        self.images = array("images", np.uint8, self.slots, *self.shape)
        self.widths = array("widths", np.int32, self.slots)
        self.texts = array("texts", np.uint8, self.slots, TEXT_BYTES)
        self.versions = array("versions", np.int64, self.slots)
        self.made = array("made", np.int64, self.writers)  # samples each writer has made so far

    def put(self, writer: int, image: np.ndarray, text: str = "") -> bool:
        """Store a sample; *image* may be narrower than a slot. False if its text is too long."""
        data = text.encode()
        if len(data) > TEXT_BYTES:
            return False
        slot = writer * self.part + int(self.made[writer]) % self.part
        self.versions[slot] += 1  # odd: being written
        width = image.shape[1]
        self.images[slot, :, :width] = image
        self.images[slot, :, width:] = 0
        self.texts[slot, : len(data)] = np.frombuffer(data, np.uint8)
        self.texts[slot, len(data) :] = 0
        self.widths[slot] = width
        self.versions[slot] += 1
        self.made[writer] += 1
        return True

    def filled(self) -> np.ndarray:
        """Return how many slots of each writer hold a sample."""
        return np.minimum(self.made, self.part)

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Return *count* random slots that hold samples; empty if there is none."""
        filled = self.filled()
        total = int(filled.sum())
        if total == 0:
            return np.zeros(0, np.int64)
        places = rng.integers(0, total, count)
        ends = np.cumsum(filled)
        writer = np.searchsorted(ends, places, side="right")
        return writer * self.part + places - (ends - filled)[writer]

    def text(self, slot: int) -> str:
        """Return the label of a slot."""
        return bytes(self.texts[slot]).rstrip(b"\0").decode("utf-8", "ignore")
