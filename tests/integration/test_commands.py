"""Verbs of the command line that read data, build networks, or run models."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ppocr_lite import cli
from ppocr_lite.io import images
from ppocr_lite.predict.released import released
from ppocr_lite.visualize import installed_fonts

ROOT = Path(__file__).parents[2]
DET, REC = ROOT / "configs/det/det_mv3_db.yml", ROOT / "configs/rec/rec_en_mv3_crnn.yml"


def on(split: str, labels: Path) -> list[str]:
    """Overrides that point a split at a label file."""
    return [f"{split}.dataset.data_dir={labels.parent}", f"{split}.dataset.label_file_list=[{labels}]"]


def test_show_data_draws_every_step_of_a_page(det_label_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "drawn"
    arguments = [
        "show-data",
        "-c",
        str(DET),
        "--count",
        "1",
        "--output",
        str(output),
        "-o",
        *on("Train", det_label_file),
    ]
    assert cli.main(arguments) == 0
    drawn = sorted(path.name for path in output.iterdir())
    assert "0000_01_DetLabelEncode.png" in drawn
    assert len(drawn) == 9
    _, width, _ = images.read(output / "0000_05_MakeShrinkMap.png").shape
    assert width == 3 * 640  # the image, the map and its mask side by side


def test_show_data_is_the_same_twice(rec_label_file: Path, tmp_path: Path) -> None:
    for name in ("once", "twice"):
        arguments = ["show-data", "-c", str(REC), "--count", "2", "--output", str(tmp_path / name)]
        assert cli.main([*arguments, "-o", *on("Train", rec_label_file)]) == 0
    for path in (tmp_path / "once").iterdir():
        assert path.read_bytes() == (tmp_path / "twice" / path.name).read_bytes()


def test_show_config_applies_overrides(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show-config", "-c", str(REC), "-o", "Global.epoch_num=7"]) == 0
    assert "epoch_num: 7" in capsys.readouterr().out


def test_a_wrong_override_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show-config", "-c", str(REC), "-o", "Global.epoch_nun=7"]) == cli.USAGE
    assert "Did you mean 'epoch_num'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    "override, status",
    [
        ("Global.character_dict_path=nowhere.txt", cli.USAGE),
        ("Train.dataset.label_file_list=[nowhere.txt]", cli.FAILED),
        ("Global.pretrained_model=nowhere", cli.FAILED),
    ],
)
def test_a_value_that_names_nothing_is_a_line(
    override: str, status: int, rec_label_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["-c", str(REC), "-o", *on("Train", rec_label_file), *on("Eval", rec_label_file), override]
    config.append("Train.loader.batch_size_per_card=4")
    assert cli.main(["train", *config, f"Global.save_model_dir={tmp_path / 'run'}"]) == status
    (line,) = [line for line in capsys.readouterr().err.splitlines() if " WARNING: " not in line]
    assert "nowhere" in line


def test_too_many_bad_samples_are_a_line(
    write_config: Callable[..., Path], rec_label_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rec_label_file.with_name("bad.txt").write_text("none.png\tword\n" * 8, encoding="utf-8")
    config = ["-c", str(write_config("rec", rec_label_file)), "-o", f"Global.save_model_dir={tmp_path / 'bad'}"]
    bad = f"Train.dataset.label_file_list=[{rec_label_file.with_name('bad.txt')}]"
    assert cli.main(["train", *config, bad]) == cli.FAILED
    assert capsys.readouterr().err.count("more than Global.max_bad_samples allows") == 1
    assert "The run failed." in (tmp_path / "bad" / "train.log").read_text(encoding="utf-8")


def long_labels(rec_label_file: Path) -> Path:
    """The labels with one more line, of a picture that is too narrow for its text."""
    narrow = np.full((32, 32, 3), 255, np.uint8)
    images.write(rec_label_file.parent / "narrow.png", narrow)
    path = rec_label_file.with_name("long.txt")
    path.write_text(rec_label_file.read_text(encoding="utf-8") + "narrow.png\tabababababab\n", encoding="utf-8")
    return path


def test_check_data_names_what_the_network_has_too_few_steps_for(
    write_config: Callable[..., Path], rec_label_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = long_labels(rec_label_file)
    arguments = ["check-data", "rec", str(labels), "-c", str(write_config("rec", rec_label_file))]
    assert cli.main(arguments) == cli.FAILED
    shown = capsys.readouterr()
    assert f"{labels}:9: the text of 12 characters needs 12 steps, but the network makes only 8" in shown.err
    assert shown.out.startswith(f"{labels}: 9 samples, ") and shown.out.endswith(", 1 unusable\n")


def test_training_counts_what_the_network_has_too_few_steps_for(
    write_config: Callable[..., Path], rec_label_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = long_labels(rec_label_file)
    data = f"Train.dataset.label_file_list=[{labels}]"
    config = ["-c", str(write_config("rec", rec_label_file)), "-o", data, "Train.loader.drop_last=false"]
    for share, status in (("0.01", cli.FAILED), ("0.2", 0)):
        run = f"Global.save_model_dir={tmp_path / share}"
        more = ["Global.epoch_num=1", f"Global.max_bad_samples={share}", run]
        assert cli.main(["train", *config, *more]) == status
    assert "narrow.png: the text of 12 characters needs 12 steps" in capsys.readouterr().err


def test_another_dictionary_than_that_of_the_weights_is_said(
    write_config: Callable[..., Path], rec_label_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = ["-c", str(write_config("rec", rec_label_file)), "-o", f"Global.save_model_dir={tmp_path / 'run'}"]
    assert cli.main(["train", *config, "Global.max_steps=1"]) == 0
    capsys.readouterr()
    assert cli.main(["eval", *config, "Global.character_dict_path=ch"]) == cli.FAILED
    first, second = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("[")]
    assert "head.fc.weight" in first
    assert "Global.character_dict_path" in second and "reinit" not in second


def test_components_describes_a_class(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["components", "DBHead"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("DBHead(k: float = 50.0")
    assert "\nhead, under Architecture.Head; defined at " in shown
    assert "(in_channels:" not in shown and " in_channels:" not in shown.split("\n")[0]


def test_components_lists_a_kind_with_file_and_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["components", "neck"]) == 0
    assert "db_fpn.py:" in capsys.readouterr().out


@pytest.mark.skipif(not installed_fonts(), reason="no fonts are installed")
@pytest.mark.parametrize("kind", ["rec", "cls", "det"])
def test_synth_makes_labels_that_check(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / kind
    arguments = ["synth", kind, "--output", str(output), "--count", "3", "--workers", "1", "--split", "all"]
    assert cli.main([*arguments, "--size", "320", "320"]) == 0
    assert cli.main(["check-data", kind, str(output / "labels.txt")]) == 0
    assert "3 samples" in capsys.readouterr().out


def test_doctor_says_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.main(["doctor"])
    shown = capsys.readouterr().out
    assert "numpy" in shown
    assert ("nothing is wrong" in shown) == (status == 0)
    if not released():
        assert "no models come with this package" in shown


@pytest.mark.slow
def test_train_eval_export_rec(rec_label_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, model = tmp_path / "run", tmp_path / "model"
    config = ["-c", str(REC), "-o", *on("Train", rec_label_file), *on("Eval", rec_label_file)]
    small = ["Global.max_steps=2", "Train.loader.batch_size_per_card=4", "Train.loader.num_workers=0"]
    assert cli.main(["train", *config, *small, f"Global.save_model_dir={run}"]) == 0
    assert "step 2" in capsys.readouterr().out
    assert cli.main(["eval", *config, f"Global.checkpoints={run}"]) == 0
    live = json.loads(capsys.readouterr().out)
    assert cli.main(["export", *config, f"Global.checkpoints={run}", "--output", str(model), "--no-onnx"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(model)
    assert cli.main(["eval", *config, "--bundle", str(model)]) == 0
    assert json.loads(capsys.readouterr().out) == live
    line = rec_label_file.parent / "line_0.png"
    assert cli.main(["rec", str(line), "--rec-model", str(model)]) == 0
    assert capsys.readouterr().out.startswith(f"{line}\t")


def test_training_is_timed(
    write_config: Callable[..., Path], rec_label_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_config("rec", rec_label_file)
    assert cli.main(["bench", "--train", str(config), "--engines", "paddle", "--updates", "1"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split()[:2] == ["config", "engine"]
    assert row.split()[1] == "paddle"
    assert float(row.split()[2]) > 0
