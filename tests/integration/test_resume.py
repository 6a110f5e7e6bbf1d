"""Stop and resume equals not stopping, bit for bit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.build import load_config
from ppocr_lite.engine.run import evaluate_run, train
from ppocr_lite.errors import CheckpointError, DivergenceError, ImageError

Make = Callable[..., Any]
Read = Callable[[Path], dict[int, float]]


def same_arrays(left: dict[str, Any], right: dict[str, Any]) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[name], right[name]) for name in left)


def test_two_runs_of_one_seed_are_equal(make_trainer: Make, rec_label_file: Path, read_losses: Read) -> None:
    for run in ("one", "two"):
        make_trainer("rec", rec_label_file, run=run).fit()
    folder = rec_label_file.parents[1]
    assert len(read_losses(folder / "one")) == 8
    assert read_losses(folder / "one") == read_losses(folder / "two")


def test_another_seed_gives_another_run(make_trainer: Make, cls_label_file: Path, read_losses: Read) -> None:
    make_trainer("cls", cls_label_file, "Global.epoch_num=1", run="one").fit()
    make_trainer("cls", cls_label_file, "Global.epoch_num=1", "Global.seed=4", run="two").fit()
    folder = cls_label_file.parents[1]
    assert read_losses(folder / "one") != read_losses(folder / "two")


@pytest.mark.parametrize("stop", [3, 4, 6])  # in mid-epoch, between epochs, in mid-epoch of the second
def test_resume_equals_not_stopping(make_trainer: Make, rec_label_file: Path, read_losses: Read, stop: int) -> None:
    whole = make_trainer("rec", rec_label_file, "Global.save_batch_step=1", "Global.keep_checkpoints=99", run="whole")
    whole.fit()
    resumed = make_trainer("rec", rec_label_file, "Train.loader.num_workers=1", run="resumed")
    resumed.resume(whole.folder / f"step_{stop:08d}")
    resumed.fit()
    folder = rec_label_file.parents[1]
    expected = {step: loss for step, loss in read_losses(folder / "whole").items() if step > stop}
    assert read_losses(folder / "resumed") == expected
    assert same_arrays(whole.backend.weights(), resumed.backend.weights())
    assert same_arrays(whole.backend.optimizer_state(), resumed.backend.optimizer_state())


def test_resume_repeats_accumulated_steps(make_trainer: Make, rec_label_file: Path, read_losses: Read) -> None:
    options = ("Global.accumulate=2", "Optimizer.clip_norm_global=1.0")
    whole = make_trainer("rec", rec_label_file, *options, "Global.save_batch_step=1", run="whole")
    whole.fit()
    resumed = make_trainer("rec", rec_label_file, *options, run="resumed")
    resumed.resume(whole.folder / "step_00000003")
    resumed.fit()
    folder = rec_label_file.parents[1]
    assert read_losses(folder / "resumed") == {4: read_losses(folder / "whole")[4]}
    assert same_arrays(whole.backend.weights(), resumed.backend.weights())


def test_resume_in_a_group_of_batches(make_trainer: Make, rec_label_file: Path, read_losses: Read) -> None:
    options = ("Train.loader.bucket_batches=3", "Global.save_batch_step=1", "Global.keep_checkpoints=99")
    whole = make_trainer("rec", rec_label_file, *options, run="whole")
    whole.fit()
    resumed = make_trainer("rec", rec_label_file, *options, "Train.loader.num_workers=1", run="resumed")
    resumed.resume(whole.folder / "step_00000006")
    resumed.fit()
    folder = rec_label_file.parents[1]
    expected = {step: loss for step, loss in read_losses(folder / "whole").items() if step > 6}
    assert expected and read_losses(folder / "resumed") == expected
    assert same_arrays(whole.backend.weights(), resumed.backend.weights())


def test_resume_keeps_the_best(make_trainer: Make, cls_label_file: Path) -> None:
    first = make_trainer("cls", cls_label_file, "Global.epoch_num=1")
    ended = first.fit()
    again = make_trainer("cls", cls_label_file)
    again.resume(checkpoint.resolve(first.folder))
    assert (again.state.step, again.state.best, again.state.best_step) == (4, ended.best, ended.best_step)


def test_resume_refuses_another_division_of_the_data(make_trainer: Make, cls_label_file: Path) -> None:
    first = make_trainer("cls", cls_label_file, "Global.epoch_num=1")
    first.fit()
    other = make_trainer("cls", cls_label_file, "Train.loader.batch_size_per_card=4")
    with pytest.raises(CheckpointError, match="4 updates per epoch; this run has 3 and 2"):
        other.resume(checkpoint.resolve(first.folder))


def test_a_config_that_does_not_fit_does_not_replace_that_of_the_run(
    write_config: Callable[..., Path], cls_label_file: Path
) -> None:
    path = write_config("cls", cls_label_file)
    folder = Path(load_config(path).Global.save_model_dir)
    train(load_config(path, ["Global.epoch_num=1"]))
    before = (folder / "config.yml").read_text(encoding="utf-8")
    assert "epoch_num: 1" in before
    with pytest.raises(CheckpointError, match="updates per epoch"):
        train(load_config(path, ["Train.loader.batch_size_per_card=4"]), resume=True)
    assert (folder / "config.yml").read_text(encoding="utf-8") == before


def test_max_minutes_stops_with_a_checkpoint(make_trainer: Make, cls_label_file: Path) -> None:
    trainer = make_trainer("cls", cls_label_file, "Global.max_minutes=0.0000001")
    state = trainer.fit()
    assert state.step < trainer.plan.steps
    assert checkpoint.resolve(trainer.folder).name == f"step_{state.step:08d}"


@pytest.mark.parametrize("family", ["rec", "cls"])
def test_the_metric_of_training_batches_is_logged(
    make_trainer: Make, rec_label_file: Path, cls_label_file: Path, family: str
) -> None:
    labels = rec_label_file if family == "rec" else cls_label_file
    trainer = make_trainer(family, labels, "Global.cal_metric_during_train=true", "Global.max_steps=1")
    trainer.fit()
    row = json.loads((trainer.folder.parent / "log.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert 0 <= row["acc"] <= 1


def test_evaluating_a_checkpoint_repeats_the_metrics_of_training(
    make_trainer: Make, load_small: Make, cls_label_file: Path
) -> None:
    state = make_trainer("cls", cls_label_file, "Global.epoch_num=1").fit()
    assert evaluate_run(load_small("cls", cls_label_file)) == state.metrics


def test_a_resume_does_not_ask_for_the_pretrained_weights(load_small: Make, cls_label_file: Path) -> None:
    train(load_small("cls", cls_label_file, "Global.max_steps=1", run="first"))
    first = cls_label_file.parents[1] / "first"
    start = f"Global.pretrained_model={first}"
    train(load_small("cls", cls_label_file, start, "Global.max_steps=1", run="second"))
    first.rename(first.with_name("moved"))
    assert train(load_small("cls", cls_label_file, start, "Global.max_steps=2", run="second"), resume=True).step == 2
    with pytest.raises(CheckpointError, match="No weights at"):
        train(load_small("cls", cls_label_file, start, run="third"), resume=True)


def test_a_run_that_diverges_fails_and_keeps_what_was_good(load_small: Make, cls_label_file: Path) -> None:
    folder = cls_label_file.parents[1] / "run"
    options = ("Global.print_batch_step=99", "Global.save_batch_step=1", "Global.max_steps=2")
    train(load_small("cls", cls_label_file, *options))
    wild = ("Optimizer.lr={name: Const, learning_rate: 1.0e+30}", "Global.max_steps=8")
    with pytest.raises(DivergenceError, match="not finite"):
        train(load_small("cls", cls_label_file, *options[:2], *wild), resume=True)
    assert "DivergenceError" in (folder / "train.log").read_text(encoding="utf-8")
    weights = checkpoint.read_weights(checkpoint.resolve(folder))
    assert all(np.isfinite(value).all() for value in weights.values())


def test_missing_evaluation_images_are_named_before_training(load_small: Make, cls_label_file: Path) -> None:
    labels = cls_label_file.with_name("val.txt")
    labels.write_text("line_0.png\t0\nnone.png\t0\n", encoding="utf-8")
    with pytest.raises(ImageError, match=r"val\.txt:2: cannot read .*none\.png"):
        train(load_small("cls", cls_label_file, f"Eval.dataset.label_file_list=[{labels}]"))
