"""The registry of transforms, the contract of one, and the chain that runs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from ppocr_lite.errors import ConfigError, DataError, ImageError
from ppocr_lite.registry import Registry

Sample = dict[str, Any]

# A step that requires this key mixes samples. The chain gives it a list of one other sample of the data set, chosen by
# the sample's generator and brought through the steps before; the step drops the key when it is done. Where that one
# is unusable the next one drawn takes its place, so a fault of another sample is not put down to this one.
EXTRA = "ext_data"
# Pictures of the page beside its image, uint8 (H, W): a step that moves pixels of the image moves theirs, too, and one
# that changes colours leaves them alone.
MAPS = ("teacher_map",)
_DRAWS = 10
_FOR_EXTRA = ("rng", "another")


class Transform(Protocol):
    """One step from a stored sample to a training batch.

    A transform returns a new dict, never changes the one it is given, and holds no random
    state: what is random comes from ``sample["rng"]``, which only training provides.

    Attributes:
        requires: Keys the sample must have.
        provides: Keys the returned sample has in addition.
    """

    requires: ClassVar[tuple[str, ...]]
    provides: ClassVar[tuple[str, ...]]

    def __call__(self, sample: Sample) -> Sample:
        """Return the next state of *sample*."""
        ...


TRANSFORMS: Registry[Transform] = Registry("transform", runtime=("charset", "max_text_length"))


def maps_in(sample: Sample) -> list[str]:
    """Return which of :data:`MAPS` a sample has."""
    return [key for key in MAPS if key in sample]


class Compose:
    """Run transforms in order; refuse at construction what would fail at run time.

    Args:
        steps: The transforms, in order.
        available: Keys a sample has before the first step.
        path: Where the list stands in the config, for messages.

    Raises:
        ConfigError: If a step needs a key that no earlier step provides.
    """

    def __init__(self, steps: Sequence[Transform], available: Sequence[str], path: str = "transforms") -> None:
        known = set(available) | ({EXTRA} if set(_FOR_EXTRA) <= set(available) else set())
        for index, step in enumerate(steps):
            missing = set(step.requires) - known
            if missing:
                raise ConfigError(
                    f"{path}[{index}] {type(step).__name__} needs {sorted(missing)}, "
                    f"but only {sorted(known)} exist at that point."
                )
            known |= set(step.provides)
        self.steps = tuple(steps)

    def __call__(self, sample: Sample) -> Sample:
        """Return *sample* after the last step."""
        return self._run(sample, len(self.steps))

    def _run(self, sample: Sample, count: int) -> Sample:
        for index, step in enumerate(self.steps[:count]):
            if EXTRA in step.requires:
                sample = sample | {EXTRA: [self._draw(sample, index)]}
            sample = step(sample)
        return sample

    def _draw(self, sample: Sample, count: int) -> Sample:
        """Return another sample of the data set after *count* steps."""
        for _ in range(_DRAWS):
            try:
                return self._run(sample["another"](sample["rng"]) | {key: sample[key] for key in _FOR_EXTRA}, count)
            except (DataError, ImageError) as error:
                last = error
        raise DataError(f"None of {_DRAWS} samples drawn to mix with is usable. The last one: {last}") from last
