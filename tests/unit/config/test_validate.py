"""Sections and the rules between them, with stand-ins for the networks."""

from __future__ import annotations

from typing import Any

import pytest

from ppocr_lite.config import Config, check_config
from ppocr_lite.errors import ConfigError
from ppocr_lite.families import FAMILIES
from ppocr_lite.registry import Registry

KINDS = {
    "backbone": ("in_channels", "model_type"),
    "neck": ("in_channels",),
    "head": ("in_channels", "num_classes"),
    "loss": (),
    "optimizer": (),
    "schedule": ("total_steps", "steps_per_epoch"),
    "transform": ("charset",),
    "dataset": ("transforms", "seed", "training"),
    "postprocess": ("charset",),
    "metric": (),
}


class Net:
    def __init__(self, in_channels: int, scale: float = 1.0) -> None: ...


class CTCLoss:
    def __init__(self, use_focal_loss: bool = False) -> None: ...


class CombinedLoss:
    def __init__(self, loss_config_list: list[dict[str, Any]]) -> None: ...


class Adam:
    def __init__(self, beta1: float = 0.9) -> None: ...


class Const:
    def __init__(self, total_steps: int, learning_rate: float = 0.001) -> None: ...


class RecResizeImg:
    def __init__(self, image_shape: tuple[int, int, int] = (3, 32, 320)) -> None: ...


class DecodeImage:
    def __init__(self, img_mode: str = "BGR") -> None: ...


class KeepKeys:
    def __init__(self, keep_keys: list[str]) -> None: ...


class ClsHead:
    def __init__(self, in_channels: int, class_dim: int = 2) -> None: ...


class ClsPostProcess:
    def __init__(self, label_list: tuple[str, ...] = ("0", "180")) -> None: ...


class ClsLoss:
    def __init__(self) -> None: ...


class ClsMetric:
    def __init__(self) -> None: ...


class SimpleDataSet:
    def __init__(self, data_dir: str, transforms: Any = None) -> None: ...


class MixedDataSet:
    def __init__(self, datasets: list[dict[str, Any]]) -> None: ...


class CTCLabelDecode:
    def __init__(self, charset: Any) -> None: ...


class RecMetric:
    def __init__(self, main_indicator: str = "acc") -> None: ...


@pytest.fixture
def registries() -> dict[str, Registry[Any]]:
    made: dict[str, Registry[Any]] = {kind: Registry(kind, runtime) for kind, runtime in KINDS.items()}
    for kind, cls in (
        *(("backbone", Net), ("neck", Net), ("head", Net), ("loss", CTCLoss), ("loss", CombinedLoss)),
        *(("optimizer", Adam), ("schedule", Const), ("transform", RecResizeImg)),
        *(("transform", DecodeImage), ("transform", KeepKeys)),
        *(("head", ClsHead), ("postprocess", ClsPostProcess), ("loss", ClsLoss), ("metric", ClsMetric)),
        *(("dataset", SimpleDataSet), ("dataset", MixedDataSet)),
        *(("postprocess", CTCLabelDecode), ("metric", RecMetric)),
    ):
        made[kind].register(cls)  # type: ignore[type-var]
    return made


def checked(raw: dict[str, Any], registries: dict[str, Registry[Any]]) -> Config:
    return check_config(raw, registries, FAMILIES)


def network(**more: Any) -> dict[str, Any]:
    return {"model_type": "rec", "Backbone": {"name": "Net"}, "Head": {"name": "Net"}, **more}


def classifier(head: dict[str, Any], labels: list[str] | None = None) -> dict[str, Any]:
    shown = {"PostProcess": {"name": "ClsPostProcess", "label_list": labels}} if labels else {}
    architecture = {"model_type": "cls", "Backbone": {"name": "Net"}, "Head": {"name": "ClsHead"} | head}
    return {"Architecture": architecture} | shown


def split(height: int = 32, *more: dict[str, Any]) -> dict[str, Any]:
    steps = [*more, {"RecResizeImg": {"image_shape": [3, height, 320]}}]
    return {"dataset": {"name": "SimpleDataSet", "data_dir": ".", "transforms": steps}}


def test_a_family_brings_its_defaults(registries: dict[str, Registry[Any]]) -> None:
    config = checked({"Architecture": network()}, registries)
    assert isinstance(config, Config)
    assert (config.Loss, config.Metric) == ({"name": "CTCLoss"}, {"name": "RecMetric"})
    assert (config.Optimizer, config.schedule) == ({"name": "Adam"}, {"name": "Const", "learning_rate": 0.001})
    assert (config.Train, config.Eval, config.model_type) == (None, None, "rec")


def test_a_config_without_a_family_has_no_model_type(registries: dict[str, Registry[Any]]) -> None:
    with pytest.raises(ConfigError, match="Architecture.model_type .* is required"):
        assert checked({}, registries).model_type


def test_empty_values_mean_not_given(registries: dict[str, Registry[Any]]) -> None:
    config = checked({"Global": {"pretrained_model": "", "checkpoints": None, "save_inference_dir": ""}}, registries)
    assert (config.Global.pretrained_model, config.Global.checkpoints) == (None, None)


def test_use_amp_is_level_one(registries: dict[str, Registry[Any]]) -> None:
    assert checked({"Global": {"use_amp": True}}, registries).precision == "O1"


def test_the_source_is_kept(registries: dict[str, Registry[Any]]) -> None:
    raw = {"Global": {"seed": 4}, "profiler_options": None}
    assert checked(raw, registries).source == raw


