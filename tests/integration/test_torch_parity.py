"""The torch engine computes what the Paddle engine computes: outputs, losses, gradients, updates, files."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

paddle = pytest.importorskip("paddle", reason="the Paddle engine is not installed")
torch = pytest.importorskip("torch", reason="the torch engine is not installed")

from ppocr_lite.engine.backends.base import Task  # noqa: E402
from ppocr_lite.engine.backends.paddle import PaddleBackend  # noqa: E402
from ppocr_lite.engine.backends.torch import TorchBackend  # noqa: E402
from ppocr_lite.engine.backends.torch.weights import layout  # noqa: E402
from ppocr_lite.optim.optimizers import Adam, AdamW, Momentum  # noqa: E402
from ppocr_lite.optim.schedules import Cosine  # noqa: E402

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
    size = (count, height, width)
    coarse = rng.random((count, height // 16, width // 16)) < 0.3
    batch["shrink_map"] = coarse.repeat(16, 1).repeat(16, 2).astype(np.float32)
    batch["shrink_mask"] = (rng.random(size) < 0.9).astype(np.float32)
    batch["threshold_map"] = rng.uniform(0.3, 0.7, size).astype(np.float32)
    batch["threshold_mask"] = (rng.random(size) < 0.4).astype(np.float32)
    return batch


def pair(case: Case, optimizer: Any = None) -> tuple[PaddleBackend, TorchBackend]:
    """Both engines with the same weights."""
    first, second = PaddleBackend(), TorchBackend()
    first.build(case.task(optimizer))
    second.build(case.task(optimizer))
    weights = first.weights()
    rng = np.random.default_rng(0)
    for name in weights:
        if ".offset." in name:  # where all taps of a deformable convolution lie on pixels, its derivative has two sides
            weights[name] = rng.normal(0, 0.005, weights[name].shape).astype(np.float32)
    first.load_weights(weights)
    second.load_weights(weights)
    return first, second


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    """Paddle keys optimizer state by generated names; each test starts them anew."""
    with paddle.utils.unique_name.guard():
        yield


@pytest.fixture(params=CASES, ids=list(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def tensors(batch: Mapping[str, np.ndarray], make: Any) -> dict[str, Any]:
    return {name: make(value) for name, value in batch.items()}


def training_outputs(first: PaddleBackend, second: TorchBackend, batch: Mapping[str, np.ndarray]) -> tuple[Any, Any]:
    first.network.train()
    second.network.train()
    return first.network(paddle.to_tensor(batch["image"])), second.network(torch.from_numpy(batch["image"]))


def test_weights_survive_the_way_there_and_back_bit_for_bit(case: Case) -> None:
    first, second = pair(case)
    before, after = first.weights(), second.weights()
    assert set(before) == set(after)
    for name, value in before.items():
        assert after[name].dtype == value.dtype
        assert after[name].tobytes() == value.tobytes(), name


def test_outputs_in_training_agree(case: Case) -> None:
    first, second = pair(case)
    ours, theirs = training_outputs(first, second, make_batch(case, 0))
    assert set(ours) == set(theirs)
    # The third map is the difference of the other two times k, so its rounding errors are 50 times theirs.
    shown = slice(0, 2) if "maps" in ours else slice(None)
    for name in ours:
        np.testing.assert_allclose(ours[name].numpy()[:, shown], theirs[name].detach().numpy()[:, shown], atol=1e-4)


def test_outputs_in_evaluation_agree_after_the_statistics_moved(case: Case) -> None:
    first, second = pair(case)
    for seed in range(3):
        training_outputs(first, second, make_batch(case, seed))
    image = make_batch(case, 9)["image"]
    np.testing.assert_allclose(first.forward(image), second.forward(image), atol=1e-4)


def test_batch_norm_statistics_agree(case: Case) -> None:
    first, second = pair(case)
    training_outputs(first, second, make_batch(case, 0))
    ours, theirs = first.weights(), second.weights()
    for name in (name for name in ours if name.endswith(("_mean", "_variance"))):
        np.testing.assert_allclose(theirs[name], ours[name], rtol=1e-3, atol=1e-5, err_msg=name)


def test_losses_agree(case: Case) -> None:
    first, second = pair(case)
    batch = make_batch(case, 0)
    ours, theirs = training_outputs(first, second, batch)
    left = first.loss(ours, tensors(batch, paddle.to_tensor))
    right = second.loss(theirs, tensors(batch, torch.from_numpy))
    assert list(left) == list(right)
    for name in left:
        assert right[name].item() == pytest.approx(float(left[name]), rel=1e-5, abs=1e-7), name


def test_gradients_agree(case: Case) -> None:
    first, second = pair(case)
    batch = make_batch(case, 0)
    ours, theirs = precise_outputs(case, first, second, batch["image"])
    first.loss(ours, tensors(batch, paddle.to_tensor))["loss"].backward()
    second.loss(theirs, tensors(batch, torch.from_numpy))["loss"].backward()
    left = {name: p.grad.numpy() for name, p in first.network.named_parameters() if not p.stop_gradient}
    right = gradients(second)
    assert set(left) == set(right)
    largest = max(float(np.abs(value).max()) for value in left.values())
    for name, value in left.items():
        # A bias before a batch norm has no gradient, only noise; hence the second term.
        allowed = 1e-3 * float(np.abs(value).max()) + 1e-7 * largest
        assert float(np.abs(right[name] - value).max()) <= allowed, name


def precise_outputs(case: Case, first: PaddleBackend, second: TorchBackend, image: np.ndarray) -> tuple[Any, Any]:
    """Outputs in training with convolutions in float64.

    In float32 two engines round differently, now and then a value crosses the corner of a ReLU in one and not in the
    other, and on maps as small as these that alone changes gradients by per cents.
    """
    ours, theirs = first.network, second.network
    ours.train()
    theirs.train()
    if case.architecture["model_type"] != "rec":
        ours.to(dtype="float64")
        left, right = (
            ours(paddle.to_tensor(image.astype(np.float64))),
            theirs.double()(torch.from_numpy(image).double()),
        )
        return {k: v.astype("float32") for k, v in left.items()}, {k: v.float() for k, v in right.items()}
    ours.backbone.to(dtype="float64")  # Paddle cannot convert an LSTM
    features = ours.backbone(paddle.to_tensor(image.astype(np.float64))).astype("float32")
    other = theirs.backbone.double()(torch.from_numpy(image).double()).float()
    return ours.head(ours.neck(features)), theirs.head(theirs.neck(other))


def gradients(backend: TorchBackend) -> dict[str, np.ndarray]:
    """Paddle name → gradient in the Paddle layout."""
    named, slots = dict(backend.network.named_parameters()), layout(backend.network)
    return {key: slot.export(named[slot.name].grad) for key, slot in slots.items() if slot.name in named}


def test_ten_updates_of_adam_agree(case: Case) -> None:
    first, second = pair(case, Adam(regularizer=L2))
    schedule = Cosine(learning_rate=0.001, total_steps=10, steps_per_epoch=5, warmup_epoch=1)
    for step in range(10):
        batch = make_batch(case, step)
        ours = first.train_step([batch], lr=schedule(step), seed=step)
        theirs = second.train_step([batch], lr=schedule(step), seed=step)
        assert float(theirs["loss"]) == pytest.approx(float(ours["loss"]), rel=0.01), step


@pytest.mark.parametrize(
    "optimizer",
    [
        Adam(regularizer={"name": "L2", "factor": 0.01}),
        Adam(regularizer={"name": "L1", "factor": 0.01}, clip_norm_global=0.5),
        Adam(clip_norm=0.05),
        AdamW(weight_decay=0.05),
        Momentum(regularizer=L2),
        Momentum(momentum=0.8, use_nesterov=True),
    ],
    ids=str,
)
def test_one_update_moves_the_weights_alike(optimizer: Any) -> None:
    case = CASES["cls_mobilenet_v3"]
    first, second = pair(case, optimizer)
    batch = make_batch(case, 0)
    before = first.weights()
    first.train_step([batch], lr=0.01, seed=0)
    second.train_step([batch], lr=0.01, seed=0)
    ours, theirs = first.weights(), second.weights()
    for name in ("head.fc.weight", "head.fc.bias", "backbone.conv2.conv.weight", "backbone.conv2.bn.weight"):
        moved, other = ours[name] - before[name], theirs[name] - before[name]
        assert np.abs(moved).max() > 0
        np.testing.assert_allclose(other, moved, atol=0.02 * float(np.abs(moved).max()), err_msg=name)


@pytest.mark.parametrize("optimizer", [Adam(regularizer=L2), Momentum()], ids=["Adam", "Momentum"])
@pytest.mark.parametrize("begun_with", ["paddle", "torch"])
def test_a_run_begun_with_one_engine_continues_with_the_other(optimizer: Any, begun_with: str) -> None:
    case = CASES["rec_mobilenet_v3"]
    engines = pair(case, optimizer)
    source, target = engines if begun_with == "paddle" else engines[::-1]
    if begun_with == "torch":
        source.load_weights(target.weights())
    for step in range(3):
        source.train_step([make_batch(case, step)], lr=0.001, seed=step)
    state = source.optimizer_state()
    target.load_weights(source.weights())
    target.load_optimizer_state(state)
    for step in range(3, 5):
        batch = make_batch(case, step)
        expected = source.train_step([batch], lr=0.001, seed=step)
        found = target.train_step([batch], lr=0.001, seed=step)
        assert float(found["loss"]) == pytest.approx(float(expected["loss"]), rel=1e-3)
    assert set(target.optimizer_state()) == set(source.optimizer_state()) == set(state)


def test_a_penalty_of_its_own_replaces_the_common_one() -> None:
    head = {"name": "CTCHead", "fc_decay": 0.5}
    case = Case(rec(SMALL, RNN, head), {"name": "CTCLoss"}, (4, 3, 32, 64), CLASSES)
    first, second = pair(case, Momentum(regularizer={"name": "L2", "factor": 0.1}))
    batch = make_batch(case, 0) | {"length": np.full(4, 4)}
    before = first.weights()
    first.train_step([batch], lr=0.1, seed=0)
    second.train_step([batch], lr=0.1, seed=0)
    ours, theirs = first.weights(), second.weights()
    for name in (
        "head.fc.weight",
        "head.fc.bias",
        "neck.encoder.lstm.weight_hh_l0",
        "backbone.blocks.10.linear_conv.bn.weight",
    ):
        moved = ours[name] - before[name]
        np.testing.assert_allclose(theirs[name] - before[name], moved, atol=0.01 * float(np.abs(moved).max()))


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


@pytest.mark.parametrize("family", ["rec", "det"])
def test_distillation_agrees(family: str) -> None:
    base = CASES[f"{family}_mobilenet_v3"]
    member = base.architecture | {"return_all_feats": True}
    models = {name: member | {"freeze_params": name == "Teacher"} for name in ("Teacher", "Student", "Student2")}
    architecture = {"name": "DistillationModel", "model_type": family, "algorithm": "Distillation", "Models": models}
    loss = {"name": "CombinedLoss", "loss_config_list": DISTILLATIONS[family]}
    case = Case(architecture, loss, (2, 3, 32, 128) if family == "rec" else (2, 3, 64, 64), base.num_classes)
    first, second = pair(case, Momentum())
    batch = make_batch(Case(base.architecture, base.loss, case.shape, base.num_classes), 0)
    before = second.weights()
    ours = first.train_step([batch], lr=0.001, seed=0)
    theirs = second.train_step([batch], lr=0.001, seed=0)
    assert list(ours) == list(theirs)
    for name in ours:
        assert theirs[name].item() == pytest.approx(ours[name].item(), rel=1e-4, abs=1e-5), name
    after = second.weights()
    assert any(not np.array_equal(after[name], before[name]) for name in after if name.startswith("Student."))
    assert all(np.array_equal(after[name], before[name]) for name in after if name.startswith("Teacher."))
    image = batch["image"]
    np.testing.assert_allclose(first.forward(image), second.forward(image), atol=1e-3)


def test_accumulated_batches_agree() -> None:
    case = CASES["cls_mobilenet_v3"]
    first, second = pair(case, Adam())
    batches = [make_batch(case, seed) for seed in range(2)]
    ours = first.train_step(batches, lr=0.001, seed=0)
    theirs = second.train_step(batches, lr=0.001, seed=0)
    assert float(theirs["loss"]) == pytest.approx(float(ours["loss"]), rel=1e-4)


@pytest.mark.parametrize("kind", ["backbone", "neck", "head", "loss"])
def test_components_have_the_same_names_and_arguments(kind: str) -> None:
    ours, theirs = PaddleBackend.components[kind], TorchBackend.components[kind]
    assert list(ours) == list(theirs)
    assert ours.runtime == theirs.runtime
    for name in ours:
        assert arguments(ours.get(name)) == arguments(theirs.get(name)), name


def arguments(component: type[Any]) -> dict[str, tuple[Any, Any]]:
    return {p.name: (p.annotation, p.default) for p in inspect.signature(component).parameters.values()}
