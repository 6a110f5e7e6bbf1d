"""One reading policy: what a config says is in the folder, and evaluation reads by it as ``OCR`` does."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from ppocr_lite import OCR
from ppocr_lite.config.reading import DEFAULT_POLICY, ReadingPolicy
from ppocr_lite.engine import build, run
from ppocr_lite.engine.build import load_config
from ppocr_lite.engine.infer import live_stage
from ppocr_lite.errors import ModelError
from ppocr_lite.metrics import RecMetric
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.crop import crop_lines
from ppocr_lite.predict.page import PageReader, Steps
from ppocr_lite.predict.released import LANGUAGES, released_model
from ppocr_lite.predict.stages import load_classifier, load_detector, load_recognizer
from ppocr_lite.results import Detections, Orientation
from ppocr_lite.transforms.labels import read_lines

CONFIGS = Path(__file__).parents[2] / "configs" / "rec"
TUNED = ReadingPolicy(retry_score=0.95, margin=0.05)
COUNT = 200


def real_lines(labels: Path) -> Iterator[tuple[np.ndarray, str]]:
    """Yield the lines of a list of labelled pages, cut out by their true boxes, with their texts."""
    for _, row in read_lines(labels):
        name, _, label = row.partition("\t")
        regions = [region for region in json.loads(label) if region["transcription"] not in ("###", "*", "")]
        image = cv2.imread(str(labels.parent / name))
        crops = crop_lines(image, [np.array(region["points"], np.float32) for region in regions])
        yield from zip(crops, (region["transcription"] for region in regions), strict=True)


class Reads(RecMetric):
    """A metric that also keeps what was read, in the order of the data."""

    texts: list[str]

    def update(self, result: str, truth: str) -> None:
        super().update(result, truth)
        self.texts.append(result)


@pytest.mark.parametrize(("lang", "pages"), [("en", "receipts_en"), ("ch", "scene_en")])
def test_an_evaluation_of_a_folder_reads_200_real_lines_as_ocr_does(
    lang: str, pages: str, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows, files = [], []
    for number, (line, text) in enumerate(islice(real_lines(shared_data / pages / "val.txt"), COUNT)):
        files.append(tmp_path / f"{number:03}.png")
        cv2.imwrite(str(files[-1]), line)
        rows.append(f"{files[-1].name}\t{text}\n")
    assert len(rows) == COUNT
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(rows), encoding="utf-8")
    data = {"data_dir": tmp_path, "label_file_list": f"[{labels}]"}
    config = load_config(CONFIGS / "rec_finetune.yml", [f"Eval.dataset.{k}={v}" for k, v in data.items()])
    metric = Reads()
    metric.texts = []
    monkeypatch.setattr(build.METRICS, "build", lambda node: metric)
    folder = released_model("rec", lang)
    run.evaluate_bundle(config, folder)
    ocr = OCR(rec_model=folder, threads=1)
    assert metric.texts == [found.text for found in ocr.recognize(files)]
    once = OCR(rec_model=folder, threads=1, rec_retry_score=0)
    assert metric.texts != [found.text for found in once.recognize(files)], "the policy is no matter on these lines"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_released_folder_says_what_its_config_says(lang: str) -> None:
    name = {"en": "rec_en_released_real.yml", "ch": "rec_ch_released.yml"}[lang]
    assert load_config(CONFIGS / name).Reading == read_bundle(released_model("rec", lang)).reading == TUNED


def test_a_fine_tuned_model_is_read_as_what_it_began_with() -> None:
    assert load_config(CONFIGS / "rec_finetune.yml").Reading == TUNED


def test_the_policy_of_a_config_is_in_the_folder_and_in_every_stage(
    export_small: Callable[..., Path], rec_label_file: Path
) -> None:
    folder = export_small("rec", "Reading={retry_score: 0.9, retry_scales: [0.7], crop_height: 48}")
    expected = ReadingPolicy(retry_score=0.9, retry_scales=(0.7,), crop_height=48)
    said = yaml.safe_load((folder / "inference.yml").read_text(encoding="utf-8"))["Reading"]
    assert said == {
        "retry_score": 0.9,
        "retry_scales": [0.7],
        "margin": 0.0,
        "clear_space": 0.25,
        "crop_height": 48,
    }
    assert read_bundle(folder).reading == expected
    assert load_recognizer(folder).policy == expected
    config = load_config(folder.parent / "config.yml", ["Reading={retry_score: 0.9, retry_scales: [0.7]}"])
    live = live_stage(config, folder.parent / "weights.safetensors")
    assert live.policy == dataclasses.replace(expected, crop_height=96)  # type: ignore[union-attr]


def test_a_classifier_says_when_lines_are_turned(export_small: Callable[..., Path]) -> None:
    folder = export_small("cls", "Reading={turn_score: 0.5, both_ways_up: false}")
    assert load_classifier(folder).policy == ReadingPolicy(turn_score=0.5, both_ways_up=False)
    policy = OCR(cls_model=folder, threads=1).policy
    assert policy == dataclasses.replace(TUNED, turn_score=0.5, both_ways_up=False)


def test_a_detector_has_no_section(small_models: dict[str, Path]) -> None:
    assert "Reading" not in yaml.safe_load((small_models["det_model"] / "inference.yml").read_text(encoding="utf-8"))


def test_a_folder_from_before_is_read_by_the_defaults(small_models: dict[str, Path], tmp_path: Path) -> None:
    said: dict[str, Any] = yaml.safe_load((small_models["rec_model"] / "inference.yml").read_text(encoding="utf-8"))
    for name in ("inference.json", "inference.pdiparams"):
        (tmp_path / name).write_bytes((small_models["rec_model"] / name).read_bytes())
    before = {key: value for key, value in said.items() if key != "Reading"} | {"bundle_version": 1}
    (tmp_path / "inference.yml").write_text(yaml.safe_dump(before, allow_unicode=True), encoding="utf-8")
    assert load_recognizer(tmp_path).policy == DEFAULT_POLICY
    (tmp_path / "inference.yml").write_text(
        yaml.safe_dump(before | {"Reading": {"turn_score": 0.9}}, allow_unicode=True), encoding="utf-8"
    )
    with pytest.raises(ModelError, match=r"inference.yml: Reading.turn_score is for a cls model"):
        read_bundle(tmp_path)


def test_arguments_of_ocr_come_before_the_folders(small_models: dict[str, Path]) -> None:
    ocr = OCR(**small_models, threads=1, rec_retry_score=0.5, cls_thresh=0.25)  # type: ignore[arg-type]
    assert ocr.policy == ReadingPolicy(retry_score=0.5, turn_score=0.25)


def test_a_reader_of_ready_stages_reads_as_one_of_folders(small_models: dict[str, Path]) -> None:
    rng = np.random.default_rng(0)
    page = cv2.resize(rng.integers(0, 255, (12, 16, 3), dtype=np.uint8), (320, 240), interpolation=cv2.INTER_NEAREST)
    detector = load_detector(small_models["det_model"], postprocess={"box_thresh": 0.0})
    classifier = load_classifier(small_models["cls_model"])
    recognizer = load_recognizer(small_models["rec_model"], drop_score=0.0)
    policy = ReadingPolicy(retry_score=0.5, margin=0.1)
    ready = OCR.of(detector, classifier, recognizer, policy)
    options = {"det_db_box_thresh": 0.0, "drop_score": 0.0, "rec_retry_score": 0.5, "rec_margin": 0.1, "threads": 1}
    made = OCR(**small_models, **options)  # type: ignore[arg-type]
    assert ready.policy == made.policy == policy
    assert len(made.ocr(page)) > 0
    assert ready.ocr(page) == made.ocr(page)
    assert recognizer.policy == DEFAULT_POLICY, "the stage that was handed over is as it was"
    assert OCR.of(recognizer=recognizer).ocr(page[:40], det=False) == made_once(small_models, page[:40])
    with pytest.raises(ModelError, match="The det stage was switched off"):
        OCR.of(recognizer=recognizer).ocr(page)


def made_once(models: dict[str, Path], line: np.ndarray) -> Any:
    reader = OCR(rec_model=models["rec_model"], use_angle_cls=False, drop_score=0.0, threads=1)
    return reader.ocr(line, det=False)


@pytest.mark.parametrize("both", [True, False])
def test_a_policy_says_whether_lines_are_read_both_ways_up(
    both: bool, small_models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    bands = [np.float32([[0, y], [300, y], [300, y + 40], [0, y + 40]]) for y in (0, 60, 120)]
    detector = load_detector(small_models["det_model"])
    classifier = load_classifier(small_models["cls_model"])
    monkeypatch.setattr(detector, "detect", lambda *_: Detections(bands, [1.0] * 3))
    monkeypatch.setattr(classifier, "classify", lambda *_: [Orientation(angle, 1.0) for angle in (0, 180, 0)])
    policy = ReadingPolicy(both_ways_up=both)
    reader = PageReader(detector, classifier, load_recognizer(small_models["rec_model"]), policy)
    page = reader.read(reader.find(np.full((200, 300, 3), 255, np.uint8), None, Steps()))
    assert len(page.lines) == len(page.texts) == (4 if both else 3)
    assert len(page.readings()) == 3