def test_a_mixture_checks_its_parts(registries: dict[str, Registry[Any]]) -> None:
    parts = [{"name": "SimpleDataSet", "data_dir": "."}, {"name": "SimpleDataSet", "data_dri": "."}]
    raw = {"Train": {"dataset": {"name": "MixedDataSet", "datasets": parts, "transforms": []}}}
    with pytest.raises(ConfigError, match=r"Train.dataset.datasets\[1\].data_dri is not .* Did you mean 'data_dir'"):
        checked(raw, registries)


@pytest.mark.parametrize(
    "raw, message",
    [
        ({"Globl": {}}, "Globl is not a section. Did you mean 'Global'"),
        ({"Global": [1]}, r"Global must be a mapping. Received: \[1\]"),
        ({"Global": {"epoch_num": 0}}, "Global.epoch_num must be at least 1. Received: 0"),
        ({"Global": {"max_steps": 0}}, "Global.max_steps must be at least 1"),
        ({"Global": {"threads": 0}}, "Global.threads must be at least 1"),
        ({"Global": {"max_bad_samples": 2}}, "Global.max_bad_samples is a share"),
        ({"Global": {"eval_batch_step": [1, 2, 3]}}, r"Global.eval_batch_step must be N or \[first, N\]"),
        ({"Global": {"engine": "padle"}}, "Global.engine must be one of .* Did you mean 'paddle'"),
        ({"Global": {"model_type": "det"}, "Architecture": network()}, "Global.model_type is 'det' but"),
        ({"Architecture": network(model_type="ocr")}, "Architecture.model_type must be one of det, cls, rec"),
        ({"Architecture": network(Bakbone={})}, "Architecture.Bakbone is not known here. Did you mean 'Backbone'"),
        ({"Architecture": network(Head=None)}, "Architecture.Head is required"),
        ({"Architecture": network(Transform={"name": "TPS"})}, "Architecture.Transform must be empty"),
        ({"Architecture": network(Neck={"name": "Net", "in_channels": 3})}, "Neck.in_channels is computed by the code"),
        ({"Architecture": {"Models": {"A": network()}}}, "Architecture.name must be 'DistillationModel'"),
        ({"Architecture": {"name": "DistillationModel", "Models": {}}}, "Models must name at least one network"),
        (
            {"Architecture": {"name": "DistillationModel", "Models": {"A": network(), "B": network(model_type="det")}}},
            "all networks must have one model_type",
        ),
        (
            {"Architecture": {"name": "DistillationModel", "Models": {"A": network(Head={"name": "Nat"})}}},
            "Architecture.Models.A.Head.name: no head is called 'Nat'",
        ),
        ({"Loss": {"name": "CombinedLoss", "loss_config_list": [{"CTCLoss": {}}]}}, r"\[0\] must be '- Class: {weight"),
        (
            {"Loss": {"name": "CombinedLoss", "loss_config_list": [{"CTCLoss": {"weight": 1, "focal": 1}}]}},
            r"Loss.loss_config_list\[0\].CTCLoss.focal is not an argument",
        ),
        ({"Optimizer": {"name": "Adam", "lr": "fast"}}, "Optimizer.lr must be a mapping or a number"),
        ({"Optimizer": {"lr": {"learning_rat": 1}}}, "Optimizer.lr.learning_rat is not an argument of Const"),
        ({"Train": {"datset": {}}}, "Train.datset is not known here. Did you mean 'dataset'"),
        ({"Train": {"dataset": {"data_dir": "."}}}, "Train.dataset must be a mapping with a 'name'"),
        (
            {"Train": {"dataset": {"name": "SimpleDataSet", "data_dir": ".", "transforms": {"A": 1}}}},
            "Train.dataset.transforms must be a list",
        ),
        (
            {"Train": {"dataset": {"name": "SimpleDataSet", "data_dir": ".", "transforms": [{"A": 1, "B": 2}]}}},
            r"Train.dataset.transforms\[0\] must be '- Class: {argument: value}'",
        ),
        ({"Train": split() | {"loader": {"num_workers": -1}}}, "Train.loader needs batch_size_per_card"),
        ({"Global": {1: 2}}, "Global.1 is not an argument of GlobalSection"),
        ({"Global": {True: 2}}, "Global.True is not an argument of GlobalSection"),
        ({"Global": {"seed": -1}}, "Global.seed must not be negative. Received: -1"),
        (
            {"Eval": split(32, {"DecodeImage": {"img_mode": "RGB"}})},
            r"Eval.dataset.transforms\[0\].DecodeImage.img_mode must be BGR, as in prediction. Received: 'RGB'",
        ),
        (
            {"Train": split(32, {"DecodeImage": None}, {"KeepKeys": {"keep_keys": ["label"]}})},
            r"Train.dataset.transforms\[1\].KeepKeys.keep_keys must name 'image'. Received: \['label'\]",
        ),
        (classifier({"class_dim": 4}), r"one label for each of the 4 classes .* Received: \['0', '180'\]"),
        (classifier({}, ["0", "90", "180"]), r"one label for each of the 2 classes .* Received: \['0', '90', '180'\]"),
        ({"Train": split(32), "Eval": split(48)}, "must resize lines to one height. Received: 32 and 48"),
    ],
)
def test_a_mistake_is_named(registries: dict[str, Registry[Any]], raw: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        checked(raw, registries)


def test_a_classifier_may_have_more_classes(registries: dict[str, Registry[Any]]) -> None:
    config = checked(classifier({"class_dim": 4}, ["0", "90", "180", "270"]), registries)
    assert (config.PostProcess or {})["label_list"] == ("0", "90", "180", "270")


def test_a_reduced_learning_rate_may_be_a_number(registries: dict[str, Registry[Any]]) -> None:
    assert checked({"Optimizer": {"lr": 0.1}}, registries).schedule == {"name": "Const", "learning_rate": 0.1}
