"""Compute what a detector sees on the pages of label files, and store it, for a smaller one to learn from.

Writes ``OUTPUT/PATH.png`` for each image ``PATH`` of the label files: the probability that a pixel is text, times 255.
The config of the smaller network loads it with ``LoadTeacherMap: {map_dir: OUTPUT, data_dir: …}`` and adds
``TeacherMapLoss`` to its loss.  Maps that are there already are not computed again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ppocr_lite.commands.console import complain, progress, report_errors
from ppocr_lite.errors import OCRError
from ppocr_lite.io import images
from ppocr_lite.predict.detector import TextDetector
from ppocr_lite.predict.released import released_model
from ppocr_lite.predict.stages import load_detector
from ppocr_lite.transforms.labels import read_lines
from ppocr_lite.transforms.teacher_map import map_file, to_stored


def main() -> int:
    """Store the maps of every image; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("labels", nargs="+", type=Path, help="label files")
    parser.add_argument("--data-dir", type=Path, help="folder that their paths start from (default: that of each file)")
    parser.add_argument("--output", required=True, type=Path, help="folder for the maps")
    parser.add_argument("--det-model", help="exported detector folder (default: the released one)")
    arguments = parser.parse_args()
    detector = load_detector(arguments.det_model or released_model("det", "en"))
    wanted = dict(pair for file in arguments.labels for pair in maps_of(file, arguments.data_dir, arguments.output))
    failed = 0
    for image, target in progress([pair for pair in wanted.items() if not pair[1].exists()], "maps"):
        try:
            store(detector, image, target)
        except OCRError as error:
            failed += 1
            complain(str(error))
    return 1 if failed else 0


def maps_of(labels: Path, data_dir: Path | None, output: Path) -> list[tuple[Path, Path]]:
    """Return the images of a label file, each with the file of its map."""
    folder = data_dir or labels.parent
    found = [folder / row.partition("\t")[0] for _, row in read_lines(labels)]
    return [(image, map_file(output, image, folder)) for image in found]


def store(detector: TextDetector, image: Path, target: Path) -> None:
    """Compute and write the map of one image."""
    sample = detector.preprocess({"image": images.read(image)})
    predicted = detector.predict(sample["image"][None])[0, 0]
    height, width, ratio_y, ratio_x = sample["shape"]
    shown = predicted[: round(height * ratio_y), : round(width * ratio_x)]  # without what was padded
    target.parent.mkdir(parents=True, exist_ok=True)
    images.write(target, to_stored(shown))


if __name__ == "__main__":
    sys.exit(report_errors(main))
