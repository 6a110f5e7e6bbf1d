"""The losses of the seed configurations, under the names of the training logs."""

from __future__ import annotations

from typing import Any

import numpy as np
import paddle
import pytest

from ppocr_lite.errors import ConfigError
from ppocr_lite.losses import (
    CombinedLoss,
    CTCLoss,
    DBLoss,
    DistillationDBLoss,
    DistillationDilaDBLoss,
    DistillationDMLLoss,
    TeacherMapLoss,
)
from ppocr_lite.losses.distillation import dilate

DETECTOR: list[dict[str, Any]] = [
    {
        "DistillationDilaDBLoss": {
            "weight": 1.0,
            "model_name_pairs": [["Student", "Teacher"], ["Student2", "Teacher"]],
            "key": "maps",
            "balance_loss": True,
            "main_loss_type": "DiceLoss",
            "alpha": 5,
            "beta": 10,
            "ohem_ratio": 3,
        }
    },
    {
        "DistillationDMLLoss": {
            "weight": 1.0,
            "model_name_pairs": ["Student", "Student2"],
            "maps_name": "thrink_maps",
            "key": "maps",
        }
    },
    {
        "DistillationDBLoss": {
            "weight": 1.0,
            "model_name_list": ["Student", "Student2"],
            "balance_loss": True,
            "main_loss_type": "DiceLoss",
            "alpha": 5,
            "beta": 10,
            "ohem_ratio": 3,
        }
    },
]
RECOGNISER: list[dict[str, Any]] = [
    {"DistillationCTCLoss": {"weight": 1.0, "model_name_list": ["Student", "Teacher"], "key": "head_out"}},
    {
        "DistillationDMLLoss": {
            "weight": 1.0,
            "act": "softmax",
            "use_log": True,
            "model_name_pairs": [["Student", "Teacher"]],
            "key": "head_out",
        }
    },
    {
        "DistillationDistanceLoss": {
            "weight": 1.0,
            "mode": "l2",
            "model_name_pairs": [["Student", "Teacher"]],
            "key": "backbone_out",
        }
    },
]


def detector_outputs() -> dict[str, dict[str, paddle.Tensor]]:
    paddle.seed(0)
    names = ("Teacher", "Student", "Student2")
    return {name: {"maps": paddle.nn.functional.sigmoid(paddle.randn([2, 3, 16, 16]))} for name in names}


def detector_batch() -> dict[str, paddle.Tensor]:
    shrink = paddle.zeros([2, 16, 16])
    shrink[:, 4:9, 3:12] = 1.0
    mask = paddle.ones([2, 16, 16])
    return {"shrink_map": shrink, "shrink_mask": mask, "threshold_map": 0.3 + 0.4 * shrink, "threshold_mask": shrink}


def recogniser_outputs() -> dict[str, dict[str, paddle.Tensor]]:
    paddle.seed(0)
    return {
        name: {"head_out": paddle.randn([2, 8, 5]), "backbone_out": paddle.randn([2, 4, 1, 8])}
        for name in ("Teacher", "Student")
    }


def recogniser_batch() -> dict[str, paddle.Tensor]:
    labels = paddle.to_tensor(np.array([[1, 2, 0], [3, 3, 4]], np.int32))
    return {"label": labels, "length": paddle.to_tensor(np.array([2, 3], np.int64))}


def test_detector_terms_have_the_names_of_the_log_and_add_up() -> None:
    terms = {k: v.item() for k, v in CombinedLoss(DETECTOR)(detector_outputs(), detector_batch()).items()}
    total = terms.pop("loss")
    assert set(terms) == {
        "dila_dbloss_Student_Teacher",
        "dila_dbloss_Student2_Teacher",
        "dml_thrink_maps_0",
        *(
            f"db_{name}_loss_{part}_maps"
            for name in ("Student", "Student2")
            for part in ("shrink", "threshold", "binary")
        ),
    }
    assert total == pytest.approx(sum(terms.values()), rel=1e-5)


