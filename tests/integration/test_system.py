"""The whole way from an image to its text, on small untrained networks: nonsense, but always the same nonsense."""

from __future__ import annotations

import dataclasses
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from ppocr_lite import OCR, OCRResult
from ppocr_lite.errors import ConfigError, ImageError, ModelError
from ppocr_lite.predict import released
from ppocr_lite.predict.crop import crop_line
from ppocr_lite.results import Detections, Orientation

EVERYTHING = {"det_db_box_thresh": 0.0, "drop_score": 0.0, "threads": 1}


@pytest.fixture(scope="module")
def ocr(small_models: dict[str, Path]) -> OCR:
    """An OCR that keeps whatever its networks return; the threshold is what splits their maps into regions."""
    return OCR(**small_models, **EVERYTHING)


@pytest.fixture(scope="module")
def pages() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    made = []
    for height, width in ((200, 300), (320, 240), (150, 400), (64, 64)):
        page = np.full((height, width, 3), 255, np.uint8)
        for y in range(20, height - 20, 40):
            cv2.rectangle(
                page, (10, y), (int(rng.integers(30, width - 10)), y + 20), tuple(map(int, rng.integers(0, 120, 3))), -1
            )
        made.append(page)
    return made


def test_a_page_gives_a_result(ocr: OCR, pages: list[np.ndarray]) -> None:
    result = ocr.ocr(pages[0])
    assert isinstance(result, OCRResult)
    assert result.size == (200, 300)
    assert result.source is None
    assert len(result) > 0
    for line in result:
        assert line.polygon.min() >= 0
        assert line.polygon[:, 0].max() <= 300
        assert line.angle in (0, 180)
        assert 0 <= line.score <= 1


def test_a_list_gives_a_list(ocr: OCR, pages: list[np.ndarray]) -> None:
    assert ocr.ocr(pages) == [ocr.ocr(page) for page in pages]


