"""The weights that a run starts from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from ppocr_lite.charset import BLANK, Charset
from ppocr_lite.engine.backends.base import Arrays, Task
from ppocr_lite.engine.build import create_backend
from ppocr_lite.engine.transfer import load_pretrained
from ppocr_lite.errors import CheckpointError, ConfigError

Make = Callable[..., Any]
MEMBER: dict[str, Any] = {
    "model_type": "rec",
    "algorithm": "CRNN",
    "return_all_feats": True,
    "Backbone": {"name": "MobileNetV3", "scale": 0.35, "model_name": "small", "small_stride": [1, 2, 2, 2]},
    "Neck": {"name": "SequenceEncoder", "encoder_type": "reshape"},
    "Head": {"name": "CTCHead"},
}


def part(weights: Arrays, network: str) -> Arrays:
    """Return the weights of one network of a distillation under the names it has alone."""
    return {k.removeprefix(f"{network}."): v for k, v in weights.items() if k.startswith(f"{network}.")}


def equal(one: Arrays, other: Arrays) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_weights_of_another_head_need_reinit(make_trainer: Make, cls_label_file: Path) -> None:
    first = make_trainer("cls", cls_label_file, "Global.max_steps=1", run="first")
    first.fit()
    labels = "PostProcess={name: ClsPostProcess, label_list: ['0', '90', '180']}"
    start = (f"Global.pretrained_model={first.folder.parent}", "Architecture.Head.class_dim=3", labels)
    with pytest.raises(CheckpointError, match="of another shape: head"):
        make_trainer("cls", cls_label_file, *start, run="second")
    second = make_trainer("cls", cls_label_file, *start, "Global.reinit=[head]", run="third")
    trained, kept = first.backend.weights(), second.backend.weights()
    same = [name for name in kept if np.array_equal(trained.get(name), kept[name])]
    assert all(name in same for name in kept if name.startswith("backbone."))


def test_another_dictionary_keeps_what_was_learnt_of_shared_characters(
    make_trainer: Make, rec_label_file: Path, tmp_path: Path
) -> None:
    english = Charset.load("en")
    first = make_trainer("rec", rec_label_file, "Global.max_steps=1", run="first")
    first.fit()
    own = ["Ω", *"zyxwvutsrqponmlkjihgfedcba0123456789"]
    (tmp_path / "own.txt").write_text("\n".join(own), encoding="utf-8")
    start = (
        f"Global.pretrained_model={first.folder.parent}",
        "Global.pretrained_dict_path=en",
        f"Global.character_dict_path={tmp_path / 'own.txt'}",
    )
    second = make_trainer("rec", rec_label_file, *start, run="second")
    old, new = (each.backend.weights()["head.fc.weight"] for each in (first, second))
    shared = "".join(own[1:]) + " "  # the space comes last
    assert np.array_equal(new[:, [BLANK, *range(2, len(own) + 2)]], old[:, [BLANK, *english.encode(shared)]])
    assert not any(np.array_equal(new[:, 1], column) for column in old.T)


def test_a_dictionary_is_for_recognisers(make_trainer: Make, cls_label_file: Path) -> None:
    first = make_trainer("cls", cls_label_file, "Global.max_steps=1", run="first")
    first.fit()
    start = (f"Global.pretrained_model={first.folder.parent}", "Global.pretrained_dict_path=en")
    with pytest.raises(ConfigError, match="pretrained_dict_path is for recognisers"):
        make_trainer("cls", cls_label_file, *start, run="second")


def test_a_network_of_a_distillation_starts_from_its_own(
    load_small: Make, rec_label_file: Path, tmp_path: Path
) -> None:
    alone, whole = create_backend("paddle"), create_backend("paddle")
    alone.build(Task(MEMBER, 9, seed=1))
    save_file({name: value.copy() for name, value in alone.weights().items()}, tmp_path / "teacher.safetensors")
    models = {
        "Teacher": MEMBER | {"freeze_params": True, "pretrained": str(tmp_path / "teacher.safetensors")},
        "Student": MEMBER,
    }
    architecture = {"name": "DistillationModel", "algorithm": "Distillation", "model_type": "rec", "Models": models}
    config = load_small("rec", rec_label_file, f"Architecture={architecture}")
    whole.build(Task(config.Architecture, 9, seed=2))
    before = part(whole.weights(), "Student")
    load_pretrained(config, whole, None)
    assert equal(part(whole.weights(), "Teacher"), alone.weights())
    assert equal(part(whole.weights(), "Student"), before)