def test_recogniser_terms_have_the_names_of_the_log_and_add_up() -> None:
    terms = {k: v.item() for k, v in CombinedLoss(RECOGNISER)(recogniser_outputs(), recogniser_batch()).items()}
    total = terms.pop("loss")
    assert set(terms) == {
        "loss_ctc_Student_0",
        "loss_ctc_Teacher_1",
        "dml_0",
        "loss_distance_l2_Student_Teacher_0",
    }
    assert total == pytest.approx(sum(terms.values()), rel=1e-5)


def test_truth_losses_equal_those_of_the_single_networks() -> None:
    outputs, batch = detector_outputs(), detector_batch()
    alone = DBLoss()({"maps": outputs["Student"]["maps"]}, batch)["loss"].item()
    assert DistillationDBLoss(["Student"])(outputs, batch)["loss"].item() == pytest.approx(alone, rel=1e-6)
    lines, texts = recogniser_outputs(), recogniser_batch()
    alone = CTCLoss()({"logits": lines["Teacher"]["head_out"]}, texts)["loss"].item()
    assert CombinedLoss(RECOGNISER[:1])(lines, texts)["loss_ctc_Teacher_1"].item() == pytest.approx(alone, rel=1e-6)


def test_dilation_grows_down_and_to_the_right() -> None:
    maps = paddle.zeros([1, 4, 4])
    maps[0, 1, 1] = 1.0
    assert dilate(maps)[0].numpy().tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]


def test_a_student_that_draws_the_dilated_map_of_its_teacher_costs_nothing() -> None:
    teacher = paddle.zeros([1, 3, 8, 8])
    teacher[:, 0, 2:5, 2:5] = 0.31
    student = dilate((teacher[:, 0] > 0.3).astype("float32")).unsqueeze(1).tile([1, 3, 1, 1])
    outputs = {"Teacher": {"maps": teacher}, "Student": {"maps": student}}
    loss = DistillationDilaDBLoss([["Student", "Teacher"]])(outputs, {"shrink_mask": paddle.ones([1, 8, 8])})
    assert loss["dila_dbloss_Student_Teacher"].item() == pytest.approx(0, abs=1e-5)


def test_teacher_gets_no_gradient_from_its_student() -> None:
    outputs = detector_outputs()
    for output in outputs.values():
        output["maps"].stop_gradient = False
    DistillationDilaDBLoss([["Student", "Teacher"]])(outputs, detector_batch())["loss"].backward()
    assert outputs["Teacher"]["maps"].grad is None
    assert outputs["Student"]["maps"].grad.abs().sum().item() > 0


@pytest.mark.parametrize("use_log", [True, False])
@pytest.mark.parametrize("act", ["softmax", "sigmoid", None])
def test_mutual_learning_is_zero_between_equals_and_positive_otherwise(act: str | None, use_log: bool) -> None:
    outputs = recogniser_outputs()
    if act is None:
        outputs = {k: {"head_out": paddle.nn.functional.softmax(v["head_out"])} for k, v in outputs.items()}
    twins = {"Student": outputs["Student"], "Teacher": outputs["Student"]}
    loss = DistillationDMLLoss([["Student", "Teacher"]], act=act, use_log=use_log)
    assert loss(twins, {})["loss"].item() == pytest.approx(0, abs=1e-6)
    assert loss(outputs, {})["loss"].item() > 0.01


def kullback_leibler(p: np.ndarray, q: np.ndarray) -> float:
    """Return KL(p ‖ q) of distributions over the last axis, mean over the others, term by term."""
    rows = zip(p.reshape(-1, p.shape[-1]), q.reshape(-1, q.shape[-1]), strict=True)
    return float(np.mean([sum(a * np.log(a / b) for a, b in zip(left, right, strict=True)) for left, right in rows]))


def test_mutual_learning_of_recognisers_is_the_mean_of_both_divergences_and_symmetric() -> None:
    outputs = recogniser_outputs()
    there, back = (
        DistillationDMLLoss([pair], act="softmax")(outputs, {})["loss"].item()
        for pair in (["Student", "Teacher"], ["Teacher", "Student"])
    )
    p, q = (paddle.nn.functional.softmax(outputs[name]["head_out"]).numpy().astype(float) for name in outputs)
    assert kullback_leibler(p, q) != pytest.approx(kullback_leibler(q, p), rel=1e-2)
    assert there == pytest.approx((kullback_leibler(p, q) + kullback_leibler(q, p)) / 2, rel=1e-4)
    assert there == pytest.approx(back, rel=1e-6)


