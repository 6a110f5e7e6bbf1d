"""The command line: verbs, exit status, what goes to which stream."""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from ppocr_lite import cli
from ppocr_lite.commands import components, console, inputs, ocr, show_data
from ppocr_lite.errors import ConfigError, ImageError, OCRError
from ppocr_lite.io import images
from ppocr_lite.io.formats import MAX_PIXELS
from ppocr_lite.results import Detections, OCRResult
from ppocr_lite.textline import TextLine


class FakeOCR:
    """Stands in for the models: a bright image has one line, a dark one none."""

    def __init__(self, max_pixels: int = MAX_PIXELS, **options: object) -> None:
        self.options, self.max_pixels = options, max_pixels

    def ocr(self, image: object) -> OCRResult:
        pixels = images.read(image)  # type: ignore[arg-type]
        quad = np.float32([[1, 1], [9, 1], [9, 5], [1, 5]])
        lines = (TextLine(quad, "bright", 0.9, 0.8),) if pixels.mean() > 100 else ()
        return OCRResult(lines, pixels.shape[:2], None if isinstance(image, np.ndarray) else str(image))

    def detect(self, image: object) -> Detections:
        lines = self.ocr(image)
        return Detections([line.polygon for line in lines], [line.det_score for line in lines])

    def profile(self, image: object) -> dict[str, float]:
        return {"detector": 0.002, "recogniser": 0.001}


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a bright PNG, a dark JPEG of the same name, a broken image and a folder with one more."""
    folder = tmp_path / "pages"
    (folder / "more").mkdir(parents=True)
    images.write(folder / "a.png", np.full((20, 30, 3), 230, np.uint8))
    images.write(folder / "a.jpg", np.full((20, 30, 3), 10, np.uint8))
    images.write(folder / "more" / "b.png", np.full((20, 30, 3), 230, np.uint8))
    monkeypatch.setattr(inputs, "OCR", FakeOCR)
    return folder


def test_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {verb} " in shown for verb in cli.VERBS)


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"ppocr-lite {cli.__version__}\n"


def test_unknown_verb_is_wrong_usage_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctr"]) == cli.USAGE
    assert "Did you mean 'doctor'?" in capsys.readouterr().err


def test_unknown_option_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--fast"]) == cli.USAGE
    assert "--fast" in capsys.readouterr().err


@pytest.mark.parametrize("verb", [verb for verb in cli.VERBS if verb not in ("train", "eval", "export")])
def test_every_verb_has_help(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([verb, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith(f"usage: ppocr-lite {verb}")
    assert (importlib.import_module(cli.VERBS[verb][0]).__doc__ or "").split("\n")[0] in shown


def test_help_loads_no_framework() -> None:
    code = "import sys; from ppocr_lite.cli import main; main([]); print({'paddle', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


def raising(error: BaseException) -> Callable[[], int]:
    def main() -> int:
        raise error

    return main


@pytest.mark.parametrize(
    "error, status, said",
    [
        (ConfigError("bad key"), cli.USAGE, "ConfigError: bad key\n"),
        (OCRError("bad file"), cli.FAILED, "OCRError: bad file\n"),
        (PermissionError(13, "Denied", "a.txt"), cli.FAILED, "PermissionError: [Errno 13] Denied: 'a.txt'\n"),
        (KeyboardInterrupt(), 130, "Interrupted.\n"),
        (SystemExit(2), 2, ""),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_what_goes_wrong_is_a_line_and_a_status(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console.report_errors(raising(error)) == status
    assert capsys.readouterr().err == said


def test_a_mistake_of_the_program_is_not_hidden() -> None:
    with pytest.raises(ModuleNotFoundError):
        console.report_errors(raising(ModuleNotFoundError("no", name="ppocr_lite.nowhere")))
    with pytest.raises(ZeroDivisionError):
        console.report_errors(raising(ZeroDivisionError()))


def test_ocr_prints_the_text_of_one_page_alone(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ocr", str(pages / "a.png")]) == 0
    assert capsys.readouterr().out == "bright\n"


def test_ocr_titles_the_pages_of_a_folder(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ocr", str(pages)]) == 0
    assert capsys.readouterr().out == f"== {pages / 'a.jpg'}\n\n\n== {pages / 'a.png'}\nbright\n\n"


def test_ocr_prints_json(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ocr", str(pages / "a.png"), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["lines"][0]["text"] == "bright"


def test_ocr_writes_each_format_below_output(pages: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    assert cli.main(["ocr", str(pages), "--recursive", "--output", str(output), "--format", "txt,json,png"]) == 0
    written = sorted(str(path.relative_to(output)) for path in output.rglob("*") if path.is_file())
    assert written == [
        *("a.json", "a.png.json", "a.png.txt", "a.png_ocr.png", "a.txt", "a_ocr.png"),
        *("more/b.json", "more/b.txt", "more/b_ocr.png"),
    ]
    assert json.loads((output / "more" / "b.json").read_text())["source"] == str(pages / "more" / "b.png")


def test_ocr_writes_documents(pages: Path, tmp_path: Path) -> None:
    assert cli.main(["ocr", str(pages / "a.png"), "--output", str(tmp_path), "--format", "hocr,alto,pdf"]) == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["a.hocr", "a.xml", "a_ocr.pdf"]


def test_ocr_names_what_fails_and_does_the_rest(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (pages / "broken.png").write_bytes(b"not an image")
    missing = pages / "missing.png"
    assert cli.main(["ocr", str(pages / "broken.png"), str(missing), str(pages / "a.png")]) == cli.FAILED
    shown = capsys.readouterr()
    assert "bright" in shown.out
    assert "broken.png: not an image" in shown.err
    assert f"{missing}: there is no such file" in shown.err
    assert "2 of 3 files failed." in shown.err


def test_ocr_prints_a_page_a_line_as_json(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two_frames(pages / "scan.tif")
    assert cli.main(["ocr", str(pages), "--format", "json"]) == 0
    read = [OCRResult.from_dict(json.loads(line)) for line in capsys.readouterr().out.splitlines()]
    assert [page.source for page in read] == [
        str(pages / name) for name in ("a.jpg", "a.png", "scan.tif#1", "scan.tif#2")
    ]


def test_ocr_joins_the_pages_of_a_file(pages: Path, tmp_path: Path) -> None:
    two_frames(pages / "scan.tif")
    output = tmp_path / "out"
    everything = ["--output", str(output), "--format", "txt,json,hocr,alto,pdf,png"]
    assert cli.main(["ocr", str(pages / "scan.tif"), *everything]) == 0
    joined = ["scan.hocr", "scan.json", "scan.txt", "scan.xml", "scan_ocr.pdf"]
    assert sorted(path.name for path in output.iterdir()) == [*joined, "scan_p001_ocr.png", "scan_p002_ocr.png"]
    assert (output / "scan.txt").read_text() == "bright\n\f"
    read = json.loads((output / "scan.json").read_text())["pages"]
    assert [OCRResult.from_dict(page).source for page in read] == [f"{pages / 'scan.tif'}#{n}" for n in (1, 2)]


def test_ocr_joins_the_pages_of_standard_input(pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two_frames(pages / "scan.tif")
    monkeypatch.setattr("sys.stdin", Stdin((pages / "scan.tif").read_bytes()))
    assert cli.main(["ocr", "-", "--output", str(tmp_path / "out"), "--format", "json,pdf"]) == 0
    read = json.loads((tmp_path / "out" / "stdin.json").read_text())["pages"]
    assert [page["source"] for page in read] == ["<stdin>#1", "<stdin>#2"]
    assert (tmp_path / "out" / "stdin_ocr.pdf").read_bytes().startswith(b"%PDF")


def test_ocr_can_split_the_pages_of_a_file(pages: Path, tmp_path: Path) -> None:
    two_frames(pages / "scan.tif")
    output = tmp_path / "out"
    assert cli.main(["ocr", str(pages / "scan.tif"), "--output", str(output), "--format", "txt,pdf", "--split"]) == 0
    assert (output / "scan_p001.txt").read_text() == "bright\n"
    assert (output / "scan_p002.txt").read_text() == ""
    assert {path.name for path in output.glob("*.pdf")} == {"scan_p001_ocr.pdf", "scan_p002_ocr.pdf"}


def test_ocr_reads_the_pages_after_a_damaged_one_and_names_it(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dark = np.full((20, 30, 3), 10, np.uint8)
    names = [f"{pages / 'a.png'}#{number}" for number in (1, 2, 3)]
    found = [(names[0], dark), (names[1], ImageError(f"{names[1]}: damaged")), (names[2], dark)]
    monkeypatch.setattr(ocr, "read_every_page", lambda path, numbers, most, password: found)
    assert cli.main(["ocr", str(pages / "a.png"), "--output", str(tmp_path / "out"), "--format", "json"]) == cli.FAILED
    assert len(json.loads((tmp_path / "out" / "a.json").read_text())["pages"]) == 2
    assert f"{names[1]}: damaged" in capsys.readouterr().err


def test_ocr_refuses_an_unknown_format(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ocr", str(pages), "--output", "x", "--format", "jsn"]) == cli.USAGE
    assert "Did you mean 'json'?" in capsys.readouterr().err


def test_ocr_refuses_to_print_a_drawing(pages: Path) -> None:
    assert cli.main(["ocr", str(pages), "--format", "png"]) == cli.USAGE


def test_ocr_hands_on_only_the_options_that_were_given(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, object]] = []

    class Recording(FakeOCR):
        def __init__(self, **options: object) -> None:
            super().__init__(**options)
            seen.append(options)

    monkeypatch.setattr(inputs, "OCR", Recording)
    assert cli.main(["ocr", str(pages), "--det-db-thresh", "0.4", "--no-use-angle-cls"]) == 0
    assert seen == [{"det_db_thresh": 0.4, "use_angle_cls": False}]


def test_bench_prints_every_stage_and_the_total(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bench", str(pages), "--repeat", "2", "--each"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in ("detector", "recogniser", "total", "2 images, 0.5 lines an image"))


def test_a_folder_without_images_is_a_failure_and_the_rest_is_done(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert cli.main(["ocr", str(tmp_path / "empty"), str(pages / "x*"), str(pages / "a.png")]) == cli.FAILED
    shown = capsys.readouterr()
    assert "bright" in shown.out
    assert f"{tmp_path / 'empty'}: a folder without images" in shown.err
    assert f"{pages / 'x*'}: there is no such file" in shown.err


def test_results_of_files_with_one_name_are_all_kept(pages: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    dark = pages / "more" / "a.png"
    images.write(dark, np.full((20, 30, 3), 10, np.uint8))
    for again in (pages / "a.png", dark):  # a file that is given twice is not two
        assert cli.main(["ocr", str(pages / "a.png"), str(dark), str(again), "--output", str(output)]) == 0
        assert {path.name: path.read_text() for path in output.iterdir()} == {"a.txt": "bright\n", "a.png.txt": ""}


def test_names_never_repeat(tmp_path: Path) -> None:
    names = inputs.Names(tmp_path)
    files = [Path(folder, "a.png") for folder in "xyz"]
    assert [names.free(file, Path("a.png"), str(file)).name for file in files] == ["a", "a.png", "a_2"]
    assert names.free(files[2], Path("a.png"), f"{files[2]}#3").name == "a_2_p003"


def two_frames(path: Path) -> None:
    frames = [PIL.Image.new("L", (30, 20), gray) for gray in (230, 10)]
    frames[0].save(path, save_all=True, append_images=frames[1:])


@pytest.mark.parametrize("order", [("a.tif", "a_p001.png"), ("a_p001.png", "a.tif"), ("a.tif", "a.gif")])
def test_numbered_pages_take_no_name_of_another_input(pages: Path, tmp_path: Path, order: tuple[str, str]) -> None:
    two_frames(pages / "a.tif")
    two_frames(pages / "a.gif")
    images.write(pages / "a_p001.png", np.full((20, 30, 3), 230, np.uint8))
    output = tmp_path / "out"
    assert cli.main(["ocr", *(str(pages / name) for name in order), "--output", str(output), "--split"]) == 0
    assert len(list(output.iterdir())) == (4 if "a.gif" in order else 3)


def test_names_do_not_depend_on_what_can_be_read(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (pages / "a.jpg").write_bytes(b"damaged")
    assert cli.main(["ocr", str(pages), "--output", str(tmp_path / "out")]) == cli.FAILED
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.png.txt"]
    assert f"{pages / 'a.png'}: written as a.png, for another input has the name a." in capsys.readouterr().err


@pytest.mark.parametrize("verb, ending", [(["ocr", "--format", "png,txt"], "_ocr.png"), (["det"], "_det.png")])
def test_an_input_is_never_written_over(
    pages: Path, verb: list[str], ending: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (pages / "a.jpg").unlink()
    arguments = [*verb, str(pages), "--output", str(pages)]
    assert cli.main(arguments) == 0
    drawing = (pages / f"a{ending}").read_bytes()
    assert cli.main(arguments) == cli.USAGE  # it would read the drawing, and draw over it
    assert f"a{ending} is to be read, and what is written of {pages / 'a.png'} would take its place" in (
        capsys.readouterr().err
    )
    assert (pages / f"a{ending}").read_bytes() == drawing
    assert sorted(p.name for p in pages.iterdir() if p.suffix == ".png") == ["a.png", f"a{ending}"]


def test_texts_may_lie_beside_their_pictures(pages: Path) -> None:
    for _ in range(2):
        assert cli.main(["ocr", str(pages), "--output", str(pages)]) == 0
    assert sorted(path.name for path in pages.iterdir() if path.suffix == ".txt") == ["a.png.txt", "a.txt"]


@pytest.mark.parametrize("pattern", [False, True])
def test_an_output_folder_among_the_inputs_is_not_read(
    pages: Path, pattern: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    output = pages / "out"
    given = str(pages / "**" / "*.png") if pattern else str(pages)
    for _ in range(2):
        assert cli.main(["ocr", given, "--recursive", "--output", str(output), "--format", "png"]) == 0
    assert not list(output.rglob("*_ocr_ocr.png")) and not (output / "out").exists()
    assert "files in the output folder are not read" in capsys.readouterr().err


def test_ocr_refuses_other_page_numbers(pages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ocr", str(pages), "--pages", "abc"]) == cli.USAGE
    assert "pages must look like" in capsys.readouterr().err


def test_det_finds_text_on_every_page_of_a_file(
    pages: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = [PIL.Image.new("L", (30, 20), gray) for gray in (230, 10)]
    frames[0].save(pages / "scan.tif", save_all=True, append_images=frames[1:])
    assert cli.main(["det", str(pages / "scan.tif"), "--output", str(tmp_path / "out")]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert (
        first
        == f'{pages / "scan.tif"}#1\t[{{"points": [[1.0, 1.0], [9.0, 1.0], [9.0, 5.0], [1.0, 5.0]], "score": 0.8}}]'
    )
    assert second == f"{pages / 'scan.tif'}#2\t[]"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["scan_p001_det.png", "scan_p002_det.png"]


def test_a_reader_that_goes_away_ends_the_work() -> None:
    done: list[Path] = []

    def work(file: Path, relative: Path) -> None:
        done.append(file)
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        inputs.for_each([(Path(name), Path(name)) for name in "ab"], "files", work)
    assert done == [Path("a")]


def test_find_files_takes_patterns(pages: Path) -> None:
    assert [file.name for file, _ in inputs.find_files([str(pages / "*.png")])] == ["a.png"]


def test_for_each_counts_only_deliberate_errors(tmp_path: Path) -> None:
    def work(file: Path, relative: Path) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        inputs.for_each([(tmp_path, tmp_path)], "files", work)


def test_errors_become_exit_statuses(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for error, status in ((ConfigError("bad key"), cli.USAGE), (OCRError("bad file"), cli.FAILED)):

        def fail(arguments: object, error: OCRError = error) -> int:
            raise error

        monkeypatch.setattr(components, "run", fail)
        assert cli.main(["components"]) == status
        assert str(error) in capsys.readouterr().err


def test_check_data_accepts_good_labels(
    det_label_file: Path, rec_label_file: Path, cls_label_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind, file in (("det", det_label_file), ("rec", rec_label_file), ("cls", cls_label_file)):
        assert cli.main(["check-data", kind, str(file)]) == 0
    shown = capsys.readouterr().out
    assert f"{det_label_file}: 4 samples, 12 regions, 0 ignored regions, 0 regions that leave the image" in shown
    assert f"{rec_label_file}: 8 samples" in shown


def test_check_data_names_the_line_of_each_fault(rec_label_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with rec_label_file.open("a", encoding="utf-8") as file:
        file.write("no tab here\nline_0.png\t\nnowhere.png\tPaper\nline_1.png\t第\n")
    assert cli.main(["check-data", "rec", str(rec_label_file)]) == cli.FAILED
    shown = capsys.readouterr()
    assert [line.split(": ")[0] for line in shown.err.splitlines() if line.startswith(str(rec_label_file))] == [
        f"{rec_label_file}:{number}" for number in (9, 10, 11, 12)
    ]
    assert "4 unusable" in shown.out


def test_check_data_takes_the_dictionary_and_the_longest_text_of_a_config(
    rec_label_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = ["Global.max_text_length=9", "Global.character_dict_path=ascii"]
    config = ["-c", "configs/rec/rec_en_mv3_crnn.yml", "-o", *overrides]
    rec_label_file.write_text("line_0.png\tninechars\nline_1.png\tten chars!\nline_2.png\té\n", encoding="utf-8")
    assert cli.main(["check-data", "rec", str(rec_label_file), *config]) == cli.FAILED
    shown = capsys.readouterr().err
    assert [number for number in (1, 2, 3) if f"{rec_label_file}:{number}:" in shown] == [2, 3]
    assert cli.main(["check-data", "rec", str(rec_label_file), "-c", "configs/cls/cls_mv3.yml"]) == cli.USAGE


def test_check_data_can_leave_the_images_alone(rec_label_file: Path) -> None:
    (rec_label_file.parent / "line_0.png").unlink()
    assert cli.main(["check-data", "rec", str(rec_label_file), "--no-images"]) == 0
    assert cli.main(["check-data", "rec", str(rec_label_file)]) == cli.FAILED


def test_check_data_finds_short_polygons(det_label_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    label = json.dumps([{"transcription": "x", "points": [[0, 0], [9, 0], [9, 9]]}])
    det_label_file.write_text(f"page_0.png\t{label}\n", encoding="utf-8")
    assert cli.main(["check-data", "det", str(det_label_file)]) == cli.FAILED
    assert f"{det_label_file}:1: entry 0 has 3 points" in capsys.readouterr().err


def test_check_data_goes_on_after_an_unreadable_file(
    rec_label_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check-data", "rec", str(tmp_path / "none.txt"), str(rec_label_file)]) == cli.FAILED
    shown = capsys.readouterr()
    assert f"{tmp_path / 'none.txt'}: the label file cannot be read" in shown.err
    assert f"{rec_label_file}: 8 samples" in shown.out


@pytest.mark.parametrize("shown", [True, False])
def test_progress_is_a_line_every_few_seconds_without_a_terminal(
    shown: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr(console.time, "monotonic", lambda: float(next(clock)))
    monkeypatch.setattr(console.Progress, "shown", shown)
    assert list(console.progress(range(20), "files")) == list(range(20))
    lines = capsys.readouterr().err.splitlines()
    assert lines == ([f"{n}/20 files" for n in (5, 10, 15, 20)] if shown else [])


def test_quiet_shows_no_progress(pages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console.Progress, "shown", True)
    assert cli.main(["ocr", str(pages / "a.png"), "--quiet"]) == 0
    assert not console.Progress.shown
    assert cli.main(["ocr", str(pages / "a.png")]) == 0
    assert console.Progress.shown


class Stdin:
    """A stream of standard input that holds *data*."""

    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def test_standard_input_is_read(
    pages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    two_frames(pages / "two.tif")
    for name in ("a.png", "two.tif"):
        monkeypatch.setattr("sys.stdin", Stdin((pages / name).read_bytes()))
        assert cli.main(["ocr", "-", "--format", "json"]) == 0
    read = [json.loads(line)["source"] for line in capsys.readouterr().out.splitlines()]
    assert read == ["<stdin>", "<stdin>#1", "<stdin>#2"]
    monkeypatch.setattr("sys.stdin", Stdin((pages / "a.png").read_bytes()))
    assert cli.main(["ocr", "-", "--output", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["stdin.txt"]
    monkeypatch.setattr("sys.stdin", Stdin(b"no image"))
    assert cli.main(["ocr", "-"]) == cli.FAILED
    assert "<stdin>: not an image" in capsys.readouterr().err


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "ppocr_lite", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"ppocr-lite {cli.__version__}\n"


def test_languages_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["ocr", "x.png", "--lang", "de"]) == cli.USAGE
    assert "'ch', 'en'" in capsys.readouterr().err


def test_table_aligns_columns() -> None:
    assert console.table([("a", "bb"), ("ccc", "d")]) == "a    bb\nccc  d"


@pytest.mark.parametrize(
    "image",
    [np.zeros((4, 6, 3), np.uint8), np.zeros((3, 4, 6), np.float32), np.linspace(-1, 1, 72).reshape(4, 6, 3)],
    ids=["uint8", "chw", "hwc"],
)
def test_pictures_of_any_state_are_bgr(image: np.ndarray) -> None:
    picture = show_data.as_picture(image)
    assert picture is not None
    assert (picture.shape, picture.dtype) == ((4, 6, 3), np.uint8)


def test_encoded_images_have_no_picture() -> None:
    assert show_data.as_picture(b"bytes") is None


@pytest.mark.parametrize("verb", ["ocr", "det"])
def test_an_image_of_more_pixels_than_allowed_names_the_option(
    pages: Path, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    assert cli.main([verb, str(pages / "a.png"), "--max-pixels", "600"]) == 0
    assert cli.main([verb, str(pages / "a.png"), "--max-pixels", "599"]) == 1
    assert "30 x 20 pixels are more than max_pixels allows (599)" in capsys.readouterr().err
