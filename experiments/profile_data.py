"""Time how a config's training samples are made, stage by stage, in one process and one thread.

python experiments/profile_data.py -c configs/rec/rec_en_released.yml --count 400
python experiments/profile_data.py -c configs/det/det_released_more.yml --count 60 --functions 25

Prints a table: reading (or drawing) the sample, each transform, and the making of the batch, in milliseconds a sample.
"CPU" is what the process computed; where "ms" is much more, it waited, for a disk or for other work on the core.
Samples per second are those of one worker of the loader: divide what the network needs by it to know how many.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2

from ppocr_lite.commands.console import report_errors, table
from ppocr_lite.data import DATASETS
from ppocr_lite.engine.build import build_chain, load_charset, require
from ppocr_lite.engine.run import argument_parser, read_config
from ppocr_lite.families import family_of

WARM = 20  # samples that do not count: the first open fonts, files and libraries


@dataclass
class Stage:
    """One step on the way of a sample, with the time it takes; stands in the place of what it calls.

    Attributes:
        name: Shown in the table.
        call: What is timed.
        requires: Of the transform, where it is one.
        provides: Likewise.
        wall: Seconds so far.
        cpu: Seconds that the process computed in these.
    """

    name: str
    call: Callable[..., Any]
    requires: tuple[str, ...] = ()
    provides: tuple[str, ...] = ()
    wall: float = 0.0
    cpu: float = 0.0

    def __call__(self, *arguments: Any) -> Any:
        """Call on, and add up the time."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            return self.call(*arguments)
        finally:
            self.wall += time.perf_counter() - wall
            self.cpu += time.process_time() - cpu


def main() -> None:
    """Parse, run, print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--count", type=int, default=200, help="samples that are timed (default: 200)")
    parser.add_argument("--functions", type=int, default=0, metavar="N", help="also list the N costliest functions")
    arguments = parser.parse_args()
    config = read_config(arguments)
    split = require(config.Train, "Train")
    chain = build_chain(split, load_charset(config), config.Global.max_text_length, training=True)
    dataset = DATASETS.build(split.dataset, transforms=chain, seed=config.Global.seed, training=True)
    read, collate = Stage("read", dataset.read), Stage("batch", family_of(config).collate())
    steps = [Stage(type(step).__name__, step, step.requires, step.provides) for step in chain.steps]
    dataset.read, chain.steps = read, tuple(steps)
    stages = [read, *steps, collate]
    cv2.setNumThreads(0)
    profile = cProfile.Profile(time.process_time) if arguments.functions else None
    size = split.loader.batch_size_per_card
    bad = run(dataset, collate, range(WARM), size)
    for stage in stages:
        stage.wall = stage.cpu = 0.0
    # Samples of a mixture come one source after the other: take them from everywhere.
    indices = [len(dataset) * number // arguments.count for number in range(arguments.count)]
    if profile is not None:
        profile.enable()
    bad += run(dataset, collate, indices, size)
    if profile is not None:
        profile.disable()
    print(report(stages, arguments.count))
    if bad:
        print(f"{bad} samples were unusable.")
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(arguments.functions)


def run(dataset: Any, collate: Callable[..., Any], indices: Any, size: int) -> int:
    """Make the samples of *indices* and batches of them; return how many were unusable."""
    batch: list[Any] = []
    bad = 0
    for number, index in enumerate(indices, 1):
        sample = dataset[0, index % len(dataset)]
        bad += "error" in sample
        batch.append(sample)
        if len(batch) == size or number == len(indices):
            collate(batch)
            batch = []
    return bad


def report(stages: list[Stage], count: int) -> str:
    """Return the table and the sum of *stages* for *count* samples."""
    whole = sum(stage.wall for stage in stages), sum(stage.cpu for stage in stages)
    rows = [["stage", "ms", "CPU ms", "share"]]
    for stage in stages:
        share = f"{stage.cpu / whole[1]:.1%}"
        rows.append([stage.name, f"{1e3 * stage.wall / count:.3f}", f"{1e3 * stage.cpu / count:.3f}", share])
    rows.append(["all", *(f"{1e3 * seconds / count:.3f}" for seconds in whole), ""])
    speed = f"{count / whole[0]:.1f} samples/s; {count / whole[1]:.1f} for each second of one core."
    return f"{table(rows)}\n{speed}"


if __name__ == "__main__":
    sys.exit(report_errors(main))
