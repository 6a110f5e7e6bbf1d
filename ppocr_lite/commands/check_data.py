"""Validate label files: every line is parsed as training would, and its image decoded.

What a recogniser may be taught depends on its dictionary and its longest text: give the config of the run with ``-c``,
or both as options.

Each fault is named as ``file:line: what is wrong`` on standard error; a summary of each file goes to standard output.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ppocr_lite.charset import Charset
from ppocr_lite.commands.console import add_quiet, complain, progress, say
from ppocr_lite.config.arguments import add_config
from ppocr_lite.config.schema import Config
from ppocr_lite.engine.build import load_charset, load_config
from ppocr_lite.engine.open import open_network
from ppocr_lite.errors import ConfigError, DataError, ImageError
from ppocr_lite.families import family_of
from ppocr_lite.transforms import TRANSFORMS
from ppocr_lite.transforms.base import Compose, Sample
from ppocr_lite.transforms.decode import DecodeImage
from ppocr_lite.transforms.labels import ClsLabelEncode, CTCLabelEncode, DetLabelEncode, read_lines

MAX_NAMED = 50  # faults named for each file; the rest are counted


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_quiet(parser)
    parser.add_argument("kind", choices=("det", "rec", "cls"), help="what the labels are for")
    parser.add_argument("files", nargs="+", type=Path, metavar="LABEL_FILE")
    parser.add_argument("--data-dir", type=Path, help="folder the paths start from (default: that of the label file)")
    parser.add_argument("--no-images", action="store_true", help="only parse the labels; do not open the images")
    add_config(parser, required=False)
    group = parser.add_argument_group("recognition, without a config")
    group.add_argument("--charset", default="en", help="dictionary file or the name of a bundled one (default: en)")
    group.add_argument("--no-space", action="store_true", help="the space is not a character")
    group.add_argument("--max-text-length", type=int, default=100, metavar="N", help="longest text (default: 100)")


def run(arguments: argparse.Namespace) -> int:
    """Check all files; return 1 if a line is unusable."""
    encode, fit = _encoder(arguments)
    decode = None if arguments.no_images else DecodeImage()
    bad = 0
    for file in arguments.files:
        counts: Counter[str] = Counter()
        for fault in _faults(file, arguments.data_dir or file.parent, (encode, decode, fit), counts):
            bad += 1
            counts["unusable"] += 1
            if counts["unusable"] <= MAX_NAMED:
                complain(fault)
        if counts["unusable"] > MAX_NAMED:
            complain(f"{file}: {counts['unusable'] - MAX_NAMED} more faults not named.")
        say(f"{file}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    return 1 if bad else 0


def _encoder(arguments: argparse.Namespace) -> tuple[Any, Callable[[Sample], Sample]]:
    """Return what encodes a label, and what refuses a line that the network of the config cannot spell."""
    if arguments.kind == "det":
        return DetLabelEncode(), _as_it_is
    if arguments.kind == "cls":
        return ClsLabelEncode(), _as_it_is
    if arguments.config is not None:
        config = load_config(arguments.config, arguments.opt)
        charset = load_charset(config)
        if charset is None:
            raise ConfigError(f"{arguments.config} is no config of a recogniser.")
        return CTCLabelEncode(charset, config.Global.max_text_length), _fitting(config, arguments.no_images)
    charset = Charset.load(arguments.charset, use_space_char=not arguments.no_space)
    return CTCLabelEncode(charset, arguments.max_text_length), _as_it_is


def _as_it_is(sample: Sample) -> Sample:
    return sample


def _fitting(config: Config, no_images: bool) -> Callable[[Sample], Sample]:
    """Return the resize of training, refusing what training will refuse; the network is built to see its steps."""
    split = config.Train or config.Eval
    nodes = [node for node in split.transforms if node["name"] == "RecResizeImg"] if split else []
    if no_images or not nodes or config.Architecture is None:
        return _as_it_is
    resize = Compose([TRANSFORMS.build(nodes[0])], ("image",), "Train.dataset.transforms")
    return family_of(config).fitting(resize, open_network(config).predict)


def _faults(file: Path, folder: Path, steps: tuple[Any, ...], counts: Counter[str]) -> Iterator[str]:
    """Yield what is wrong, line by line, and count what there is."""
    encode, decode, fit = steps
    try:
        lines = read_lines(file)
    except DataError as error:
        yield str(error)
        return
    if not lines:
        yield f"{file}: the label file is empty."
    seen: dict[str, int] = {}
    for number, line in progress(lines, "lines"):
        counts["samples"] += 1
        name, tab, label = line.partition("\t")
        if not tab:
            yield f"{file}:{number}: a line must be path<TAB>label. Received: {line[:80]!r}"
            continue
        if name in seen:
            counts["repeated paths"] += 1
        seen[name] = number
        try:
            sample = encode({"label": label})
            if decode is not None:
                sample = decode(sample | {"image": _read(folder / name), "path": str(folder / name)})
                fit(sample)
        except (DataError, ImageError) as error:
            yield f"{file}:{number}: {error}"
            continue
        _count(sample, counts)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"{path}: cannot be read: {error.strerror}.") from error


def _count(sample: Sample, counts: Counter[str]) -> None:
    if "text" in sample:
        counts["characters"] += len(sample["text"])
    if "polys" not in sample:
        return
    counts["regions"] += len(sample["polys"])
    counts["ignored regions"] += int(sample["ignore_tags"].sum())
    if "image" in sample:
        height, width = sample["image"].shape[:2]
        outside = [p for p in sample["polys"] if p.min() < -1 or p[:, 0].max() > width or p[:, 1].max() > height]
        counts["regions that leave the image"] += len(outside)
