"""Backbone, neck, head, and several such networks together: the twins of ``ppocr_lite.modeling``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ppocr_lite.config.check import check_arguments, check_component
from ppocr_lite.config.schema import Quantization
from ppocr_lite.engine.backends.torch.base import BACKBONES, HEADS, NECKS
from ppocr_lite.engine.backends.torch.layers import BatchNorm
from ppocr_lite.engine.backends.torch.pact import quantize
from ppocr_lite.errors import ConfigError, suggest

_KEYS = ("model_type", "algorithm", "Transform", "Backbone", "Neck", "Head", "return_all_feats", "quant")
_MEMBER_KEYS = ("freeze_params", "pretrained")
_DISTILLATION_KEYS = ("name", "model_type", "algorithm", "Models")
_IMAGE_CHANNELS = 3


class OCRModel(nn.Module):
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
        self, backbone: nn.Module, neck: nn.Module | None, head: nn.Module, return_all_feats: bool = False
    ) -> None:
        super().__init__()
        self.backbone, self.neck, self.head = backbone, neck, head
        self.return_all_feats = return_all_feats

    def forward(self, x: Tensor) -> Any:
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


class DistillationModel(nn.Module):
    """Runs named networks on the same image.

    A frozen network keeps its weights and its batch-normalisation statistics, and has no gradient; in training it
    still returns what a network in training returns, because the losses compare like with like.

    Args:
        models: Name → network, e.g. ``Teacher``, ``Student``, ``Student2``; the names prefix the weight names.
        frozen: Names of those that do not learn.
        pretrained: Name → where the starting weights are; kept for the code that loads them.

    Shape:
        (N, 3, H, W) → {name: what that network returns}

    Source:
        Du et al., PP-OCRv2, 2021 (collaborative mutual learning; unified deep mutual learning).
    """

    def __init__(
        self, models: Mapping[str, nn.Module], frozen: Sequence[str] = (), pretrained: Mapping[str, str] | None = None
    ) -> None:
        super().__init__()
        self.model_names = tuple(models)
        self.frozen = frozenset(frozen)
        self.pretrained = dict(pretrained or {})
        for name, model in models.items():
            self.add_module(name, model)
            if name in self.frozen:
                model.requires_grad_(False)
        self.train()

    def train(self, mode: bool = True) -> DistillationModel:
        """Switch to training or back; the statistics of frozen networks stay as they are."""
        super().train(mode)
        for name in self.frozen:
            for layer in getattr(self, name).modules():
                if isinstance(layer, BatchNorm):
                    layer.eval()
        return self

    def forward(self, x: Tensor) -> dict[str, Any]:
        """See *Shape* of the class."""
        return {name: self._run(name, x) for name in self.model_names}

    def _run(self, name: str, x: Tensor) -> Any:
        if name not in self.frozen:
            return getattr(self, name)(x)
        with torch.no_grad():
            return getattr(self, name)(x)


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
