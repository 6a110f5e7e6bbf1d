"""Draw what each transform of a config makes of samples.

Writes NAME_STEP_TRANSFORM.png for each sample and each step of the list: the image with its polygons (ignored ones
in gray), and beside it the maps and masks that the step made; of CTPN the anchors by their label, of a two-stage
detector also the masks of the boxes.  With the ``--weights`` of a two-stage detector it also draws, after all steps,
its proposals, what is sampled of them, and what it finds.  The random steps are those of the given epoch, as in
training.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ppocr_lite import visualize
from ppocr_lite.commands.console import add_quiet, complain, progress, say
from ppocr_lite.commands.show_columns import draw_columns
from ppocr_lite.commands.show_proposals import SecondLook
from ppocr_lite.commands.show_regions import anchor_settings, draw_regions
from ppocr_lite.config.arguments import add_config
from ppocr_lite.data import DATASETS
from ppocr_lite.data.sampler import Key
from ppocr_lite.engine.build import build_chain, load_charset, require
from ppocr_lite.engine.run import read_config
from ppocr_lite.errors import DataError, ImageError
from ppocr_lite.io import images
from ppocr_lite.io.images import Image
from ppocr_lite.transforms.base import Sample
from ppocr_lite.transforms.ctpn_targets import MakeCTPNTargets

MAPS = ("shrink_map", "shrink_mask", "threshold_map", "threshold_mask")
IGNORED = (150, 150, 150)  # gray, BGR


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_quiet(parser)
    add_config(parser)
    parser.add_argument("--output", type=Path, default=Path("output/show_data"), metavar="DIR")
    parser.add_argument("--split", choices=("Train", "Eval"), default="Train", help="whose samples (default: Train)")
    parser.add_argument("--count", type=int, default=4, metavar="N", help="how many samples (default: 4)")
    parser.add_argument("--epoch", type=int, default=0, metavar="N", help="of which epoch (default: 0)")
    parser.add_argument("--weights", type=Path, help="checkpoint of a two-stage detector whose proposals to draw")


def run(arguments: argparse.Namespace) -> int:
    """Draw the samples; return the exit status."""
    config = read_config(arguments)
    training = arguments.split == "Train"
    split = require(getattr(config, arguments.split), arguments.split)
    chain = build_chain(split, load_charset(config), config.Global.max_text_length, training=training)
    dataset = DATASETS.build(split.dataset, transforms=None, seed=config.Global.seed, training=training)
    look = SecondLook(config, arguments.weights) if arguments.weights else None
    arguments.output.mkdir(parents=True, exist_ok=True)
    failed = 0
    for index in progress(range(min(arguments.count, len(dataset))), "samples"):
        try:
            sample = _raw(dataset, (arguments.epoch, index))
            for step, name, picture in draw_sample(sample, chain.steps, anchor_settings(config), look):
                images.write(arguments.output / f"{index:04d}_{step:02d}_{name}.png", picture)
        except (DataError, ImageError) as error:
            failed += 1
            complain(f"sample {index}: {error}")
    say(f"drawings in {arguments.output}")
    return 1 if failed else 0


def draw_sample(
    sample: Sample, steps: tuple[Any, ...], anchors: Any = None, look: SecondLook | None = None
) -> Iterator[tuple[int, str, Image]]:
    """Yield (number, class name, picture) of each step that leaves something to see.

    Args:
        sample: As it is stored.
        steps: The transforms.
        anchors: Of a two-stage detector, what :func:`~ppocr_lite.commands.show_regions.anchor_settings` gives.
        look: Of one with weights, what draws its proposals.
    """
    shown: Image | None = None
    page: Image | None = None  # as it is when its truth is made
    for number, step in enumerate(steps):
        before = sample
        sample = step(sample)
        pixels = as_picture(sample.get("image"))
        shown = shown if pixels is None else pixels
        if shown is not None:
            name = type(step).__name__
            if anchors is not None and "truth" in sample and "truth" not in before:
                page = shown
                yield number, name, draw_regions(page, sample["truth"], anchors)
                continue
            if isinstance(step, MakeCTPNTargets):
                yield number, name, draw_columns(shown, sample, step)
                continue
            yield number, name, draw_state(shown, sample, [key for key in MAPS if key in sample and key not in before])
    if look is not None and page is not None:
        yield len(steps), "Proposals", look.draw(page, sample["image"], sample["truth"])


def draw_state(image: Image, sample: Sample, maps: list[str]) -> Image:
    """Return *image* with the polygons of *sample*, and beside it the *maps* over it, each under its name."""
    canvas = image
    ignored = np.asarray(sample.get("ignore_tags", ()), bool)
    polygons = list(sample.get("polys", ()))
    if len(polygons) == len(ignored):
        canvas = visualize.draw_polygons(canvas, [p for p, i in zip(polygons, ignored, strict=True) if i], IGNORED)
        canvas = visualize.draw_polygons(canvas, [p for p, i in zip(polygons, ignored, strict=True) if not i])
    panels = [visualize.titled(canvas, _caption(sample))]
    for key in maps:
        values = sample[key]
        over = _dimmed(image, values) if key.endswith("_mask") else visualize.draw_map(image, values)
        panels.append(visualize.titled(over, key))
    return np.hstack(panels)


def as_picture(image: Any) -> Image | None:
    """Return a BGR picture of an image in any state: uint8 (H, W, 3), or float32 (H, W, 3) or (3, H, W), stretched."""
    if not isinstance(image, np.ndarray) or image.ndim != 3:
        return None
    pixels = image.transpose(1, 2, 0) if image.shape[0] == 3 and image.shape[2] != 3 else image
    if pixels.dtype == np.uint8:
        return np.ascontiguousarray(pixels)
    low, high = float(pixels.min()), float(pixels.max())
    return np.ascontiguousarray((pixels - low) * (255.0 / max(high - low, 1e-6))).astype(np.uint8)


def _dimmed(image: Image, mask: NDArray[np.float32]) -> Image:
    """Return *image* (H, W, 3), dark where *mask* (H, W) is 0: nothing is learnt there."""
    return (image * (0.25 + 0.75 * mask[:, :, None])).astype(np.uint8)


def _raw(dataset: Any, key: Key) -> Sample:
    sample: Sample = dataset[key]
    if "error" in sample:
        raise DataError(sample["error"])
    return sample


def _caption(sample: Sample) -> str:
    text = sample.get("text", sample.get("label"))
    if isinstance(text, str) and not text.startswith("["):
        return text
    image = sample["image"] if "image" in sample else np.zeros(0)
    return f"{getattr(image, 'dtype', '')} {getattr(image, 'shape', '')}"
