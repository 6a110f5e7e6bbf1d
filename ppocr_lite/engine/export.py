"""A checkpoint → a folder that predicts without this package's training part."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
import logging
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from numpy.typing import NDArray

from ppocr_lite import nn
from ppocr_lite.config.schema import Config
from ppocr_lite.engine import checkpoint
from ppocr_lite.engine.build import chosen_network, load_charset, require
from ppocr_lite.engine.evaluate import split_transforms
from ppocr_lite.engine.graph_export import write_trained
from ppocr_lite.engine.half import half_weights, round_weights
from ppocr_lite.engine.open import weights_of
from ppocr_lite.errors import CheckpointError, ConfigError, ModelError
from ppocr_lite.families import family_of
from ppocr_lite.install import install_command
from ppocr_lite.modeling import OnnxNetwork, build_model, fuse
from ppocr_lite.modeling.pact import in_float, ranges_in_use
from ppocr_lite.predict.bundle import DESCRIPTION, ONNX, PROGRAMS, WEIGHTS, Bundle, TensorSpec, write_bundle
from ppocr_lite.predict.engines.paddle_inference import PaddleRunner
from ppocr_lite.predict.runner import Network, Runner, load_runner
from ppocr_lite.version import __version__

log = logging.getLogger(__name__)

TOLERANCE = 1e-4  # largest difference between the network and what was written
FAST_TOLERANCE = 1e-2  # an engine that reorders sums may differ this much in one place, TOLERANCE on average
INTEGER_TOLERANCE = 1e-2  # on average, where sums that lie between two steps may be rounded either way
INPUT = "x"
# Imported where model.onnx is written: they need the package onnx.
ONNX_GRAPH, ONNX_FOLD = "ppocr_lite.engine.onnx_graph", "ppocr_lite.engine.onnx_fold"
OPSET = 14  # the first with HardSwish
DEFORMABLE = "deformable_conv"  # how a Paddle network names that operator
DEFORMABLE_OPSET = 19  # the first with DeformConv
ROI_ALIGN = "roi_align"  # how a Paddle network names that operator
ROI_ALIGN_OPSET = 16  # the first in which it counts from the middle of pixels


def export_model(
    config: Config,
    weights: Path | None = None,
    folder: Path | None = None,
    onnx: bool | None = None,
    half: bool = False,
) -> Path:
    """Write a model folder.

    Args:
        config: A checked config with Architecture, Eval and PostProcess.
        weights: Checkpoint folder, run folder or weight file; by default Global.checkpoints, else
            Global.pretrained_model, else the best of Global.save_model_dir.
        folder: Where to; by default Global.save_inference_dir, else ``inference`` in Global.save_model_dir.
        onnx: Whether to write ``model.onnx`` too; None if paddle2onnx is installed, or for *half*.
        half: Whether both networks store their weights in half precision, and take half the bytes; they compute in
            float32.

    Returns:
        The folder. Of a distillation it holds the network that the metric watches; a quantised network
        (``Architecture.quant``) is there only as ``model.onnx``, in 8-bit integers.

    Raises:
        ConfigError: If a section is missing, or *folder* holds something else.
        CheckpointError: If the weights do not fit the network.
        ModelError: If what was written does not compute the same, or paddle2onnx is wanted and missing.
    """
    source = weights_of(config, weights)
    wanted = config.Global.save_inference_dir or Path(config.Global.save_model_dir) / "inference"
    folder = (folder or Path(wanted)).resolve()
    draft = _start_draft(folder)
    try:
        write_model(config, source, draft, onnx=onnx, half=half)
        _move_over(draft, folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be written: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    log.info("The model of %s is in %s.", source, folder)
    return folder


def write_model(config: Config, source: Path, draft: Path, *, onnx: bool | None, half: bool) -> None:
    """Write network and description into the empty folder *draft*; arguments and errors as for :func:`export_model`."""
    network = load_network(config, source)
    if half:
        round_weights(network)
    bundle = describe(config, draft, source)
    if getattr(network, "one_at_a_time", False):
        bundle = dataclasses.replace(bundle, input=TensorSpec(INPUT, (1, *bundle.input.shape[1:]), "float32"))
    sample = seeded_input(bundle)
    expected = predictions(network, sample)
    bundle = dataclasses.replace(bundle, outputs=tuple(sorted(expected)))  # in the order in which Paddle writes them
    fuse_branches(network, expected, sample)
    ranges = ranges_in_use(network, paddle.to_tensor(sample))
    spec = [paddle.static.InputSpec([None if n < 0 else n for n in bundle.input.shape], "float32", name=INPUT)]
    with in_float(network):
        write_program(network, bundle, spec)
        write_bundle(bundle)
        check_same(network, bundle, PaddleRunner(bundle, onednn=False), TOLERANCE)
        check_same(network, bundle, PaddleRunner(bundle), FAST_TOLERANCE)
        if ranges or half or onnx or (onnx is None and can_write_onnx(network)):
            ranges = write_onnx_of(network, bundle, ranges)
            if importlib.util.find_spec("onnxruntime"):
                check_same(network, bundle, load_runner(bundle, "onnxruntime"), FAST_TOLERANCE)
    if ranges:
        write_integers(bundle, ranges)
    if half:
        write_half(bundle)
        if not ranges:
            with half_weights(network):
                write_program(network, bundle, spec)
            check_same(network, bundle, PaddleRunner(bundle), FAST_TOLERANCE)
    if (ranges or half) and importlib.util.find_spec("onnxruntime"):
        limits = (1.0, INTEGER_TOLERANCE) if ranges else (FAST_TOLERANCE, TOLERANCE)
        check_same(network, bundle, load_runner(bundle, "onnxruntime"), *limits)
    write_bundle(bundle)  # again, for it lists the files


def describe(config: Config, folder: Path, source: Path) -> Bundle:
    """Return what ``inference.yml`` will say: the Eval transforms without labels, PostProcess and Reading.

    Args:
        config: The config of the run.
        folder: Where the network is.
        source: Where its weights come from; a checkpoint also knows its metrics.
    """
    _, transforms = split_transforms(require(config.Eval, "Eval").transforms)
    charset = load_charset(config)
    return Bundle(
        folder=folder,
        model_type=config.model_type,
        transforms=tuple(transforms),
        postprocess=require(config.PostProcess, "PostProcess"),
        characters=charset.characters if charset else None,
        reading=config.Reading,
        metrics=read_metrics(config, source),
        created_by=f"ppocr_lite {__version__}, paddlepaddle {paddle.__version__}",
        input=TensorSpec(INPUT, family_of(config).input_shape(transforms), "float32"),
        algorithm=str(chosen_architecture(config).get("algorithm") or ""),
    )


def load_network(config: Config, source: Path) -> Any:
    """Return the network that the weights at *source* are for, of Paddle, in evaluation mode.

    Raises:
        CheckpointError: If they do not fit.
        ConfigError: If this process computes with another engine.
    """
    nn.use("paddle")
    charset = load_charset(config)
    whole = build_model(require(config.Architecture, "Architecture"), charset.num_classes if charset else None)
    wanted = {name: value.numpy() for name, value in whole.state_dict().items()}
    weights = checkpoint.fit_weights(checkpoint.read_weights(source), wanted, str(source))
    missing, unexpected = whole.set_state_dict(weights)
    if missing or unexpected:
        raise ModelError(f"{source} does not fit the network: missing {missing}, unexpected {unexpected}.")
    name = chosen_network(config)
    network = whole if name is None else getattr(whole, name)
    network.eval()
    return network


def chosen_architecture(config: Config) -> Mapping[str, Any]:
    """Return the Architecture section of the exported network."""
    architecture: Mapping[str, Any] = require(config.Architecture, "Architecture")
    name = chosen_network(config)
    return architecture if name is None else architecture["Models"][name]


def read_metrics(config: Config, source: Path) -> dict[str, Any]:
    """Return the last evaluation that the checkpoint at *source* knows of, and on what; empty if none."""
    try:
        state = json.loads((checkpoint.resolve(source, "best") / checkpoint.STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError, CheckpointError):
        return {}
    metrics = {name: round(float(value), 6) for name, value in state.get("metrics", {}).items()}
    data = require(config.Eval, "Eval").dataset.get("label_file_list")
    return metrics | ({"data": data} if metrics and data else {}) | ({"step": state["step"]} if metrics else {})


def check_same(
    network: Any, bundle: Bundle, runner: Network | Runner, limit: float, average: float = TOLERANCE
) -> float:
    """Return the largest difference between the live network and a runner of its folder, on seeded noise.

    Raises:
        ModelError: If it exceeds *limit* anywhere, or *average* on average.
    """
    sample = seeded_input(bundle)
    found = runner.run_all(sample)
    received = found if isinstance(found, dict) else dict(zip(bundle.outputs, found, strict=True))
    largest = 0.0
    for name, expected in predictions(network, sample).items():
        # Limits are those of probabilities; what grows larger is held to the same share of its largest value.
        gaps = difference(expected, received[name]) / max(1.0, float(np.abs(expected).max()))
        if not (gaps.max() <= limit and gaps.mean() <= average):
            raise ModelError(
                f"{bundle.folder}: {type(runner).__name__} computes something else than the network: {name}, shapes "
                f"{received[name].shape} and {expected.shape}, largest difference {gaps.max():.2g}, allowed {limit}. "
                "Do not use this folder."
            )
        largest = max(largest, float(gaps.max()))
    log.info("%s agrees with the network to %.1g.", type(runner).__name__, largest)
    return largest


class Prediction(nn.Layer):
    """What is exported of a network: its predictions.

    Args:
        network: Has ``predict``.
        names: What of it, in order.
    """

    def __init__(self, network: Any, names: Sequence[str]) -> None:
        super().__init__()
        self.network, self.names = network, tuple(names)

    def forward(self, x: nn.Tensor) -> list[nn.Tensor]:
        """Return the predictions for (N, 3, H, W), in order."""
        outputs = self.network.predict(x)
        return [outputs[name] for name in self.names]


def predictions(network: Any, sample: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Return what the live network predicts for *sample*, by name."""
    with paddle.no_grad():
        return {name: value.numpy() for name, value in network.predict(paddle.to_tensor(sample)).items()}


