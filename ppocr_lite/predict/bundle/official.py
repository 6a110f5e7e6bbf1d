"""Networks that PaddleOCR and PaddleX publish, as a :class:`~ppocr_lite.predict.bundle.Bundle`.

A folder holds ``inference.pdmodel`` or ``inference.json``, ``inference.pdiparams``, and, of later exports, an
``inference.yml`` of their own layout: ``PreProcess.transform_ops`` and ``PostProcess``. Of an ONNX file, as others
convert it, there is only the network, and perhaps the dictionary in its metadata. What is not said is as PaddleOCR 2.x
applies it to all of its mobile models:

- det: the longer side at most 960 pixels, ImageNet mean and deviation, thresholds 0.3 and 0.6, unclip ratio 1.5;
- cls: lines of 48 × 192, labels 0 and 180; lines of 80 × 160 as PP-LCNet takes them, stretched;
- rec: lines of the height that the network declares (32 in PP-OCRv2, 48 since), as wide as their text asks for; the
  characters come with ``rec_char_dict_path=``, from the metadata or from a file beside, and whether the space is one
  more is known by the number of classes.

A model set (:mod:`ppocr_lite.predict.models`) says otherwise with :class:`Settings`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ppocr_lite.charset import read_list
from ppocr_lite.config.check import check_component, convert
from ppocr_lite.config.distillation import PREFIX
from ppocr_lite.config.reading import FIELDS, check_reading
from ppocr_lite.config.validate import check_transforms
from ppocr_lite.errors import ConfigError, ModelError, suggest
from ppocr_lite.postprocess import POSTPROCESSES
from ppocr_lite.predict.bundle.network_file import FLOAT, NetworkFile
from ppocr_lite.transforms import TRANSFORMS

log = logging.getLogger(__name__)

LIMIT = {"limit_side_len": 960, "limit_type": "max"}
LINE_ORIENTATION = (80, 160)  # height and width of PP-LCNet_x*_textline_ori, which came with PP-OCRv5
PREPROCESS: dict[str, list[dict[str, Any]]] = {
    "det": [{"DetResizeForTest": None}, {"NormalizeImage": {}}, {"ToCHWImage": None}],
    "cls": [{"ClsResizeImg": {"image_shape": [3, 48, 192]}}],
    "rec": [{"RecResizeImg": {"image_shape": [3, 48, 320]}}],
}
STRETCHED = [{"ResizeImage": {"size": [160, 80]}}, {"NormalizeImage": {}}, {"ToCHWImage": None}]
POSTPROCESS = {"det": "DBPostProcess", "cls": "ClsPostProcess", "rec": "CTCLabelDecode"}
WITHOUT_EFFECT = ("DetLabelEncode", "ClsLabelEncode", "CTCLabelEncode", "MultiLabelEncode", "KeepKeys")
KNOWN = ("DecodeImage", "DetResizeForTest", "NormalizeImage", "ToCHWImage", "RecResizeImg", "ClsResizeImg")
LINES = {"RecResizeImg": [3, 48, 320], "ClsResizeImg": [3, 48, 192]}
UNSQUEEZED = {"RecResizeImg": {"squeeze": False}}
NORMALIZE = ("scale", "mean", "std", "order")
BOXES = ("thresh", "box_thresh", "max_candidates", "unclip_ratio", "use_dilation", "score_mode", "box_type")
NAMES = {"det": "a detector", "cls": "an orientation classifier", "rec": "a recogniser"}
RANKS = {4: "det", 3: "rec", 2: "cls"}  # sides of what a network returns → what it is
CHARACTERS = "character"  # the key of an ONNX file's metadata under which RapidOCR keeps the dictionary
BLANK_LINE = "blank"
SUFFIX = ".txt"
# characters → the dictionary of that length that PaddleOCR publishes, without the space
PUBLISHED = {
    95: "en_dict.txt (PP-OCRv3 and v4, English)",
    6623: "ppocr_keys_v1.txt (Chinese, up to PP-OCRv4)",
    18383: "ppocrv5_dict.txt (PP-OCRv5)",
    18708: "ppocrv6_dict.txt (PP-OCRv6 small and medium)",
}


@dataclass(frozen=True)
class Settings:
    """What is said of networks whose files do not say it.

    Attributes:
        resize: Arguments of DetResizeForTest.
        boxes: Arguments of DBPostProcess.
        reading: Fields of :class:`~ppocr_lite.config.reading.ReadingPolicy`.
        drop_score: Least score of a text that is worth showing; None for that of CTCLabelDecode.
        dictionary: File with the characters of the recogniser, if its network does not hold them.
    """

    resize: Mapping[str, Any] = field(default_factory=lambda: LIMIT)
    boxes: Mapping[str, Any] = field(default_factory=dict)
    reading: Mapping[str, Any] = field(default_factory=dict)
    drop_score: float | None = None
    dictionary: Path | None = None


NO_SETTINGS = Settings()


@dataclass(frozen=True)
class Listed:
    """The characters of a recogniser.

    Attributes:
        characters: In order, without the blank; perhaps without the space.
        source: Where they come from, for messages.
    """

    characters: tuple[str, ...]
    source: str


def is_official(node: Any) -> bool:
    """Say whether the contents of an ``inference.yml`` are laid out as PaddleOCR and PaddleX do."""
    return isinstance(node, dict) and isinstance(node.get("PreProcess"), dict) and "transform_ops" in node["PreProcess"]


def family(node: Mapping[str, Any]) -> str | None:
    """Return ``"det"``, ``"cls"`` or ``"rec"`` by the post-processing that the file names, None if it names none."""
    after = node.get("PostProcess") or {}
    if isinstance(after.get("Topk"), dict):  # as PaddleClas says it
        return "cls"
    name = str(after.get("name", "")).removeprefix(PREFIX)
    return next((model_type for model_type, ours in POSTPROCESS.items() if ours == name), None)


def named(model_type: str | None) -> str:
    """Return what a family is called in messages, such as ``"a detector"``."""
    return NAMES.get(model_type or "", "a detector, classifier or recogniser")


def kinds(network: NetworkFile) -> set[str]:
    """Return what a network can be by what it declares to return; empty if that says nothing."""
    if CHARACTERS in network.metadata:
        return {"rec"}
    return {RANKS[len(sides)] for sides in network.outputs.values() if len(sides) in RANKS}


def check_kind(source: Path, network: NetworkFile, wanted: str | None) -> str:
    """Return what a network is used as.

    Args:
        source: Its file or folder, for messages.
        network: What it declares.
        wanted: What it is to be used as; None if nobody said.

    Raises:
        ModelError: If it does not take images of float32, or is something else than *wanted*, or nobody says what.
    """
    if len(network.shape) != 4:
        raise ModelError(f"{source}: a network for images takes (N, 3, H, W). This one takes {network.shape}.")
    if network.shape[1] not in (-1, 1, 3):
        layout = " Its channels stand last; convert it so that they come first." if network.shape[3] in (1, 3) else ""
        raise ModelError(f"{source}: a network for images takes (N, 3, H, W). This one takes {network.shape}.{layout}")
    if network.dtype != FLOAT:
        raise ModelError(
            f"{source} takes numbers of ONNX type {network.dtype}, not float32 (type 1). Export it with float32 inputs."
        )
    can_be = kinds(network)
    if wanted is None:
        if len(can_be) != 1:
            raise ModelError(
                f"{source} does not say what it is: give it to OCR() as det_model=, cls_model= or rec_model=."
            )
        return can_be.pop()
    if can_be and wanted not in can_be:
        returned = ", ".join(f"{name} {sides}" for name, sides in network.outputs.items())
        found = " or ".join(sorted(named(kind) for kind in can_be))
        raise ModelError(f"{source} is {found} (it returns {returned}), but {named(wanted)} is needed here.")
    return wanted


def find_characters(folder: Path, file: Path | None, network: NetworkFile, settings: Settings) -> Listed | None:
    """Return the characters that go with a recogniser: of the set, of its metadata, or of a file beside.

    Of several text files beside, those count that have the length that the network asks for, or its name.

    Args:
        folder: Where the network lies.
        file: The network, if it was given by itself.
        network: What it declares.
        settings: What its set says.

    Raises:
        ConfigError: If the dictionary of the set is not one.
    """
    if settings.dictionary is not None:
        return Listed(tuple(read_list(settings.dictionary)), str(settings.dictionary))
    if network.metadata.get(CHARACTERS):
        lines = [line.removesuffix("\r") for line in network.metadata[CHARACTERS].removesuffix("\n").split("\n")]
        return Listed(tuple(lines), f"{file or folder}, metadata {CHARACTERS!r}")
    classes = [sides[-1] for sides in network.outputs.values() if len(sides) == 3]
    beside = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            listed = Listed(tuple(read_list(path)), str(path))
        except ConfigError:
            continue  # some other text
        if file is not None and path.stem == file.stem:
            return listed
        if any(fitting(listed.characters, count, add_space=True) for count in classes):
            beside.append(listed)
    return beside[0] if len(beside) == 1 else None


def translate(
    node: Mapping[str, Any], model_type: str, shape: Sequence[int], settings: Settings, listed: Listed | None = None
) -> dict[str, Any]:
    """Return fields of a Bundle: transforms, postprocess, characters, reading and who says so.

    Args:
        node: Contents of their ``inference.yml``; empty for a network without one.
        model_type: What it is used as.
        shape: What the network takes, (N, C, H, W), -1 where it varies; a fixed height or width is kept to.
        settings: What is said where *node* says nothing.
        listed: The characters where *node* names none.

    Raises:
        ConfigError: If a step or the post-processing is of a kind that is not known, or a value of a wrong type.
    """
    said = (node.get("PreProcess") or {}).get("transform_ops")
    steps = said or (
        STRETCHED if model_type == "cls" and tuple(shape[2:]) == LINE_ORIENTATION else PREPROCESS[model_type]
    )
    if not isinstance(steps, list):
        raise ConfigError(f"PreProcess.transform_ops must be a list. Received: {steps!r}")
    items = [
        item for index, step in enumerate(steps) for item in _step(step, f"PreProcess.transform_ops[{index}]", settings)
    ]
    characters = (node.get("PostProcess") or {}).get("character_dict")
    if characters is not None:
        listed = Listed(convert(characters, tuple[str, ...], "PostProcess.character_dict"), "")
    reading = {name: value for name, value in settings.reading.items() if name in FIELDS[model_type]}
    return {
        "transforms": tuple(_fit(item, shape) for item in check_transforms(items, TRANSFORMS, "PreProcess")),
        "postprocess": _postprocess(node, model_type, settings),
        "characters": listed.characters if listed else None,
        "dictionary": listed.source if listed else "",
        "reading": check_reading(reading, model_type),
        "created_by": str((node.get("Global") or {}).get("model_name") or "PaddleOCR"),
        "height_known": model_type != "rec" or said is not None or shape[2] > 0,
    }


def _postprocess(node: Mapping[str, Any], model_type: str, settings: Settings) -> dict[str, Any]:
    """Return the checked post-processing of one of theirs."""
    after = node.get("PostProcess") or {"name": POSTPROCESS[model_type]} | dict(settings.boxes)
    if family({"PostProcess": after}) != model_type:
        raise ConfigError(
            f"PostProcess is for something else than {model_type}, or of a kind that is not known: "
            f"{after.get('name', sorted(after))!r}. A {model_type} model has {POSTPROCESS[model_type]}."
        )
    if "Topk" in after:
        labels = convert(after["Topk"].get("label_list"), list[str], "PostProcess.Topk.label_list")
        after = {"label_list": [label.removesuffix("_degree") for label in labels]}
    arguments = {"det": BOXES, "cls": ("label_list",), "rec": ()}[model_type]
    chosen = {key: after[key] for key in arguments if after.get(key) is not None}
    if model_type == "rec" and settings.drop_score is not None:
        chosen["drop_score"] = settings.drop_score
    return check_component(POSTPROCESSES, {"name": POSTPROCESS[model_type], **chosen}, "PostProcess")


def fitting(characters: Sequence[str], classes: int, add_space: bool) -> tuple[str, ...] | None:
    """Return the characters as that many classes ask for, the blank among them; None if nothing fits.

    As they are; or without a first line ``blank``; or either with the space at the end.
    """
    lists = [tuple(characters)]
    if characters and characters[0] == BLANK_LINE:
        lists.append(tuple(characters[1:]))
    lists += [(*some, " ") for some in lists if add_space]
    return next((some for some in lists if len(some) + 1 == classes), None)


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
    fits = fitting(characters, classes, add_space)
    if fits is None:
        published = PUBLISHED.get(classes - 2) or PUBLISHED.get(classes - 1)
        raise ModelError(
            f"{source}: there are {len(characters)} characters, but the network in {network} has {classes - 1}"
            f"{', or one less and the space' if add_space else ''} (it returns {classes} classes, the blank among "
            f"them). Give the dictionary that it was trained with as rec_char_dict_path=."
            f"{f' Of the published ones {published} has that length.' if published else ''}"
        )
    if len(fits) > len(characters):
        log.info("%s: the network in %s has one class more, which is the space.", source, network)
    return fits


def _step(step: Any, path: str, settings: Settings) -> list[dict[str, Any]]:
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
        return [{name: _limits(arguments, settings)}]
    if name == "NormalizeImage":
        return [{name: {key: value for key, value in arguments.items() if key in NORMALIZE and value != ""}}]
    if name in LINES:
        return [{name: {"image_shape": arguments.get("image_shape", LINES[name]), **UNSQUEEZED.get(name, {})}}]
    if name == "ResizeImage" and "size" in arguments:
        return [{name: {"size": arguments["size"]}}, {"ReverseChannels": None}]  # PaddleClas works on RGB
    if name == "ToCHWImage":
        return [{name: None}]
    raise ConfigError(f"{path}: a step {name!r} is not known.{suggest(str(name), KNOWN)}")


def _limits(arguments: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the limits of a page; ``resize_long`` means the same as a maximum, as PaddleOCR applies it."""
    if arguments.get("image_shape"):
        return {"image_shape": arguments["image_shape"]}
    if arguments.get("resize_long"):
        return {"limit_side_len": arguments["resize_long"], "limit_type": "max"}
    if arguments.get("limit_side_len"):
        return {key: arguments[key] for key in LIMIT if arguments.get(key) is not None}
    return dict(settings.resize)


def _fit(node: dict[str, Any], shape: Sequence[int]) -> dict[str, Any]:
    """Return a checked resize with the sides that the network has fixed."""
    height, width = shape[2:]
    if node["name"] == "DetResizeForTest" and height > 0 and width > 0:
        return node | {"image_shape": (height, width), "keep_ratio": True}
    if node["name"] not in ("RecResizeImg", "ClsResizeImg"):
        return node
    channels, usual_height, usual_width = node["image_shape"]
    sides = (channels, height if height > 0 else usual_height, width if width > 0 else usual_width)
    squeeze = {"squeeze": True} if node["name"] == "RecResizeImg" and width > 0 else {}
    return node | {"image_shape": sides} | squeeze
