"""Fill the pools of :mod:`ring`: one process makes lines, re-cuts packed real lines, or makes pages.

python experiments/gpu/make.py en 0 --store /dev/shm/gpu --packs .gpu

Roles: ``en`` and ``zh`` draw lines, ``real`` re-cuts and augments real ones of both languages, ``page`` draws pages
with their target maps and cuts lines out of made scenes.  Lines go to the classifier's pool, too.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import time
import zipfile
from pathlib import Path

import cv2
import numpy as np
from pagemaps import page_layers
from ring import Ring

from ppocr_lite.charset import Charset
from ppocr_lite.geometry import min_area_quad, move_sides, side_lengths
from ppocr_lite.predict.crop import crop_line
from ppocr_lite.synth import Backgrounds, Corpus, FontBook, PageMaker, build_maker, effects
from ppocr_lite.synth.writer import TURNS_INTO_TEXT
from ppocr_lite.transforms.augment_line import RecAug
from ppocr_lite.transforms.resize import ClsResizeImg, RecResizeImg

WIDTH = 640  # pixels of the longest line at height 32
PAGE = 736  # side of a made page
LEGIBLE = 12  # pixels of height of a line cut out of a made page
PAGE_KINDS = (0.10, 0.14, 0.07, 0.05, 0.05, 0.06, 0.05, 0.07, 0.38, 0.03)  # PageMaker.weights: more scenes
CLS_EVERY = 3  # of the lines, for the classifier
CORPORA = {
    "en": ("en_rust_book.txt", "en_words.txt"),
    "zh": ("zh_docs.txt", "zh_d2l.txt", "zh_words.txt", "zh_places.txt"),
}
LENGTHS = {  # most characters, most pixels, share
    "en": ((12, 220, 0.55), (26, 400, 0.3), (48, WIDTH, 0.15)),
    "zh": ((12, 220, 0.6), (40, WIDTH, 0.4)),
}
# Share of each group of real lines; the rest of a language is dealt out evenly.
REAL = {
    "en": {
        "receipts_en": 0.22, "receipts_en_more": 0.08, "scene_en": 0.28, "wire_tags": 0.06, "scan_en_typed": 0.09,
        "scan_fr_typed": 0.07, "lines_en_commentaries": 0.04, "pdf_en_papers": 0.06, "pdf_en_forms": 0.06,
        "web_en_docs": 0.04,
    },
    "zh": {
        "pdf_zh_docs": 0.16, "pdf_zh_tex": 0.2, "pdf_zh_theses": 0.14, "web_zh_docs": 0.12, "web_zh_phone": 0.1,
        "web_zh_admin": 0.07, "screens_zh": 0.15, "plates_zh": 0.06,
    },
}  # fmt: skip
CLEAN = ("pdf_", "web_", "screens_")  # rendered pages: they need the damage that made lines get
MILD = float(os.environ.get("MILD", "1"))  # times the usual damage: less of it at the end of training
AUGMENT = RecAug(
    tia_prob=0.2 * MILD, rotate_prob=0.25 * MILD, crop_prob=0.1 * MILD, reverse_prob=0.08 * MILD, noise_prob=0.1 * MILD,
    jitter_prob=0.08 * MILD, blur_prob=0.12 * MILD, hsv_aug_prob=0.2 * MILD,
)  # fmt: skip
REC = RecResizeImg(image_shape=(3, 32, WIDTH))
CLS = ClsResizeImg(image_shape=(3, 48, 192), max_ratio=6)


class Line:
    """Takes lines as they are cut from a page, and stores them as the networks see them."""

    def __init__(self, store: Path, pool: str, writer: int, cls_writer: int) -> None:
        self.ring, self.cls = Ring(store, pool), Ring(store, "cls")
        self.writer, self.cls_writer, self.count = writer, cls_writer, 0

    def put(self, image: np.ndarray, text: str, rng: np.random.Generator) -> None:
        """Augment, resize and store one line."""
        image = AUGMENT({"image": image, "rng": rng})["image"]
        if image.shape[1] > 1.3 * WIDTH / 32 * image.shape[0]:
            return
        self.ring.put(self.writer, REC.pixels(image), text)
        self.count += 1
        if self.count % CLS_EVERY == 0 and not TURNS_INTO_TEXT.issuperset(text) and len(text) > 2:
            self.cls.put(self.cls_writer, CLS.pixels(image))


def make_lines(role: str, index: int, store: Path, packs: Path) -> None:
    """Draw lines for ever."""
    name = "ch" if role == "zh" else "en"
    text = "".join(Charset.load(name).characters)
    corpora = [packs / "corpora" / each for each in CORPORA[role]]
    sizes = LENGTHS[role]
    makers = [
        build_maker(
            "rec", text, corpora, fonts(packs, role), backgrounds(packs), "all", max_chars=most, max_width=width
        )
        for most, width, _ in sizes
    ]
    shares = np.array([share for *_, share in sizes])
    line = Line(store, role, index, index + (EN_WRITERS if role == "zh" else 0))
    rng = np.random.default_rng((index, os.getpid()))
    while True:
        image, label = makers[int(rng.choice(len(makers), p=shares))].make(rng)
        line.put(image, label, rng)


def make_real(index: int, store: Path, packs: Path) -> None:
    """Re-cut and augment real lines for ever."""
    rows = [row for row in json.loads(read_pack(packs / "lines.zip", "labels.json")) if row["split"] == "train"]
    groups: dict[str, list[dict]] = {}
    images = read_lines(packs / "lines.zip")
    for row in rows:
        groups.setdefault(row["group"], []).append(row)
    lines = {name: Line(store, f"real_{name}", index, EN_WRITERS + ZH_WRITERS + index) for name in REAL}
    rng = np.random.default_rng((index, os.getpid()))
    while True:
        for language, shares in REAL.items():
            known = [name for name in shares if groups.get(name)]
            if not known:  # a pack of one language
                continue
            weights = np.array([shares[name] for name in known])
            group = known[int(rng.choice(len(known), p=weights / weights.sum()))]
            row = groups[group][int(rng.integers(len(groups[group])))]
            image = trim(unpack(images, row), row["share"], rng)
            if group.startswith(CLEAN):
                image = effects.degrade_line(image, rng, MILD)
            lines[language].put(image, row["text"], rng)


def trim(image: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Cut the border of a packed line back to what a detector leaves."""
    if share == 1.0:
        return image
    height, width = image.shape[:2]
    line = share * height
    spare = (height - line) / 2
    cuts = [max(0, round(spare - margin * line)) for margin in rng.uniform(-0.03, 0.17, 4)]
    top, bottom, left, right = cuts
    kept = image[top : height - bottom, left : width - right]
    return kept if min(kept.shape[:2]) >= 4 else image


