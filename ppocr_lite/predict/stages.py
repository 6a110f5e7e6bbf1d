"""A model folder → a stage that is ready to run."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ppocr_lite.charset import Charset, read_list
from ppocr_lite.config.check import check_component
from ppocr_lite.config.validate import check_transforms
from ppocr_lite.errors import ModelError
from ppocr_lite.postprocess import POSTPROCESSES
from ppocr_lite.predict.batches import FINE_WIDTHS, WIDTHS
from ppocr_lite.predict.bundle import DESCRIPTION, Bundle, ModelType, read_bundle
from ppocr_lite.predict.bundle.official import NO_SETTINGS, Settings, fit_characters
from ppocr_lite.predict.classifier import TextClassifier
from ppocr_lite.predict.detector import TextDetector
from ppocr_lite.predict.recognizer import TextRecognizer
from ppocr_lite.predict.runner import Engine, EngineError, EngineRunner, load_runner
from ppocr_lite.transforms import TRANSFORMS
from ppocr_lite.transforms.base import Compose
from ppocr_lite.transforms.resize import Resize

STANDARD_WIDTH = 320  # of a line, pixels
S = TypeVar("S", TextDetector, TextClassifier, TextRecognizer)


def load_detector(
    model: Path | str,
    engine: Engine = "auto",
    device: str = "cpu",
    threads: int = 1,
    resize: Mapping[str, Any] | None = None,
    postprocess: Mapping[str, Any] | None = None,
    settings: Settings = NO_SETTINGS,
    runner: EngineRunner | None = None,
) -> TextDetector:
    """Load a detector.

    Args:
        model: Exported folder, or ONNX file.
        engine: What runs the network.
        device: ``"cpu"`` or ``"gpu:<number>"``.
        threads: CPU threads of one run.
        resize: Arguments of the resize to use instead of the folder's; None among them keeps the folder's.
        postprocess: The same for the post-processing.
        settings: What its model set says of a network that has no description of its own.
        runner: The network, if another stage has loaded it from the same place.

    Raises:
        ModelError: If the folder is not a detector, or its parts do not fit each other.
        ConfigError: If an argument is wrong.
    """
    bundle = adapt(_read(model, "det", settings), resize or {}, postprocess or {})
    shape = (1, 3, 64, 64) if min(bundle.input.shape[2:]) < 0 else (1, 3, *bundle.input.shape[2:])
    last = bundle.build_postprocess()
    wanted: tuple[int, ...] | None = (1, 1, *shape[2:])
    if hasattr(last, "output_shape"):
        wanted = last.output_shape(shape[2:])
    runner, output = _start(bundle, shape, engine, device, threads, 4 if wanted is None else len(wanted), runner)
    if wanted is not None and output.shape != wanted:
        what = "a map as large as its input" if wanted == (1, 1, *shape[2:]) else f"{wanted} for an input of {shape}"
        raise ModelError(f"{bundle.source}: a detector returns {what}. Received: {output.shape}")
    return TextDetector(runner, bundle.build_preprocess(), last)


def load_classifier(
    model: Path | str,
    engine: Engine = "auto",
    device: str = "cpu",
    threads: int = 1,
    batch_size: int = 6,
    settings: Settings = NO_SETTINGS,
    runner: EngineRunner | None = None,
) -> TextClassifier:
    """Load an orientation classifier; arguments and errors as for :func:`load_detector`."""
    bundle = _read(model, "cls", settings)
    preprocess, postprocess = bundle.build_preprocess(), bundle.build_postprocess()
    runner, output = _start(bundle, _shape_of_line(preprocess), engine, device, threads, 2, runner)
    if output.shape != (1, len(postprocess.angles)):
        raise ModelError(
            f"{bundle.source}: PostProcess has {len(postprocess.angles)} labels, the network returns {output.shape}."
        )
    return TextClassifier(runner, preprocess, postprocess, batch_size, bundle.reading)


def load_recognizer(
    model: Path | str,
    engine: Engine = "auto",
    device: str = "cpu",
    threads: int = 1,
    batch_size: int = 6,
    resize: Mapping[str, Any] | None = None,
    dictionary: Path | str | None = None,
    drop_score: float | None = None,
    settings: Settings = NO_SETTINGS,
    runner: EngineRunner | None = None,
) -> TextRecognizer:
    """Load a recogniser; arguments and errors as for :func:`load_detector`.

    Args:
        model: Exported folder, or ONNX file.
        engine: What runs the network.
        device: ``"cpu"`` or ``"gpu:<number>"``.
        threads: CPU threads of one run.
        batch_size: Lines per run.
        resize: Arguments of the resize to use instead of the folder's.
        dictionary: File of characters to use instead of the folder's.
        drop_score: Least score of a text that is worth showing, instead of the folder's.
        settings: What its model set says of a network that has no description of its own.
        runner: The network, if another stage has loaded it from the same place.
    """
    bundle = _read(model, "rec", settings)
    if dictionary is not None:
        bundle = _with_dictionary(bundle, dictionary)
    if bundle.characters is None:
        raise ModelError(
            f"{bundle.source} holds no list of characters. Give its dictionary: rec_char_dict_path=<file>."
        )
    line = dict(resize or {})
    if not bundle.height_known and line.get("image_shape") is None:
        line["image_shape"] = (3, _ask_height(bundle, engine, device, threads), STANDARD_WIDTH)
    listed, bundle = bundle.characters, adapt(bundle, line, {"drop_score": drop_score})
    preprocess = bundle.build_preprocess()
    width = bundle.input.shape[3]
    shape = _shape_of_line(preprocess)
    shape = shape if width < 0 else (*shape[:3], width)
    runner, output = _start(bundle, shape, engine, device, threads, 3, runner)
    if output.ndim != 3:
        raise ModelError(f"{bundle.source}: a recogniser returns (N, T, classes). Received: {output.shape}")
    spaceless = bundle.foreign or (dictionary is not None and " " not in listed)
    source = bundle.dictionary or str(bundle.folder / DESCRIPTION)
    characters = fit_characters(listed, output.shape[2], source, str(bundle.source), add_space=spaceless)
    postprocess = dataclasses.replace(bundle, characters=characters).build_postprocess()
    widths: Sequence[int] = (width,)
    if width < 0:  # engines but ONNX Runtime prepare for every width, and small networks gain by batches
        widths = FINE_WIDTHS if bundle.foreign and runner.engine == "onnxruntime" else WIDTHS
    workers = threads if device == "cpu" else 1
    return TextRecognizer(runner, preprocess, postprocess, batch_size, widths, bundle.reading, workers)


def _with_dictionary(bundle: Bundle, dictionary: Path | str) -> Bundle:
    """Return *bundle* with the characters of another file."""
    if bundle.foreign:
        characters = tuple(read_list(dictionary))
    else:
        characters = Charset.load(dictionary, use_space_char=False).characters
    return dataclasses.replace(bundle, characters=characters, dictionary=str(dictionary))


def _ask_height(bundle: Bundle, engine: Engine, device: str, threads: int) -> int:
    """Return the height at which a recogniser reads that takes any, by how densely it looks along a line.

    Those that take a step every four pixels (CRNN, as up to PP-OCRv2) were trained on lines of 32 pixels, those that
    take one every eight (PP-OCRv3 and later) on lines of 48. Many run at either height, and at the wrong one they
    return nonsense without an error.

    Raises:
        ModelError: If it runs at neither.
    """
    tall, low = ((1, 3, height, STANDARD_WIDTH) for height in (48, 32))
    try:
        runner = load_runner(bundle, engine, device, threads, tall)
    except ModelError:
        load_runner(bundle, engine, device, threads, low)
        return low[2]
    try:
        steps = max(
            output.shape[1] for output in runner.run_all(np.zeros(low, np.float32)).values() if output.ndim == 3
        )
    except (EngineError, ValueError):  # it does not run at that height, or returns something else
        return tall[2]
    return low[2] if steps > STANDARD_WIDTH / 6 else tall[2]


def on_one_thread(stage: S) -> S:
    """Return the same stage with its network on one CPU thread: for callers that run several at once."""
    other = copy.copy(stage)
    other.runner = stage.runner.on_one_thread()
    if isinstance(other, TextRecognizer):
        other.workers = 1
    return other


def adapt(bundle: Bundle, resize: Mapping[str, Any], postprocess: Mapping[str, Any]) -> Bundle:
    """Return *bundle* with arguments of its resize and its post-processing replaced, checked like the file itself.

    Args:
        bundle: What the folder says.
        resize: Arguments of the resize; those that are None are left as they are.
        postprocess: Arguments of the post-processing, likewise.

    Raises:
        ConfigError: If an argument is unknown or of the wrong type.
    """
    new_resize = {k: v for k, v in resize.items() if v is not None}
    new_postprocess = {k: v for k, v in postprocess.items() if v is not None}
    fixed = {"image_shape"} if new_resize.keys() & {"limit_side_len", "limit_type"} else set()
    items = []
    for node in bundle.transforms:
        arguments = {k: v for k, v in node.items() if k != "name"}
        if new_resize and issubclass(TRANSFORMS.get(node["name"]), Resize):
            arguments = {k: v for k, v in arguments.items() if k not in fixed} | new_resize
        items.append({node["name"]: arguments})
    return dataclasses.replace(
        bundle,
        transforms=tuple(check_transforms(items, TRANSFORMS, "OCR")),
        postprocess=check_component(POSTPROCESSES, bundle.postprocess | new_postprocess, "OCR"),
    )


def _read(model: Path | str, wanted: ModelType, settings: Settings) -> Bundle:
    bundle = read_bundle(model, wanted, settings)
    if bundle.model_type != wanted:
        raise ModelError(f"{model} is a {bundle.model_type} model, but a {wanted} model is needed here.")
    return bundle


def _shape_of_line(preprocess: Compose) -> tuple[int, ...]:
    """Return the shape of a batch of one short line."""
    return 1, *preprocess({"image": np.full((32, 64, 3), 255, np.uint8)})["image"].shape


def _start(
    bundle: Bundle,
    shape: tuple[int, ...],
    engine: Engine,
    device: str,
    threads: int,
    rank: int,
    runner: EngineRunner | None = None,
) -> tuple[EngineRunner, NDArray[np.float32]]:
    """Load a network, unless one is given, and run it on an empty image of that shape.

    The first run of a shape is slow anyway. Of several outputs that one is chosen, and returned, that has *rank* sides.
    """
    fixed = (-1, -1, *bundle.input.shape[2:])  # one channel and one image at a time are seen to by the runner
    if len(fixed) != len(shape) or any(side not in (-1, given) for side, given in zip(fixed, shape, strict=True)):
        raise ModelError(
            f"{bundle.source}: the network does not take an input of {shape}, only of {bundle.input.shape}, where -1 "
            "may vary. Resize to what it was trained on."
        )
    runner = runner or load_runner(bundle, engine, device, threads, shape)
    outputs = runner.run_all(np.zeros(shape, np.float32))
    fitting = [index for index, output in enumerate(outputs.values()) if output.ndim == rank]
    if len(fitting) > 1 and bundle.foreign:
        shapes = ", ".join(f"{name} {output.shape}" for name, output in outputs.items())
        raise ModelError(
            f"{bundle.source} returns several things that could be what is needed: {shapes}. Export it with that one."
        )
    runner.chosen = fitting[0] if fitting else 0
    return runner, list(outputs.values())[runner.chosen]
