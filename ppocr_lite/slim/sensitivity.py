"""How much each group of channels matters: prune it alone, at several ratios, and evaluate."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ppocr_lite import files
from ppocr_lite.errors import ConfigError
from ppocr_lite.slim.fpgm import DIVISOR, prune_architecture, prune_weights, width_after
from ppocr_lite.slim.groups import Group, Weights

log = logging.getLogger(__name__)

# Architecture and weights → metrics, the first of which counts; higher is better.
Score = Callable[[Mapping[str, Any], Weights], Mapping[str, float]]


@dataclass(frozen=True)
class Sensitivities:
    """What an analysis found.

    Attributes:
        metric: Name of the score, higher is better.
        baseline: Score of the whole network.
        groups: Key of a group → share of its channels that was removed, as text → score.
    """

    metric: str
    baseline: float
    groups: dict[str, dict[str, float]] = field(default_factory=dict)

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(path, json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def load(cls, path: Path) -> Sensitivities:
        """Read what :meth:`save` wrote.

        Raises:
            ConfigError: If the file is not there or holds something else.
        """
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise ConfigError(f"{path} is not an analysis of tools/prune.py: {error}") from error

    def ratio(self, key: str, max_loss: float) -> float:
        """Return the largest share of a group that costs at most *max_loss* of the baseline.

        Between two measured ratios the loss is taken as linear; beyond the last one nothing is assumed.

        Args:
            key: Of the group; one that was not analysed gives 0.
            max_loss: Share of the baseline, e.g. 0.02.

        Raises:
            ConfigError: If the baseline is 0, of which there are no shares.
        """
        if self.baseline <= 0:
            raise ConfigError(f"The whole network has {self.metric} {self.baseline}: train it before it is pruned.")
        before, lost = 0.0, 0.0
        for ratio, score in sorted((float(text), score) for text, score in self.groups.get(key, {}).items()):
            loss = (self.baseline - score) / self.baseline
            if loss > max_loss:
                return before + (ratio - before) * max(0.0, max_loss - lost) / (loss - lost)
            before, lost = ratio, loss
        return before


def analyse(
    architecture: Mapping[str, Any],
    weights: Weights,
    groups: Sequence[Group],
    score: Score,
    ratios: Sequence[float],
    divisor: int = DIVISOR,
) -> Sensitivities:
    """Prune each group alone at each ratio and score what is left, without training.

    Args:
        architecture: Of the whole network.
        weights: Of the whole network.
        groups: As :func:`ppocr_lite.slim.groups.channel_groups` returns them.
        score: Says how good a network is.
        ratios: Shares of the channels to remove; a share that cannot be removed because widths are multiples of
            *divisor* is replaced by the nearest that can.
        divisor: Widths are multiples of this.
    """
    metric, baseline = next(iter(score(architecture, weights).items()))
    found = Sensitivities(metric, float(baseline))
    log.info("%s of the whole network: %.4f", metric, found.baseline)
    for group in groups:
        if group.share > 1 or group.key in found.groups:
            continue
        scores: dict[str, float] = {}
        for width in dict.fromkeys(width_after(group.width, ratio, divisor) for ratio in sorted(ratios)):
            if width == group.width:
                continue
            widths = {group.key: width}
            pruned = prune_weights(weights, groups, widths)
            share = f"{1 - width / group.width:.4g}"
            scores[share] = float(score(prune_architecture(architecture, groups, widths), pruned)[metric])
            log.info("%s without %s of its %d channels: %.4f", group.key, share, group.width, scores[share])
        found.groups[group.key] = scores
    return found


def widths_for_loss(
    groups: Sequence[Group], found: Sensitivities, max_loss: float, divisor: int = DIVISOR
) -> dict[str, int]:
    """Return key of a group → how many channels stay when each group alone may cost *max_loss* of the baseline."""
    return {
        group.key: width_after(group.width, found.ratio(group.key, max_loss), divisor)
        for group in groups
        if group.share == 1
    }
