"""Average the weights of several checkpoints of one network: often better than each of them.

python tools/average_checkpoints.py output/run/checkpoints/step_00002200 output/run/checkpoints/step_00004400 \
    --output output/averaged.safetensors

Running means and variances of batch normalisation are averaged like the weights, which holds for checkpoints of one
run, or of runs that went on from one another.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from ppocr_lite.commands.console import report_errors
from ppocr_lite.engine.checkpoint import read_weights, write_weights
from ppocr_lite.errors import CheckpointError


def main() -> None:
    """Parse, read, average, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="+", type=Path, help="checkpoints or weight files")
    parser.add_argument("--output", type=Path, required=True, help=".safetensors")
    arguments = parser.parse_args()
    networks = [read_weights(path) for path in arguments.checkpoints]
    shapes = [{name: value.shape for name, value in network.items()} for network in networks]
    for path, found in zip(arguments.checkpoints, shapes, strict=True):
        if found != shapes[0]:
            differing = sorted(name for name in found.keys() | shapes[0] if found.get(name) != shapes[0].get(name))
            raise CheckpointError(f"{path} is not of the network of {arguments.checkpoints[0]}: {differing[:5]}")
    averaged = {
        name: np.mean([network[name] for network in networks], axis=0, dtype=np.float64).astype(value.dtype)
        for name, value in networks[0].items()
    }
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    write_weights(arguments.output, averaged)


if __name__ == "__main__":
    sys.exit(report_errors(main))
