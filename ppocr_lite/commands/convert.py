"""Turn the labels of other programs into label files of this package, and label files into LMDB folders and back.

ppocr-lite convert ppocrlabel pages/ --output pages/train.txt    a folder that PPOCRLabel has labelled
ppocr-lite convert icdar gt/ --images img/ --output train.txt    a text file an image, x1,y1,…,x4,y4,text
ppocr-lite convert icdar17 gt/ --images img/ --output train.txt  the same of RCTW and MLT, x1,…,y4,difficult,"text"
ppocr-lite convert voc Annotations/ --output train.txt           an XML file an image
ppocr-lite convert coco instances.json --output train.txt        one JSON file
ppocr-lite convert label-studio project.json --output train.txt  the JSON that Label Studio exports
ppocr-lite convert to-lmdb train.txt --output train_lmdb         a label file of any kind → an LMDB folder
ppocr-lite convert lmdb train_lmdb --output out/train.txt        and back, images into out/images

Paths in the label file start from its own folder, which is then data_dir; --data-dir names another one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

from ppocr_lite.commands.console import say
from ppocr_lite.data import convert, foreign, label_studio, records

# what → (how, what the source is)
KINDS: dict[str, tuple[Callable[[argparse.Namespace], int], str]] = {
    "icdar": (lambda a: _icdar(a), "folder of text files"),
    "icdar17": (lambda a: _pages(a, convert.read_icdar17(a.source, a.images)), "folder of text files of RCTW or MLT"),
    "icdar-lines": (lambda a: _lines(a, convert.read_icdar_lines(a.source)), 'text file of image, "text"'),
    "ppocrlabel": (lambda a: _pages(a, foreign.read_ppocrlabel(a.source)), "folder with Label.txt"),
    "ppocrlabel-lines": (lambda a: _lines(a, foreign.read_ppocrlabel_lines(a.source)), "folder with rec_gt.txt"),
    "voc": (lambda a: _pages(a, foreign.read_voc(a.source, a.images)), "folder of XML files"),
    "coco": (lambda a: _pages(a, foreign.read_coco(a.source, a.images)), "JSON file"),
    "label-studio": (lambda a: _pages(a, label_studio.read_label_studio(a.source, a.images)), "JSON of Label Studio"),
    "lmdb": (lambda a: records.read_lmdb(a.source, a.output), "LMDB folder"),
    "to-lmdb": (lambda a: records.write_lmdb(a.source, a.output, a.data_dir), "label file"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    listed = "; ".join(f"{name}: {what}" for name, (_, what) in KINDS.items())
    parser.add_argument("kind", choices=tuple(KINDS), help=f"what SOURCE is. {listed}")
    parser.add_argument("source", type=Path, metavar="SOURCE")
    parser.add_argument("--output", type=Path, required=True, help="label file to write; of to-lmdb the folder")
    parser.add_argument(
        "--images",
        type=Path,
        metavar="DIR",
        help="images of icdar, icdar17, voc, coco and label-studio (default: by SOURCE)",
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder that paths in label files start from")


def run(arguments: argparse.Namespace) -> int:
    """Convert; return the exit status."""
    count = KINDS[arguments.kind][0](arguments)
    say(f"{arguments.output}: {count} samples")
    return 0


def _icdar(arguments: argparse.Namespace) -> int:
    images = arguments.images or arguments.source
    data_dir = arguments.data_dir or arguments.output.parent
    return convert.convert_icdar_pages(images, arguments.source, arguments.output, data_dir=data_dir)


def _pages(arguments: argparse.Namespace, pages: Iterator[convert.Page]) -> int:
    return convert.write_pages(arguments.output, pages, arguments.data_dir)


def _lines(arguments: argparse.Namespace, lines: Iterator[tuple[Path, str]]) -> int:
    return convert.write_lines(arguments.output, lines, arguments.data_dir)
