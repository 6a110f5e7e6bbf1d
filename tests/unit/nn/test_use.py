"""When and how a process gets its engine."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError

ROOT = Path(__file__).parents[3]
NETWORK = """
import sys
from ppocr_lite import nn
from ppocr_lite.modeling import build_model
from ppocr_lite.modeling.backbones import ResNet

ARCHITECTURE = {"model_type": "cls", "Backbone": {"name": "MobileNetV3", "scale": 0.35, "model_name": "small"},
                "Head": {"name": "ClsHead"}}
"""


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", NETWORK + code], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_networks_chooses_nothing_and_building_one_chooses_paddle() -> None:
    pytest.importorskip("paddle", reason="the Paddle engine is not installed")
    code = """
before = nn.chosen(), "paddle" in sys.modules, isinstance(ResNet, type)
model = build_model(ARCHITECTURE)
import paddle
kinds = isinstance(model, paddle.nn.Layer), issubclass(ResNet, paddle.nn.Layer)
print(before, nn.chosen(), kinds, "torch" in sys.modules)
"""
    assert run(code) == "(None, False, True) paddle (True, True) False"


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the torch engine is not installed")
def test_the_same_classes_are_modules_of_torch_where_that_is_chosen() -> None:
    code = """
nn.use("torch")
model = build_model(ARCHITECTURE)
import torch
print(nn.chosen(), isinstance(model, torch.nn.Module), issubclass(ResNet, torch.nn.Module), "paddle" in sys.modules)
"""
    assert run(code) == "torch True True False"


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="the torch engine is not installed")
def test_torch_compiles_and_exports_what_is_written_once() -> None:
    code = """
nn.use("torch")
import torch
network = ResNet(model_type="rec").eval()
x = torch.zeros(1, 3, 32, 64)
program = torch.export.export(network, (x,))
compiled = torch.compile(network, backend="eager", fullgraph=True)
print(torch.allclose(program.module()(x), network(x)), torch.equal(compiled(x), network(x)))
"""
    assert run(code) == "True True"


def test_a_second_engine_is_refused() -> None:
    mine = nn.chosen() or nn.DEFAULT
    nn.use(mine)
    nn.use(mine)
    (other,) = set(nn.ENGINES) - {mine}
    with pytest.raises(ConfigError, match=f"computes with {mine} already.*Use a process for each engine"):
        nn.use(other)


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ConfigError, match="Global.engine must be 'paddle' or 'torch'. Received: 'jax'"):
        nn.use("jax")


def test_a_name_that_is_no_primitive_is_an_error() -> None:
    with pytest.raises(AttributeError, match="Conv9D"):
        _ = nn.Conv9D
