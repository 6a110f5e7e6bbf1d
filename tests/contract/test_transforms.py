"""Every registered transform keeps the promises of ``transforms/base.py``; a new one is tested by being registered."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ppocr_lite.charset import Charset
from ppocr_lite.config.check import check_component
from ppocr_lite.transforms import TRANSFORMS, Sample

ARGUMENTS: dict[str, dict[str, Any]] = {
    "KeepKeys": {"keep_keys": ["image", "label"]},
    "MakeCTPNTargets": {"stride": 8},  # which divides the sides of the page
    "LoadTeacherMap": {"map_dir": str(Path(__file__).parents[1] / "data" / "teacher_maps")},
}
LABELS: dict[str, Any] = {
    "CTCLabelEncode": "abc", "MultiLabelEncode": "abc", "ClsLabelEncode": "180", "Mixup": np.int64(1),
    "CutMix": np.int64(1),
}  # fmt: skip
PAGE_LABEL = '[{"transcription": "a", "points": [[8, 9], [60, 9], [60, 31], [8, 31]]}]'


def build(name: str) -> Any:
    node = check_component(TRANSFORMS, {"name": name} | ARGUMENTS.get(name, {}), name)
    return TRANSFORMS.build(node, charset=Charset("abc"), max_text_length=10)


def make_sample(name: str) -> Sample:
    image = np.random.default_rng(0).integers(0, 256, (80, 120, 3), dtype=np.uint8)
    page = {
        "image": cv2.imencode(".png", image)[1].tobytes() if name == "DecodeImage" else image,
        "label": LABELS.get(name, PAGE_LABEL),
        "path": "page.png",
        "polys": [np.array([[8, 9], [60, 9], [60, 31], [8, 31]], dtype=np.float32)],
        "texts": ["a"],
        "ignore_tags": np.array([False]),
        "rng": np.random.default_rng(7),
    }
    return page | {"ext_data": [{key: page[key] for key in ("image", "label", "polys", "texts", "ignore_tags")}]}


def equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(equal(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def same_samples(a: Sample, b: Sample) -> bool:
    return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a if key != "rng")


@pytest.mark.parametrize("name", list(TRANSFORMS))
def test_does_not_modify_its_input(name: str) -> None:
    sample, before = make_sample(name), make_sample(name)
    build(name)(sample)
    assert same_samples(sample, before)


@pytest.mark.parametrize("name", list(TRANSFORMS))
def test_provides_what_it_declares(name: str) -> None:
    transform, sample = build(name), make_sample(name)
    needed = {key: sample[key] for key in transform.requires} or sample
    assert set(transform.provides) <= set(transform(needed))


@pytest.mark.parametrize("name", list(TRANSFORMS))
def test_equal_generators_give_equal_results(name: str) -> None:
    transform = build(name)
    for seed in range(5):
        first, second = make_sample(name), make_sample(name)
        first["rng"], second["rng"] = np.random.default_rng(seed), np.random.default_rng(seed)
        assert same_samples(transform(first), transform(second))


@pytest.mark.parametrize("name", list(TRANSFORMS))
def test_needs_rng_exactly_if_it_is_random(name: str) -> None:
    sample = make_sample(name)
    del sample["rng"]
    if "rng" in TRANSFORMS.get(name).requires:
        with pytest.raises(KeyError):
            build(name)(sample)
    else:
        build(name)(sample)


@pytest.mark.parametrize("name", list(TRANSFORMS))
def test_works_on_a_page_without_text(name: str) -> None:
    sample = make_sample(name) | {"polys": [], "texts": [], "ignore_tags": np.zeros(0, dtype=bool)}
    if name == "DetLabelEncode":
        sample["label"] = "[]"
    build(name)(sample)


@pytest.mark.parametrize("name", list(TRANSFORMS))
def test_default_arguments_pass_the_check_of_the_config(name: str) -> None:
    parameters = inspect.signature(TRANSFORMS.get(name)).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty and p.name not in TRANSFORMS.runtime}
    node = {"name": name} | ARGUMENTS.get(name, {}) | defaults
    assert check_component(TRANSFORMS, node, name) == node
