from __future__ import annotations

import copy
from typing import Any

import paddle
import pytest

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling import DistillationModel, OCRModel, build_model

DET: dict[str, Any] = {
    "model_type": "det",
    "algorithm": "DB",
    "Transform": None,
    "Backbone": {"name": "MobileNetV3", "model_name": "small", "scale": 0.35, "disable_se": True},
    "Neck": {"name": "DBFPN", "out_channels": 16},
    "Head": {"name": "DBHead", "k": 50},
}
REC: dict[str, Any] = {
    "model_type": "rec",
    "algorithm": "CRNN",
    "Transform": None,
    "Backbone": {"name": "MobileNetV3", "model_name": "small", "scale": 0.35, "small_stride": [1, 2, 2, 2]},
    "Neck": {"name": "SequenceEncoder", "encoder_type": "rnn", "hidden_size": 8},
    "Head": {"name": "CTCHead", "fc_decay": 0.00001},
}
CLS: dict[str, Any] = {
    "model_type": "cls",
    "algorithm": "CLS",
    "Transform": None,
    "Backbone": {"name": "MobileNetV3", "model_name": "small", "scale": 0.35},
    "Neck": None,
    "Head": {"name": "ClsHead", "class_dim": 2},
}


def shapes(outputs: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape) for name, value in outputs.items()}


def distillation(**teacher: Any) -> dict[str, Any]:
    models = {"Teacher": DET | {"freeze_params": True} | teacher, "Student": DET | {"pretrained": "weights/student"}}
    return {"name": "DistillationModel", "algorithm": "Distillation", "model_type": "det", "Models": models}


@pytest.mark.parametrize(
    ("architecture", "size", "read", "predicted"),
    [
        (DET, (64, 96), {"maps": (2, 3, 64, 96)}, {"maps": (2, 1, 64, 96)}),
        (REC, (32, 64), {"logits": (2, 16, 7)}, {"probabilities": (2, 16, 7)}),
        (CLS, (48, 192), {"logits": (2, 2)}, {"probabilities": (2, 2)}),
    ],
)
def test_a_network_returns_by_name_what_the_loss_reads_and_what_it_predicts(
    architecture: dict[str, Any], size: tuple[int, int], read: dict[str, Any], predicted: dict[str, Any]
) -> None:
    model, image = build_model(architecture, num_classes=7), paddle.randn([2, 3, *size])
    for switch in (model.train, model.eval):
        switch()
        assert shapes(model(image)) == read
        assert shapes(model.predict(image)) == predicted


def test_all_features_are_returned_if_asked() -> None:
    model, image = build_model(REC | {"return_all_feats": True}, 7), paddle.randn([2, 3, 32, 64])
    outputs = model(image)
    assert set(outputs) == {"logits", "head_out", "neck_out", "backbone_out"}
    assert tuple(outputs["neck_out"].shape) == (2, 16, 16)
    assert (outputs["head_out"] == outputs["logits"]).all()
    model.eval()
    assert set(model(image)) == {"logits"}


def test_building_does_not_change_the_section() -> None:
    given = distillation()
    before = copy.deepcopy(given)
    build_model(given)
    assert given == before


def test_equal_seeds_give_equal_weights() -> None:
    weights = []
    for _ in range(2):
        paddle.seed(3)
        weights.append(build_model(CLS).state_dict())
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Head": {"name": "DBHed"}}, r"Architecture\.Head\.name.*Did you mean 'DBHead'"),
        ({"Backbone": {"name": "MobileNetV3", "scael": 0.5}}, r"Backbone\.scael.*Did you mean 'scale'"),
        ({"Backbone": {"name": "ResNet", "layers": 20}}, r"Backbone\.layers must be one of"),
        ({"Neck": {"name": "DBFPN", "in_channels": [1]}}, r"Neck\.in_channels is computed"),
        ({"Nek": None}, r"Architecture\.Nek is not known here. Did you mean 'Neck'"),
        ({"Transform": {"name": "TPS"}}, r"Transform must be empty"),
        ({"model_type": "sr"}, r"model_type must be one of det, cls, rec. Received: 'sr'"),
        ({"Head": None}, r"Architecture\.Head is required"),
    ],
)
def test_a_wrong_section_is_refused_by_path(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build_model(DET | change)


def test_recogniser_needs_the_number_of_classes() -> None:
    with pytest.raises(ConfigError, match="CTCHead needs num_classes"):
        build_model(REC)


def test_distillation_returns_the_outputs_of_each_network_by_name() -> None:
    model, image = build_model(distillation()), paddle.randn([1, 3, 32, 32])
    assert isinstance(model, DistillationModel)
    assert {name: shapes(out) for name, out in model(image).items()} == {
        "Teacher": {"maps": (1, 3, 32, 32)},
        "Student": {"maps": (1, 3, 32, 32)},
    }
    assert {name: shapes(out) for name, out in model.predict(image).items()} == {
        "Teacher": {"maps": (1, 1, 32, 32)},
        "Student": {"maps": (1, 1, 32, 32)},
    }


def test_weights_of_a_distillation_carry_the_name_of_their_network() -> None:
    names = build_model(distillation()).state_dict()
    assert {name.partition(".")[0] for name in names} == {"Teacher", "Student"}


def test_frozen_network_keeps_weights_and_statistics() -> None:
    model = build_model(distillation())
    model.train()
    before = {name: value.clone() for name, value in model.Teacher.state_dict().items()}
    outputs = model(paddle.randn([2, 3, 32, 32]))
    (outputs["Student"]["maps"].sum() + outputs["Teacher"]["maps"].sum()).backward()
    assert all(p.grad is None and not p.trainable for p in model.Teacher.parameters())
    assert all((before[name] == value).all() for name, value in model.Teacher.state_dict().items())
    assert all(p.grad is not None for p in model.Student.parameters() if not p.stop_gradient)


def test_statistics_of_a_learning_network_move() -> None:
    model = build_model(distillation())
    model(paddle.randn([2, 3, 32, 32]))
    layer = next(layer for layer in model.Student.sublayers() if isinstance(layer, nn.BatchNorm2D))
    assert layer._mean.abs().sum().item() > 0


def test_where_weights_start_is_kept_for_the_loader() -> None:
    assert build_model(distillation()).pretrained == {"Student": "weights/student"}


def test_member_of_a_distillation_takes_the_common_model_type() -> None:
    section = distillation()
    del section["Models"]["Student"]["model_type"]
    assert isinstance(build_model(section).Student, OCRModel)


def test_distillation_names_the_path_of_a_wrong_member() -> None:
    with pytest.raises(ConfigError, match=r"Architecture\.Models\.Teacher\.Head\.name"):
        build_model(distillation(Head={"name": "Nothing"}))