def fuse_branches(network: Any, expected: Mapping[str, NDArray[Any]], sample: NDArray[np.float32]) -> None:
    """Join the branches of layers that have a method ``fuse``.

    Args:
        network: Changed in place.
        expected: What it predicts for *sample*.
        sample: What it takes.

    Raises:
        ModelError: If it predicts something else afterwards.
    """
    count = fuse(network)
    if count == 0:
        return
    found = predictions(network, sample)
    gap = max(float(difference(value, found[name]).max()) for name, value in expected.items())
    if not gap <= TOLERANCE:
        raise ModelError(f"After its {count} layers fused their branches the network predicts otherwise, by {gap:.2g}.")
    log.info("%d layers have fused their branches; predictions agree to %.1g.", count, gap)


def difference(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    """Return how far two arrays differ at each place; infinitely, if in shape."""
    return np.abs(first - second) if first.shape == second.shape else np.array([np.inf])


def seeded_input(bundle: Bundle) -> NDArray[np.float32]:
    """Return noise in the shape the network takes, other sizes than the usual where they vary."""
    free = {0: 2, 2: 96, 3: 160}
    shape = [free[axis] if side < 0 else side for axis, side in enumerate(bundle.input.shape)]
    return np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)


def write_integers(bundle: Bundle, ranges: Mapping[str, float]) -> None:
    """Turn the ``model.onnx`` of *bundle* into 8-bit integers, and remove the network in float.

    Args:
        bundle: Its folder has both.
        ranges: Name of a weight → α of the activations it multiplies.
    """
    graph = importlib.import_module(ONNX_GRAPH)
    graph.rewrite(bundle.folder / ONNX, graph.quantize, ranges)
    for name in (*PROGRAMS, WEIGHTS):
        (bundle.folder / name).unlink(missing_ok=True)


