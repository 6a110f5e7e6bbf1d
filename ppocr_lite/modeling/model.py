"""Backbone, neck, head; and how an Architecture section becomes a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppocr_lite import nn
from ppocr_lite.config.check import check_arguments, check_component
from ppocr_lite.config.schema import Quantization
from ppocr_lite.errors import ConfigError, suggest
from ppocr_lite.modeling.backbones.base import BACKBONES
from ppocr_lite.modeling.distillation import DistillationModel
from ppocr_lite.modeling.heads.base import HEADS
from ppocr_lite.modeling.necks.base import NECKS
from ppocr_lite.modeling.pact import quantize

_KEYS = ("model_type", "algorithm", "Transform", "Backbone", "Neck", "Head", "return_all_feats", "quant")
_MEMBER_KEYS = ("freeze_params", "pretrained")
_DISTILLATION_KEYS = ("name", "model_type", "algorithm", "Models")
_IMAGE_CHANNELS = 3


class OCRModel(nn.Layer):
    """Backbone, neck (or none), head.

    Args:
        backbone: Image → features.
        neck: Features → features; None to pass them on.
        head: Features → results.
        return_all_feats: In training, return the result of each part as well.

    Shape:
        train: (N, 3, H, W) → what the head returns, a dict; with *return_all_feats* also ``backbone_out``,
            ``neck_out`` and ``head_out``, the tensor of the head.
        eval: (N, 3, H, W) → one tensor: det (N, 1, H, W), rec (N, T, C), cls (N, C), all probabilities.
    """

    def __init__(
        self, backbone: nn.Layer, neck: nn.Layer | None, head: nn.Layer, return_all_feats: bool = False
    ) -> None:
        super().__init__()
        self.backbone, self.neck, self.head = backbone, neck, head
        self.return_all_feats = return_all_feats

    def forward(self, x: nn.Tensor) -> Any:
        """See *Shape* of the class."""
        features = self.backbone(x)
        encoded = self.neck(features) if self.neck is not None else features
        outputs = self.head(encoded)
        if not (self.training and self.return_all_feats):
            return outputs
        return outputs | {
            "backbone_out": features,
            "neck_out": encoded,
            "head_out": next(iter(outputs.values())),
        }


def build_model(architecture: Mapping[str, Any], num_classes: int | None = None) -> OCRModel | DistillationModel:
    """Build the network that an Architecture section describes.

    Args:
        architecture: The section as a mapping, e.g. ``{"model_type": "det", "Backbone": {"name": "ResNet"}, …}``,
            or ``{"name": "DistillationModel", "Models": {name: section, …}}``. Not modified.
        num_classes: Classes of the head where they follow from the dictionary: characters plus one.

    Returns:
        The network in training mode.

    Raises:
        ConfigError: On an unknown, missing or ill-typed key, class or argument; names its path.
    """
    if architecture.get("name") == DistillationModel.__name__:
        return _build_distillation(architecture, num_classes)
    return _build_network(architecture, num_classes, "Architecture", _KEYS)


def _build_network(
    architecture: Mapping[str, Any], num_classes: int | None, path: str, keys: tuple[str, ...]
) -> OCRModel:
    _check_keys(architecture, keys, path)
    if architecture.get("Transform") is not None:
        raise ConfigError(f"{path}.Transform must be empty. Received: {architecture['Transform']!r}")
    model_type = architecture.get("model_type")
    if model_type not in ("det", "cls", "rec"):
        raise ConfigError(f"{path}.model_type must be one of det, cls, rec. Received: {model_type!r}")
    node = check_component(BACKBONES, architecture.get("Backbone"), f"{path}.Backbone")
    backbone = BACKBONES.build(node, in_channels=_IMAGE_CHANNELS, model_type=model_type)
    neck = None
    if architecture.get("Neck"):
        node = check_component(NECKS, architecture["Neck"], f"{path}.Neck")
        neck = NECKS.build(node, in_channels=backbone.out_channels)
    node = check_component(HEADS, architecture.get("Head"), f"{path}.Head")
    if node["name"] == "CTCHead" and num_classes is None:
        raise ConfigError(f"{path}.Head: CTCHead needs num_classes, the characters of the dictionary plus one.")
    head = HEADS.build(node, in_channels=(neck or backbone).out_channels, num_classes=num_classes)
    model = OCRModel(backbone, neck, head, bool(architecture.get("return_all_feats", False)))
    if architecture.get("quant") is not None:
        quantize(model, Quantization(**check_arguments(Quantization, architecture["quant"], f"{path}.quant")))
    return model


def _build_distillation(architecture: Mapping[str, Any], num_classes: int | None) -> DistillationModel:
    _check_keys(architecture, _DISTILLATION_KEYS, "Architecture")
    sections = architecture.get("Models")
    if not isinstance(sections, Mapping) or not sections:
        raise ConfigError(f"Architecture.Models must map names to networks. Received: {sections!r}")
    models = {
        name: _build_network(
            {"model_type": architecture.get("model_type"), **section},
            num_classes,
            f"Architecture.Models.{name}",
            _KEYS + _MEMBER_KEYS,
        )
        for name, section in sections.items()
    }
    frozen = [name for name, section in sections.items() if section.get("freeze_params")]
    pretrained = {name: section["pretrained"] for name, section in sections.items() if section.get("pretrained")}
    return DistillationModel(models, frozen, pretrained)


def _check_keys(section: Mapping[str, Any], known: tuple[str, ...], path: str) -> None:
    for key in section:
        if key not in known:
            raise ConfigError(f"{path}.{key} is not known.{suggest(key, known)}")
