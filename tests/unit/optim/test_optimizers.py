from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ppocr_lite.config.check import check_component
from ppocr_lite.errors import ConfigError
from ppocr_lite.optim import OPTIMIZERS, Adam, AdamW, Momentum, Regularizer


def build(**node: Any) -> Any:
    return OPTIMIZERS.build(check_component(OPTIMIZERS, node, "Optimizer"))


def test_mapping_of_the_file_becomes_a_regularizer() -> None:
    spec = build(name="Adam", beta1=0.9, beta2=0.99, regularizer={"name": "L2", "factor": 0.00001})
    assert spec == Adam(beta2=0.99, regularizer=Regularizer("L2", 0.00001))


def test_factor_zero_is_accepted_as_the_field_writes_it() -> None:
    assert build(name="Momentum", regularizer={"name": "L1", "factor": 0}).regularizer == Regularizer("L1", 0.0)


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_specification_is_frozen(name: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        build(name=name).clip_norm = 3.0


@pytest.mark.parametrize("name", list(OPTIMIZERS))
def test_every_specification_has_what_engines_read(name: str) -> None:
    spec = build(name=name)
    assert (spec.regularizer, spec.clip_norm, spec.clip_norm_global) == (None, None, None)


def test_unknown_argument_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"Optimizer\.beta is not an argument of Adam"):
        build(name="Adam", beta=0.9)


@pytest.mark.parametrize(
    ("spec", "values", "message"),
    [
        (Adam, {"beta1": 1.0}, r"Adam\.beta1 must be in \[0, 1\)"),
        (Adam, {"epsilon": 0.0}, r"Adam\.epsilon must be above 0"),
        (Adam, {"regularizer": {"name": "L3"}}, r"Optimizer\.regularizer\.name must be one of"),
        (Adam, {"regularizer": {"name": "L2", "faktor": 1.0}}, r"Did you mean 'factor'"),
        (Adam, {"regularizer": {"name": "L2", "factor": -1.0}}, r"factor must not be below 0"),
        (AdamW, {"weight_decay": -0.1}, r"weight_decay must not be below 0"),
        (AdamW, {"clip_norm": 1.0, "clip_norm_global": 1.0}, r"not both"),
        (Momentum, {"momentum": 1.5}, r"momentum must be in"),
        (Momentum, {"clip_norm_global": 0.0}, r"clip_norm_global must be above 0"),
    ],
)
def test_senseless_value_is_refused(spec: type, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        spec(**values)
