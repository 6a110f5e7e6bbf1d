"""An ONNX file as a network: the same results, in either engine; its weights; what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ppocr_lite.engine.backends.base import Task
from ppocr_lite.engine.build import create_backend
from ppocr_lite.errors import ConfigError, ModelError
from ppocr_lite.optim import OPTIMIZERS
from tests.onnx_graphs import MAKERS, GraphBuilder, helper, onnx, rec_graph

onnxruntime = pytest.importorskip("onnxruntime")
SIZES = {"det": ((64, 96), (96, 32)), "cls": ((48, 96), (48, 192)), "rec": ((32, 64), (32, 132))}


def backend_of(engine: str, path: Path, model_type: str, num_classes: int | None = None, **arguments: Any) -> Any:
    node = {"name": "OnnxNetwork", "path": str(path)} | arguments
    backend = create_backend(engine)
    backend.build(Task({"model_type": model_type, "Network": node}, num_classes))
    return backend


def expected(path: Path, image: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path))
    return session.run(None, {session.get_inputs()[0].name: image})[0]


@pytest.mark.parametrize("model_type", MAKERS)
def test_it_computes_what_onnx_runtime_computes(model_type: str, engine: str, tmp_path: Path) -> None:
    path = MAKERS[model_type](tmp_path / "network.onnx")
    backend = backend_of(engine, path, model_type)
    for count, size in enumerate(SIZES[model_type], start=1):
        image = np.random.default_rng(count).uniform(-1, 1, (count, 3, *size)).astype(np.float32)
        np.testing.assert_allclose(backend.forward(image), expected(path, image), atol=1e-5)


def test_weights_have_names_of_their_kind_and_place(engine: str, tmp_path: Path) -> None:
    names = set(backend_of(engine, rec_graph(tmp_path / "network.onnx"), "rec").weights())
    assert {"conv_0.weight", "conv_0.bias", "norm_0.weight", "norm_0._mean", "lstm_0.weight_hh_l0_reverse"} <= names
    assert {"scale_0.weight", "shift_0.weight", "linear_2.weight", "linear_2.bias"} <= names
    assert not [name for name in names if name.startswith("constant")]


def test_weights_are_found_in_nodes_and_in_initializers(engine: str, tmp_path: Path) -> None:
    first, second = (
        backend_of(engine, MAKERS["det"](tmp_path / f"{flag}.onnx", as_nodes=flag), "det").weights()
        for flag in (True, False)
    )
    assert first.keys() == second.keys()
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_the_loss_reads_scores_before_the_softmax(engine: str, tmp_path: Path) -> None:
    backend = backend_of(engine, rec_graph(tmp_path / "network.onnx"), "rec")
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 32, 64)).astype(np.float32)
    logits, probabilities = backend.head_outputs(image)["logits"], backend.forward(image)
    odds = np.exp(logits)
    np.testing.assert_allclose(odds / odds.sum(-1, keepdims=True), probabilities, rtol=1e-4)
    assert np.abs(logits).max() > 1.0 or logits.min() < 0


def batch_of(model_type: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    image = rng.uniform(-1, 1, (2, 3, *SIZES[model_type][0])).astype(np.float32)
    truth: dict[str, dict[str, np.ndarray]] = {
        "det": {
            "shrink_map": (rng.random((2, 64, 96)) < 0.3).astype(np.float32),
            "shrink_mask": np.ones((2, 64, 96), np.float32),
        },
        "cls": {"label": np.array([0, 1])},
        "rec": {"label": np.array([[1, 2, 3], [4, 5, 0]], np.int32), "length": np.array([3, 2])},
    }
    return {"image": image} | truth[model_type]


LOSSES = {"det": "DBLoss", "cls": "ClsLoss", "rec": "CTCLoss"}


def trained(engine: str, path: Path, model_type: str, num_classes: int | None = None, **arguments: Any) -> Any:
    """Return the weights before and after five updates, and the losses."""
    node = {"name": "OnnxNetwork", "path": str(path)} | arguments
    backend = create_backend(engine)
    task = Task(
        {"model_type": model_type, "Network": node},
        num_classes,
        loss={"name": LOSSES[model_type]},
        optimizer=OPTIMIZERS.build({"name": "Momentum", "momentum": 0.0}),
    )
    backend.build(task)
    before, batch = backend.weights(), batch_of(model_type)
    losses = [float(backend.train_step([batch], lr=0.05, seed=step)["loss"]) for step in range(5)]
    return before, backend.weights(), losses


@pytest.mark.parametrize("model_type", MAKERS)
def test_every_weight_learns_and_statistics_stay(model_type: str, engine: str, tmp_path: Path) -> None:
    path = MAKERS[model_type](tmp_path / "network.onnx")
    before, after, losses = trained(engine, path, model_type)
    same = {name for name in before if np.array_equal(before[name], after[name])}
    assert same == {name for name in before if name.endswith(("._mean", "._variance"))}
    assert losses[-1] < losses[0]


def test_statistics_are_trained_when_asked(engine: str, tmp_path: Path) -> None:
    path = MAKERS["det"](tmp_path / "network.onnx")
    before, after, _ = trained(engine, path, "det", train_statistics=True)
    assert not np.array_equal(before["norm_0._mean"], after["norm_0._mean"])


def test_layers_are_frozen_by_depth(engine: str, tmp_path: Path) -> None:
    path = rec_graph(tmp_path / "network.onnx")
    before, after, _ = trained(engine, path, "rec", freeze=-1)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"linear_2.weight", "linear_2.bias"}
    before, after, _ = trained(engine, path, "rec", freeze=2)
    assert np.array_equal(before["conv_1.weight"], after["conv_1.weight"])
    assert not np.array_equal(before["conv_2.weight"], after["conv_2.weight"])


def test_a_smaller_rate_is_for_what_the_file_has(engine: str, tmp_path: Path) -> None:
    path = rec_graph(tmp_path / "network.onnx")
    before, full, _ = trained(engine, path, "rec")
    _, slow, _ = trained(engine, path, "rec", learning_rate=0.01)
    moves = [np.abs(after["conv_0.weight"] - before["conv_0.weight"]).max() for after in (full, slow)]
    assert moves[1] < 0.1 * moves[0]


def test_a_last_layer_for_another_dictionary_begins_anew(engine: str, tmp_path: Path) -> None:
    path = rec_graph(tmp_path / "network.onnx")
    weights = backend_of(engine, path, "rec", num_classes=17).weights()
    assert weights["linear_2.weight"].shape == (10, 17)
    assert weights["linear_1.weight"].shape == (12, 12)


def refused(engine: str, path: Path, model_type: str = "rec", **arguments: Any) -> str:
    with pytest.raises((ModelError, ConfigError)) as caught:
        backend_of(engine, path, model_type, **arguments)
    return str(caught.value)


def test_another_kind_of_network_is_refused(engine: str, tmp_path: Path) -> None:
    message = refused(engine, MAKERS["cls"](tmp_path / "network.onnx"), "rec")
    assert "a rec network returns classes along a line (N, T, C)" in message


def test_what_is_no_network_is_refused(engine: str, tmp_path: Path) -> None:
    assert "There is no ONNX file at" in refused(engine, tmp_path / "absent.onnx")
    path = tmp_path / "noise.onnx"
    path.write_bytes(b"\x08\x07 not a network")
    assert "damaged or no ONNX file" in refused(engine, path)
    whole = rec_graph(tmp_path / "network.onnx").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in refused(engine, path)


@pytest.mark.parametrize(
    "op, says",
    [
        ("Einsum", "is a Einsum, which cannot be trained here"),
        ("QuantizeLinear", "is quantised (QuantizeLinear)"),
        ("Loop", "decides while it computes (Loop)"),
    ],
)
def test_nodes_that_cannot_be_trained_are_named(op: str, says: str, engine: str, tmp_path: Path) -> None:
    b = GraphBuilder()
    assert says in refused(engine, b.save(tmp_path / "network.onnx", b.add(op, "x")))


def test_foreign_operators_are_refused(engine: str, tmp_path: Path) -> None:
    b = GraphBuilder()
    output = b.add("Relu", "x", domain="com.example")
    assert "operators of com.example" in refused(engine, b.save(tmp_path / "network.onnx", output))


def test_weights_in_another_file_are_not_read(engine: str, tmp_path: Path) -> None:
    path = rec_graph(tmp_path / "network.onnx")
    model = onnx.load(path)
    tensor = helper.make_tensor("far", onnx.TensorProto.FLOAT, [1], [0.0])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    model.graph.initializer.append(tensor)
    onnx.save_model(model, path)
    assert "'far' is stored in another file, which is not read" in refused(engine, path)


def test_huge_constants_are_refused_before_they_are_made(engine: str, tmp_path: Path) -> None:
    b = GraphBuilder()
    large = b.add("ConstantOfShape", b.constant(np.array([1 << 20, 1 << 20])))
    assert "constants beyond" in refused(engine, b.save(tmp_path / "network.onnx", b.add("Add", "x", large)))
    model = onnx.load(rec_graph(tmp_path / "network.onnx"))
    model.graph.initializer.append(onnx.TensorProto(name="huge", dims=[1 << 20, 1 << 20], data_type=1))
    onnx.save(model, tmp_path / "network.onnx")
    assert "more than any OCR model" in refused(engine, tmp_path / "network.onnx")


def test_an_argument_that_makes_no_sense_is_refused(engine: str, tmp_path: Path) -> None:
    path = rec_graph(tmp_path / "network.onnx")
    assert "has 11 layers with weights. Received: 40" in refused(engine, path, freeze=40)
    assert "must be above 0" in refused(engine, path, learning_rate=0.0)
    assert "the package no_such_package is not installed" in refused(engine, Path("no_such_package:model.onnx"))


def test_scores_without_a_softmax_become_probabilities(engine: str, tmp_path: Path) -> None:
    model = onnx.load(rec_graph(tmp_path / "network.onnx"))
    softmax = model.graph.node[-1]
    model.graph.output[0].name = softmax.input[0]
    model.graph.node.remove(softmax)
    onnx.save(model, tmp_path / "scores.onnx")
    image = np.random.default_rng(0).uniform(-1, 1, (1, 3, 32, 64)).astype(np.float32)
    found = backend_of(engine, tmp_path / "scores.onnx", "rec").forward(image)
    np.testing.assert_allclose(found, expected(tmp_path / "network.onnx", image), atol=1e-5)


def test_probabilities_without_their_scores_are_refused(engine: str, tmp_path: Path) -> None:
    model = onnx.load(rec_graph(tmp_path / "network.onnx"))
    last = model.graph.output[0].name
    model.graph.node.append(helper.make_node("Relu", [last], ["end"]))
    model.graph.output[0].name = "end"
    onnx.save(model, tmp_path / "network.onnx")
    assert "does not end in the Softmax" in refused(engine, tmp_path / "network.onnx")
