"""Read pages with exported models; the options of PaddleOCR's prediction scripts are accepted.

python tools/infer_system.py --image_dir=page.jpg --det_model_dir=inference/det --rec_model_dir=inference/rec
"""

from __future__ import annotations

import sys

from ppocr_lite.cli import main as command_line
from ppocr_lite.commands.console import report_errors
from ppocr_lite.commands.paddleocr import read_options


def main() -> int:
    """Translate the options and run ``ppocr-lite ocr``."""
    given = read_options(__doc__)
    output = [] if given.output is None else ["--output", given.output]
    formats = ["--format", "png,json"] if output and "--format" not in given.options else []
    return command_line(["ocr", *given.paths, *output, *formats, *given.options])


if __name__ == "__main__":
    sys.exit(report_errors(main))