def test_every_kind_of_input_gives_the_same(ocr: OCR, pages: list[np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    cv2.imwrite(str(path), pages[0])
    data = path.read_bytes()
    expected = ocr.ocr(pages[0]).lines
    for given in (path, str(path), data, io.BytesIO(data), PIL.Image.open(path)):
        assert ocr.ocr(given).lines == expected
    assert ocr.ocr(path).source == str(path)


def test_gray_and_transparent_arrays_work(ocr: OCR, pages: list[np.ndarray]) -> None:
    gray = cv2.cvtColor(pages[0], cv2.COLOR_BGR2GRAY)
    assert ocr.ocr(gray).size == (200, 300)
    assert ocr.ocr(cv2.cvtColor(pages[0], cv2.COLOR_BGR2BGRA)).lines == ocr.ocr(pages[0]).lines


def test_four_threads_give_what_one_gives(ocr: OCR, pages: list[np.ndarray]) -> None:
    expected = [ocr.ocr(page) for page in pages]
    with ThreadPoolExecutor(4) as pool:
        for _ in range(3):
            assert list(pool.map(ocr.ocr, pages)) == expected


def test_the_caller_s_image_is_not_changed(ocr: OCR, pages: list[np.ndarray]) -> None:
    before = pages[0].copy()
    ocr.ocr(pages[0])
    np.testing.assert_array_equal(pages[0], before)


@pytest.mark.parametrize("option", [{"threads": -1}, {"threads": 0}, {"rec_batch_num": 0}])
def test_numbers_below_one_are_refused(option: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        OCR(**option)


def test_stages_can_be_switched_off(ocr: OCR, pages: list[np.ndarray]) -> None:
    boxes = ocr.ocr(pages[0], cls=False, rec=False)
    assert {line.text for line in boxes} == {""}
    found = ocr.detect(pages[0])
    assert len(boxes) == len(found.polygons) == len(found.scores)
    for line, polygon in zip(boxes, found.polygons, strict=True):
        np.testing.assert_array_equal(line.polygon, polygon)


def test_without_detection_the_image_is_one_line(ocr: OCR, pages: list[np.ndarray]) -> None:
    (line,) = ocr.ocr(pages[0][:32], det=False, cls=False)
    (alone,) = ocr.recognize([pages[0][:32]])
    assert (line.text, line.score) == (alone.text, alone.score)
    assert line.polygon.tolist() == [[0, 0], [300, 0], [300, 32], [0, 32]]


def test_classify_and_recognize_take_one_image_or_several(ocr: OCR, pages: list[np.ndarray]) -> None:
    assert ocr.classify(pages[0]) == ocr.classify([pages[0]])
    assert len(ocr.recognize(pages)) == len(pages)
    assert {found.angle for found in ocr.classify(pages)} <= {0, 180}


def test_a_line_that_stands_on_its_head_is_turned(small_models: dict[str, Path], pages: list[np.ndarray]) -> None:
    surest = OCR(**small_models, cls_thresh=0.0, **EVERYTHING)
    never = OCR(**small_models, cls_thresh=1.0, **EVERYTHING)
    for page in pages:
        (line,) = surest.ocr(page, det=False)
        turned = np.ascontiguousarray(page[::-1, ::-1]) if line.angle == 180 else page
        assert line.text == surest.recognize(turned)[0].text
        assert never.ocr(page, det=False)[0].angle == 0


def test_a_line_that_stands_otherwise_than_its_page_is_read_both_ways(
    small_models: dict[str, Path], pages: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = OCR(**small_models, **EVERYTHING)
    found = Detections([_band(60 * i) for i in range(3)], [1.0] * 3)
    monkeypatch.setattr(reader._reader.detector, "detect", lambda *_: found)
    monkeypatch.setattr(reader._reader.classifier, "classify", lambda *_: [Orientation(a, 1.0) for a in (0, 180, 0)])
    line = reader.ocr(pages[0]).lines[1]
    crop = crop_line(pages[0], _band(60), margin=reader.policy.margin)
    upright, turned = reader.recognize([crop, np.ascontiguousarray(crop[::-1, ::-1])])
    surer = (upright, 0) if upright.score >= turned.score else (turned, 180)
    assert ((line.text, line.score), line.angle) == surer


def _band(top: int) -> np.ndarray:
    return np.float32([[0, top], [300, top], [300, top + 40], [0, top + 40]])


def test_low_scores_are_dropped(small_models: dict[str, Path], pages: list[np.ndarray]) -> None:
    strict = OCR(**small_models, **EVERYTHING | {"drop_score": 1.0})
    result = strict.ocr(pages[0])
    assert (len(result), result.size) == (0, (200, 300))


def test_outlines_can_be_asked_for(small_models: dict[str, Path], pages: list[np.ndarray]) -> None:
    poly = OCR(**small_models, det_box_type="poly", **EVERYTHING)
    assert all(line.polygon.ndim == 2 for line in poly.ocr(pages[0]))


@pytest.fixture
def folder(pages: list[np.ndarray], tmp_path: Path) -> Path:
    """Three pictures, the middle one damaged."""
    for name, page in zip("ac", pages, strict=False):
        cv2.imwrite(str(tmp_path / f"{name}.png"), page)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:100])
    return tmp_path


@pytest.mark.parametrize("rec", [True, False])
def test_a_stream_can_skip_what_is_damaged(ocr: OCR, folder: Path, rec: bool) -> None:
    results = list(ocr.stream(folder, on_error="skip", rec=rec))
    assert [Path(result.source or "").name for result in results] == ["a.png", "b.png", "c.png"]
    assert [result.error is None for result in results] == [True, False, True]
    assert f"{folder}/b.png: " in (results[1].error or "")
    assert len(results[1]) == 0
    alone = ocr.ocr(folder / "a.png", rec=rec)
    assert [(line.text, line.polygon.tolist()) for line in results[0]] == [
        (line.text, line.polygon.tolist()) for line in alone
    ]  # scores differ in their last digits: a batch of two is another sum than two of one
    np.testing.assert_allclose([line.score for line in results[0]], [line.score for line in alone], atol=1e-6)


def test_a_list_can_skip_what_is_damaged(ocr: OCR, folder: Path) -> None:
    results = ocr.ocr([folder / "a.png", folder / "b.png", None, folder / "c.png"], on_error="skip")
    assert [result.error is None for result in results] == [True, False, False, True]
    assert len(results[3]) > 0


def test_whoever_wants_to_know_is_told_in_order(ocr: OCR, folder: Path) -> None:
    told: list[tuple[str | None, str]] = []
    (folder / "d.png").write_bytes(b"")
    results = list(ocr.stream(folder, on_error=lambda name, error: told.append((name, type(error).__name__))))
    assert told == [(f"{folder}/{name}.png", "ImageError") for name in "bd"]
    assert len(results) == 4
    ocr.ocr([b""], on_error=lambda name, error: told.append((name, str(error))))
    assert told[2] == (None, "0 bytes: the file is empty (0 bytes). Write or copy it again.")


def test_without_a_word_a_damaged_input_is_an_error_at_its_turn(ocr: OCR, folder: Path) -> None:
    stream = ocr.stream(folder)
    assert len(next(stream)) > 0
    with pytest.raises(ImageError, match=r"b\.png"):
        next(stream)
    with pytest.raises(ConfigError, match="on_error must be"):
        ocr.ocr(folder / "a.png", on_error="ignore")  # type: ignore[call-overload]


def test_a_folder_is_streamed_page_by_page(ocr: OCR, pages: list[np.ndarray], tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "b.png"), pages[1])
    first, second = (PIL.Image.fromarray(page[:, :, ::-1]) for page in (pages[0], pages[3]))
    first.save(tmp_path / "a.tiff", save_all=True, append_images=[second])
    results = list(ocr.stream(tmp_path))
    assert [result.source for result in results] == [
        f"{tmp_path}/a.tiff#1",
        f"{tmp_path}/a.tiff#2",
        f"{tmp_path}/b.png",
    ]
    assert [result.size for result in results] == [(200, 300), (64, 64), (320, 240)]
    alone = ocr.ocr(pages[0])
    np.testing.assert_allclose([line.score for line in results[0]], [line.score for line in alone], rtol=1e-5)
    rounded = [dataclasses.replace(a, score=b.score) for a, b in zip(results[0], alone, strict=True)]
    assert tuple(rounded) == alone.lines  # but for the last bits of a score, which depend on the batch
    assert [result.source for result in ocr.stream(tmp_path / "*.tiff", pages="2")] == [f"{tmp_path}/a.tiff#2"]


def test_a_profile_names_the_stages(ocr: OCR, pages: list[np.ndarray]) -> None:
    seconds = ocr.profile(pages[0])
    assert list(seconds) == ["read", "resize", "detector", "post-process", "crop", "classifier", "recogniser", "decode"]


def test_results_are_saved(ocr: OCR, pages: list[np.ndarray], tmp_path: Path) -> None:
    result = ocr.ocr(pages[0])
    result.save(tmp_path / "a.json")
    result.save(tmp_path / "a.png", pages[0])
    assert OCRResult.from_dict(json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))) == result


