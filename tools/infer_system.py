"""Read pages with exported models; the options of PaddleOCR's prediction scripts are accepted.

python tools/infer_system.py --image_dir=page.jpg --det_model_dir=inference/det --rec_model_dir=inference/rec
"""

from __future__ import annotations

import argparse
import sys

from ppocr_lite.cli import main as command_line
from ppocr_lite.predict.options import GONE, RENAMED

# option of PaddleOCR → option of `ppocr-lite ocr`; all others are that command's own, with - or _ in their names
SWITCHES = {
    "--use_angle_cls": "--use-angle-cls",
    "--use_dilation": "--use-dilation",
    "--det_db_use_dilation": "--use-dilation",
}
OPTIONS = {f"--{old}": f"--{new.replace('_', '-')}" for old, new in RENAMED.items() if f"--{old}" not in SWITCHES}
OPTIONS |= {"--draw_img_save_dir": "--output"}
IGNORED = {f"--{name}": why for name, why in GONE.items() if f"--{name}" not in OPTIONS and name != "image_dir"}


def _is_true(text: str) -> bool:
    return text.lower() in ("1", "true")


def _dashed(part: str) -> str:
    """Return ``--drop_score=0.5`` as ``--drop-score=0.5``, and what is no option as it is."""
    name, equals, value = part.partition("=")
    return name.replace("_", "-") + equals + value if part.startswith("--") else part


def main() -> int:
    """Translate the options and run ``ppocr-lite ocr``."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--image_dir", action="append", default=[], help="image, folder or pattern")
    for old, new in SWITCHES.items():
        parser.add_argument(old, dest=new, type=_is_true, help="True or False")
    parser.add_argument("--use_gpu", type=_is_true, help="True or False")
    parser.add_argument("--gpu_id", type=int, default=0, help="which GPU")
    for old, new in OPTIONS.items():
        parser.add_argument(old, dest=new, help=f"the same as {new} of ppocr-lite ocr")
    for old, why in IGNORED.items():
        parser.add_argument(old, dest=old, nargs="?", const="", help=f"has no effect: {why}")
    known, others = parser.parse_known_args()
    values, rest = vars(known), [_dashed(part) for part in others]
    for name, why in IGNORED.items():
        if values[name] is not None:
            sys.stderr.write(f"{name} has no effect: {why}.\n")
    given = [part for new in OPTIONS.values() if values[new] is not None for part in (new, values[new])]
    for name in dict.fromkeys(SWITCHES.values()):
        if values[name] is not None:
            given.append(name if values[name] else name.replace("--", "--no-", 1))
    if known.use_gpu:
        given += ["--device", f"gpu:{known.gpu_id}"]
    if values["--output"] is not None and "--format" not in rest:
        given += ["--format", "png,json"]
    return command_line(["ocr", *known.image_dir, *given, *rest])


if __name__ == "__main__":
    sys.exit(main())
