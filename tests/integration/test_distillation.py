"""Which network of a distillation predicts, is evaluated and is exported."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import chosen_network, create_backend
from ppocr_lite.errors import ConfigError

MEMBER: dict[str, Any] = {
    "algorithm": "CRNN",
    "return_all_feats": True,
    "Backbone": {"name": "MobileNetV3", "scale": 0.35, "model_name": "small", "small_stride": [1, 2, 2, 2]},
    "Neck": {"name": "SequenceEncoder", "encoder_type": "reshape"},
    "Head": {"name": "CTCHead"},
}
NAMES = ("Teacher", "Student", "Other")
ARCHITECTURE = {
    "name": "DistillationModel",
    "model_type": "rec",
    "algorithm": "Distillation",
    "Models": {name: MEMBER | {"model_type": "rec", "freeze_params": name == "Teacher"} for name in NAMES},
}


@pytest.mark.parametrize("predicts, expected", [("Other", "Other"), ("Teacher", "Teacher"), (None, "Student")])
def test_the_chosen_network_predicts(engine: str, predicts: str | None, expected: str) -> None:
    whole, alone = create_backend(engine), create_backend(engine)
    whole.build(Task(ARCHITECTURE, 9, seed=1, predicts=predicts))
    alone.build(Task(MEMBER | {"model_type": "rec"}, 9, seed=2))
    prefix = f"{expected}."
    alone.load_weights({k.removeprefix(prefix): v for k, v in whole.weights().items() if k.startswith(prefix)})
    image = np.random.default_rng(0).standard_normal((2, 3, 32, 64)).astype(np.float32)
    np.testing.assert_allclose(whole.forward(image), alone.forward(image), atol=1e-6)
    logits = whole.head_outputs(image)["logits"]
    np.testing.assert_allclose(logits, alone.head_outputs(image)["logits"], atol=1e-6)
    assert logits.shape == (2, 16, 9)


@pytest.mark.parametrize(
    "metric, expected",
    [({}, "Student"), ({"key": "Other"}, "Other"), ({"key": "Teacher"}, "Teacher")],
)
def test_the_metric_names_the_network(
    load_small: Callable[..., Any], rec_label_file: Path, metric: dict[str, str], expected: str
) -> None:
    node = {"name": "DistillationMetric", "base_metric_name": "RecMetric"} | metric
    config = load_small("rec", rec_label_file, f"Architecture={ARCHITECTURE}", f"Metric={node}")
    assert chosen_network(config) == expected


def test_a_metric_of_no_network_is_refused(load_small: Callable[..., Any], rec_label_file: Path) -> None:
    node = "{name: DistillationMetric, base_metric_name: RecMetric, key: Pupil}"
    config = load_small("rec", rec_label_file, f"Architecture={ARCHITECTURE}", f"Metric={node}")
    with pytest.raises(ConfigError, match="Metric.key must name one of the networks"):
        chosen_network(config)
