"""Pack what training on a rented GPU needs into small zip files: subset fonts, line crops, pages.

    python experiments/gpu/pack.py fonts .gpu/fonts.zip
    python experiments/gpu/pack.py lines .gpu/lines.zip --data ../shared/data [--teacher]
    python experiments/gpu/pack.py pages .gpu/pages.zip --data ../shared/data
    python experiments/gpu/pack.py rest .gpu --data ../shared/data --corpora ../shared/corpora

Fonts are those the data maker trains with, cut down to the characters of the dictionaries ``en`` and ``ch`` (the
validation families stay out).  Lines are cut by their true boxes with a border of a quarter of their height, so that
training can choose margins of its own.  Pages are made smaller, to at most ``--side`` pixels.

The rest is running text, photographs without text, and the released weights to start from.  Wheels that the host lacks
(pyclipper, lmdb) are put beside it by ``pip download --only-binary=:all: --python-version … -d .gpu/wheels``.

``--teacher`` reads with PP-OCRv6 small of the installed package ``rapidocr``: it restores the case of lines that are
transcribed in capitals, and labels the unlabelled screens, where two readings of a line agree.
"""

from __future__ import annotations

import argparse
import io
import json
import shutil
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from fontTools import subset
from fontTools.ttLib import TTFont
from make import CORPORA
from rapidfuzz.distance import Levenshtein
from rapidocr import RapidOCR
from rapidocr.ch_ppocr_rec.typings import TextRecInput

from ppocr_lite.charset import Charset
from ppocr_lite.geometry import min_area_quad, move_sides, side_lengths
from ppocr_lite.io.images import read
from ppocr_lite.predict.agreement import BORDER as BORDER_AGAIN
from ppocr_lite.predict.agreement import read_regions
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.crop import crop_line
from ppocr_lite.synth.fonts import FontBook
from ppocr_lite.transforms.labels import DetLabelEncode, read_lines

MODELS = Path(__file__).parents[2] / "ppocr_lite" / "models"
BACKGROUND_SIDE = 640  # pixels
BORDER = 0.25  # of a line's height, kept around it
LINE_HEIGHT = 48  # pixels, border included; taller crops are made smaller
SURE = 0.9  # score from which a reading of the teacher counts
PAGE_SETS = (
    "scene_en", "receipts_en", "receipts_en_more", "wire_tags", "scan_en_typed", "scan_fr_typed", "pdf_zh_docs",
    "pdf_zh_tex", "pdf_zh_theses", "web_zh_docs", "web_zh_phone", "web_zh_admin", "pdf_en_papers", "pdf_en_forms",
    "web_en_docs", "negatives",
)  # fmt: skip
CROPS = ("lines_en_commentaries", "plates_zh")  # lists of lines, not of pages
LINE_SETS = (*(name for name in PAGE_SETS if name != "negatives"), *CROPS)
ANY_WAY_UP = ("wire_tags",)  # labelled upright, though some stand on their head
CAPITALS = ("receipts_en", "receipts_en_more")  # transcribed in capitals whatever is printed
LONGEST = 25  # of a line, in heights; longer ones are not trained on
JUDGED, LINES_JUDGED = 40, 300  # validation pages and lines of a set: enough to watch a run
WEIGHTS = ("light", "regular", "bold", "black")  # of a family with many, those that are kept
FACES = 6  # of a Latin family


def pack_fonts(output: zipfile.ZipFile) -> None:
    """Write the training faces, subset."""
    texts = {name: "".join(Charset.load(name).characters) for name in ("ch", "en")}
    chosen: dict[tuple[str, int], str] = {}
    for name, text in texts.items():
        families: dict[str, list[Any]] = {}
        for face in FontBook.discover(text, split="train").faces:
            if name == "en" and face.script == "cjk":
                continue
            families.setdefault(face.family, []).append(face)
        for faces in families.values():
            for face in few(faces, name):
                chosen.setdefault((face.path, face.index), name)
    for (path, index), name in sorted(chosen.items()):
        try:
            output.writestr(f"{name}/{Path(path).stem}_{index}.ttf", cut_font(path, index, texts[name]))
        except (subset.Subsetter.SubsettingError, KeyError, AssertionError, ValueError) as error:
            print(f"{path} {index}: left out: {error}", file=sys.stderr)


