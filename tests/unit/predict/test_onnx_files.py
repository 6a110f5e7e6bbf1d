"""Bare ONNX files of any name: what they are, their dictionary, their height, and what does not fit."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ppocr_lite import OCR
from ppocr_lite.errors import ModelError
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.models import find_models
from ppocr_lite.predict.recognizer import TextRecognizer
from ppocr_lite.predict.stages import load_classifier, load_detector, load_recognizer

pytest.importorskip("onnx", reason="graphs are made with the package onnx")
pytest.importorskip("onnxruntime", reason="graphs are run with ONNX Runtime")

from tests.onnx_files import FREE, classifier, detector, onnx, recognizer

FLAG = "🇸🇪"  # two code points
GRAY = ("N", 1, "H", "W")


def blocks(*values: int, height: int = 32, width: int = 40) -> np.ndarray:
    """A line of blocks of one brightness each."""
    return np.concatenate([np.full((height, width, 3), value, np.uint8) for value in values], axis=1)


def read(stage: TextRecognizer, *values: int) -> str:
    return stage.recognize([blocks(*values, height=stage.preprocess.steps[0].height)])[0].text  # type: ignore[attr-defined]


def test_a_file_of_any_name_is_read_with_the_dictionary_in_its_metadata(tmp_path: Path) -> None:
    file = recognizer(tmp_path / "ch_rec_v9.onnx", metadata={"character": f"a\n{FLAG}\nc\nd"})
    assert read_bundle(file).model_type == "rec"
    stage = load_recognizer(file)
    assert read(stage, 255, 225, 0, 255) == f"a{FLAG} a"  # the last class is the space, which is not listed
    assert load_recognizer(tmp_path).postprocess.num_classes == 6


@pytest.mark.parametrize("lines", ["a\nb\nc\nd", "blank\na\nb\nc\nd\n \n", "a\r\nb\r\nc\r\nd\r\n", "a\nb\nc\nd\n \n"])
def test_a_dictionary_beside_is_found_and_fitted(tmp_path: Path, lines: str) -> None:
    recognizer(tmp_path / "rec.onnx")
    (tmp_path / "keys.txt").write_text(lines, encoding="utf-8", newline="")
    (tmp_path / "readme.txt").write_text("Some other text.\n" * 3, encoding="utf-8")
    assert read(load_recognizer(tmp_path), 255, 0, 255) == "a a"


def test_a_dictionary_that_is_given_wins(tmp_path: Path) -> None:
    file = recognizer(tmp_path / "rec.onnx", metadata={"character": "a\nb\nc\nd"})
    (tmp_path / "other.txt").write_text("z\ny\nx\nw\n", encoding="utf-8")
    assert read(load_recognizer(file, dictionary=tmp_path / "other.txt"), 255) == "z"


def test_a_dictionary_of_a_wrong_length_says_what_fits(tmp_path: Path) -> None:
    file = recognizer(tmp_path / "rec.onnx", classes=97, metadata={"character": "a\nb"})
    with pytest.raises(
        ModelError, match=r"metadata 'character'.*2 characters.*97 classes.*rec_char_dict_path=.*en_dict"
    ):
        load_recognizer(file)


@pytest.mark.parametrize(("step", "height"), [(4, 32), (8, 48)])
def test_a_free_height_follows_from_the_steps_along_a_line(tmp_path: Path, step: int, height: int) -> None:
    file = recognizer(tmp_path / "rec.onnx", step=step, metadata={"character": "a\nb\nc\nd"})
    assert load_recognizer(file).preprocess.steps[0].height == height  # type: ignore[attr-defined]
    chosen = load_recognizer(file, resize={"image_shape": (3, 40, 320)})
    assert chosen.preprocess.steps[0].height == 40  # type: ignore[attr-defined]


@pytest.mark.parametrize("taken", [GRAY, (1, 3, 48, "W"), ("N", 3, 48, 320), (2, 1, 48, 320)])
def test_gray_fixed_width_and_few_at_a_time_are_seen_to(tmp_path: Path, taken: tuple[int | str, ...]) -> None:
    file = recognizer(tmp_path / "rec.onnx", step=8, taken=taken, metadata={"character": "a\nb\nc\nd"})
    lines = [blocks(value, height=48, width=width) for value, width in ((255, 320), (225, 200), (196, 320))]
    assert [found.text for found in load_recognizer(file).recognize(lines)] == ["a", "b", "c"]


def test_of_several_outputs_the_one_with_the_right_sides_is_read(tmp_path: Path) -> None:
    file = recognizer(tmp_path / "rec.onnx", extra=FREE, metadata={"character": "a\nb\nc\nd"})
    assert read(load_recognizer(file), 255) == "a"


def test_two_outputs_that_could_be_it_are_named(tmp_path: Path) -> None:
    file = recognizer(tmp_path / "rec.onnx", extra=("N", "T", 6), metadata={"character": "a\nb\nc\nd"})
    with pytest.raises(ModelError, match=r"several things.*more \(1, .*probabilities \(1, "):
        load_recognizer(file)


def test_a_detector_of_one_size_keeps_the_ratio_of_a_page(tmp_path: Path) -> None:
    file = detector(tmp_path / "det.onnx", taken=(1, 3, 320, 320))
    page = np.full((300, 900, 3), 255, np.uint8)
    cv2.rectangle(page, (600, 60), (840, 119), (0, 0, 0), -1)
    (found,) = load_detector(file, postprocess={"unclip_ratio": 0.0}).detect(page).polygons
    assert [*found.min(axis=0), *found.max(axis=0)] == pytest.approx([600, 60, 840, 120], abs=4)


@pytest.mark.parametrize(
    ("make", "load", "message"),
    [
        (detector, load_recognizer, "is a detector .*maps .*, but a recogniser is needed"),
        (recognizer, load_detector, "is a recogniser .*, but a detector is needed"),
        (classifier, load_recognizer, "is an orientation classifier .*, but a recogniser is needed"),
        (recognizer, load_classifier, "is a recogniser .*, but an orientation classifier is needed"),
    ],
)
def test_a_network_in_the_place_of_another_says_what_it_is(tmp_path: Path, make, load, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError, match=message):
        load(make(tmp_path / "net.onnx"))


def test_a_classifier_of_other_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"2 labels, the network returns \(1, 4\)"):
        load_classifier(classifier(tmp_path / "page.onnx", labels=4))


def test_a_folder_of_several_files_is_told_apart(tmp_path: Path) -> None:
    detector(tmp_path / "b.onnx"), classifier(tmp_path / "a.onnx")
    recognizer(tmp_path / "c.onnx", metadata={"character": "a\nb\nc\nd"})
    assert {stage: path.name for stage, path in find_models(tmp_path).paths.items()} == {
        "cls": "a.onnx",
        "det": "b.onnx",
        "rec": "c.onnx",
    }
    page = np.full((200, 400, 3), 255, np.uint8)
    page[60:92, 40:360] = 0
    (line,) = OCR(models=tmp_path, threads=1, drop_score=0.0).ocr(page)
    assert line.polygon.mean(axis=0) == pytest.approx([200, 76], abs=4)
    assert load_detector(tmp_path).detect(page).polygons  # alone, the one of its kind is taken


def test_two_of_a_kind_are_named(tmp_path: Path) -> None:
    detector(tmp_path / "a.onnx"), detector(tmp_path / "b.onnx")
    with pytest.raises(ModelError, match=r"a\.onnx and b\.onnx are both a detector.*det_model="):
        OCR(models=tmp_path)
    with pytest.raises(ModelError, match=r"several ONNX files that are a detector: a\.onnx, b\.onnx"):
        load_detector(tmp_path)


def test_weights_in_another_file_are_not_opened(tmp_path: Path) -> None:
    model = onnx.load(recognizer(tmp_path / "whole.onnx"))
    onnx.save(model, tmp_path / "rec.onnx", save_as_external_data=True, size_threshold=0, convert_attribute=True)
    with pytest.raises(ModelError, match=r"rec\.onnx: its weights lie in another file"):
        read_bundle(tmp_path / "rec.onnx")


def test_weights_that_are_only_declared_are_refused(tmp_path: Path) -> None:
    model = onnx.load(recognizer(tmp_path / "rec.onnx"))
    model.graph.initializer[0].dims[:] = [1 << 40]
    onnx.save(model, tmp_path / "rec.onnx")
    with pytest.raises(ModelError, match=r"rec\.onnx: it declares weights of \[1099511627776\] and holds 6"):
        read_bundle(tmp_path / "rec.onnx")


def test_other_numbers_than_float32_are_named(tmp_path: Path) -> None:
    file = recognizer(tmp_path / "rec.onnx", dtype=onnx.TensorProto.FLOAT16)
    with pytest.raises(ModelError, match="type 10, not float32"):
        load_recognizer(file)


def test_a_file_that_is_no_onnx_is_named(tmp_path: Path) -> None:
    (tmp_path / "rec.pt").write_bytes(b"PK")
    (tmp_path / "rec.onnx").write_bytes(b"<html>not found</html>")
    with pytest.raises(ModelError, match=r"rec\.pt is no ONNX file"):
        load_recognizer(tmp_path / "rec.pt")
    with pytest.raises(ModelError, match=r"rec\.onnx is damaged, or not a network"):
        load_recognizer(tmp_path / "rec.onnx")


def test_batches_read_side_by_side_read_the_same(tmp_path: Path) -> None:
    file = recognizer(tmp_path / "rec.onnx", metadata={"character": "a\nb\nc\nd"})
    rng = np.random.default_rng(0)
    lines = [blocks(*rng.choice([0, 128, 166, 196, 225, 255], size), width=24) for size in rng.integers(1, 40, 30)]
    alone, together = load_recognizer(file, threads=1), load_recognizer(file, threads=3)
    assert together.workers == 3
    assert together.recognize(lines) == alone.recognize(lines)
