"""Model folders that PaddleOCR and PaddleX export, as a :class:`~ppocr_lite.predict.bundle.Bundle`.

They hold ``inference.pdmodel`` or ``inference.json``, ``inference.pdiparams``, and, of later exports, an
``inference.yml`` of their own layout: ``PreProcess.transform_ops`` and ``PostProcess``. What a folder does not say is
as PaddleOCR 2.x applies it to all of its mobile models:

- det: the longer side at most 960 pixels, ImageNet mean and deviation, thresholds 0.3 and 0.6, unclip ratio 1.5;
- cls: lines of 48 × 192, labels 0 and 180;
- rec: lines of the height that the network declares (32 in PP-OCRv2, 48 since), as wide as their text asks for; the
  characters come with ``rec_char_dict_path=``, and whether the space is one more is known by the number of classes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ppocr_lite.config.check import check_component, convert
from ppocr_lite.config.distillation import PREFIX
from ppocr_lite.config.validate import check_transforms
from ppocr_lite.errors import ConfigError, ModelError, suggest
from ppocr_lite.postprocess import POSTPROCESSES
from ppocr_lite.transforms import TRANSFORMS

log = logging.getLogger(__name__)

LIMIT = {"limit_side_len": 960, "limit_type": "max"}
PREPROCESS: dict[str, list[dict[str, Any]]] = {
    "det": [{"DetResizeForTest": None}, {"NormalizeImage": {}}, {"ToCHWImage": None}],
    "cls": [{"ClsResizeImg": {"image_shape": [3, 48, 192]}}],
    "rec": [{"RecResizeImg": {"image_shape": [3, 48, 320]}}],
}
POSTPROCESS = {"det": "DBPostProcess", "cls": "ClsPostProcess", "rec": "CTCLabelDecode"}
WITHOUT_EFFECT = ("DetLabelEncode", "ClsLabelEncode", "CTCLabelEncode", "MultiLabelEncode", "KeepKeys")
KNOWN = ("DecodeImage", "DetResizeForTest", "NormalizeImage", "ToCHWImage", "RecResizeImg", "ClsResizeImg")
NORMALIZE = ("scale", "mean", "std", "order")
BOXES = ("thresh", "box_thresh", "max_candidates", "unclip_ratio", "use_dilation", "score_mode", "box_type")


def is_official(node: Any) -> bool:
    """Say whether the contents of an ``inference.yml`` are laid out as PaddleOCR and PaddleX do."""
    return isinstance(node, dict) and isinstance(node.get("PreProcess"), dict) and "transform_ops" in node["PreProcess"]


def family(node: Mapping[str, Any]) -> str | None:
    """Return ``"det"``, ``"cls"`` or ``"rec"`` by the post-processing that the file names, None if it names none."""
    name = str((node.get("PostProcess") or {}).get("name", "")).removeprefix(PREFIX)
    return next((model_type for model_type, ours in POSTPROCESS.items() if ours == name), None)


def translate(node: Mapping[str, Any], model_type: str, shape: Sequence[int]) -> dict[str, Any]:
    """Return fields of a Bundle: transforms, postprocess, characters, created_by.

    Args:
        node: Contents of their ``inference.yml``; empty for a folder without one.
        model_type: What the folder is used as.
        shape: What the network takes, (N, 3, H, W), -1 where it varies; a fixed height or width is kept to.

    Raises:
        ConfigError: If a step or the post-processing is of a kind that is not known, or a value of a wrong type.
    """
    steps = (node.get("PreProcess") or {}).get("transform_ops") or PREPROCESS[model_type]
    if not isinstance(steps, list):
        raise ConfigError(f"PreProcess.transform_ops must be a list. Received: {steps!r}")
    items = [item for index, step in enumerate(steps) for item in _step(step, f"PreProcess.transform_ops[{index}]")]
    after = node.get("PostProcess") or {"name": POSTPROCESS[model_type]}
    if family({"PostProcess": after}) != model_type:
        raise ConfigError(
            f"PostProcess is for something else than {model_type}, or of a kind that is not known: "
            f"{after.get('name', sorted(after))!r}. A {model_type} model has {POSTPROCESS[model_type]}."
        )
    arguments = {"det": BOXES, "cls": ("label_list",), "rec": ()}[model_type]
    chosen = {key: after[key] for key in arguments if after.get(key) is not None}
    characters = after.get("character_dict")
    if characters is not None:
        characters = convert(characters, tuple[str, ...], "PostProcess.character_dict")
    return {
        "transforms": tuple(_fit(node, shape) for node in check_transforms(items, TRANSFORMS, "PreProcess")),
        "postprocess": check_component(POSTPROCESSES, {"name": POSTPROCESS[model_type], **chosen}, "PostProcess"),
        "characters": characters,
        "created_by": str((node.get("Global") or {}).get("model_name") or "PaddleOCR"),
    }


def fit_characters(
    characters: Sequence[str], classes: int, source: str, network: str, add_space: bool
) -> tuple[str, ...]:
    """Return the characters with or without a space at the end, as the number of classes asks for.

    Args:
        characters: The dictionary, in order; published ones may repeat a character.
        classes: Classes that the network returns; the first is the blank.
        source: Where the characters come from, for messages.
        network: Where the network is, for messages.
        add_space: Whether a space may be missing at the end.

    Raises:
        ModelError: If neither fits; says what would.
    """
    if classes == len(characters) + 1:
        return tuple(characters)
    if add_space and classes == len(characters) + 2:
        log.info("%s: the network in %s has one class more, which is the space.", source, network)
        return (*characters, " ")
    raise ModelError(
        f"{source}: there are {len(characters)} characters, but the network in {network} has {classes - 1}"
        f"{', or one less and the space' if add_space else ''} (it returns {classes} classes, the blank among them). "
        "Give the dictionary that it was trained with as rec_char_dict_path=."
    )


def _step(step: Any, path: str) -> list[dict[str, Any]]:
    """Return our transform for one of theirs: a list of one, or of none if it has no effect here."""
    if not isinstance(step, dict) or len(step) != 1:
        raise ConfigError(f"{path} must be one 'Name: {{argument: value}}'. Received: {step!r}")
    name, given = next(iter(step.items()))
    arguments: dict[str, Any] = dict(given or {})
    if name in WITHOUT_EFFECT:
        return []
    if name == "DecodeImage":
        if arguments.get("img_mode", "BGR") != "BGR":
            raise ConfigError(f"{path}: images are BGR here. Received: img_mode {arguments['img_mode']!r}")
        return []
    if name == "DetResizeForTest":
        return [{name: _limits(arguments)}]
    if name == "NormalizeImage":
        return [{name: {key: value for key, value in arguments.items() if key in NORMALIZE and value != ""}}]
    if name == "RecResizeImg":
        return [{name: {"image_shape": arguments.get("image_shape", [3, 48, 320]), "squeeze": False}}]
    if name == "ClsResizeImg":
        return [{name: {"image_shape": arguments.get("image_shape", [3, 48, 192])}}]
    if name == "ToCHWImage":
        return [{name: None}]
    raise ConfigError(f"{path}: a step {name!r} is not known.{suggest(str(name), KNOWN)}")


def _limits(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits of a page; ``resize_long`` means the same as a maximum, as PaddleOCR applies it."""
    if arguments.get("image_shape"):
        return {"image_shape": arguments["image_shape"]}
    if arguments.get("resize_long"):
        return {"limit_side_len": arguments["resize_long"], "limit_type": "max"}
    if arguments.get("limit_side_len"):
        return {key: arguments[key] for key in LIMIT if arguments.get(key) is not None}
    return LIMIT


def _fit(node: dict[str, Any], shape: Sequence[int]) -> dict[str, Any]:
    """Return a checked resize with the sides that the network has fixed."""
    height, width = shape[2:]
    if node["name"] == "DetResizeForTest" and height > 0 and width > 0:
        return node | {"image_shape": (height, width)}
    if node["name"] not in ("RecResizeImg", "ClsResizeImg"):
        return node
    channels, usual_height, usual_width = node["image_shape"]
    sides = (channels, height if height > 0 else usual_height, width if width > 0 else usual_width)
    squeeze = {"squeeze": True} if node["name"] == "RecResizeImg" and width > 0 else {}
    return node | {"image_shape": sides} | squeeze
