"""Recognisers whose CTC is guided in training: they learn, and what is exported has no guide."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from ppocr_lite import nn
from ppocr_lite.charset import Charset
from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import create_backend
from ppocr_lite.engine.export import export_model
from ppocr_lite.families import FAMILIES
from ppocr_lite.modeling import build_model
from ppocr_lite.optim.optimizers import Adam
from ppocr_lite.postprocess.ctc import CTCLabelDecode
from ppocr_lite.transforms.labels import MultiLabelEncode
from ppocr_lite.transforms.resize import RecResizeImg
from tests.conftest import WORDS, draw_line
from tests.engine import array, tensor

TEXTS = WORDS[:4]
CHARSET = Charset(sorted(set("".join(TEXTS))))
GUIDE = {"NRTRHead": {"nrtr_dim": 64, "num_decoder_layers": 1, "max_text_length": 12}}
SVTR = {"name": "svtr", "dims": 32, "depth": 1, "hidden_dims": 32, "num_heads": 4, "drop_rate": 0.0}
LIGHT = {"name": "lightsvtr", "dims": 32, "num_heads": 4, "drop_rate": 0.0}
V1 = {"name": "MobileNetV1Enhance", "scale": 0.25, "last_conv_stride": [1, 2], "last_pool_type": "avg"}
V3 = {"name": "PPLCNetV3", "scale": 0.25, "conv_kxk_num": 1}
V4 = {"name": "PPLCNetV4", "model_size": "tiny"}
# name → backbone, neck, arguments of the CTC head
NETWORKS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "PP-OCRv3": (V1, SVTR, {}),
    "PP-OCRv4": (V3, SVTR | {"kernel_size": [1, 3]}, {}),
    "PP-OCRv6": (V4, LIGHT, {}),
    "PP-OCRv6 tiny": (V4, {"name": "reshape"}, {"mid_channels": 32}),
}


def architecture(name: str, *, use_guide: bool = False) -> dict[str, Any]:
    backbone, neck, head = NETWORKS[name]
    blocked = {"use_guide": use_guide}
    ctc = (
        {"Neck": neck | blocked, "Head": head} if neck["name"] != "reshape" else {"Neck": neck, "Head": head | blocked}
    )
    heads = [{"CTCHead": ctc}, GUIDE]
    return {"model_type": "rec", "Backbone": backbone, "Head": {"name": "MultiHead", "head_list": heads}}


def lines() -> dict[str, np.ndarray]:
    """Return a batch of drawn words, 48 × 160."""
    encode, resize = MultiLabelEncode(CHARSET, 12), RecResizeImg((3, 48, 160))
    samples = [encode({"label": text}) | resize({"image": draw_line(text, 48)}) for text in TEXTS]
    image = np.zeros((len(samples), 3, 48, 160), np.float32)
    for row, sample in zip(image, samples, strict=True):
        row[:, :, : sample["image"].shape[2]] = sample["image"]
    return {"image": image} | {key: np.stack([s[key] for s in samples]) for key in ("label_ctc", "label_gtc", "length")}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", NETWORKS)
def test_it_learns_four_lines_by_heart(name: str, engine: str) -> None:
    backend, batch = create_backend(engine), lines()
    loss = {"name": "MultiLoss", "loss_config_list": [{"CTCLoss": None}, {"NRTRLoss": {"smoothing": False}}]}
    backend.build(Task(architecture(name), CHARSET.num_classes, loss, Adam(beta2=0.98), seed=1))
    decode = CTCLabelDecode(CHARSET)
    for step in range(120):
        terms = backend.train_step([batch], lr=0.002, seed=step)
        if step % 20 == 19:
            read = [line.text for line in decode(backend.predict(batch["image"])["probabilities"])]
            if read == list(TEXTS):
                break
    assert read == list(TEXTS)
    assert float(terms["NRTRLoss"]) < 1.5


@pytest.mark.parametrize("use_guide", [False, True], ids=["both teach", "the guide alone teaches"])
@pytest.mark.parametrize("name", NETWORKS)
def test_gradients_reach_every_parameter(name: str, use_guide: bool, engine: str) -> None:
    model = build_model(architecture(name, use_guide=use_guide), CHARSET.num_classes)
    batch = {key: tensor(value) for key, value in lines().items()}
    outputs = model(batch["image"], batch)
    (outputs["logits"].square().mean() + outputs["gtc"].square().mean()).backward()
    learned = [(n, p) for n, p in model.named_parameters() if not getattr(p, "stop_gradient", not p.requires_grad)]
    assert not [name for name, p in learned if p.grad is None or not np.isfinite(array(p.grad)).all()]


@pytest.mark.parametrize("name", NETWORKS)
def test_with_use_guide_ctc_teaches_the_backbone_nothing(name: str, engine: str) -> None:
    model = build_model(architecture(name, use_guide=True), CHARSET.num_classes)
    model(tensor(lines()["image"]))["logits"].square().mean().backward()
    taught = [n for n, p in model.named_parameters() if p.grad is not None and np.asarray(array(p.grad)).any()]
    assert taught and all(name.startswith("head.ctc_") for name in taught)


@pytest.mark.parametrize("name", ["PP-OCRv4", "PP-OCRv6"])
def test_an_exported_recogniser_has_no_guide(
    name: str, tmp_path: Path, load_small: Callable[..., Any], rec_label_file: Path
) -> None:
    steps = "[{DecodeImage: }, {MultiLabelEncode: }, {RecResizeImg: {image_shape: [3, 48, 160]}}]"
    config = load_small("rec", rec_label_file, f"Train.dataset.transforms={steps}", f"Eval.dataset.transforms={steps}")
    config = dataclasses.replace(config, Architecture=architecture(name))
    backend = create_backend("paddle")
    backend.build(Task(config.Architecture, FAMILIES["rec"].charset(config).num_classes, seed=1))
    weights = backend.weights()
    save_file({key: value.copy() for key, value in weights.items()}, tmp_path / "weights.safetensors")
    folder = export_model(config, tmp_path / "weights.safetensors", tmp_path / "exported")  # compares what it writes
    exported = (folder / "inference.pdiparams").stat().st_size
    assert exported < 4.2 * sum(value.size for key, value in weights.items() if "gtc" not in key)
    (read,) = FAMILIES["rec"].load(folder).recognize([draw_line(TEXTS[0], 48)])
    assert 0 <= read.score <= 1
    assert nn.chosen() == "paddle"