def few(faces: list[Any], name: str) -> list[Any]:
    """Return the faces of a family that are packed."""
    if name == "en":
        return faces[:: -(-len(faces) // FACES)]
    regions = {face.path: face for face in sorted(faces, key=lambda face: -face.index)}  # one region of a collection
    kept = list(regions.values())
    return [face for face in kept if any(word in face.path.lower() for word in WEIGHTS)] if len(kept) > 3 else kept


def cut_font(path: str, index: int, text: str) -> bytes:
    """Return a font file with the glyphs of *text* alone, hints included."""
    options = subset.Options(
        layout_features=[], name_IDs=["*"], notdef_outline=True, drop_tables=["EBLC", "EBDT", "EBSC"]
    )
    font = TTFont(path, fontNumber=index, lazy=True)
    cutter = subset.Subsetter(options)
    cutter.populate(text=text)
    cutter.subset(font)
    buffer = io.BytesIO()
    font.save(buffer)
    return buffer.getvalue()


def labelled(folder: Path, split: str) -> Iterator[tuple[Path, Any]]:
    """Yield the path and the label of each row of a label file."""
    for _, row in read_lines(folder / f"{split}.txt"):
        name, _, label = row.partition("\t")
        yield folder / name, label


def cut(image: np.ndarray, polygon: np.ndarray) -> np.ndarray:
    """Return the straightened region with its border."""
    quad = polygon if len(polygon) == 4 else min_area_quad(polygon)
    height = min(side_lengths(quad))
    return lower(crop_line(image, move_sides(quad[None], np.full((1, 4), BORDER) * height)[0]))


def lower(crop: np.ndarray) -> np.ndarray:
    """Return a crop that is at most LINE_HEIGHT pixels high."""
    if crop.shape[0] <= LINE_HEIGHT:
        return crop
    width = max(1, round(crop.shape[1] * LINE_HEIGHT / crop.shape[0]))
    return cv2.resize(crop, (width, LINE_HEIGHT), interpolation=cv2.INTER_AREA)


def webp(image: np.ndarray, quality: int) -> bytes:
    """Return *image* as a WebP file."""
    good, data = cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not good:
        raise ValueError(f"OpenCV cannot write an image of {image.shape} as WebP.")
    return bytes(data)


class Teacher:
    """Reads with the networks of the package ``rapidocr``."""

    def __init__(self) -> None:
        options = {"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": 1}
        self.engine = RapidOCR(params=options)
        blank = np.full((48, 160, 3), 255, np.uint8)
        self.engine(blank, use_det=False, use_cls=False, use_rec=True)  # loads the recogniser

    def read(self, crops: list[np.ndarray]) -> list[tuple[str, float]]:
        """Return text and score of each crop."""
        if not crops:
            return []
        found = self.engine.text_rec(TextRecInput(img=crops, return_word_box=False))
        return list(zip(found.txts, found.scores, strict=True))

    def upright(self, crop: np.ndarray, text: str) -> np.ndarray:
        """Return the crop, turned if it reads more like *text* that way."""
        ways = [crop, np.ascontiguousarray(crop[::-1, ::-1])]
        cuts = [way[way.shape[0] // 8 : -(way.shape[0] // 8) or None] for way in ways]  # without most of the border
        alike = [Levenshtein.normalized_similarity(seen.lower(), text.lower()) for seen, _ in self.read(cuts)]
        return ways[int(alike[1] > alike[0])]

    def lines(self, image: np.ndarray) -> list[tuple[np.ndarray, str]]:
        """Return the quads and texts of a page that two readings, with and without a border, agree on."""
        page = self.engine(image, use_det=True, use_cls=True, use_rec=True)
        if page.boxes is None:
            return []
        quads = [np.asarray(box, np.float32) for box in page.boxes]
        again = read_regions(image, quads, self.read, border=BORDER_AGAIN)
        kept = []
        for quad, text, score, other in zip(quads, page.txts, page.scores, again, strict=True):
            if text == other and score >= SURE:
                kept.append((quad, text))
        return kept


class Lines:
    """Collects line crops: one blob, since a zip spends 150 bytes on each entry, and a row of text about each."""

    def __init__(self, quality: int) -> None:
        self.quality, self.blob = quality, io.BytesIO()
        self.rows: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.known = set(Charset.load("ch").characters)

    def add(self, group: str, split: str, image: np.ndarray, text: str, share: float = 1 / (1 + 2 * BORDER)) -> None:
        """Keep a crop whose line is *share* of its height, unless it cannot be trained on."""
        if split == "val" and self.counts[f"{group} val"] >= LINES_JUDGED:
            return
        height, width = image.shape[:2]
        line = share * height
        too_long = width - (height - line) > LONGEST * line
        if too_long or not text.strip() or not set(text) <= self.known or min(height, width) < 8:
            self.counts[f"{group} {split} left out"] += 1
            return
        data = webp(image, self.quality)
        row = {"at": self.blob.tell(), "size": len(data), "text": text, "group": group, "split": split, "share": share}
        self.rows.append(row)
        self.blob.write(data)
        self.counts[f"{group} {split}"] += 1

    def write(self, output: zipfile.ZipFile) -> None:
        """Write the blob and the rows."""
        output.writestr("images", self.blob.getvalue())
        output.writestr("labels.json", json.dumps(self.rows, ensure_ascii=False), zipfile.ZIP_LZMA)
        for name, count in sorted(self.counts.items()):
            print(f"{name}: {count}")


def pack_lines(output: zipfile.ZipFile, data: Path, teacher: Teacher | None, quality: int) -> None:
    """Write line crops of the training lists, and of some of the validation lists as ``val``."""
    lines = Lines(quality)
    for group in LINE_SETS:
        for split in ("train", "val"):
            for path, label in labelled(data / group, split):
                if group in CROPS:
                    lines.add(group, split, lower(read(path)), label, 1.0)
                else:
                    pack_page(lines, group, split, path, label, teacher)
    if teacher is not None:
        folder = data / "screens_zh_unlabelled"
        for _, name in read_lines(folder / "images.txt"):
            image = read(folder / name.strip())
            for quad, text in teacher.lines(image):
                lines.add("screens_zh", "train", cut(image, quad), text)
    lines.write(output)


def pack_page(lines: Lines, group: str, split: str, path: Path, label: str, teacher: Teacher | None) -> None:
    """Keep the lines of one page."""
    page = DetLabelEncode()({"image": read(path), "label": label, "path": str(path)})
    kept = [
        (polygon, text)
        for polygon, text, ignored in zip(page["polys"], page["texts"], page["ignore_tags"], strict=True)
        if not ignored
    ]
    crops, texts = [cut(page["image"], polygon) for polygon, _ in kept], [text for _, text in kept]
    if teacher is not None and group in CAPITALS and split == "train":
        found = teacher.read([crop_line(page["image"], polygon) for polygon, _ in kept])
        texts = [with_case(text, seen) for text, (seen, _) in zip(texts, found, strict=True)]
    if teacher is not None and group in ANY_WAY_UP:
        crops = [teacher.upright(crop, text) for crop, text in zip(crops, texts, strict=True)]
    for crop, text in zip(crops, texts, strict=True):
        lines.add(group, split, crop, text)


def with_case(text: str, found: str) -> str:
    """Return *text* as it is printed, if the teacher agrees but for case and spaces; nothing where that is in doubt."""
    plain, seen = text.replace(" ", ""), found.replace(" ", "")
    if plain.lower() == seen.lower():
        letters = iter(seen)
        return "".join(" " if char == " " else next(letters) for char in text)
    return text if seen == seen.upper() else ""


def pack_pages(output: zipfile.ZipFile, data: Path, side: int, quality: int) -> None:
    """Write the training pages and their polygons, and the validation pages of receipts and scenes as ``val``."""
    rows = []
    for group in PAGE_SETS:
        for split in ("train", "val"):
            if split == "val" and group not in ("scene_en", "receipts_en"):
                continue
            rows_of_split = list(labelled(data / group, split))
            for path, label in rows_of_split if split == "train" else rows_of_split[:JUDGED]:
                image = read(path)
                page = DetLabelEncode()({"image": image, "label": label, "path": str(path)})
                scale = min(1.0, side / max(image.shape[:2]))
                if scale < 1:
                    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
                    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
                name = f"{len(rows):05d}.webp"
                output.writestr(name, webp(image, quality))
                polygons = [np.round(np.asarray(p, np.float64) * scale, 1).tolist() for p in page["polys"]]
                ignored = [bool(flag) for flag in page["ignore_tags"]]
                row = {"name": name, "group": group, "split": split, "polygons": polygons, "ignored": ignored}
                rows.append(row)
    output.writestr("labels.json", json.dumps(rows, ensure_ascii=False), zipfile.ZIP_LZMA)
    print(f"{len(rows)} pages")


def pack_rest(folder: Path, data: Path, corpora: Path) -> None:
    """Write running text, backgrounds and released weights into *folder*."""
    with zipfile.ZipFile(folder / "corpora.zip", "w", zipfile.ZIP_LZMA) as output:
        for name in sorted({name for names in CORPORA.values() for name in names}):
            output.write(corpora / name, name)
    (folder / "backgrounds").mkdir(exist_ok=True)
    for path, _ in labelled(data / "negatives", "train"):
        image = read(path)
        scale = min(1.0, BACKGROUND_SIDE / max(image.shape[:2]))
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        (folder / "backgrounds" / f"{path.stem}.webp").write_bytes(webp(image, 65))
    for name in ("det", "cls", "rec_en", "rec_ch"):
        bundle = read_bundle(MODELS / name)
        (folder / name).mkdir(exist_ok=True)
        shutil.copy(MODELS / name / "model.safetensors", folder / name)
        if bundle.characters:
            (folder / name / "characters.json").write_text(json.dumps(list(bundle.characters)), encoding="utf-8")


def main() -> None:
    """Write one pack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("fonts", "lines", "pages", "rest"))
    parser.add_argument("output", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--corpora", type=Path, default=Path("../shared/corpora"))
    parser.add_argument("--teacher", action="store_true")
    parser.add_argument("--side", type=int, default=960)
    parser.add_argument("--quality", type=int, default=50)
    arguments = parser.parse_args()
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    if arguments.kind == "rest":
        arguments.output.mkdir(exist_ok=True)
        pack_rest(arguments.output, arguments.data, arguments.corpora)
        return
    packing = zipfile.ZIP_LZMA if arguments.kind == "fonts" else zipfile.ZIP_STORED
    with zipfile.ZipFile(arguments.output, "w", packing) as output:
        if arguments.kind == "fonts":
            pack_fonts(output)
        elif arguments.kind == "lines":
            pack_lines(output, arguments.data, Teacher() if arguments.teacher else None, arguments.quality)
        else:
            pack_pages(output, arguments.data, arguments.side, arguments.quality)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 2**20:.1f} MB")


if __name__ == "__main__":
    main()
