"""Count which characters a recogniser takes for which on the Eval data of a config; print the worst as a table.

python tools/confusions.py -c configs/rec/rec_en_released.yml --bundle ppocr_lite/models/rec_en --top 50

Each line read is aligned with its label by the fewest edits.  A character that is left out stands against "nothing",
and so does one that is read where there is none.  Next to each pair stands how often its true character occurs.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from ppocr_lite.commands.console import report_errors
from ppocr_lite.engine.build import build_eval_dataset, load_charset, load_config
from ppocr_lite.engine.run import argument_parser
from ppocr_lite.install import optional
from ppocr_lite.predict.stages import load_recognizer

Levenshtein = optional("rapidfuzz.distance.Levenshtein")
NOTHING = "nothing"
GROUP = 256  # lines read at a time


def main() -> None:
    """Read every line, count, print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--bundle", type=Path, required=True, help="exported recogniser folder")
    parser.add_argument("--top", type=int, default=50, help="rows of the table")
    parser.add_argument("--ignore-case", action="store_true", help="compare in lower case")
    arguments = parser.parse_args()
    config = load_config(arguments.config, arguments.opt)
    dataset = build_eval_dataset(config, load_charset(config))
    recognizer = load_recognizer(arguments.bundle)
    pairs: Counter[tuple[str, str]] = Counter()
    occurs: Counter[str] = Counter()
    for start in range(0, len(dataset), GROUP):
        samples = [dataset[0, index] for index in range(start, min(start + GROUP, len(dataset)))]
        for found, sample in zip(recognizer.recognize([s["image"] for s in samples]), samples, strict=True):
            written, read = sample["label"], found.text
            if arguments.ignore_case:
                written, read = written.lower(), read.lower()
            occurs.update(written)
            pairs.update(confusions(written, read))
    print(f"| written | read | times | of | share |\n|{' --- |' * 5}")
    for (written, read), times in pairs.most_common(arguments.top):
        of = occurs[written]
        share = f"{times / of:.1%}" if of else ""
        print(f"| {shown(written)} | {shown(read)} | {times} | {of or ''} | {share} |")


def confusions(written: str, read: str) -> list[tuple[str, str]]:
    """Return (character written, character read) for every edit between two texts; "" stands for none."""
    pairs = []
    for edit in Levenshtein.editops(written, read):
        true = written[edit.src_pos] if edit.tag != "insert" else ""
        pairs.append((true, read[edit.dest_pos] if edit.tag != "delete" else ""))
    return pairs


def shown(character: str) -> str:
    """Return a character as a table shows it."""
    if not character:
        return NOTHING
    return "space" if character == " " else f"`{character}`".replace("`|`", "`\\|`")


if __name__ == "__main__":
    sys.exit(report_errors(main))
