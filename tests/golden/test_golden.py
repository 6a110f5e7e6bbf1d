"""What users and files see, word for word; ``make golden`` rewrites the expected files, a person reads the diff."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from ppocr_lite import OCRResult, TextLine
from ppocr_lite.charset import Charset
from ppocr_lite.engine.build import load_config
from ppocr_lite.errors import OCRError
from ppocr_lite.postprocess import CTCLabelDecode
from ppocr_lite.textline import find_words
from ppocr_lite.transforms.det_targets import MakeBorderMap, MakeShrinkMap

HERE = Path(__file__).parent
CONFIGS = HERE.parents[1] / "configs"


def result_as_json() -> str:
    quad = np.float32([[1, 2], [90, 2], [90.5, 20], [1, 20]])
    lines = (
        TextLine(quad, "Größe 4,50 €", 0.75, 0.5, 0, find_words("Größe 4,50 €", (), quad)),
        TextLine(np.float32([[1, 30], [50, 30], [50, 44], [1, 44]]), "", 0.0, 0.9, 180),
    )
    return OCRResult(lines, (60, 120), "receipt.jpg").to_json()


def messages_of_wrong_configs() -> str:
    overrides = {
        "det/det_mv3_db.yml": (
            "Architecture.Head.kk=50",
            "Architecture.Backbone.name=MobileNetV4",
            "Train.loader.batch_size=4",
            "Train.dataset.transforms[3].EastRandomCropData.sise=[640,640]",
            "Loss.alpha=many",
            "Globl.epoch_num=1",
        ),
        "rec/rec_en_mv3_crnn.yml": ("Optimizer.lr.name=Cosin", "Architecture.Neck.hidden_size=null"),
    }
    texts = []
    for name, faults in overrides.items():
        for fault in faults:
            try:
                load_config(CONFIGS / name, [fault])
            except OCRError as error:
                texts.append(f"-o {fault}\n{type(error).__name__}: {error}\n")
    return re.sub(r"defined at .*?(ppocr_lite/\S+?):\d+", r"defined at …/\1:<line>", "\n".join(texts))


def ctc_decoding_table() -> str:
    decode = CTCLabelDecode(charset=Charset(list("ab"), source="golden"))
    rows = []
    for path in ((0, 0, 0), (1, 1, 1), (1, 0, 1), (1, 2, 2), (0, 2, 0), (2, 1, 2)):
        probabilities = np.full((1, 3, 3), 0.1, np.float32)
        probabilities[0, np.arange(3), path] = 0.8
        ((text, score),) = decode(probabilities)
        rows.append(f"{path} -> {text!r} {score:.2f}")
    return "\n".join(rows)


def detection_targets() -> str:
    polygons = [
        np.float32([[4, 4], [44, 4], [44, 18], [4, 18]]),
        cv2.boxPoints(((70.0, 30.0), (40.0, 14.0), 30.0)),
        np.float32([[6, 40], [24, 34], [40, 40], [38, 52], [24, 46], [8, 52]]),
    ]
    sample = {"image": np.zeros((64, 96, 3), np.uint8), "polys": polygons, "ignore_tags": [False, False, False]}
    sample = MakeBorderMap(0.4, 0.3, 0.7)(MakeShrinkMap(0.4, 4)(sample))
    shrink = ["".join(".#"[int(v)] for v in row[::2]) for row in sample["shrink_map"][::2]]
    border = [
        "".join("0123456789"[int((v - 0.3) / 0.4 * 9 + 0.5)] for v in row[::2]) for row in sample["threshold_map"][::2]
    ]
    return "\n".join(
        ["every second pixel: core of each text, then threshold map from 0.3 (0) to 0.7 (9)", *shrink, "", *border]
    )


MAKERS: dict[str, Callable[[], str]] = {
    "result.json": result_as_json,
    "config_errors.txt": messages_of_wrong_configs,
    "ctc_decoding.txt": ctc_decoding_table,
    "detection_targets.txt": detection_targets,
}


@pytest.mark.parametrize("name", MAKERS)
def test_it_is_as_expected(name: str) -> None:
    made = MAKERS[name]() + "\n"
    if os.environ.get("PPOCR_LITE_GOLDEN") == "write":
        (HERE / name).write_text(made, encoding="utf-8")
    assert made == (HERE / name).read_text(encoding="utf-8")
