"""Run the two-stage detector on one engine with fixed weights; the test beside compares what two engines write.

python -m tests.integration.region_runs ENGINE OUT.npz
"""

from __future__ import annotations

import sys

import numpy as np

from ppocr_lite import nn
from ppocr_lite.geometry import RegionTruth
from ppocr_lite.optim.optimizers import Adam
from tests.engine import Arrays, array, tensor
from tests.integration.parity import Case, checksums, fresh_names, gradients_of, in_float64, started

ARCHITECTURE = {
    "model_type": "det",
    "Backbone": {"name": "MobileNetV3", "scale": 0.35, "model_name": "small", "disable_se": True},
    "Neck": {"name": "FPN", "out_channels": 16},
    "Head": {
        "name": "MaskRCNNHead",
        "anchors": {"strides": [4, 8, 16, 32, 64], "sizes": [8, 16, 32, 64, 128], "aspect_ratios": [0.5, 1.0]},
        "proposals": {"pre_nms_top_n": 60, "post_nms_top_n": 30},
        "sampler": {"batch_size_per_image": 16},
        "box": {"channels": 16},
        "detections": {"max_detections": 8, "score_thresh": 0.0},
        "mask": {"channels": 8, "convs": 2},
    },
}
CASE = Case(ARCHITECTURE, {"name": "MaskRCNNLoss"}, (2, 3, 96, 128))


def batch_of(seed: int) -> dict[str, object]:
    """Return two images of noise, one of them padded, with three texts each."""
    rng = np.random.default_rng(seed)
    truths = []
    for size in ((96, 128), (80, 100)):
        corner = rng.uniform(0, [size[1] - 50, size[0] - 30], (3, 2))
        rects = np.concatenate([corner, corner + rng.uniform([20, 10], [50, 30], (3, 2))], axis=1).astype(np.float32)
        outlines = tuple(np.array([[a, b], [c, b], [c, d], [a, d]], np.float32) for a, b, c, d in rects)
        truths.append(RegionTruth(rects, outlines, np.zeros((0, 4), np.float32), size, seed))
    return {"image": rng.standard_normal(CASE.shape).astype(np.float32), "truth": truths}


def gradients() -> Arrays:
    """Return the losses of one batch and the gradient of every parameter, with backbone and pyramid in float64.

    In float32 a value may cross the corner of a ReLU in one engine and not in the other, see
    :func:`tests.integration.parity.gradients`.
    """
    backend = started(CASE, Adam())
    network, batch = backend.network, batch_of(0)
    network.train()
    image = tensor(np.asarray(batch["image"], np.float64))
    for part in (network.backbone, network.neck):
        in_float64(part)
    levels = [nn.cast(level, "float32") for level in network.neck(network.backbone(image))]
    outputs = network.head(levels, batch | {"image": image})
    losses = backend.loss(outputs, batch)
    losses["loss"].backward()
    found = {f"precise_loss|{name}": array(value) for name, value in losses.items()}
    return found | {f"gradient|{name}": value for name, value in gradients_of(network).items()}


def run() -> Arrays:
    """Return losses and proposals of a batch, gradients, losses of ten updates and what is predicted after them."""
    backend = started(CASE, Adam())
    found: Arrays = {f"checksum|{name}": value for name, value in checksums(backend.weights()).items()}
    batch = batch_of(0)
    backend.network.train()
    tensors = batch | {"image": tensor(np.asarray(batch["image"]))}
    outputs = backend.network(tensors["image"], tensors)
    found |= {f"loss|{name}": array(value) for name, value in backend.loss(outputs, tensors).items()}
    found |= {f"sample|{name}": getattr(outputs["samples"], name) for name in ("rects", "labels", "masks")}
    steps = [backend.train_step([batch_of(step)], lr=0.0005, seed=step)["loss"].item() for step in range(10)]
    found["ten|loss"] = np.array(steps)
    found["predicted|regions"] = backend.predict(np.asarray(batch["image"]))["regions"]
    with fresh_names():
        return found | gradients()


if __name__ == "__main__":
    nn.use(sys.argv[1])
    np.savez(sys.argv[2], **run())
