"""Run one engine on fixed weights and batches, and write what it finds: the tests beside compare two such files.

python -m tests.integration.parity begin ENGINE OUT.npz
python -m tests.integration.parity go-on ENGINE BEGUN.npz OUT.npz
"""

from __future__ import annotations

import importlib
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ppocr_lite import nn
from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import create_backend
from ppocr_lite.optim.optimizers import Adam, AdamW, Momentum
from ppocr_lite.optim.schedules import Cosine
from tests.engine import Arrays, array, fixed_weights, tensor

CLASSES = 40
L2 = {"name": "L2", "factor": 1e-5}


@dataclass(frozen=True)
class Case:
    """One network with its loss and the shape of a small image batch."""

    architecture: dict[str, Any]
    loss: dict[str, Any]
    shape: tuple[int, int, int, int]
    num_classes: int | None = None

    def task(self, optimizer: Any = None) -> Task:
        return Task(self.architecture, self.num_classes, self.loss, optimizer, seed=3)


def det(backbone: dict[str, Any]) -> dict[str, Any]:
    neck, head = {"name": "DBFPN", "out_channels": 32}, {"name": "DBHead", "k": 50}
    return {"model_type": "det", "algorithm": "DB", "Backbone": backbone, "Neck": neck, "Head": head}


def rec(backbone: dict[str, Any], neck: dict[str, Any], head: dict[str, Any]) -> dict[str, Any]:
    return {"model_type": "rec", "algorithm": "CRNN", "Backbone": backbone, "Neck": neck, "Head": head}


SMALL_PAGE = {"name": "MobileNetV3", "scale": 0.5, "model_name": "small"}
SMALL = {"name": "MobileNetV3", "scale": 0.5, "model_name": "small", "small_stride": [1, 2, 2, 2]}
RNN = {"name": "SequenceEncoder", "encoder_type": "rnn", "hidden_size": 48}
CTC = {"name": "CTCHead", "fc_decay": 0.00001}
CASES = {
    "det_mobilenet_v3": Case(
        det({"name": "MobileNetV3", "scale": 0.5, "model_name": "large", "disable_se": True}),
        {"name": "DBLoss", "balance_loss": True, "main_loss_type": "DiceLoss"},
        (2, 3, 160, 160),
    ),
    "det_resnet18": Case(
        det({"name": "ResNet", "layers": 18}),
        {"name": "DBLoss", "main_loss_type": "BCELoss"},
        (2, 3, 160, 160),
    ),
    "det_resnet18_deformable": Case(
        det({"name": "ResNet", "layers": 18, "dcn_stage": [False, False, False, True]}),
        {"name": "DBLoss", "main_loss_type": "WeightedBCELoss"},
        (2, 3, 128, 128),
    ),
    "det_pruned": Case(
        {
            "model_type": "det",
            "Backbone": {
                "name": "MobileNetV3",
                "scale": 0.35,
                "model_name": "small",
                "expanded": [8, 16, 24, 32, 40, 48, 40, 32, 24, 64, 72],
                "last_channels": 88,
            },
            "Neck": {"name": "DBFPN", "out_channels": 22, "level_channels": [4, 6, 8, 10]},
            "Head": {"name": "DBHead", "hidden_channels": [9, 5]},
        },
        {"name": "DBLoss"},
        (2, 3, 128, 128),
    ),
    "det_ctpn": Case(
        {
            "model_type": "det",
            "Backbone": SMALL_PAGE | {"stages": 3},
            "Head": {
                "name": "CTPNHead",
                "mid_channels": 24,
                "recurrent": "gru",
                "hidden_size": 12,
                "fc_channels": 32,
                "anchors": 2,
            },
            "init": {"conv": "xavier_normal", "recurrent": "xavier_normal", "bias": "zeros"},
        },
        {"name": "CTPNLoss"},
        (2, 3, 96, 128),
    ),
    "rec_mobilenet_v3": Case(rec(SMALL, RNN, CTC), {"name": "CTCLoss"}, (6, 3, 32, 128), CLASSES),
    "rec_mobilenet_v1_enhance": Case(
        rec(
            {"name": "MobileNetV1Enhance", "scale": 0.25},
            {"name": "SequenceEncoder", "encoder_type": "fc", "hidden_size": 32},
            {"name": "CTCHead", "mid_channels": 24, "return_feats": True},
        ),
        {
            "name": "CombinedLoss",
            "loss_config_list": [
                {"CTCLoss": {"weight": 1.0, "use_focal_loss": True}},
                {"CenterLoss": {"weight": 0.05, "num_classes": CLASSES, "feat_dim": 24}},
            ],
        },
        (4, 3, 32, 96),
        CLASSES,
    ),
    "cls_mobilenet_v3": Case(
        {
            "model_type": "cls",
            "algorithm": "CLS",
            "Backbone": {"name": "MobileNetV3", "scale": 0.35, "model_name": "small"},
            "Head": {"name": "ClsHead", "class_dim": 2},
        },
        {"name": "ClsLoss"},
        (8, 3, 48, 96),
    ),
}