def write_program(network: Any, bundle: Bundle, spec: list[Any]) -> None:
    """Write the Paddle network of *bundle*, and nothing beside it that Paddle may add."""
    folder = bundle.folder
    before = set(folder.iterdir())
    paddle.jit.save(Prediction(network, bundle.outputs), str(folder / Path(PROGRAMS[0]).stem), input_spec=spec)
    for stray in set(folder.iterdir()) - before - {folder / PROGRAMS[0], folder / WEIGHTS}:
        stray.unlink()


def write_half(bundle: Bundle) -> None:
    """Store the weights of the ``model.onnx`` of *bundle* in half precision."""
    graph = importlib.import_module(ONNX_GRAPH)
    graph.rewrite(bundle.folder / ONNX, graph.halve)


def can_write_onnx(network: Any) -> bool:
    """Say whether what writes ``model.onnx`` of *network* is installed."""
    return isinstance(network, OnnxNetwork) or importlib.util.find_spec("paddle2onnx") is not None


def write_onnx_of(network: Any, bundle: Bundle, ranges: Mapping[str, float]) -> dict[str, float]:
    """Write ``model.onnx`` beside the network of *bundle*: of one that was read from a graph, that graph.

    Args:
        network: The live network.
        bundle: Its folder has the network of Paddle.
        ranges: As :func:`write_integers` takes them, by the names that Paddle's networks have in ONNX.

    Returns:
        The ranges, by the names that the weights have in the file.
    """
    if not isinstance(network, OnnxNetwork):
        path = write_onnx(bundle)
        if not ranges:  # these are of weights by name
            importlib.import_module(ONNX_GRAPH).rewrite(path, importlib.import_module(ONNX_FOLD).fold_sums)
        return dict(ranges)
    weights = {name: value.numpy() for name, value in network.state_dict().items()}
    write_trained(network, weights, bundle.folder / ONNX, bundle.charset, bytes_follow=bool(ranges))
    names = {parameter.name: name for name, parameter in network.named_parameters()}
    return {names[generated]: alpha for generated, alpha in ranges.items()}


