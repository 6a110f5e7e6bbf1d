"""Backbone, neck, head; and how an Architecture section becomes a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ppocr_lite import nn
from ppocr_lite.config.architecture import check_architecture, needs_classes
from ppocr_lite.config.family import FEATURES
from ppocr_lite.config.schema import Initialization, Quantization
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling.backbones.base import BACKBONES
from ppocr_lite.modeling.distillation import DistillationModel
from ppocr_lite.modeling.heads.base import HEADS
from ppocr_lite.modeling.initialize import initialize
from ppocr_lite.modeling.necks.base import NECKS
from ppocr_lite.modeling.onnx_network import NETWORKS, OnnxNetwork
from ppocr_lite.modeling.pact import quantize

_IMAGE_CHANNELS = 3


class OCRModel(nn.Layer):
    """Backbone, neck (or none), head.

    Args:
        backbone: Image → features.
        neck: Features → features; None to pass them on.
        head: Features → results.
        return_all_feats: In training, return the result of each part as well.

    Attributes:
        takes_targets: Whether the head wants the batch in training.
        one_at_a_time: Whether an exported network takes one image at a time.

    Shape:
        forward: (N, 3, H, W) → what the loss reads, by name, as the head returns it; in training with
            *return_all_feats* also ``backbone_out``, ``neck_out`` and ``head_out``, the first tensor of the head.
        predict: (N, 3, H, W) → what prediction reads, by name: det ``maps`` (N, 1, H, W), or ``regions`` (N, D, 5 + M²)
            of a two-stage detector, rec ``probabilities``
            (N, T, C), cls ``probabilities`` (N, C).
    """

    def __init__(
        self, backbone: nn.Layer, neck: nn.Layer | None, head: nn.Layer, return_all_feats: bool = False
    ) -> None:
        super().__init__()
        self.backbone, self.neck, self.head = backbone, neck, head
        self.return_all_feats = return_all_feats
        self.takes_targets = bool(getattr(head, "takes_targets", False))
        self.one_at_a_time = bool(getattr(head, "one_at_a_time", False))

    def forward(self, x: nn.Tensor, targets: Mapping[str, nn.Tensor] | None = None) -> dict[str, Any]:
        """See *Shape* of the class; *targets* is the batch, for a head that takes it."""
        features = self.backbone(x)
        encoded = self.neck(features) if self.neck is not None else features
        outputs: dict[str, Any] = self.head(encoded, targets) if self.takes_targets else self.head(encoded)
        if not (self.training and self.return_all_feats):
            return outputs
        return outputs | {
            "backbone_out": features,
            "neck_out": encoded,
            "head_out": next(iter(outputs.values())),
        }

    def predict(self, x: nn.Tensor) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        features = self.backbone(x)
        return self.head.predict(self.neck(features) if self.neck is not None else features)


def fuse(network: nn.Layer) -> int:
    """Let every layer within that has a method ``fuse`` join its branches; return how many did.

    Training may want several branches where one convolution computes the same: a layer says in ``fuse`` how they
    become one. Export calls this, in evaluation mode; the network cannot be trained afterwards.
    """
    able = [layer for layer in network.sublayers() if hasattr(layer, "fuse")]
    for layer in able:
        layer.fuse()
    return len(able)


def build_model(
    architecture: Mapping[str, Any], num_classes: int | None = None
) -> OCRModel | OnnxNetwork | DistillationModel:
    """Build the network that an Architecture section describes.

    Args:
        architecture: The section as a mapping, e.g. ``{"model_type": "det", "Backbone": {"name": "ResNet"}, …}``,
            ``{"model_type": "rec", "Network": {"name": "OnnxNetwork", …}}``, or
            ``{"name": "DistillationModel", "Models": {name: section, …}}``. Not modified.
        num_classes: Classes of the head where they follow from the dictionary: characters plus one.

    Returns:
        The network in training mode.

    Raises:
        ConfigError: On an unknown, missing or ill-typed key, class or argument; names its path.
    """
    checked = check_architecture(
        architecture, {"backbone": BACKBONES, "neck": NECKS, "head": HEADS, "network": NETWORKS}
    )
    if "Models" not in checked:
        return _build_network(checked, num_classes, "Architecture")
    sections: dict[str, Any] = checked["Models"]
    models = {name: _build_network(node, num_classes, f"Architecture.Models.{name}") for name, node in sections.items()}
    frozen = [name for name, section in sections.items() if section.get("freeze_params")]
    pretrained = {name: section["pretrained"] for name, section in sections.items() if section.get("pretrained")}
    return DistillationModel(models, frozen, pretrained)


def _build_network(architecture: Mapping[str, Any], num_classes: int | None, path: str) -> OCRModel | OnnxNetwork:
    """Build one network of a checked section."""
    family = str(architecture["model_type"])
    if architecture.get("Network"):
        network = NETWORKS.build(architecture["Network"], num_classes=num_classes, model_type=family)
        return _quantized(network, architecture)
    like = "det" if FEATURES[family] == "maps" else family
    backbone = BACKBONES.build(architecture["Backbone"], in_channels=_IMAGE_CHANNELS, model_type=like)
    neck = None
    if architecture["Neck"]:
        neck = NECKS.build(architecture["Neck"], in_channels=backbone.out_channels)
    name = architecture["Head"]["name"]
    if num_classes is None and needs_classes(HEADS.get(name)):
        raise ConfigError(f"{path}.Head: {name} needs num_classes, the characters of the dictionary plus one.")
    head = HEADS.build(architecture["Head"], in_channels=(neck or backbone).out_channels, num_classes=num_classes)
    model = OCRModel(backbone, neck, head, bool(architecture.get("return_all_feats", False)))
    if architecture.get("init") is not None:
        initialize(model, Initialization(**architecture["init"]), f"{path}.init")
    return _quantized(model, architecture)


def _quantized(network: Any, architecture: Mapping[str, Any]) -> Any:
    """Return *network* as the section asks for it: in float, or ready to train for 8-bit integers."""
    if architecture.get("quant") is not None:
        _check_branches(network)
        quantize(network, Quantization(**architecture["quant"]))
    return network


def _check_branches(network: Any) -> None:
    """Check that a network can be trained for integers.

    Raises:
        ConfigError: If a layer becomes another at export: what was rounded in training would not be what is exported.
    """
    able = next((layer for layer in network.sublayers() if hasattr(layer, "fuse")), None)
    if able is not None:
        raise ConfigError(
            f"Architecture.quant: a {type(able).__name__} joins its branches at export and cannot be trained for "
            "integers. Remove quant, or choose a backbone and a neck without branches."
        )
