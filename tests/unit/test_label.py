"""The verb label: what is kept, how it is written, and that an interrupted run goes on where it stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from ppocr_lite import OCRResult, TextLine, cli
from ppocr_lite.commands import inputs
from ppocr_lite.commands import label as verb
from ppocr_lite.io import images
from ppocr_lite.predict.agreement import read_regions, with_border
from ppocr_lite.results import Recognition
from ppocr_lite.transforms.labels import DetLabelEncode
from tests.conftest import draw_line, draw_page

ROOT = Path(__file__).parents[2]
QUAD = np.float32([[10, 10], [60, 10], [60, 20], [10, 20]])


class FakeOCR:
    """Finds three lines on any page: a sure one, one that a border changes, and a doubtful one on its head."""

    max_pixels = 10_000

    def __init__(self, **options: Any) -> None:
        self.options = options

    def ocr(self, image: np.ndarray, det: bool = True) -> OCRResult:
        texts = (("same", 0.9, 0), ("other", 0.8, 0), ("weak", 0.4, 180))
        lines = [TextLine(QUAD + [0, 20 * n], text, score, 1.0, angle) for n, (text, score, angle) in enumerate(texts)]
        return OCRResult(tuple(lines if det else lines[:1]), (image.shape[0], image.shape[1]))

    def recognize(self, crops: Sequence[np.ndarray]) -> list[Recognition]:
        return [Recognition(text, 0.9) for text in ("same", "changed", "weak")[: len(crops)]]


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    for name in ("a", "b"):
        images.write(folder / f"{name}.png", np.full((80, 80, 3), 255, np.uint8))
    monkeypatch.setattr(inputs, "OCR", FakeOCR)
    return folder


def entries(label_file: Path) -> list[dict[str, Any]]:
    return json.loads(label_file.read_text(encoding="utf-8").splitlines()[0].partition("\t")[2])


def label(folder: Path, *options: str) -> Path:
    output = folder / "Label.txt"
    assert cli.main(["label", str(folder), "--output", str(output), *options]) == 0
    return output


def test_pages_become_rows_with_text_points_and_score(pages: Path) -> None:
    first = entries(label(pages))[0]
    points = [[10.0, 10.0], [60.0, 10.0], [60.0, 20.0], [10.0, 20.0]]
    assert first == {"transcription": "same", "points": points, "difficult": False, "score": 0.9}


def test_a_doubtful_text_becomes_a_region_that_is_not_learnt(pages: Path) -> None:
    output = label(pages)
    assert [entry["transcription"] for entry in entries(output)] == ["same", "other", "###"]
    row = output.read_text(encoding="utf-8").splitlines()[0].partition("\t")[2]
    assert DetLabelEncode()({"label": row})["ignore_tags"].tolist() == [False, False, True]


def test_points_begin_where_the_line_is_read_from(pages: Path) -> None:
    assert entries(label(pages))[2]["points"][0] == [60.0, 60.0]  # of a line on its head, the lower right corner


@pytest.mark.parametrize(
    ("options", "kept"),
    [(("--agree",), ["same"]), (("--min-score", "0.85"), ["same"]), (("--min-score", "0"), ["same", "other", "weak"])],
)
def test_what_is_kept(options: Sequence[str], kept: list[str], pages: Path) -> None:
    assert [entry["transcription"] for entry in entries(label(pages, *options, "--drop"))] == kept


def test_another_model_set_may_be_asked(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Other(FakeOCR):
        def __init__(self, **options: Any) -> None:
            asked.append(options["models"])

        def recognize(self, crops: Sequence[np.ndarray]) -> list[Recognition]:
            return [Recognition("other", 0.9)] * len(crops)

    monkeypatch.setattr(verb, "OCR", Other)
    assert [entry["transcription"] for entry in entries(label(pages, "--agree-with", "that", "--drop"))] == ["other"]
    assert asked == ["that"]


def test_crops_become_path_and_text(pages: Path) -> None:
    output = pages / "rec_gt.txt"
    assert cli.main(["label", str(pages), "--crops", "--output", str(output)]) == 0
    assert output.read_text() == "a.png\tsame\nb.png\tsame\n"


def test_a_second_run_reads_only_what_is_new(
    pages: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = label(pages)
    before = output.read_text(encoding="utf-8")
    images.write(pages / "c.png", np.full((80, 80, 3), 255, np.uint8))
    seen = []
    monkeypatch.setattr(FakeOCR, "ocr", lambda self, image: seen.append(image) or OCRResult((), (80, 80)))
    label(pages)
    assert len(seen) == 1
    assert output.read_text(encoding="utf-8") == before + "c.png\t[]\n"
    assert "3 images, 2 of them labelled before" in capsys.readouterr().out


def test_ppocrlabel_offers_the_labels_for_review(pages: Path) -> None:
    label(pages)
    names = [row.partition("\t")[0] for row in (pages / "Cache.cach").read_text(encoding="utf-8").splitlines()]
    assert names == ["pages/a.png", "pages/b.png"]


def test_a_damaged_image_and_a_file_of_pages_are_named_and_the_rest_is_labelled(
    pages: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pages / "broken.png").write_bytes(b"no image")
    frame = PIL.Image.new("L", (40, 20), 255)
    frame.save(pages / "two.tif", save_all=True, append_images=[frame])
    output = pages / "Label.txt"
    assert cli.main(["label", str(pages), "--output", str(output)]) == cli.FAILED
    assert [row.partition("\t")[0] for row in output.read_text(encoding="utf-8").splitlines()] == ["a.png", "b.png"]
    shown = capsys.readouterr().err
    assert "broken.png: not an image" in shown
    assert "two.tif: a file of several pages" in shown


def test_a_run_may_go_on_with_more_threads_but_not_with_another_score(
    pages: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = pages / "Label.txt"

    def interrupt(*_: object) -> OCRResult:
        raise KeyboardInterrupt

    monkeypatch.setattr(FakeOCR, "ocr", interrupt)
    assert cli.main(["label", str(pages), "--output", str(output)]) == 130
    monkeypatch.undo()
    monkeypatch.setattr(inputs, "OCR", FakeOCR)
    assert cli.main(["label", str(pages), "--output", str(output), "--min-score", "0.9"]) == cli.FAILED
    assert "was begun with other settings" in capsys.readouterr().err
    assert cli.main(["label", str(pages), "--output", str(output), "--threads", "1"]) == 0


def test_a_score_beyond_one_is_wrong_usage(pages: Path) -> None:
    assert cli.main(["label", str(pages), "--output", str(pages / "x.txt"), "--min-score", "50"]) == cli.USAGE


SLOW_LABEL = """
import sys, time
import numpy as np
from pathlib import Path
from ppocr_lite import OCRResult, cli
from ppocr_lite.commands import inputs

