"""What a campaign counts, and how it says so."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

MEMORY_MB = 1_500  # most that one try may take
CPU_SECONDS = 20.0


@dataclass
class Report:
    """The figures of a campaign.

    Attributes:
        name: Of the campaign.
        seed: Of its random choices.
        tries: How many were made.
        outcomes: How each ended: read, or refused by which error.
        failures: What must not happen, in words.
        peak_mb: Most memory of a process.
        cpu_seconds: Most computing of one try.
    """

    name: str
    seed: int
    tries: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    peak_mb: float = 0.0
    cpu_seconds: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def add(self, what: str, outcome: str, cpu: float, peak_mb: float) -> None:
        """Note one try that ended as it may, or took too much."""
        self.tries += 1
        self.outcomes[outcome] += 1
        self.cpu_seconds, self.peak_mb = max(self.cpu_seconds, cpu), max(self.peak_mb, peak_mb)
        if cpu > CPU_SECONDS:
            self.fail(f"{what}: {cpu:.1f} seconds of computing")
        if peak_mb > MEMORY_MB:
            self.fail(f"{what}: {peak_mb:.0f} MB")

    def fail(self, what: str) -> None:
        """Note what must not happen."""
        self.failures.append(what)
        sys.stderr.write(f"FAILURE {what}\n")

    def figures(self) -> Mapping[str, object]:
        """Return what is printed."""
        return {
            "campaign": self.name,
            "seed": self.seed,
            "tries": self.tries,
            "failures": len(self.failures),
            "peak_mb": round(self.peak_mb),
            "cpu_seconds_max": round(self.cpu_seconds, 1),
            "outcomes": dict(self.outcomes.most_common()),
            "minutes": round((time.monotonic() - self.began) / 60, 1),
        }

    def finish(self) -> int:
        """Print the figures and the failures; return the exit status."""
        sys.stdout.write(json.dumps(self.figures(), indent=2) + "\n")
        sys.stdout.writelines(f"FAILURE {failure}\n" for failure in self.failures)
        return 1 if self.failures else 0
