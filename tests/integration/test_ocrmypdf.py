"""The plugin in the real OCRmyPDF: words lie where they are, pages are turned, and errors say what to do."""

from __future__ import annotations

import argparse
import html
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
from numpy.typing import NDArray

from tests.unit.test_install import PROJECT

ocrmypdf = pytest.importorskip("ocrmypdf", reason="needs the extra ocrmypdf")
plugin = pytest.importorskip("ppocr_lite.integrations.ocrmypdf")
for program in ("gs", "qpdf", "pdftotext"):
    if shutil.which(program) is None:
        pytest.skip(f"needs the program {program} (Debian: ghostscript, qpdf, poppler-utils)", allow_module_level=True)

ROOT = Path(__file__).parents[2]
MODULE = "ppocr_lite.integrations.ocrmypdf"
DPI, SIZE = 150, (1100, 850)
POINTS = 72 / DPI
FEW = 7.0  # points that a side of a word may be away from its truth, which has no descenders; letters are 14 high
LINES = ("Paper lantern orchard harbour", "Tuesday quartz total ivory", "Invoice number 4711 of March")
WITH_CHOICE = pytest.mark.skipif(not plugin.HAS_CHOICE, reason="--ocr-engine is new in OCRmyPDF 17")

Boxes = list[tuple[str, NDArray[np.float64]]]