def write_onnx(bundle: Bundle) -> Path:
    """Write ``model.onnx`` beside the network of *bundle*.

    Raises:
        ModelError: If paddle2onnx is not installed or cannot convert the network.
    """
    try:
        converter = importlib.import_module("paddle2onnx")
    except ModuleNotFoundError as error:
        raise ModelError(f"model.onnx needs paddle2onnx ({error}). {install_command('paddle2onnx')}") from error
    path = bundle.folder / ONNX
    program = Path(str(bundle.program)).read_bytes()
    opset = ROI_ALIGN_OPSET if ROI_ALIGN.encode() in program else OPSET
    if DEFORMABLE.encode() in program:
        opset = DEFORMABLE_OPSET
        log.warning("%s has deformable convolutions: ONNX Runtime and Paddle run them, OpenVINO does not.", path)
    try:
        # Its default tool folds constants, for which it lets pip install packages; the engines fold them anyway.
        converter.export(
            str(bundle.program),
            str(bundle.folder / WEIGHTS),
            str(path),
            opset_version=opset,
            verbose=False,
            optimize_tool="none",
        )
    except RuntimeError as error:
        raise ModelError(f"paddle2onnx cannot convert {bundle.program}: {error}") from error
    if not path.is_file():
        raise ModelError(f"paddle2onnx wrote no {path}.")
    graph = importlib.import_module(ONNX_GRAPH)
    graph.rewrite(path, graph.simplify)
    return path


def _start_draft(folder: Path) -> Path:
    """Return an empty folder beside *folder*, where an export is written before it takes its place."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / DESCRIPTION).is_file():
        raise ConfigError(f"{folder} holds something else than a model. Choose another folder to export to.")
    draft = folder.parent / f".{folder.name}.tmp"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
    except OSError as error:
        raise ModelError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return draft


def _move_over(draft: Path, folder: Path) -> None:
    """Put what was written in the place of what an earlier export wrote; the folder's other files stay.

    The description goes first and comes last, so that no folder describes another network than its own.
    """
    folder.mkdir(exist_ok=True)
    for name in (DESCRIPTION, *PROGRAMS, WEIGHTS, ONNX):
        (folder / name).unlink(missing_ok=True)
    for file in sorted(draft.iterdir(), key=lambda file: file.name == DESCRIPTION):
        file.rename(folder / file.name)