def make_pages(index: int, store: Path, packs: Path) -> None:
    """Draw pages and their maps for ever; cut lines out of some."""
    ring = Ring(store, "pages")
    rng = np.random.default_rng((index, os.getpid()))
    makers = {}
    for role, name in (("en", "en"), ("zh", "ch")):
        text = "".join(Charset.load(name).characters)
        corpora = [packs / "corpora" / each for each in CORPORA[role]]
        parts = FontBook.discover(text, fonts(packs, role)), Corpus(text, corpora), Backgrounds(backgrounds(packs))
        makers[role] = PageMaker((PAGE, PAGE), *parts, weights=PAGE_KINDS)
    lines = {"en": Line(store, "scene_en", index, EN_WRITERS + ZH_WRITERS + REAL_WRITERS + index)}
    lines["zh"] = Line(store, "scene_zh", index, EN_WRITERS + ZH_WRITERS + REAL_WRITERS + index)
    while True:
        role = "en" if rng.random() < 0.55 else "zh"
        image, rows = makers[role].make(rng)
        polygons = [np.asarray(row["points"], np.float32) for row in rows]
        ignored = [row["transcription"] == "###" for row in rows]
        fitted = np.zeros((PAGE, PAGE, 6), np.uint8)
        layers = page_layers(image, polygons, ignored)
        fitted[: layers.shape[0], : layers.shape[1]] = layers[:PAGE, :PAGE]
        ring.put(index, fitted)
        for row, polygon in zip(rows[:12], polygons, strict=False):
            if row["transcription"] != "###" and len(row["transcription"]) < 48:
                quad = polygon if len(polygon) == 4 else min_area_quad(polygon)
                height = min(side_lengths(quad))
                if height < LEGIBLE:
                    continue
                crop = crop_line(image, move_sides(quad[None], rng.uniform(-0.03, 0.17, (1, 4)) * height)[0])
                lines[role].put(crop, row["transcription"], rng)


