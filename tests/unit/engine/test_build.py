"""What is decided before an engine is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ppocr_lite.config import Config, GlobalSection, Loader, Split
from ppocr_lite.engine.build import (
    build_batches,
    choose_device,
    create_backend,
    load_charset,
    load_config,
    make_plan,
    prepare_folder,
    write_config,
)
from ppocr_lite.engine.evaluate import split_transforms
from ppocr_lite.errors import ConfigError


def config_of(**options: Any) -> Config:
    general = GlobalSection(**options)
    return Config(general, None, None, {}, {}, None, None, None, None, {"Global": options})


class Machine:
    name, rank, world_size = "paddle", 1, 2

    def __init__(self, gpu: bool) -> None:
        self.gpu = gpu

    def has_gpu(self) -> bool:
        return self.gpu


@pytest.mark.parametrize("module", ["paddle", "torch"])
def test_the_engine_package_needs_no_framework(module: str) -> None:
    code = f"import sys; sys.modules['{module}'] = None; import ppocr_lite.engine.build, ppocr_lite.engine.run"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[3])


@pytest.mark.parametrize(
    "options, steps, every, save",
    [
        ({"epoch_num": 3, "eval_batch_step": [5, 10], "save_epoch_step": 2}, 21, (5, 10), 14),
        ({"max_steps": 4, "eval_batch_step": 2, "save_batch_step": 3}, 4, (0, 2), 3),
    ],
)
def test_a_plan_counts_in_updates(options: dict[str, Any], steps: int, every: tuple[int, int], save: int) -> None:
    plan = make_plan(config_of(**options), steps_per_epoch=7)
    assert (plan.steps, (plan.eval_start, plan.eval_every), plan.save_every) == (steps, every, save)


@pytest.mark.parametrize(
    "options, gpu, device",
    [
        ({}, True, "cpu"),
        ({"use_gpu": True}, True, "gpu:1"),
        ({"use_gpu": True}, False, "cpu"),
        ({"device": "gpu:3"}, False, "gpu:3"),
    ],
)
def test_the_device_is_asked_for(options: dict[str, Any], gpu: bool, device: str) -> None:
    assert choose_device(config_of(**options), Machine(gpu)) == device  # type: ignore[arg-type]


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigError, match="Global.engine must be 'paddle' or 'torch'. Received: 'jax'"):
        create_backend("jax")


def test_a_recogniser_needs_a_dictionary() -> None:
    with pytest.raises(ConfigError, match="Global.character_dict_path is required"):
        load_charset(config_of(model_type="rec"))


def test_the_other_families_need_none() -> None:
    assert load_charset(config_of(model_type="det")) is None


def test_a_folder_with_a_run_is_not_overwritten(tmp_path: Path) -> None:
    config = config_of(save_model_dir=str(tmp_path / "run"))
    folder = prepare_folder(config, resuming=False)
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "latest").write_text("step_00000001")
    with pytest.raises(ConfigError, match="holds a run already. Continue it with --resume"):
        prepare_folder(config, resuming=False)
    assert prepare_folder(config, resuming=True) == folder


def test_the_config_of_a_run_does_not_say_where_it_went_on_from_once(tmp_path: Path) -> None:
    write_config(config_of(save_model_dir=str(tmp_path), checkpoints="elsewhere"), tmp_path)
    written = (tmp_path / "config.yml").read_text(encoding="utf-8")
    assert "save_model_dir" in written
    assert "checkpoints" not in written


def test_a_folder_with_a_run_does_not_take_in_another(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / "latest").write_text("step_00000001")
    own, other = (config_of(save_model_dir=str(folder), checkpoints=str(tmp_path / n)) for n in ("run", "run2"))
    assert prepare_folder(own, resuming=True) == folder
    with pytest.raises(ConfigError, match=r"holds a run already, and Global.checkpoints=.*run2 is of another one"):
        prepare_folder(other, resuming=True)


def test_a_batch_must_be_filled() -> None:
    split = Split({}, [], Loader(batch_size_per_card=8, drop_last=True))
    with pytest.raises(ConfigError, match="Train.loader.batch_size_per_card: The dataset must fill"):
        build_batches(split, 5, Machine(False), seed=0)  # type: ignore[arg-type]


def test_a_small_data_set_makes_one_small_batch() -> None:
    batches = build_batches(Split({}, [], Loader(batch_size_per_card=8)), 6, Machine(False), seed=0)  # type: ignore[arg-type]
    assert (len(batches), batches.world_size) == (1, 2)


def test_what_makes_the_truth_is_apart_from_what_the_network_sees() -> None:
    names = ["DecodeImage", "DetLabelEncode", "DetResizeForTest", "NormalizeImage", "ToCHWImage", "KeepKeys"]
    truth, rest = split_transforms([{"name": name} for name in names])
    assert [node["name"] for node in truth] == names[:2]
    assert [node["name"] for node in rest] == names[2:5]


REC = Path(__file__).parents[3] / "configs/rec/rec_en_mv3_crnn.yml"
OTHER = ("Train.dataset.name=LMDBDataSet", "Train.dataset.data_dir=x")


def test_another_data_set_drops_what_the_file_told_the_first() -> None:
    config = load_config(REC, OTHER)
    assert config.Train is not None and config.Eval is not None
    assert config.Train.dataset["data_dir"] == "x" and "label_file_list" not in config.Train.dataset
    assert "label_file_list" in config.Eval.dataset


@pytest.mark.parametrize("key", ["label_file_list=[a]", "label_file_list[0]=a", "delimiter=;"])
def test_what_the_user_set_is_not_dropped(key: str) -> None:
    with pytest.raises(ConfigError, match=r"(label_file_list|delimiter) is not an argument of LMDBDataSet"):
        load_config(REC, (f"Train.dataset.{key}", *OTHER))