class OCR:
    max_pixels = 10_000
    def __init__(self, **options): pass
    def ocr(self, image):
        time.sleep(0.05)
        with Path(sys.argv[2]).open("a") as log:
            log.write(f"{image[0, 0, 0]}\\n")
        return OCRResult((), (8, 8))

inputs.OCR = OCR
sys.exit(cli.main(["label", sys.argv[1], "--output", sys.argv[1] + "/Label.txt"]))
"""


def test_a_killed_run_loses_no_page_and_reads_none_twice(tmp_path: Path) -> None:
    folder, log, count = tmp_path / "pages", tmp_path / "log", 40
    folder.mkdir()
    for number in range(count):
        images.write(folder / f"{number:02d}.png", np.full((8, 8, 3), number, np.uint8))
    command = [sys.executable, "-c", SLOW_LABEL, str(folder), str(log)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    part, kept = folder / "Label.txt.part", 0
    for _ in range(3):
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if part.exists() and part.read_bytes().count(b"\n") > kept + 6:
                break
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (folder / "Label.txt").exists()
        kept = part.read_bytes().count(b"\n") - 1
    assert 0 < kept < count
    subprocess.run(command, env=environment, check=True, capture_output=True)
    names = [row.partition("\t")[0] for row in (folder / "Label.txt").read_text().splitlines()]
    assert names == [f"{number:02d}.png" for number in range(count)]
    read = [int(number) for number in log.read_text().split()]
    assert set(read) == set(range(count))
    assert len(read) <= count + 3  # at most the page that was in hand at each kill
    assert not part.exists()


def test_regions_are_read_upright_and_with_their_border() -> None:
    page = draw_page()
    seen: list[np.ndarray] = []

    def read(crops: list[np.ndarray]) -> list[tuple[str, float]]:
        seen.extend(crops)
        return [(str(len(crops)), 1.0)] * len(crops)

    polygon = page.polys[0]
    plain, turned = read_regions(page.image, [polygon] * 2, read, angles=[0, 180])
    assert (plain, turned) == ("2", "2")
    np.testing.assert_array_equal(seen[1], seen[0][::-1, ::-1])
    read_regions(page.image, [polygon], read, border=0.1)
    height = seen[0].shape[0]
    assert seen[2].shape[0] == pytest.approx(1.2 * height, abs=1)
    assert seen[2].shape[1] == pytest.approx(seen[0].shape[1] + 0.2 * height, abs=1)
    assert read_regions(page.image, [], read) == []


def test_a_border_repeats_the_edges() -> None:
    line = draw_line("Total", 40)
    wider = with_border(line)
    assert wider.shape == (48, line.shape[1] + 8, 3)
    np.testing.assert_array_equal(wider[4:-4, 4:-4], line)
    np.testing.assert_array_equal(wider[0, 4:-4], line[0])