def test_mutual_learning_of_detectors_compares_pixels_as_two_classes_and_is_symmetric() -> None:
    outputs = detector_outputs()
    there, back = (
        DistillationDMLLoss(pair, maps_name="thrink_maps")(outputs, {})["loss"].item()
        for pair in (["Student", "Student2"], ["Student2", "Student"])
    )
    p, q = (outputs[name]["maps"].numpy()[:, 0].astype(float) for name in ("Student", "Student2"))
    p, q = np.stack([p, 1 - p], axis=-1), np.stack([q, 1 - q], axis=-1)
    assert there == pytest.approx((kullback_leibler(p, q) + kullback_leibler(q, p)) / 2, rel=1e-4)
    assert there == pytest.approx(back, rel=1e-6)


def test_both_of_a_pair_learn() -> None:
    outputs = recogniser_outputs()
    for output in outputs.values():
        output["head_out"].stop_gradient = False
    DistillationDMLLoss([["Student", "Teacher"]], act="softmax")(outputs, {})["loss"].backward()
    assert all(output["head_out"].grad.abs().sum().item() > 0 for output in outputs.values())


def test_use_log_sums_over_the_steps() -> None:
    outputs = recogniser_outputs()
    total, mean = (
        DistillationDMLLoss([["Student", "Teacher"]], act="softmax", use_log=use_log)(outputs, {})["loss"].item()
        for use_log in (True, False)
    )
    assert total == pytest.approx(8 * mean, rel=1e-5)


def test_several_maps_can_be_compared() -> None:
    loss = DistillationDMLLoss(["Student", "Student2"], maps_name=["thrink_maps", "binary_maps"])
    assert set(loss(detector_outputs(), {})) == {"loss", "dml_thrink_maps_0", "dml_binary_maps_0"}


@pytest.mark.parametrize("pairs", [[], ["Student"], [["A", "B", "C"]]])
def test_pairs_must_be_pairs(pairs: Any) -> None:
    with pytest.raises(ConfigError, match="model_name_pairs must be"):
        DistillationDMLLoss(pairs)


def test_a_stored_map_teaches_like_the_teacher_itself() -> None:
    rng = np.random.default_rng(0)
    stored = rng.integers(0, 256, (2, 24, 32), np.uint8)
    student = paddle.to_tensor(rng.uniform(0.02, 0.98, (2, 3, 24, 32)).astype(np.float32))
    teacher = paddle.to_tensor((stored / 255.0).astype(np.float32)[:, None])  # one map, as an exported network returns
    batch = {"shrink_mask": paddle.to_tensor((rng.random((2, 24, 32)) < 0.9).astype(np.float32))}
    live = DistillationDilaDBLoss([["Student", "Teacher"]])
    expected = live({"Student": {"maps": student}, "Teacher": {"maps": teacher}}, batch)["loss"]
    found = TeacherMapLoss()({"maps": student}, batch | {"teacher_map": paddle.to_tensor(stored)})
    assert float(found["loss"]) == pytest.approx(float(expected), rel=1e-5)
    assert float(found["loss_teacher_map"]) == float(found["loss"])


def test_a_student_that_returns_one_map_learns_that() -> None:
    probability = paddle.full([1, 1, 8, 8], 0.5)
    batch = {"shrink_mask": paddle.ones([1, 8, 8]), "teacher_map": paddle.full([1, 8, 8], 255, "uint8")}
    three = TeacherMapLoss(alpha=5.0)({"maps": paddle.concat([probability] * 3, axis=1)}, batch)["loss"]
    one = TeacherMapLoss(alpha=5.0)({"maps": probability}, batch)["loss"]
    assert float(three) == pytest.approx(6 / 5 * float(one), rel=1e-5)  # the binary map adds its own Dice
