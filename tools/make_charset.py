"""Write the dictionaries of the released recognisers, derived from Unicode and the GB 2312 code.

    python tools/make_charset.py ascii ppocr_lite/charsets/ascii.txt
    python tools/make_charset.py en ppocr_lite/charsets/en.txt
    python tools/make_charset.py ch ppocr_lite/charsets/ch.txt

or one of your own, from the texts of label files:

    python tools/make_charset.py labels my_dictionary.txt train_data/rec/train.txt train_data/rec/val.txt

The space is in none: ``Charset.load`` appends it.
"""

from __future__ import annotations

import argparse
import sys
import unicodedata
from pathlib import Path

from ppocr_lite.commands.console import report_errors
from ppocr_lite.files import write_text
from ppocr_lite.transforms.labels import read_lines

ASCII = "".join(chr(code) for code in range(0x21, 0x7F))
LATIN1_LETTERS = "".join(chr(code) for code in range(0xC0, 0x100) if unicodedata.category(chr(code))[0] == "L")
SIGNS = "¡¢£¥§©«®°±²³µ·»¼½¾¿×÷Œœ–—‘’“”•…€™−"  # money, units, quotations: what English and its neighbours print
CHINESE_MARKS = "，。、；：？！“”‘’（）《》〈〉【】〔〕『』「」…—～·￥"
FULL_WIDTH = "．［］〇"  # as Chinese documents set numbers and references
PINYIN = "āǎēěīǐōǒūǔǖǘǚǜ"  # the vowels that Latin-1 lacks
SYMBOLS = "◀▶£€¥¢§©®™°±×÷²³µ‰№℃≤≥≠≈∞√πΩΔαβγλθ→←↑↓★☆●○◆◇■□▲△▼※✓①②③④⑤⑥⑦⑧⑨⑩ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩ㎡"


def gb2312_hanzi() -> str:
    """Return the 3755 characters of level 1 (by sound) and the 3008 of level 2 (by radical), in code order."""
    codes = (bytes((row, cell)) for row in range(0xB0, 0xF8) for cell in range(0xA1, 0xFF))
    return b"".join(codes).decode("gb2312", errors="ignore")


def dictionary(name: str) -> tuple[str, str]:
    """Return what a dictionary holds, in words, and its characters."""
    if name == "ascii":
        return "Printable ASCII without the space, in code order", ASCII
    if name == "en":
        origin = "Printable ASCII without the space, the letters of Latin-1, signs, each in code order"
        return origin, ASCII + LATIN1_LETTERS + SIGNS
    groups = (ASCII, CHINESE_MARKS, SYMBOLS, gb2312_hanzi(), LATIN1_LETTERS, SIGNS, FULL_WIDTH, PINYIN)
    origin = (
        "Printable ASCII without the space, Chinese punctuation, symbols, GB 2312, the letters and signs of en, pinyin"
    )
    return origin, "".join(dict.fromkeys("".join(groups)))


def of_labels(files: list[Path]) -> tuple[str, str]:
    """Return what the dictionary of label files (``path<TAB>text``) holds, and its characters in code order."""
    texts = (row.partition("\t")[2] for file in files for _, row in read_lines(file))
    characters = sorted({character for text in texts for character in text} - {" "})
    return "The characters of " + ", ".join(file.name for file in files) + ", in code order", "".join(characters)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=("ascii", "en", "ch", "labels"))
    parser.add_argument("output", type=Path)
    parser.add_argument("labels", nargs="*", type=Path, help="label files, for labels")
    arguments = parser.parse_args()
    if (arguments.name == "labels") != bool(arguments.labels):
        parser.error("label files go with labels, and with nothing else")
    origin, characters = of_labels(arguments.labels) if arguments.labels else dictionary(arguments.name)
    text = "\n".join((f"# {origin}; written by tools/make_charset.py.", *characters, ""))
    write_text(arguments.output, text)
    print(f"{arguments.output}: {len(characters)} characters")


if __name__ == "__main__":
    sys.exit(report_errors(main))
