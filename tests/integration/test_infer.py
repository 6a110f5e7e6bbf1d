"""The inference tools name what they cannot read and do the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import save_file

from ppocr_lite.commands.console import report_errors
from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import create_backend
from ppocr_lite.engine.infer import infer
from ppocr_lite.errors import ConfigError, DataError, ImageError
from tests.scripts import load_script


@pytest.fixture
def options(load_small: Callable[..., Any], cls_label_file: Path, tmp_path: Path) -> list[str]:
    """Overrides for a folder of eight lines, the second of which is broken, and weights of an untrained classifier."""
    (cls_label_file.parent / "line_1.png").write_bytes(b"broken")
    backend = create_backend("paddle")
    backend.build(Task(load_small("cls", cls_label_file).Architecture, seed=1))
    save_file({name: value.copy() for name, value in backend.weights().items()}, tmp_path / "w.safetensors")
    return [f"Global.infer_img={cls_label_file.parent}", f"Global.save_res_path={tmp_path / 'out' / 'results.txt'}"]


def test_the_tool_names_a_broken_image_and_does_the_rest(
    options: list[str],
    write_config: Callable[..., Path],
    cls_label_file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = ["-c", str(write_config("cls", cls_label_file)), "--weights", str(tmp_path / "w.safetensors")]
    monkeypatch.setattr(sys, "argv", ["infer_cls.py", *config, "-o", *options])
    assert report_errors(load_script("tools/infer_cls.py").main) == 1
    shown = capsys.readouterr()
    assert str(cls_label_file.parent / "line_1.png") in shown.err
    names = [line.split("\t")[0] for line in shown.out.splitlines()]
    assert names == [str(cls_label_file.parent / f"line_{index}.png") for index in range(8) if index != 1]
    assert (tmp_path / "out" / "results.txt").read_text(encoding="utf-8") == shown.out


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (["--use_angle_cls=false", "--use_dilation", "True"], ["--no-use-angle-cls", "--use-dilation"]),
        (["--det_db_use_dilation=True", "--cpu_threads", "2"], ["--threads", "2", "--use-dilation"]),
        (["--rec_image_shape=3,32,320", "--show_log", "False", "--det_algorithm=DB"], ["--rec-image-shape=3,32,320"]),
        (["--use_gpu=True", "--gpu_id=1", "--drop_score", "0.3"], ["--device", "gpu:1", "--drop-score", "0.3"]),
        (["--draw_img_save_dir=out"], ["--output", "out", "--format", "png,json"]),
    ],
)
def test_the_options_of_the_field_are_translated(
    given: list[str], passed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tool = load_script("tools/infer_system.py")
    seen: list[list[str]] = []
    monkeypatch.setattr(tool, "command_line", lambda arguments: seen.append(arguments) or 0)
    monkeypatch.setattr(sys, "argv", ["infer_system.py", "--image_dir=a.png", *given])
    assert tool.main() == 0
    ocr, image, *options = seen[0]
    assert [ocr, image, *sorted(options)] == ["ocr", "a.png", *sorted(passed)]
    assert ("--show_log has no effect" in capsys.readouterr().err) == ("--show_log" in given)


def test_results_are_written_as_they_come(
    options: list[str], load_small: Callable[..., Any], cls_label_file: Path, tmp_path: Path
) -> None:
    lines = infer(load_small("cls", cls_label_file, *options), tmp_path / "w.safetensors")
    first = next(lines)
    assert (tmp_path / "out" / "results.txt").read_text(encoding="utf-8") == first + "\n"
    with pytest.raises(ImageError, match=r"line_1\.png"):
        next(lines)


@pytest.mark.parametrize(("error", "status"), [(ConfigError, 2), (DataError, 1), (None, 0)])
def test_a_tool_ends_as_the_command_line_does(
    error: type[Exception] | None, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def main() -> None:
        if error is not None:
            raise error("because")

    assert report_errors(main) == status
    assert capsys.readouterr().err == (f"{error.__name__}: because\n" if error else "")
