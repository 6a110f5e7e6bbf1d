"""Small complete configs, one for each family, on the drawn label files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors.numpy import save_file

from ppocr_lite.config import Config
from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import build_trainer, create_backend, load_charset, load_config, prepare_folder
from ppocr_lite.engine.export import export_model
from ppocr_lite.engine.trainer import Trainer

DECODE = {"DecodeImage": {"img_mode": "BGR", "channel_first": False}}
NORMALIZE = {
    "NormalizeImage": {
        "scale": "1./255.",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "order": "hwc",
    }
}
SMALL = {"name": "MobileNetV3", "scale": 0.35, "model_name": "small"}
FAMILIES: dict[str, dict[str, Any]] = {
    "rec": {
        "architecture": {
            "Backbone": SMALL | {"small_stride": [1, 2, 2, 2]},
            "Neck": {"name": "SequenceEncoder", "encoder_type": "rnn", "hidden_size": 16},
            "Head": {"name": "CTCHead", "fc_decay": 0.00001},
        },
        "train": [
            DECODE,
            {"RecAug": {"use_tia": False}},
            {"CTCLabelEncode": None},
            {"RecResizeImg": {"image_shape": [3, 32, 96]}},
            {"KeepKeys": {"keep_keys": ["image", "label", "length"]}},
        ],
        "eval": [DECODE, {"CTCLabelEncode": None}, {"RecResizeImg": {"image_shape": [3, 32, 96]}}],
        "globals": {"character_dict_path": "en", "max_text_length": 12, "use_space_char": True},
    },
    "cls": {
        "architecture": {"Backbone": SMALL, "Neck": None, "Head": {"name": "ClsHead", "class_dim": 2}},
        "train": [
            DECODE,
            {"ClsLabelEncode": None},
            {"ClsResizeImg": {"image_shape": [3, 48, 96]}},
            {"KeepKeys": {"keep_keys": ["image", "label"]}},
        ],
        "eval": [DECODE, {"ClsLabelEncode": None}, {"ClsResizeImg": {"image_shape": [3, 48, 96]}}],
        "globals": {},
    },
    "det": {
        "architecture": {
            "Backbone": SMALL | {"disable_se": True},
            "Neck": {"name": "DBFPN", "out_channels": 24},
            "Head": {"name": "DBHead", "k": 50},
        },
        "train": [
            DECODE,
            {"DetLabelEncode": None},
            {"EastRandomCropData": {"size": [160, 160], "max_tries": 10, "keep_ratio": True}},
            {"MakeBorderMap": {"shrink_ratio": 0.4, "thresh_min": 0.3, "thresh_max": 0.7}},
            {"MakeShrinkMap": {"shrink_ratio": 0.4, "min_text_size": 4}},
            NORMALIZE,
            {"ToCHWImage": None},
            {"KeepKeys": {"keep_keys": ["image", "threshold_map", "threshold_mask", "shrink_map", "shrink_mask"]}},
        ],
        "eval": [
            DECODE,
            {"DetLabelEncode": None},
            {"DetResizeForTest": {"limit_side_len": 320, "limit_type": "max"}},
            NORMALIZE,
            {"ToCHWImage": None},
            {"KeepKeys": {"keep_keys": ["image", "shape", "polys", "ignore_tags"]}},
        ],
        "globals": {},
    },
}


def small_config(family: str, labels: Path, folder: Path) -> dict[str, Any]:
    """Return a config that trains *family* on *labels* in steps of two samples, as YAML would give it."""
    parts = FAMILIES[family]

    def split(transforms: list[Any]) -> dict[str, Any]:
        return {
            "dataset": {
                "name": "SimpleDataSet",
                "data_dir": str(labels.parent),
                "label_file_list": [str(labels)],
                "transforms": transforms,
            },
            "loader": {"batch_size_per_card": 2, "num_workers": 0},
        }

    return {
        "Global": {
            "model_type": family,
            "seed": 3,
            "epoch_num": 2,
            "print_batch_step": 1,
            "log_smooth_window": 1,
            "save_model_dir": str(folder),
            **parts["globals"],
        },
        "Architecture": {"model_type": family, "algorithm": "small", **parts["architecture"]},
        "Optimizer": {
            "name": "Adam",
            "lr": {"name": "Cosine", "learning_rate": 0.001, "warmup_steps": 2},
            "regularizer": {"name": "L2", "factor": 0.00001},
        },
        "Train": split(parts["train"]),
        "Eval": split(parts["eval"]),
    }


@pytest.fixture
def write_config(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a small config and returns its path."""

    def write(family: str, labels: Path, run: str = "run") -> Path:
        path = tmp_path / f"{run}.yml"
        path.write_text(yaml.safe_dump(small_config(family, labels, tmp_path / run)), encoding="utf-8")
        return path

    return write


@pytest.fixture
def load_small(write_config: Callable[..., Path]) -> Callable[..., Config]:
    """A function that loads a small config with overrides."""

    def load(family: str, labels: Path, *overrides: str, run: str = "run") -> Config:
        return load_config(write_config(family, labels, run), overrides)

    return load


@pytest.fixture
def make_trainer(write_config: Callable[..., Path]) -> Callable[..., Trainer]:
    """A function that builds a trainer from a small config and overrides."""

    def make(family: str, labels: Path, *overrides: str, run: str = "run") -> Trainer:
        config: Config = load_config(write_config(family, labels, run), overrides)
        return build_trainer(config, prepare_folder(config, resuming=True))

    return make


def losses_of(folder: Path) -> dict[int, float]:
    """Return step → loss from ``log.jsonl`` of a run."""
    rows = [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return {row["step"]: row["loss"] for row in rows if row["event"] == "log"}


@pytest.fixture
def read_losses() -> Callable[[Path], dict[int, float]]:
    """:func:`losses_of`."""
    return losses_of


@pytest.fixture(scope="session")
def export_small(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """A function that exports a small untrained network of a family, and returns its folder."""

    def export(family: str, *overrides: str, onnx: bool = False) -> Path:
        folder = tmp_path_factory.mktemp(family)
        path = folder / "config.yml"
        node = small_config(family, folder / "labels.txt", folder / "run")
        path.write_text(yaml.safe_dump(node), encoding="utf-8")
        config = load_config(path, overrides)
        charset = load_charset(config)
        backend = create_backend("paddle")
        classes = charset.num_classes if charset else None
        backend.build(Task(architecture=config.Architecture or {}, num_classes=classes, seed=1))
        save_file({name: value.copy() for name, value in backend.weights().items()}, folder / "weights.safetensors")
        return export_model(config, folder / "weights.safetensors", folder / "exported", onnx=onnx)

    return export


@pytest.fixture(scope="session")
def small_models(export_small: Callable[..., Path]) -> dict[str, Path]:
    """Folders of small untrained networks as ``OCR`` takes them: det_model, cls_model, rec_model."""
    return {f"{family}_model": export_small(family) for family in ("det", "cls", "rec")}
