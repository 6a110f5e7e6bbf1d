"""What a loss has learnt goes with the state of the optimizer, in either engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import create_backend
from ppocr_lite.errors import CheckpointError
from ppocr_lite.optim.optimizers import Momentum

ARCHITECTURE = {
    "model_type": "rec",
    "algorithm": "CRNN",
    "Backbone": {"name": "MobileNetV3", "scale": 0.35, "model_name": "small", "small_stride": [1, 2, 2, 2]},
    "Neck": {"name": "SequenceEncoder", "encoder_type": "reshape"},
    "Head": {"name": "CTCHead", "mid_channels": 4, "return_feats": True},
}
CENTER = {"CenterLoss": {"weight": 0.1, "num_classes": 7, "feat_dim": 4, "update_rate": 0.5}}
LOSS = {"name": "CombinedLoss", "loss_config_list": [{"CTCLoss": {"weight": 1.0}}, CENTER]}
KEPT = "loss.parts.1.centers"


def started(engine: str) -> Any:
    backend = create_backend(engine)
    backend.build(Task(ARCHITECTURE, 7, LOSS, Momentum(), seed=1))
    return backend


def test_moving_centres_are_saved_and_go_on(engine: str) -> None:
    before, after = started(engine), started(engine)
    rng = np.random.default_rng(0)
    batch = {"image": rng.standard_normal((2, 3, 32, 64)).astype(np.float32)}
    batch |= {"label": np.array([[1, 2], [3, 4]], np.int32), "length": np.array([2, 2])}
    before.train_step([batch], lr=0.01, seed=0)
    state = before.optimizer_state()
    assert np.abs(state[KEPT]).max() > 0
    after.load_optimizer_state(state)
    np.testing.assert_array_equal(after.optimizer_state()[KEPT], state[KEPT])
    with pytest.raises(CheckpointError, match=r"lacks loss\.parts\.1\.centers"):
        after.load_optimizer_state({name: value for name, value in state.items() if not name.startswith("loss.")})