def make_batch(case: Case, seed: int) -> dict[str, np.ndarray]:
    """Random images and a truth that fits them."""
    rng = np.random.default_rng(seed)
    count, _, height, width = case.shape
    batch: dict[str, np.ndarray] = {"image": rng.standard_normal(case.shape).astype(np.float32)}
    family = case.architecture["model_type"]
    if family == "cls":
        return batch | {"label": rng.integers(0, 2, count)}
    if family == "rec":
        label = rng.integers(1, CLASSES, (count, 12)).astype(np.int32)
        label[0, :4] = 7  # equal neighbours need blanks
        return batch | {"label": label, "length": rng.integers(4, 12, count)}
    if case.loss["name"] == "CTPNLoss":
        return batch | column_targets(rng, (count, 2, height // 16, width // 16))
    size = (count, height, width)
    coarse = rng.random((count, height // 16, width // 16)) < 0.3
    batch["shrink_map"] = coarse.repeat(16, 1).repeat(16, 2).astype(np.float32)
    batch["shrink_mask"] = (rng.random(size) < 0.9).astype(np.float32)
    batch["threshold_map"] = rng.uniform(0.3, 0.7, size).astype(np.float32)
    batch["threshold_mask"] = (rng.random(size) < 0.4).astype(np.float32)
    return batch


def column_targets(rng: np.random.Generator, shape: tuple[int, int, int, int]) -> dict[str, np.ndarray]:
    """Random targets of CTPN for (N, A, h, w) anchors."""
    labels = rng.integers(-1, 2, shape)
    text = (labels == 1).astype(np.float32)
    return {
        "anchor_labels": labels,
        "anchor_vertical": (rng.normal(0, 0.5, (shape[0], 2, *shape[1:])) * text[:, None]).astype(np.float32),
        "anchor_sides": rng.uniform(-2, 2, shape).astype(np.float32) * text,
        "anchor_side_mask": text,
    }


DISTILLATIONS = {
    "rec": [
        {"DistillationCTCLoss": {"weight": 1.0, "model_name_list": ["Student", "Student2"], "key": "head_out"}},
        {"DistillationDMLLoss": {"weight": 1.0, "act": "softmax", "model_name_pairs": ["Student", "Student2"]}},
        {"DistillationDistanceLoss": {"weight": 0.5, "mode": "l2", "model_name_pairs": [["Student", "Teacher"]]}},
    ],
    "det": [
        {"DistillationDilaDBLoss": {"weight": 1.0, "model_name_pairs": [["Student", "Teacher"]], "key": "maps"}},
        {
            "DistillationDMLLoss": {
                "weight": 1.0,
                "maps_name": ["thrink_maps"],
                "model_name_pairs": ["Student", "Student2"],
                "key": "maps",
            }
        },
        {"DistillationDBLoss": {"weight": 1.0, "model_name_list": ["Student", "Student2"]}},
    ],
}


OPTIMIZERS = {
    "adam_l2": Adam(regularizer={"name": "L2", "factor": 0.01}),
    "adam_l1_clipped": Adam(regularizer={"name": "L1", "factor": 0.01}, clip_norm_global=0.5),
    "adam_clipped_each": Adam(clip_norm=0.05),
    "adamw": AdamW(weight_decay=0.05),
    "momentum": Momentum(regularizer=L2),
    "nesterov": Momentum(momentum=0.8, use_nesterov=True),
}
CONTINUED = {"Adam": Adam(regularizer=L2), "Momentum": Momentum()}
CENTERS = Case(
    rec(SMALL, {"name": "SequenceEncoder", "encoder_type": "reshape"}, CTC | {"mid_channels": 4, "return_feats": True}),
    {
        "name": "CombinedLoss",
        "loss_config_list": [
            {"CTCLoss": {"weight": 1.0}},
            {"CenterLoss": {"weight": 0.1, "num_classes": CLASSES, "feat_dim": 4, "update_rate": 0.5}},
        ],
    },
    (4, 3, 32, 64),
    CLASSES,
)


def fresh_names() -> AbstractContextManager[Any]:
    """Paddle keys optimizer state by generated names; each run starts them anew."""
    return sys.modules["paddle"].utils.unique_name.guard() if nn.chosen() == "paddle" else nullcontext()


def started(case: Case, optimizer: Any = None) -> Any:
    """Return the engine of this process with fixed weights."""
    backend = create_backend(str(nn.chosen()))
    backend.build(case.task(optimizer))
    backend.load_weights(fixed_weights({name: value.shape for name, value in backend.weights().items()}))
    return backend


def tensors(batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {name: tensor(value) for name, value in batch.items()}


def checksums(weights: Arrays) -> Arrays:
    return {name: np.uint32(zlib.crc32(value.tobytes())) for name, value in weights.items()}


def moved(backend: Any, before: Arrays) -> Arrays:
    return {name: value - before[name] for name, value in backend.weights().items()}


def forward_pass(case: Case) -> Iterator[tuple[str, Arrays]]:
    """Weights as they come back, outputs and losses in training, statistics, outputs in evaluation."""
    backend = started(case)
    yield "checksum", checksums(backend.weights())
    batch = make_batch(case, 0)
    backend.network.train()
    outputs = backend.network(tensor(batch["image"]))
    yield "training", {name: array(value) for name, value in outputs.items()}
    yield "loss", {name: array(value) for name, value in backend.loss(outputs, tensors(batch)).items()}
    yield (
        "statistics",
        {name: value for name, value in backend.weights().items() if name.endswith(("_mean", "_variance"))},
    )
    for seed in (1, 2):
        backend.network(tensor(make_batch(case, seed)["image"]))
    yield "evaluation", {"output": backend.forward(make_batch(case, 9)["image"])}


def gradients(case: Case) -> Iterator[tuple[str, Arrays]]:
    """Of every parameter, with convolutions in float64.

    In float32 two engines round differently, now and then a value crosses the corner of a ReLU in one and not in the
    other, and on maps as small as these that alone changes gradients by per cents.
    """
    backend = started(case)
    network, batch = backend.network, make_batch(case, 0)
    network.train()
    recurrent = hasattr(network.head, "rnn") or case.architecture["model_type"] == "rec"
    precise = network.backbone if recurrent else network  # Paddle converts no LSTM
    in_float64(precise)
    found = precise(tensor(batch["image"].astype(np.float64)))
    if precise is network:
        outputs = {name: nn.cast(value, "float32") for name, value in found.items()}
    else:
        found = [nn.cast(x, "float32") for x in found] if isinstance(found, list) else nn.cast(found, "float32")
        outputs = network.head(network.neck(found) if network.neck is not None else found)
    backend.loss(outputs, tensors(batch))["loss"].backward()
    yield "gradient", gradients_of(network)


def in_float64(network: Any) -> None:
    """Make *network* compute in float64."""
    if nn.chosen() == "torch":
        network.double()
    else:
        network.to(dtype="float64")


def gradients_of(network: Any) -> Arrays:
    """Return the gradient of every parameter of *network*, named and shaped as Paddle has it."""
    if nn.chosen() == "torch":
        named = dict(network.named_parameters())
        layout = importlib.import_module("ppocr_lite.engine.backends.torch.weights").layout(network)
        slots = {key: slot for key, slot in layout.items() if slot.name in named}
        return {key: slot.export(named[slot.name].grad) for key, slot in slots.items()}
    return {n: p.grad.numpy().astype(np.float32) for n, p in network.named_parameters() if not p.stop_gradient}


def ten_updates(case: Case) -> Iterator[tuple[str, Arrays]]:
    backend = started(case, Adam(regularizer=L2))
    schedule = Cosine(learning_rate=0.001, total_steps=10, steps_per_epoch=5, warmup_epoch=1)
    steps = [
        backend.train_step([make_batch(case, step)], lr=schedule(step), seed=step)["loss"].item() for step in range(10)
    ]
    yield "ten_updates", {"loss": np.array(steps)}


def one_update(optimizer: Any) -> Arrays:
    case = CASES["cls_mobilenet_v3"]
    backend = started(case, optimizer)
    before = backend.weights()
    backend.train_step([make_batch(case, 0)], lr=0.01, seed=0)
    return moved(backend, before)


def own_penalty() -> Arrays:
    case = Case(rec(SMALL, RNN, CTC | {"fc_decay": 0.5}), {"name": "CTCLoss"}, (4, 3, 32, 64), CLASSES)
    backend = started(case, Momentum(regularizer={"name": "L2", "factor": 0.1}))
    before = backend.weights()
    backend.train_step([make_batch(case, 0) | {"length": np.full(4, 4)}], lr=0.1, seed=0)
    return moved(backend, before)


def distillation(family: str) -> Iterator[tuple[str, Arrays]]:
    base = CASES[f"{family}_mobilenet_v3"]
    member = base.architecture | {"return_all_feats": True}
    models = {name: member | {"freeze_params": name == "Teacher"} for name in ("Teacher", "Student", "Student2")}
    architecture = {"name": "DistillationModel", "model_type": family, "algorithm": "Distillation", "Models": models}
    loss = {"name": "CombinedLoss", "loss_config_list": DISTILLATIONS[family]}
    case = Case(architecture, loss, (2, 3, 32, 128) if family == "rec" else (2, 3, 64, 64), base.num_classes)
    backend = started(case, Momentum())
    batch, before = make_batch(Case(base.architecture, base.loss, case.shape, base.num_classes), 0), backend.weights()
    terms = backend.train_step([batch], lr=0.001, seed=0)
    yield "terms", {name: np.float64(value.item()) for name, value in terms.items()}
    yield "moved", {name: np.abs(value).max() for name, value in moved(backend, before).items()}
    yield "output", {"output": backend.forward(batch["image"])}


def accumulated() -> Arrays:
    case = CASES["cls_mobilenet_v3"]
    terms = started(case, Adam()).train_step([make_batch(case, seed) for seed in range(2)], lr=0.001, seed=0)
    return {"loss": np.float64(terms["loss"].item())}


def quantised() -> Arrays:
    case = CASES["cls_mobilenet_v3"]
    backend = started(Case(case.architecture | {"quant": {}}, case.loss, case.shape))
    image = np.random.default_rng(0).normal(size=(4, 3, 48, 96)).astype(np.float32)
    backend.calibrate([image])
    ranges = {name: value for name, value in backend.weights().items() if name.endswith(".alpha")}
    return ranges | {"output": backend.forward(image)}


def begun(optimizer: Any, case: Case) -> Iterator[tuple[str, Arrays]]:
    """Three updates; the weights and the state after them; the losses of two more."""
    backend = started(case, optimizer)
    for step in range(3):
        backend.train_step([make_batch(case, step)], lr=0.001, seed=step)
    yield "weights", backend.weights()
    yield "state", backend.optimizer_state()
    yield "losses", two_more(backend, case)


def two_more(backend: Any, case: Case) -> Arrays:
    found = [backend.train_step([make_batch(case, step)], lr=0.001, seed=step)["loss"].item() for step in (3, 4)]
    return {"loss": np.array(found)}


def runs() -> dict[str, tuple[Any, Case]]:
    """Name → optimizer and case of the runs that the other engine continues."""
    plain = {name: (optimizer, CASES["rec_mobilenet_v3"]) for name, optimizer in CONTINUED.items()}
    return plain | {"centers": (Momentum(), CENTERS)}


def scenarios() -> dict[str, Callable[[], Any]]:
    """Name → function that returns arrays, or yields several named sets of them."""
    found: dict[str, Callable[[], Any]] = {}
    for name, case in CASES.items():
        for part in (forward_pass, gradients, ten_updates):
            found[f"{part.__name__}/{name}"] = lambda part=part, case=case: part(case)
    for name, optimizer in OPTIMIZERS.items():
        found[f"one_update/{name}"] = lambda optimizer=optimizer: one_update(optimizer)
    for family in DISTILLATIONS:
        found[f"distillation/{family}"] = lambda family=family: distillation(family)
    for name, (optimizer, case) in runs().items():
        found[f"begun/{name}"] = lambda optimizer=optimizer, case=case: begun(optimizer, case)
    return found | {"own_penalty": own_penalty, "accumulated": accumulated, "quantised": quantised}


def begin(target: Path) -> None:
    """Run every scenario and write its arrays under ``scenario/[set/]name``."""
    arrays: Arrays = {}
    for name, run in scenarios().items():
        with fresh_names():
            found = run()
            for part, values in [("", found)] if isinstance(found, dict) else list(found):
                arrays |= {"|".join(filter(None, (name, part, key))): value for key, value in values.items()}
    np.savez(target, **arrays)


def go_on(source: Path, target: Path) -> None:
    """Continue the runs that *source* holds, and write the losses of two more updates and the names of the state."""
    arrays: Arrays = {}
    with np.load(source) as given:
        for name, (optimizer, case) in runs().items():
            with fresh_names():
                backend = started(case, optimizer)
                parts: dict[str, Arrays] = {"weights": {}, "state": {}}
                for part, values in parts.items():
                    prefix = f"begun/{name}|{part}|"
                    values |= {key.removeprefix(prefix): given[key] for key in given if key.startswith(prefix)}
                backend.load_weights(parts["weights"])
                backend.load_optimizer_state(parts["state"])
                arrays[f"{name}|loss"] = two_more(backend, case)["loss"]
                arrays |= {f"{name}|state|{key}": np.zeros(0) for key in backend.optimizer_state()}
    np.savez(target, **arrays)


if __name__ == "__main__":
    nn.use(sys.argv[2])
    if sys.argv[1] == "begin":
        begin(Path(sys.argv[3]))
    else:
        go_on(Path(sys.argv[3]), Path(sys.argv[4]))