def read_pack(path: Path, name: str) -> str:
    """Return a text file of a pack."""
    with zipfile.ZipFile(path) as pack:
        return io.TextIOWrapper(pack.open(name), "utf-8").read()


def read_lines(path: Path) -> bytes:
    """Return all crops of a pack of lines, one behind the other."""
    with zipfile.ZipFile(path) as pack:
        return pack.read("images")


def unpack(images: bytes, row: dict) -> np.ndarray:
    """Return the crop of a row of a pack of lines, BGR."""
    data = np.frombuffer(images, np.uint8, row["size"], row["at"])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)


def fonts(packs: Path, role: str) -> list[Path]:
    """Return the folders of fonts for a language."""
    return [packs / "fonts" / "ch"] if role == "zh" else [packs / "fonts" / "en", packs / "fonts" / "ch"]


def backgrounds(packs: Path) -> list[Path]:
    """Return the folders of photographs without text."""
    folder = packs / "backgrounds"
    return [folder] if folder.is_dir() else []


EN_WRITERS, ZH_WRITERS, REAL_WRITERS, PAGE_WRITERS = (int(n) for n in os.environ.get("MAKERS", "4,4,2,3").split(","))


def create(store: Path, part: int) -> None:
    """Make the pools, empty; *part* is how many times smaller than for a GPU."""
    everyone = EN_WRITERS + ZH_WRITERS + REAL_WRITERS + PAGE_WRITERS
    Ring(store, "en", (32, WIDTH, 3), 160_000 // part, EN_WRITERS)
    Ring(store, "zh", (32, WIDTH, 3), 200_000 // part, ZH_WRITERS)
    Ring(store, "real_en", (32, WIDTH, 3), 60_000 // part, REAL_WRITERS)
    Ring(store, "real_zh", (32, WIDTH, 3), 60_000 // part, REAL_WRITERS)
    Ring(store, "scene_en", (32, WIDTH, 3), 40_000 // part, PAGE_WRITERS)
    Ring(store, "scene_zh", (32, WIDTH, 3), 40_000 // part, PAGE_WRITERS)
    Ring(store, "cls", (48, 192, 3), 160_000 // part, everyone)
    Ring(store, "pages", (PAGE, PAGE, 6), 1600 // part, PAGE_WRITERS)


def main() -> None:
    """Create the pools, or fill one until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("role", choices=("create", "en", "zh", "real", "page"))
    parser.add_argument("index", type=int, nargs="?", default=0)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--packs", type=Path, required=True)
    parser.add_argument("--part", type=int, default=1, help="pools are that many times smaller")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    if arguments.role == "create":
        create(arguments.store, arguments.part)
        return
    wanted = {"real": "lines.zip"}.get(arguments.role)
    while wanted and not (arguments.packs / wanted).exists():  # comes with a later call
        time.sleep(1)
    if arguments.role in ("en", "zh"):
        make_lines(arguments.role, arguments.index, arguments.store, arguments.packs)
    elif arguments.role == "real":
        make_real(arguments.index, arguments.store, arguments.packs)
    else:
        make_pages(arguments.index, arguments.store, arguments.packs)


if __name__ == "__main__":
    main()
