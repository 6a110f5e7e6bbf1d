"""YAML, overrides and environment variables."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Any

import pytest

from ppocr_lite.config.load import apply_override, fill_variables, load, read_yaml
from ppocr_lite.errors import ConfigError


@pytest.fixture
def config() -> dict[str, Any]:
    return {
        "Global": {"epoch_num": 3, "pretrained_model": "x"},
        "Train": {"dataset": {"transforms": [{"DecodeImage": {"img_mode": "BGR"}}, {"RecAug": None}]}},
        "Optimizer": {"lr": {"values": [0.1, 0.2]}},
    }


@pytest.mark.parametrize(
    "text, value", [("1e-3", 0.001), ("-2.5E+2", -250.0), (".5e-1", 0.05), ("1e", "1e"), ("'1e-3'", "1e-3")]
)
def test_exponents_are_numbers(text: str, value: float | str) -> None:
    assert read_yaml(text, "test") == value


def test_a_repeated_key_is_refused_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"a\.yml:3: key 'x' is given twice"):
        read_yaml("x: 1\ny: 2\nx: 3\n", "a.yml")


@pytest.mark.parametrize("with_libyaml", [True, False])
def test_with_and_without_libyaml_a_config_is_the_same(with_libyaml: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a: &x [1, 1e-3, 0o17, yes, ~, 'ä', \"\\u4e2d\"]\nb: {c: *x, d: 2026-11-27}\ne: |\n  two\n  lines\n"
    if not with_libyaml:
        monkeypatch.setattr(sys.modules[read_yaml.__module__], "_Parser", None)
    assert read_yaml(text, "a.yml") == {
        "a": [1, 0.001, "0o17", True, None, "ä", "中"],
        "b": {"c": [1, 0.001, "0o17", True, None, "ä", "中"], "d": datetime.date(2026, 11, 27)},
        "e": "two\nlines\n",
    }
    with pytest.raises(ConfigError, match=r"a\.yml:3: key 'x' is given twice"):
        read_yaml("x: 1\ny: 2\nx: 3\n", "a.yml")


@pytest.mark.parametrize("deep", ["[" * 20_000, "- " * 20_000 + "x", "? " * 20_000, "{a: " * 20_000])
def test_nesting_without_end_is_an_error(deep: str) -> None:
    with pytest.raises(ConfigError, match=r"a\.yml: "):
        read_yaml(deep, "a.yml")


def test_broken_yaml_names_the_file() -> None:
    with pytest.raises(ConfigError, match=r"a\.yml: "):
        read_yaml("x: [1, 2", "a.yml")


def test_objects_of_python_are_refused() -> None:
    with pytest.raises(ConfigError, match="could not determine a constructor"):
        read_yaml("x: !!python/object/apply:os.system ['true']", "a.yml")


def test_anchors_are_understood() -> None:
    assert read_yaml('a: &type "rec"\nb: *type\n', "a.yml") == {"a": "rec", "b": "rec"}


def test_a_mapping_as_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="a key must be plain text"):
        read_yaml("{{a: 1}: 2}", "a.yml")


@pytest.mark.parametrize(
    "override, path, value",
    [
        ("Global.epoch_num=1", ("Global", "epoch_num"), 1),
        ('Global.pretrained_model=""', ("Global", "pretrained_model"), ""),
        ("Global.pretrained_model=", ("Global", "pretrained_model"), None),
        ('Global.pretrained_model="./rec/best"', ("Global", "pretrained_model"), "./rec/best"),
        ("Global.note=a=b", ("Global", "note"), "a=b"),
        ("Optimizer.lr.values=[0.0001,0.00001]", ("Optimizer", "lr", "values"), [0.0001, 0.00001]),
        ("Optimizer.lr.values[1]=5", ("Optimizer", "lr", "values", 1), 5),
        (
            'Train.dataset.label_file_list=["./a/train.txt"]',
            ("Train", "dataset", "label_file_list"),
            ["./a/train.txt"],
        ),
        (
            "Train.dataset.transforms[0].DecodeImage.img_mode=RGB",
            ("Train", "dataset", "transforms", 0, "DecodeImage", "img_mode"),
            "RGB",
        ),
        (
            "Train.dataset.transforms[1].RecAug.use_tia=false",
            ("Train", "dataset", "transforms", 1, "RecAug", "use_tia"),
            False,
        ),
    ],
)
def test_an_override_sets_its_leaf(config: dict[str, Any], override: str, path: tuple[Any, ...], value: Any) -> None:
    apply_override(config, override)
    found: Any = config
    for part in path:
        found = found[part]
    assert found == value


@pytest.mark.parametrize(
    "override, message",
    [
        ("Globl.epoch_num=1", "there is no 'Globl'. Did you mean 'Global'"),
        ("Train.datset.x=1", "there is no 'Train.datset'. Did you mean 'dataset'"),
        ("Train.dataset.transforms.0.RecAug.x=1", r"Train.dataset.transforms is a list: write \[0\] instead of \.0"),
        ("Train.dataset.transforms[7].RecAug.x=1", r"there is no 'Train.dataset.transforms\[7\]'"),
        ("Global.epoch_num.x=1", "Global.epoch_num cannot hold 'x'"),
        ("Optimizer.lr.values[2]=1", r"Optimizer.lr.values cannot hold 2"),
        ("Optimizer.lr.values.1=1", r"Optimizer.lr.values is a list: write \[1\] instead of \.1"),
        ("Optimizer.lr.values.first=1", "cannot hold 'first'"),
        ("Global[0]=1", "Global cannot hold 0"),
        ("Global.epoch_num", "must look like Section.key=value"),
        ("=1", "must look like"),
        ("Global..epoch_num=1", "must look like"),
        ("Global.epoch_num=[1", "-o Global.epoch_num="),
    ],
)
def test_a_wrong_override_is_refused(config: dict[str, Any], override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        apply_override(config, override)


def test_overrides_of_one_section_keep_each_other(config: dict[str, Any]) -> None:
    apply_override(config, "Global.epoch_num=9")
    apply_override(config, "Global.seed=2")
    assert config["Global"] == {"epoch_num": 9, "pretrained_model": "x", "seed": 2}


def test_an_override_may_begin_a_known_section(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("Train: {}\n")
    assert load(path, ["Global.epoch_num=1"], sections=["Global"]) == {"Train": {}, "Global": {"epoch_num": 1}}
    with pytest.raises(ConfigError, match="there is no 'Global'"):
        load(path, ["Global.epoch_num=1"])


def test_variables_are_filled_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_TEST_DATA", "/data")
    node = {"a": ["${OCR_TEST_DATA}/train.txt", 3], "b": "${OCR_TEST_MISSING:-here}/x", "c": "$1 {}"}
    assert fill_variables(node, "") == {"a": ["/data/train.txt", 3], "b": "here/x", "c": "$1 {}"}


def test_an_unset_variable_is_an_error_with_its_path() -> None:
    with pytest.raises(ConfigError, match=r"Train.files\[0\]: the environment variable OCR_TEST_MISSING is not set"):
        fill_variables({"Train": {"files": ["${OCR_TEST_MISSING}"]}}, "")


@pytest.mark.parametrize("text, message", [("- 1\n", "must hold a mapping"), ("", "must hold a mapping")])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "a.yml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No config file at"):
        load(tmp_path / "none.yml")


def test_what_an_alias_repeats_is_overridden_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("Train: &data {size: 1}\nEval: *data\n")
    assert load(path, ["Eval.size=2"]) == {"Train": {"size": 1}, "Eval": {"size": 2}}


def test_an_alias_that_holds_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.yml"
    path.write_text("Train: &data [*data]\n")
    with pytest.raises(ConfigError, match="an alias holds itself"):
        load(path)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name}\n  <<: [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: \x07", "unacceptable character"),
        ("a: !!bool foo", "a tag"),
        ("a: !!float foo", "a tag"),
        ("a: !!int foo", "a tag"),
        ("a: !!int ''", "a tag"),
        ("a: !!timestamp foo", "a tag"),
        ("a: !!binary é", "base64|binary"),
        ("a: 2001-99-99", "a tag"),
        ("[" * 5000, "nesting"),
        ("[" * 5000 + "]" * 5000, "nesting"),
        ("a: " + "{a: " * 60 + "1" + "}" * 60, "deeper than 50"),
        ("a: &a [*a]", "an alias holds itself"),
        (BOMB, "its aliases .* are more than"),
        (MERGES, "its aliases .* are more than"),
        ("a: 0x" + "f" * 5000, "more than 64 bits"),
        ("a: " + "9" * 5000, "a tag|64 bits"),
        ('a: "\\ud800"', "half a character"),
        ('a: "b\\0c"', "a NUL"),
        ("a: " + "x" * 5_000_000, "are no config"),
    ],
)
def test_hostile_yaml_is_a_config_error_that_names_the_file(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_yaml(text, "a.yml")
    assert "a.yml" in str(caught.value)
    assert len(str(caught.value)) < 6_000
