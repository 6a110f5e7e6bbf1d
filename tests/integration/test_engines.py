"""Which engine runs a network, and what happens when it cannot; a damaged or strange file is a real one."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import yaml

from ppocr_lite.commands.doctor import has
from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.engines.pool import cpu_count
from ppocr_lite.predict.runner import ENGINES, EngineError, load_runner

INSTALLED = [name for name in ENGINES if has(name)]
CONVERTS = importlib.util.find_spec("paddle2onnx") is not None
TRIAL = (1, 3, 32, 64)
BOTH = pytest.mark.skipif(
    not {"onnxruntime", "openvino"} <= set(INSTALLED) or not CONVERTS, reason="needs both ONNX engines and paddle2onnx"
)


@pytest.fixture(scope="module")
def exported(export_small: Callable[..., Path]) -> Path:
    """A recogniser with a network for every engine that can be tested here."""
    return export_small("rec", onnx=CONVERTS)


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """A copy of it, to damage: without the sizes of its files, which would tell."""
    copy = copytree(exported, tmp_path / "rec")
    path = copy / "inference.yml"
    node = yaml.safe_load(path.read_text(encoding="utf-8"))
    del node["files"]
    path.write_text(yaml.safe_dump(node, allow_unicode=True), encoding="utf-8")
    return Path(copy)


def sample(seed: int = 0, width: int = 96) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (2, 3, 32, width)).astype(np.float32)


@BOTH
def test_all_engines_compute_the_same(exported: Path) -> None:
    bundle = read_bundle(exported)
    results = {name: load_runner(bundle, name).run(sample()) for name in INSTALLED}
    for name in INSTALLED:
        np.testing.assert_allclose(results[name], results["paddle"], atol=1e-4, err_msg=name)


@BOTH
def test_auto_takes_the_first(exported: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ppocr_lite")
    assert load_runner(read_bundle(exported), trial=TRIAL).engine == "onnxruntime"
    assert caplog.messages == []


@BOTH
def test_auto_passes_over_an_engine_that_is_not_installed(
    exported: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ppocr_lite")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.delitem(sys.modules, "ppocr_lite.predict.engines.onnx_runtime", raising=False)
    assert load_runner(read_bundle(exported), trial=TRIAL).engine == "openvino"
    (record,) = caplog.records
    assert record.levelname == "INFO"
    assert "runs on openvino. Not on onnxruntime: " in record.message
    assert "pip install onnxruntime" in record.message


@BOTH
def test_auto_passes_over_a_network_that_cannot_be_read(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "model.onnx").write_bytes(b"no network at all")
    assert load_runner(read_bundle(folder), trial=TRIAL).engine == "paddle"
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "ONNX Runtime cannot read" in record.message
    assert "OpenVINO cannot read" in record.message


@BOTH
@pytest.mark.parametrize(
    ("operators", "message"),
    [
        ((("Reshape", ("x", "seven"), ("y",)),), "cannot run"),  # 7 numbers of 6144
        ((("Sub", ("x", "x"), ("zero",)), ("Div", ("x", "zero"), ("y",))), "no number"),  # 0 / 0
    ],
)
def test_auto_passes_over_a_network_that_does_not_run(
    folder: Path,
    operators: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...],
    message: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    graph = helper.make_graph(
        [helper.make_node(name, list(given), list(made)) for name, given, made in operators],
        "strange",
        [helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, 3, 32, None])],
        [helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [helper.make_tensor("seven", onnx.TensorProto.INT64, [1], [7])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    bundle = read_bundle(folder)
    with pytest.raises(EngineError, match=message):
        load_runner(bundle, "onnxruntime", trial=TRIAL)
    assert load_runner(bundle, trial=TRIAL).engine != "onnxruntime"
    assert (
        f"Not on onnxruntime: {'ONNX Runtime ' if message == 'cannot run' else 'onnxruntime computes'}" in caplog.text
    )


def test_if_none_works_every_reason_is_given(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"")
    (folder / "inference.json").write_text("{}")
    with pytest.raises(ModelError, match="No engine can run") as caught:
        load_runner(read_bundle(folder), trial=TRIAL)
    for engine in ENGINES:
        assert f"Not on {engine}: " in str(caught.value)


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_a_gpu_that_is_not_there_is_named(exported: Path, engine: str) -> None:
    if engine not in INSTALLED or not CONVERTS:
        pytest.skip(f"needs {engine} and paddle2onnx")
    with pytest.raises(EngineError, match="gpu:7"):
        load_runner(read_bundle(exported), engine, device="gpu:7")  # type: ignore[arg-type]


def test_what_is_no_device_is_named(exported: Path) -> None:
    with pytest.raises(ConfigError, match="'cuda'"):
        load_runner(read_bundle(exported), "paddle", device="cuda")


@pytest.mark.parametrize("engine", INSTALLED)
def test_many_threads_get_their_own_results(exported: Path, engine: str) -> None:
    runner = load_runner(read_bundle(exported), engine)  # type: ignore[arg-type]
    inputs = [sample(seed, 32 + 32 * (seed % 4)) for seed in range(12)]
    expected = [runner.run(array) for array in inputs]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            for received, wanted in zip(pool.map(runner.run, inputs), expected, strict=True):
                np.testing.assert_allclose(received, wanted, atol=1e-6)


@pytest.mark.parametrize("engine", INSTALLED)
def test_one_thread_means_one_processor(exported: Path, engine: str) -> None:
    runner = load_runner(read_bundle(exported), engine, threads=1)  # type: ignore[arg-type]
    array = np.repeat(sample(width=640), 4, axis=0)
    runner.run(array)
    shares: list[float] = []

    def work() -> None:
        started, used = time.perf_counter(), time.process_time()
        for _ in range(10):
            runner.run(array)
        shares.append((time.process_time() - used) / (time.perf_counter() - started))

    thread = threading.Thread(target=work)  # settings of some libraries belong to a thread
    thread.start()
    thread.join()
    assert shares[0] < 1.25


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux")
@pytest.mark.parametrize("engine", INSTALLED)
def test_threads_that_come_and_go_leave_nothing_behind(exported: Path, engine: str) -> None:
    runner = load_runner(read_bundle(exported), engine, threads=cpu_count())  # type: ignore[arg-type]
    array = sample()

    def resident() -> float:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def use(count: int) -> None:
        for _ in range(count):
            thread = threading.Thread(target=runner.run, args=(array,))
            thread.start()
            thread.join()

    use(10)
    before = resident()
    use(60)
    assert resident() - before < 15  # with a predictor for every thread it was 0.3 MiB each, for the smallest network
