"""Read a few validation pages with a set of published networks, with several settings of its detector.

    python experiments/choose_boxes.py PP-OCRv4_mobile

Prints a line for each setting: token F1 of photographs, receipts, papers and a form, spaces of a letter, CPU seconds.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

from peers.scores import TOKEN

from ppocr_lite import OCR
from ppocr_lite.io.images import read
from ppocr_lite.transforms.labels import DetLabelEncode, read_lines

DATA = Path("../shared/data")
PAGES = {"scene_en": range(20), "receipts_en": range(4), "pdf_en_papers": range(2), "pdf_en_forms": range(1)}
LETTER = "doc/samples/letter.tif"
SIZES = {str(limit): {"det_limit_side_len": limit, "det_limit_type": "max"} for limit in (960, 1152)}
SIZES["736 at least"] = {"det_limit_side_len": 736, "det_limit_type": "min"}
BOXES = {
    "as PaddleOCR 2.x": {"det_db_box_thresh": 0.6, "det_db_unclip_ratio": 1.5, "use_dilation": False},
    "taller": {"det_db_box_thresh": 0.5, "det_db_unclip_ratio": 1.6, "use_dilation": True},
}


def pages(name: str) -> Iterator[tuple[Path, list[str]]]:
    """Yield the image and the texts of the chosen pages of a list."""
    for number, (_, row) in enumerate(read_lines(DATA / name / "val.txt")):
        if number in PAGES[name]:
            path, _, label = row.partition("\t")
            truth = DetLabelEncode()({"image": read(DATA / name / path), "label": label, "path": path})
            ignored = truth["ignore_tags"]
            yield DATA / name / path, [t for t, out in zip(truth["texts"], ignored, strict=True) if not out]


def tokens(texts: list[str]) -> Counter[str]:
    """Return words, and ideographs one by one, without case."""
    return Counter(TOKEN.findall(" ".join(texts).lower()))


def main() -> None:
    """Read with every setting."""
    lists = {name: list(pages(name)) for name in PAGES}
    for size, limits in SIZES.items():
        for boxes, thresholds in BOXES.items():
            ocr, begun = OCR(models=sys.argv[1], threads=1, **limits, **thresholds), time.process_time()
            shown = []
            for name, rows in lists.items():
                right = count = 0
                for path, truth in rows:
                    seen, true = tokens([line.text for line in ocr.ocr(path).lines]), tokens(truth)
                    right, count = right + 2 * (seen & true).total(), count + seen.total() + true.total()
                shown.append(f"{name} {right / count:.3f}")
            spaces = sum(line.text.count(" ") for line in ocr.ocr(LETTER).lines)
            seconds = time.process_time() - begun
            print(f"{size}, {boxes}: {', '.join(shown)}, spaces {spaces}, {seconds:.1f} s", flush=True)


if __name__ == "__main__":
    main()