def test_the_spellings_of_paddleocr_2_work(small_models: dict[str, Path], pages: list[np.ndarray], ocr: OCR) -> None:
    old = {f"{name}_dir": str(path) for name, path in small_models.items()}
    with pytest.warns(DeprecationWarning) as caught:
        compatible = OCR(
            **old,
            use_gpu=False,
            show_log=False,
            enable_mkldnn=True,
            cpu_threads=1,
            det_db_box_thresh=0.0,
            drop_score=0.0,
        )  # type: ignore[arg-type, call-arg]
    assert {Path(str(warning.filename)).name for warning in caught} == {"test_system.py"}
    assert any("use det_model=" in str(warning.message) for warning in caught)
    assert compatible.ocr(pages[0]) == ocr.ocr(pages[0])


def test_a_stage_without_a_model_fails_when_it_is_needed(
    small_models: dict[str, Path], pages: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(released, "FOLDER", tmp_path)
    ocr = OCR(det_model=small_models["det_model"], threads=1)
    assert ocr.detect(pages[0]).polygons is not None
    with pytest.raises(ModelError, match="No rec model for lang='en' comes with this package"):
        ocr.ocr(pages[0])
    with pytest.raises(ModelError, match="No cls model"):
        ocr.classify(pages[0])


def test_released_models_are_found_by_language(
    small_models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(released, "FOLDER", tmp_path)
    for name, model in (("det", "det_model"), ("rec_en", "rec_model")):
        (tmp_path / name).symlink_to(small_models[model])
    assert OCR(threads=1).lang == "en"
    with pytest.raises(ModelError, match="lang='ch'.*There are: det, rec_en"):
        OCR(lang="ch", threads=1)
    (tmp_path / "rec_ch").symlink_to(small_models["rec_model"])
    assert OCR(threads=1).lang == "en"
    assert OCR(lang="ch", threads=1).lang == "ch"
    (tmp_path / "rec_en").unlink()
    assert OCR(threads=1).lang == "ch"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lang": "de"}, "lang must be one of ch, en"),
        ({"det_limit_type": "maximum"}, "limit_type must be one of"),
        ({"rec_image_shape": "3,32"}, "image_shape"),
        ({"rec_image_shape": "3,x,320"}, "rec_image_shape must be like"),
        ({"rec_batch_num": 0}, "at least 1"),
        ({"engine": "tensorrt"}, "no engine 'tensorrt'"),
        ({"device": "tpu"}, "device must be"),
        ({"det_db_thresh": 30}, "thresh and box_thresh must be from 0 to 1"),
        ({"det_db_unclip_ratio": -1.0}, "unclip_ratio at least 0"),
        ({"drop_score": 50}, "drop_score must be from 0 to 1"),
        ({"cls_thresh": -0.1}, "cls_thresh must be"),
        ({"rec_retry_score": 1.5}, "rec_retry_score must be"),
        ({"rec_margin": -0.1}, "rec_margin must be"),
    ],
)
def test_a_wrong_value_is_named(small_models: dict[str, Path], arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        OCR(**small_models, **arguments)  # type: ignore[arg-type]


def test_a_device_that_is_not_there_is_named(small_models: dict[str, Path]) -> None:
    with pytest.raises(ModelError, match="gpu:7"):
        OCR(**small_models, device="gpu:7")


def test_a_larger_detection_side_keeps_coordinates(small_models: dict[str, Path], pages: list[np.ndarray]) -> None:
    small = OCR(**small_models, det_limit_side_len=160, **EVERYTHING)
    for polygon in small.detect(pages[0]).polygons:
        assert (polygon >= 0).all()
        assert (polygon <= (300, 200)).all()
