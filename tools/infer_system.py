"""Read pages with exported models; the options of the field's prediction scripts are taken.

python tools/infer_system.py --image_dir=page.jpg --det_model_dir=inference/det --rec_model_dir=inference/rec
"""

from __future__ import annotations

import argparse
import sys

from ppocr_lite.cli import main as command_line

# option of the field → option of `ppocr-lite ocr`; all others are that command's own
OPTIONS = {
    "--det_model_dir": "--det-model",
    "--cls_model_dir": "--cls-model",
    "--rec_model_dir": "--rec-model",
    "--rec_char_dict_path": "--rec-char-dict-path",
    "--cpu_threads": "--threads",
    "--drop_score": "--drop-score",
    "--draw_img_save_dir": "--output",
}


def main() -> int:
    """Translate the options and run ``ppocr-lite ocr``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image_dir", action="append", default=[], help="image, folder or pattern")
    parser.add_argument("--use_angle_cls", type=lambda text: text.lower() in ("1", "true"), help="True or False")
    for old, new in OPTIONS.items():
        parser.add_argument(old, dest=new, help=f"the same as {new} of ppocr-lite ocr")
    known, rest = parser.parse_known_args()
    values = vars(known)
    given = [part for new in OPTIONS.values() if values[new] is not None for part in (new, values[new])]
    if known.use_angle_cls is not None:
        given.append("--use-angle-cls" if known.use_angle_cls else "--no-use-angle-cls")
    if values["--output"] is not None and "--format" not in rest:
        given += ["--format", "png,json"]
    return command_line(["ocr", *known.image_dir, *given, *rest])


if __name__ == "__main__":
    sys.exit(main())
