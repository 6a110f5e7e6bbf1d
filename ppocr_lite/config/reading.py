"""The section Reading: how lines are read, as it was tuned on a network and travels with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ppocr_lite.config.check import check_arguments
from ppocr_lite.errors import ConfigError

# The fields that the folder of each family decides; of a family that is not named, none.
FIELDS: dict[str, tuple[str, ...]] = {
    "det": (),
    "cls": ("turn_score", "both_ways_up"),
    "rec": ("retry_score", "retry_scales", "margin", "clear_space", "crop_height"),
}
_LIMITS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "retry_score": (lambda score: 0 <= score <= 1, "from 0 to 1"),
    "retry_scales": (lambda scales: all(0.1 <= scale <= 10 for scale in scales), "numbers from 0.1 to 10"),
    "margin": (lambda share: 0 <= share < 1, "at least 0 and below 1"),
    "clear_space": (lambda share: 0 <= share <= 10, "from 0 to 10"),
    "crop_height": (lambda pixels: pixels >= 1, "at least 1"),
    "turn_score": (lambda score: 0 <= score <= 1, "from 0 to 1"),
}


def check_limit(name: str, value: Any, path: str) -> None:
    """Check one value of a policy.

    Args:
        name: Field of :class:`ReadingPolicy`.
        value: Its value.
        path: What the user knows it as.

    Raises:
        ConfigError: If it is out of its range.
    """
    fits, limits = _LIMITS[name]
    if not fits(value):
        raise ConfigError(f"{path} must be {limits}. Received: {value!r}")


@dataclass(frozen=True)
class ReadingPolicy:
    """How the lines of a page are turned, cut out and read; the same in prediction and in evaluation.

    The defaults read a line once, within its box: nothing that has to be tuned on a network.

    Attributes:
        retry_score: A line read with less confidence than this, but enough for *drop_score* or short, is read again at
            other sizes, and the surest reading is kept; 0 reads every line once.
        retry_scales: How large the text of such a line is then, 1 being its usual size.
        margin: How far a line is read beyond both ends of its box, as a share of its height.
        clear_space: Least padding to the right of a line, as a share of its height; 0 for a network that was trained
            with any padding.
        crop_height: A line taller than this many pixels is cut out of its page at this height.
        turn_score: A line is turned only if the classifier is surer than this.
        both_ways_up: Whether a line that seems to stand unlike most of its page is read both ways up, and the surer
            reading is kept.

    Raises:
        ConfigError: If a value is out of its range.
    """

    retry_score: float = 0.0
    retry_scales: tuple[float, ...] = (0.8, 1.25)
    margin: float = 0.0
    clear_space: float = 0.25
    crop_height: int = 96
    turn_score: float = 0.9
    both_ways_up: bool = True

    def __post_init__(self) -> None:
        for name in _LIMITS:
            check_limit(name, getattr(self, name), f"Reading.{name}")

    def part(self, family: str) -> dict[str, Any]:
        """Return the fields that the folder of a family decides, with their values."""
        return {name: getattr(self, name) for name in FIELDS.get(family, ())}


DEFAULT_POLICY = ReadingPolicy()


def check_reading(node: dict[str, Any] | None, family: str | None) -> ReadingPolicy:
    """Return the policy that a section Reading describes.

    Args:
        node: The section; None or empty for the defaults.
        family: ``det``, ``cls`` or ``rec``: a folder decides only what concerns its own network. None if not known.

    Raises:
        ConfigError: If a field is unknown, of the wrong type, out of its range, or of another family.
    """
    checked = check_arguments(ReadingPolicy, node or {}, "Reading")
    for name in checked:
        if family is not None and name not in FIELDS.get(family, ()):
            owner = next(other for other, names in FIELDS.items() if name in names)
            raise ConfigError(f"Reading.{name} is for a {owner} model, and this one is {family}.")
    return ReadingPolicy(**checked)


def join_policies(classifier: ReadingPolicy | None, recognizer: ReadingPolicy | None) -> ReadingPolicy:
    """Return the policy of a page: of each network what it decides, defaults where there is none."""
    turning = classifier.part("cls") if classifier else {}
    return ReadingPolicy(**turning, **(recognizer.part("rec") if recognizer else {}))