def typed(tilt: float = 0.0, turn: int = 0) -> tuple[PIL.Image.Image, Boxes]:
    """A typed page, leaning and then turned clockwise, and where its words are while it is upright, in points."""
    page, truth = np.full((*SIZE, 3), 255, np.uint8), []
    for row, line in enumerate(LINES):
        x, y = 90, 200 + 260 * row
        for word in line.split():
            (width, height), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 2)
            cv2.putText(page, word, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 20, 20), 2, cv2.LINE_AA)
            truth.append((word, np.array([x, y - height, x + width, y]) * POINTS))
            x += width + 20
    middle = (SIZE[1] / 2, SIZE[0] / 2)
    turning = cv2.getRotationMatrix2D(middle, -tilt, 1.0)
    page = np.asarray(cv2.warpAffine(page, turning, SIZE[::-1], borderValue=(255, 255, 255)), np.uint8)
    return PIL.Image.fromarray(np.ascontiguousarray(np.rot90(page, -turn // 90))), truth


def write_pdf(path: Path, *pages: PIL.Image.Image) -> Path:
    pages[0].save(path, save_all=True, append_images=pages[1:], resolution=DPI)
    return path


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([*filter(None, [environment.pop("before", ""), os.environ.get("PYTHONPATH")]), str(ROOT)])
    return subprocess.run(
        [sys.executable, "-m", "ocrmypdf", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path} | environment,
    )


def read(source: Path, *options: str, plugins: tuple[str, ...] = (MODULE,), **environment: str) -> tuple[Path, str]:
    """The PDF that is made, and what is said meanwhile."""
    target = source.with_name("out.pdf")
    named = [part for name in plugins for part in ("--plugin", name)]
    done = run(*named, *options, source, target, **environment)
    assert done.returncode == 0, done.stderr
    return target, done.stderr


def words_of(path: Path) -> list[Boxes]:
    """The words of each page with their boxes in points, as Poppler finds them."""
    text = subprocess.run(["pdftotext", "-bbox", path, "-"], capture_output=True, text=True, check=True).stdout
    word = re.compile(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>')
    return [
        [(html.unescape(found[5]), np.array([float(found[n]) for n in range(1, 5)])) for found in word.finditer(page)]
        for page in text.split("<page ")[1:]
    ]


def check(path: Path) -> None:
    done = subprocess.run(["qpdf", "--check", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def assert_at_their_places(found: Boxes, truth: Boxes) -> None:
    for word, box in truth:
        near = [np.abs(other - box).max() for text, other in found if text == word]
        assert near, f"{word} is not among {[text for text, _ in found]}"
        assert min(near) < FEW, word


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A folder to import from, in which this package is installed with its entry points."""
    info = tmp_path / "site" / "ppocr_compact-0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ppocr-compact\nVersion: 0\n")
    points = PROJECT["entry-points"]["ocrmypdf"]
    (info / "entry_points.txt").write_text("[ocrmypdf]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()))
    return info.parent


@pytest.fixture
def no_tesseract(tmp_path: Path) -> str:
    """A PATH on which every program but Tesseract is found."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for program in ("gs", "qpdf", "pdftotext", "unpaper", "pngquant", "jbig2"):
        if found := shutil.which(program):
            (folder / program).symlink_to(found)
    return str(folder)


def test_words_lie_where_they_are(tmp_path: Path) -> None:
    page, truth = typed()
    sidecar = tmp_path / "text.txt"
    target, said = read(write_pdf(tmp_path / "in.pdf", page), "--sidecar", str(sidecar))
    (found,) = words_of(target)
    assert [word for word, _ in found] == " ".join(LINES).split()
    assert_at_their_places(found, truth)
    check(target)
    assert "PDF/A-2b" in said
    assert sidecar.read_text(encoding="utf-8").split() == " ".join(LINES).split()
    assert f"ppocr_lite {plugin.ppocr_lite.__version__}".encode() in target.read_bytes()


def test_pages_are_turned_and_straightened(tmp_path: Path) -> None:
    pages = [typed(2.0), typed(turn=90), typed(turn=180), typed(-2.0, 270)]
    source = write_pdf(tmp_path / "in.pdf", *(page for page, _ in pages))
    target, _ = read(source, "--rotate-pages", "--deskew", "--jobs", "2")
    found = words_of(target)
    assert len(found) == 4
    for words, (_, truth) in zip(found, pages, strict=True):
        assert_at_their_places(words, truth)
    check(target)


def test_a_leaning_page_keeps_its_picture_and_its_words(tmp_path: Path) -> None:
    target, _ = read(write_pdf(tmp_path / "in.pdf", typed(1.0)[0]))
    text = subprocess.run(["pdftotext", target, "-"], capture_output=True, text=True, check=True).stdout
    assert "".join(text.split()) == "".join(LINES).replace(" ", "")


def test_worker_processes_read_too(tmp_path: Path) -> None:
    page, truth = typed()
    target, _ = read(write_pdf(tmp_path / "in.pdf", page, page), "--no-use-threads", "--jobs", "2")
    for words in words_of(target):
        assert_at_their_places(words, truth)


def test_threads_share_one_reader(tmp_path: Path) -> None:
    typed()[0].save(tmp_path / "page.png", dpi=(DPI, DPI))
    options = argparse.Namespace(languages=["eng"], ppocr_threads=1)
    plugin._readers.clear()
    texts: list[str] = []

    def work() -> None:
        plugin.PpocrEngine.generate_hocr(tmp_path / "page.png", tmp_path / name(), tmp_path / f"{name()}.txt", options)
        texts.append((tmp_path / f"{name()}.txt").read_text(encoding="utf-8"))

    def name() -> str:
        return threading.current_thread().name

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [text.split() for text in texts] == [" ".join(LINES).split()] * 4
    assert len(plugin._readers) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-l", "eng+deu"), "does not read 'deu'. Known: chi_sim, eng. --ppocr-models"),
        (("--ppocr-models", "no_such_set"), "no_such_set"),
        (("--ppocr-threads", "0"), "--ppocr-threads must be at least 1. Received: 0"),
    ],
)
def test_what_cannot_be_done_is_refused(options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    target = tmp_path / "out.pdf"
    done = run("--plugin", MODULE, *options, write_pdf(tmp_path / "in.pdf", typed()[0]), target)
    assert done.returncode == ocrmypdf.exceptions.ExitCode.bad_args
    assert message in done.stderr.replace("\n", " ") and "Traceback" not in done.stderr
    assert not target.exists()


def test_a_folder_of_networks_reads_any_language(tmp_path: Path) -> None:
    page, truth = typed()
    models = str(ROOT / "ppocr_lite" / "models" / "rec_en")
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("det", "rec_en"):
        (folder / name).symlink_to(Path(models).parent / name)
    target, _ = read(write_pdf(tmp_path / "in.pdf", page), "--ppocr-models", str(folder), "-l", "deu")
    assert_at_their_places(words_of(target)[0], truth)


def test_the_sandwich_renderer_is_not_used(tmp_path: Path) -> None:
    page, truth = typed()
    target, said = read(write_pdf(tmp_path / "in.pdf", page), "--pdf-renderer", "sandwich")
    assert_at_their_places(words_of(target)[0], truth)
    assert "--pdf-renderer sandwich is for Tesseract" in said


@WITH_CHOICE
def test_an_installed_plugin_waits_to_be_asked(beside: Path, tmp_path: Path) -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("needs the program tesseract (Debian: tesseract-ocr)")
    page, truth = typed()
    source = write_pdf(tmp_path / "in.pdf", page)
    target, _ = read(source, plugins=(), before=str(beside))
    assert b"Tesseract" in target.read_bytes() and b"ppocr_lite" not in target.read_bytes()
    target, _ = read(source, "--ocr-engine", "ppocr-lite", plugins=(), before=str(beside))
    assert b"ppocr_lite" in target.read_bytes()
    assert_at_their_places(words_of(target)[0], truth)
    target, _ = read(source, plugins=(MODULE,), before=str(beside))  # loaded twice
    assert b"ppocr_lite" in target.read_bytes()


def test_where_there_is_no_tesseract_an_installed_plugin_reads(beside: Path, no_tesseract: str, tmp_path: Path) -> None:
    page, truth = typed(turn=90)
    source = write_pdf(tmp_path / "in.pdf", page)
    target, _ = read(source, "--rotate-pages", "--deskew", plugins=(), before=str(beside), PATH=no_tesseract)
    assert_at_their_places(words_of(target)[0], truth)
    check(target)


def test_a_chinese_page_is_read(shared_data: Path, tmp_path: Path) -> None:
    line = (shared_data / "pdf_zh_docs" / "val.txt").read_text(encoding="utf-8").splitlines()[0]
    name, _, label = line.partition("\t")
    with PIL.Image.open(shared_data / "pdf_zh_docs" / name) as page:
        target, _ = read(write_pdf(tmp_path / "in.pdf", page.convert("RGB")), "-l", "chi_sim")
    text = subprocess.run(["pdftotext", target, "-"], capture_output=True, text=True, check=True).stdout
    wanted = set(re.findall("[\u4e00-\u9fff]", label.encode().decode("unicode_escape") if "\\u" in label else label))
    assert len(wanted & set(text)) > 0.8 * len(wanted) > 0
    check(target)


def test_the_file_is_the_pdfa_that_it_says(tmp_path: Path) -> None:
    if shutil.which("verapdf") is None:
        pytest.skip("PDF/A stays unverified: needs the program verapdf")
    target, _ = read(write_pdf(tmp_path / "in.pdf", typed()[0]))
    done = subprocess.run(["verapdf", "--flavour", "2b", target], capture_output=True, text=True, check=False)
    assert 'isCompliant="true"' in done.stdout
