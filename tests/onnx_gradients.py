"""What one engine computes of an ONNX file, and its gradients; ``python -m tests.onnx_gradients`` once an engine."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ppocr_lite import nn

SIZES = {"det": (96, 160), "cls": (48, 192), "rec": (48, 160)}


def picture(model_type: str, height: int | None = None) -> NDArray[np.float32]:
    """Return text on a gray ground, (1, 3, H, W), as networks take it."""
    rows, columns = SIZES[model_type]
    image = np.full((rows, columns, 3), 200, np.uint8)
    cv2.putText(image, "Total 42", (4, rows - 14), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (20, 40, 60), 2)
    image = cv2.GaussianBlur(image, (0, 0), 1.0)
    if height is not None:
        image = cv2.resize(image, (columns, height))
    return np.ascontiguousarray(image.transpose(2, 0, 1)[None] / np.float32(127.5) - 1.0, np.float32)


def compute(engine: str, path: str, model_type: str, height: int | None = None) -> dict[str, NDArray[Any]]:
    """Return the prediction under ``""``, and the gradient of a weighted sum of the scores by each weight."""
    nn.use(engine)
    from ppocr_lite.modeling import build_model  # noqa: PLC0415 - after the choice of the engine

    network: Any = build_model({"model_type": model_type, "Network": {"name": "OnnxNetwork", "path": path}})
    network.eval()
    x = nn.to_tensor(picture(model_type, height))
    with nn.no_grad():
        found = {"": np.asarray(next(iter(network.predict(x).values())).numpy())}
    network.train()  # Paddle's LSTM has no gradient otherwise; statistics stay as they are
    scores = next(iter(network(x).values()))
    shape = tuple(scores.shape)
    weights = np.cos(np.arange(np.prod(shape), dtype=np.float32)).reshape(shape)
    (scores * nn.to_tensor(weights)).sum().backward()
    gradients: Mapping[str, Any] = {name: parameter.grad for name, parameter in network.named_parameters()}
    for name, gradient in gradients.items():
        if name.endswith(("._mean", "._variance")):
            continue  # Paddle counts statistics among the parameters
        value = np.asarray(gradient.numpy())
        turned = engine == "torch" and name.startswith("linear") and value.ndim > 1
        found[name] = value.T if turned else value
    return found


if __name__ == "__main__":
    _, chosen, source, family, side, target = sys.argv
    computed = compute(chosen, source, family, int(side) or None)
    np.savez(target, **{f"{name}_": value for name, value in computed.items()})
