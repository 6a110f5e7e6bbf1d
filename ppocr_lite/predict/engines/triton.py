"""An exported network in a model repository of NVIDIA Triton Inference Server.

Source:
    https://docs.nvidia.com/deeplearning/triton-inference-server/user-guide/docs/user_guide/model_repository.html and
    model_configuration.html beside it.
"""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from ppocr_lite import files
from ppocr_lite.errors import ModelError
from ppocr_lite.predict.bundle import read_bundle
from ppocr_lite.predict.runner import gpu_index

CONFIG, NETWORK, VERSION = "config.pbtxt", "model.onnx", "1"
TYPES = {"tensor(float)": "TYPE_FP32", "tensor(float16)": "TYPE_FP16", "tensor(int64)": "TYPE_INT64"}


def write_model(model: Path | str, repository: Path, device: str = "cpu") -> Path:
    """Write a network as a model that Triton runs with ONNX Runtime, called by the name of its folder.

    Only the network is there: what is done before and after it, ``inference.yml`` says, is the client's work.

    Args:
        model: Exported folder, or ONNX file.
        repository: The model repository; other models in it stay.
        device: ``"cpu"``, or ``"gpu:<number>"``.

    Returns:
        The folder of the model.

    Raises:
        ModelError: If there is no ONNX network, or its inputs and outputs are of another type than numbers.
        ConfigError: If there is no such device.
        OSError: If a file cannot be written.
    """
    bundle = read_bundle(model)
    if bundle.onnx is None:
        raise ModelError(f"{bundle.source} has no {NETWORK}, which Triton needs. Export it again, with --onnx.")
    name = bundle.onnx.stem if bundle.file else bundle.folder.resolve().name
    folder = repository / name
    (folder / VERSION).mkdir(parents=True, exist_ok=True)
    text = _config(bundle.onnx, name, device)
    files.write_bytes(folder / VERSION / NETWORK, bundle.onnx.read_bytes())
    files.write_text(folder / CONFIG, text)
    return folder


def _config(network: Path, name: str, device: str) -> str:
    """Return the description of a network; sides that may vary are -1, the batch among them."""
    session = onnxruntime.InferenceSession(str(network), providers=["CPUExecutionProvider"])
    place = "KIND_CPU, count: 1" if device == "cpu" else f"KIND_GPU, count: 1, gpus: [ {gpu_index(device)} ]"
    return (
        f'name: "{name}"\n'
        'backend: "onnxruntime"\n'
        "max_batch_size: 0\n"
        f"input [\n{_tensors(session.get_inputs(), network)}\n]\n"
        f"output [\n{_tensors(session.get_outputs(), network)}\n]\n"
        f"instance_group [ {{ kind: {place} }} ]\n"
    )


def _tensors(tensors: list[onnxruntime.NodeArg], network: Path) -> str:
    rows = []
    for tensor in tensors:
        if tensor.type not in TYPES:
            raise ModelError(f"{network}: {tensor.name} is a {tensor.type}, which is not known here.")
        sides = ", ".join(str(side if isinstance(side, int) else -1) for side in tensor.shape)
        rows.append(f'  {{ name: "{tensor.name}", data_type: {TYPES[tensor.type]}, dims: [ {sides} ] }}')
    return ",\n".join(rows)
