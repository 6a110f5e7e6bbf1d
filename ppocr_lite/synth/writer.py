"""Makes samples on the fly, and writes whole data sets in parallel, the same for any number of workers."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from ppocr_lite.charset import Charset
from ppocr_lite.errors import DataError, suggest
from ppocr_lite.io import images
from ppocr_lite.io.images import Image
from ppocr_lite.synth.background import Backgrounds
from ppocr_lite.synth.corpus import Corpus
from ppocr_lite.synth.draws import chance
from ppocr_lite.synth.fonts import FontBook
from ppocr_lite.synth.line import LineMaker
from ppocr_lite.synth.page import PageMaker

Progress = Callable[[int, int], None]
KINDS = ("rec", "cls", "det")
LABEL_FILE = "labels.txt"
PER_FOLDER = 5000  # images in one folder; file browsers dislike more
CHUNK = 32  # samples a worker makes before it reports
# Signs that look like text also upside down; a line of only these cannot be told from a turned one.
TURNS_INTO_TEXT = frozenset(
    "0125689oOxXHINSZMWszlinudpbqmw -_.,:;|=+#%/\\'\"`^~<>()[]{}*"
    "一二三十口日曰目田回中申由甲串王工土干士非丰卅井凹凸互米、。，．：；·…—《》〈〉（）【】「」『』"
)


@dataclass(frozen=True)
class SampleMaker:
    """Makes image and label-file text of one kind.

    Attributes:
        kind: ``"rec"`` labels a line with its text, ``"cls"`` with 0 or 180, ``"det"`` a page with its polygons.
        maker: A ``LineMaker`` for rec and cls, a ``PageMaker`` for det.
    """

    kind: Literal["rec", "cls", "det"]
    maker: LineMaker | PageMaker

    def make(self, rng: np.random.Generator) -> tuple[Image, str]:
        """Return an image, (H, W, 3) uint8 BGR, and what a label file has after the tab."""
        if isinstance(self.maker, PageMaker):
            image, lines = self.maker.make(rng)
            return image, json.dumps(lines, ensure_ascii=False)
        image, text = self.maker.make(rng)
        if self.kind == "rec":
            return image, text
        for _ in range(20):
            if not TURNS_INTO_TEXT.issuperset(text):
                break
            image, text = self.maker.make(rng)
        if chance(rng, 0.5):
            return np.ascontiguousarray(image[::-1, ::-1]), "180"
        return image, "0"


def build_maker(
    kind: Literal["rec", "cls", "det"],
    charset_text: str,
    corpora: Sequence[str | Path] = (),
    fonts: Sequence[str | Path] = (),
    backgrounds: Sequence[str | Path] = (),
    split: Literal["train", "val", "all"] = "train",
    height: tuple[int, int] = (32, 48),
    max_chars: int = 25,
    max_width: int | None = None,
    size: tuple[int, int] = (960, 960),
    strength: float = 1.0,
) -> SampleMaker:
    """Put fonts, words and backgrounds together.

    Args:
        kind: ``"rec"``, ``"cls"`` or ``"det"``.
        charset_text: Characters that labels may hold.
        corpora: Text files; none are needed.
        fonts: Folders or files; none means the system's.
        backgrounds: Folders of text-free photographs; none are needed.
        split: Which fonts; validation fonts are never in ``"train"``.
        height: Least and greatest height of a line image, pixels.
        max_chars: Longest line.
        max_width: Greatest width of a line image at height 32, pixels; None leaves it free.
        size: (height, width) of a page, pixels.
        strength: How often effects are applied; 1 is usual.

    Raises:
        DataError: If there is no font, a file cannot be read, or *kind* is unknown.
    """
    if kind not in KINDS:
        raise DataError(f"Unknown kind of made data: {kind!r}.{suggest(kind, KINDS)}")
    book = FontBook.discover(charset_text, fonts, split)
    corpus = Corpus(charset_text, corpora)
    scenery = Backgrounds(backgrounds)
    if kind == "det":
        return SampleMaker(kind, PageMaker(size, book, corpus, scenery, strength=strength))
    least = 1 if kind == "rec" else min(3, max_chars)
    return SampleMaker(
        kind, LineMaker(charset_text, book, corpus, height, max_chars, least, max_width, scenery, strength=strength)
    )


def run(
    kind: Literal["rec", "cls", "det"],
    output: str | Path,
    count: int,
    seed: int = 0,
    workers: int = 1,
    lang: str = "en",
    corpora: Sequence[str | Path] = (),
    fonts: Sequence[str | Path] = (),
    backgrounds: Sequence[str | Path] = (),
    split: Literal["train", "val", "all"] = "train",
    charset: str | Path | None = None,
    height: tuple[int, int] = (32, 48),
    max_chars: int = 25,
    max_width: int | None = None,
    size: tuple[int, int] = (960, 960),
    strength: float = 1.0,
    progress: Progress | None = None,
) -> Path:
    """Write a data set of made samples; what ``ppocr-lite synth`` calls.

    Args:
        kind: As ``build_maker``, which also explains the arguments not listed here.
        output: Folder to write to; must not hold labels yet.
        count: Number of samples, ≥ 1.
        seed: Sample *i* depends on (seed, i) alone.
        workers: Processes; 1 makes everything in this one.
        lang: Name of a character list of the package, such as ``"en"``.
        charset: Dictionary file to use instead of *lang*.
        corpora: Text files.
        fonts: Folders or files.
        backgrounds: Folders of photographs.
        split: Which fonts.
        height: Of lines.
        max_chars: Of lines.
        max_width: Of lines.
        size: Of pages.
        strength: Of effects.
        progress: Is told (done, count) now and then.

    Returns:
        The label file.

    Raises:
        DataError: As ``build_maker``, or if the folder holds labels already.
        ConfigError: If the character list does not exist.
    """
    characters = "".join(Charset.load(charset if charset is not None else lang).characters)
    maker = build_maker(
        kind, characters, corpora, fonts, backgrounds, split, height, max_chars, max_width, size, strength
    )
    return write(output, count, maker, seed, workers, progress)


def write(
    folder: str | Path,
    count: int,
    maker: SampleMaker,
    seed: int = 0,
    workers: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Write *count* samples as ``images/…`` and one label file; arguments as ``run``.

    Raises:
        DataError: If *count* or *workers* is below 1, or the folder holds labels already.
    """
    folder = Path(folder)
    labels = folder / LABEL_FILE
    if count < 1 or workers < 1:
        raise DataError(f"Made data: count and workers must be at least 1. Received: count={count}, workers={workers}.")
    if labels.exists():
        raise DataError(f"{labels} exists already. Choose another folder or remove it.")
    for number in range(-(-count // PER_FOLDER)):
        (folder / "images" / f"{number:04d}").mkdir(parents=True, exist_ok=True)
    part = labels.with_suffix(".part")
    done = 0
    with part.open("w", encoding="utf-8", newline="\n") as file:
        for lines in _chunks(folder, count, maker, seed, workers):
            file.writelines(f"{line}\n" for line in lines)
            done += len(lines)
            if progress is not None:
                progress(done, count)
    part.replace(labels)  # a label file appears only when all its images do
    return labels


def write_lines(folder: str | Path, count: int, maker: LineMaker, seed: int = 0, workers: int = 1) -> Path:
    """Write recognition lines, ``path<TAB>text``; arguments as ``write``."""
    return write(folder, count, SampleMaker("rec", maker), seed, workers)


def write_turned(folder: str | Path, count: int, maker: LineMaker, seed: int = 0, workers: int = 1) -> Path:
    """Write lines of which half are upside down, ``path<TAB>0|180``; arguments as ``write``."""
    return write(folder, count, SampleMaker("cls", maker), seed, workers)


def write_pages(folder: str | Path, count: int, maker: PageMaker, seed: int = 0, workers: int = 1) -> Path:
    """Write detection pages, ``path<TAB>[{"transcription", "points"}, …]``; arguments as ``write``."""
    return write(folder, count, SampleMaker("det", maker), seed, workers)


def _chunks(folder: Path, count: int, maker: SampleMaker, seed: int, workers: int) -> Iterator[list[str]]:
    """Yield the label lines of one chunk after another, in order."""
    chunk = CHUNK if not isinstance(maker.maker, PageMaker) else 4
    starts = range(0, count, chunk)
    jobs = [(start, min(start + chunk, count)) for start in starts]
    if workers == 1:
        writer = _Writer(folder, maker, seed)
        yield from map(writer, jobs)
        return
    # Fresh interpreters: a fork would copy the locks of OpenCV's and a framework's threads.
    context = multiprocessing.get_context("spawn")
    with context.Pool(min(workers, len(jobs)), _start, (folder, maker, seed)) as pool:
        yield from pool.imap(_work, jobs)


@dataclass(frozen=True)
class _Writer:
    """Makes and saves the samples of an index range."""

    folder: Path
    maker: SampleMaker
    seed: int

    def __call__(self, job: tuple[int, int]) -> list[str]:
        lines = []
        for index in range(*job):
            image, label = self.maker.make(np.random.default_rng((self.seed, index)))
            name = f"images/{index // PER_FOLDER:04d}/{index:08d}.jpg"
            images.write(self.folder / name, image)
            lines.append(f"{name}\t{label}")
        return lines


_process: list[_Writer] = []  # the writer of this worker process


def _start(folder: Path, maker: SampleMaker, seed: int) -> None:
    cv2.setNumThreads(1)
    _process.append(_Writer(folder, maker, seed))


def _work(job: tuple[int, int]) -> list[str]:
    return _process[0](job)
