"""CTC beside a guide: what a MultiHead takes, gives and refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ppocr_lite import nn
from ppocr_lite.config.architecture import check_architecture
from ppocr_lite.errors import ConfigError
from ppocr_lite.modeling import BACKBONES, HEADS, NECKS, build_model
from ppocr_lite.modeling.heads.nrtr_head import NRTRHead, positions
from ppocr_lite.modeling.layers import LinePool
from tests.engine import array, tensor

CTC = {"CTCHead": {"Neck": {"name": "svtr", "dims": 16, "hidden_dims": 16, "num_heads": 2}, "Head": {}}}
GUIDE = {"NRTRHead": {"nrtr_dim": 32, "num_decoder_layers": 1, "max_text_length": 4}}
BACKBONE = {"name": "PPLCNetV3", "scale": 0.25, "conv_kxk_num": 1}


def section(*heads: Any, **parts: Any) -> dict[str, Any]:
    head = {"name": "MultiHead", "head_list": list(heads)}
    return {"model_type": "rec", "Backbone": BACKBONE, "Head": head} | parts


def check(node: dict[str, Any]) -> None:
    check_architecture(node, {"backbone": BACKBONES, "neck": NECKS, "head": HEADS})


def guided(neck: dict[str, Any] | None = None, **head: Any) -> dict[str, Any]:
    return {"CTCHead": {"Neck": neck or {"name": "svtr"}, "Head": head}}


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ([CTC, {"SARHead": {"enc_dim": 512}}], r"head_list\[1\].SARHead: no head .* called 'SARHead'.*NRTRHead"),
        ([GUIDE], "must have a CTCHead"),
        ([CTC, CTC], "at most one guide"),
        ([CTC, {"NRTRHead": {"nrtr_dims": 384}}], r"head_list\[1\].NRTRHead.nrtr_dims is not .*'nrtr_dim'"),
        ([guided({"name": "svtr", "dim": 4}), GUIDE], r"head_list\[0\].CTCHead.Neck.dim is not"),
        ([guided({"name": "svt"}), GUIDE], r"Neck.encoder_type must be one of"),
        ([guided(mid=3), GUIDE], r"CTCHead.Head.mid is not"),
        ([{"CTCHead": {"Nek": {}}}, GUIDE], r"CTCHead.Nek is not known here.*'Neck'"),
        ([{"CTCHead": {"Head": {}}}, GUIDE], r"CTCHead.Neck must be {name: svtr"),
        ([CTC | GUIDE], r"head_list\[0\] must be '- Class"),
        ([guided({"name": "svtr", "use_guide": True})], "Neck.use_guide lets no gradient through"),
        ([guided(use_guide=True)], "Head.use_guide lets no gradient through"),
    ],
)
def test_what_does_not_fit_is_refused_by_path(heads: list[Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check(section(*heads))


def test_use_guide_is_refused_where_nothing_guides() -> None:
    neck = {"name": "SequenceEncoder", "encoder_type": "svtr", "use_guide": True}
    with pytest.raises(ConfigError, match="Architecture.Neck.use_guide is for the CTCHead of a MultiHead"):
        check(section() | {"Neck": neck, "Head": {"name": "CTCHead"}})
    with pytest.raises(ConfigError, match="Architecture.Head.use_guide is for"):
        check(section() | {"Head": {"name": "CTCHead", "use_guide": True}})


def test_the_guide_sees_the_batch_and_is_left_out_of_predictions(engine: str) -> None:
    model = build_model(section(CTC, GUIDE), num_classes=7)
    assert model.takes_targets
    x = tensor(np.zeros((2, 3, 48, 64), np.float32))
    labels = tensor(np.array([[2, 4, 5, 3, 0, 0], [2, 6, 3, 0, 0, 0]], np.int32))
    outputs = model(x, {"label_gtc": labels})
    assert {name: tuple(value.shape) for name, value in outputs.items()} == {"logits": (2, 8, 7), "gtc": (2, 5, 11)}
    assert set(model(x)) == {"logits"}
    model.train(False)
    found = model.predict(x)
    assert set(found) == {"probabilities"}
    np.testing.assert_allclose(array(found["probabilities"]).sum(2), 1, rtol=1e-5)


def test_a_multi_head_without_a_guide_is_plain_ctc(engine: str) -> None:
    model = build_model(section(CTC), num_classes=7)
    x = tensor(np.zeros((1, 3, 48, 64), np.float32))
    assert set(model(x, {})) == {"logits"}
    assert not [name for name, _ in model.named_parameters() if "gtc" in name]


def test_the_guide_knows_only_what_came_before(engine: str) -> None:
    head = NRTRHead(7, nrtr_dim=32, max_text_length=6, num_decoder_layers=2)
    head.train(False)
    picture = tensor(np.random.default_rng(0).normal(size=(1, 5, 32)).astype(np.float32))
    first, second = ([[2, 4, 5, 6, 3, 0, 0, 0]], [[2, 4, 5, 9, 8, 3, 0, 0]])
    with nn.no_grad():
        ours, theirs = (array(head(picture, tensor(np.array(labels, np.int32)))) for labels in (first, second))
    np.testing.assert_allclose(ours[:, :3], theirs[:, :3], atol=1e-6)
    assert np.abs(ours[:, 3:] - theirs[:, 3:]).max() > 1e-3


def test_a_text_longer_than_the_guide_expects_is_refused(engine: str) -> None:
    head = NRTRHead(7, nrtr_dim=32, max_text_length=3, num_decoder_layers=1)
    labels = tensor(np.array([[2, 4, 5, 6, 7, 3]], np.int32))
    with pytest.raises(ConfigError, match="max_text_length is 3, but Global.max_text_length is 4"):
        head(tensor(np.zeros((1, 5, 32), np.float32)), labels)


def test_the_width_of_a_guide_is_a_multiple_of_its_heads() -> None:
    with pytest.raises(ConfigError, match="multiple of 32. Received: 40"):
        NRTRHead(7, nrtr_dim=40)


def test_positions_are_told_apart() -> None:
    found = positions(10, 8)
    assert found[0].tolist() == [0, 1] * 4
    np.testing.assert_allclose(found[3, :2], [np.sin(3), np.cos(3)], rtol=1e-6)
    assert len({tuple(row) for row in found.round(4)}) == 10


def test_lines_of_several_heights_are_pooled_to_one_row(engine: str) -> None:
    pool = LinePool()
    x = np.random.default_rng(0).normal(size=(1, 2, 3, 8)).astype(np.float32)
    expected = x.mean(2, keepdims=True).reshape(1, 2, 1, 4, 2).mean(-1)
    np.testing.assert_allclose(array(pool(tensor(x))), expected, atol=1e-6)
    assert tuple(pool(tensor(x[:, :, :2, :5])).shape) == (1, 2, 1, 2)


def test_det_contradicts_the_family() -> None:
    with pytest.raises(ConfigError, match="PPLCNetV4.det is True, but Architecture.model_type is 'rec'"):
        build_model(section(CTC) | {"Backbone": {"name": "PPLCNetV4", "det": True}}, num_classes=7)
