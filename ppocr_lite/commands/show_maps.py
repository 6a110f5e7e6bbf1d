"""Draw what a detector sees: its regions, and its probability, threshold and binary maps over the picture.

Takes a checkpoint and the config it was trained with, for an exported network has only the probability map.  Writes
NAME_maps.png for each page.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ppocr_lite import visualize
from ppocr_lite.commands.console import say
from ppocr_lite.commands.inputs import Names, add_paths, find_files, for_each, read_given
from ppocr_lite.config.arguments import add_config
from ppocr_lite.engine.infer import live_maps
from ppocr_lite.engine.run import read_config
from ppocr_lite.io import images

ENDING = "_maps.png"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_paths(parser)
    add_config(parser)
    parser.add_argument("--weights", type=Path, help="checkpoint folder, run folder or weight file")
    parser.add_argument("--output", type=Path, default=Path("output/show_maps"), metavar="DIR")


def run(arguments: argparse.Namespace) -> int:
    """Draw the maps of all pages; return the exit status."""
    files = find_files(arguments.paths, recursive=arguments.recursive, output=arguments.output)
    names = Names(arguments.output, files, [ENDING])
    look = live_maps(read_config(arguments), arguments.weights)

    def work(file: Path, relative: Path) -> None:
        for name, image in read_given(file, password=arguments.password):
            maps, found = look(image)
            stem = names.free(file, relative, name)
            target = stem.with_name(stem.name + ENDING)
            images.write(target, visualize.draw_maps(image, maps, found.polygons))
            say(str(target))

    return for_each(files, "files", work)
