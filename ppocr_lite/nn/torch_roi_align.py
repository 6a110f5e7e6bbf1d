"""RoIAlign in PyTorch, which has none of its own."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

SAMPLES = 2  # looked at in each direction of a cell


def roi_align(x: Tensor, rois: Tensor, counts: Tensor, size: int, scale: float) -> Tensor:
    """Return the features of each box, as the mean of four interpolated places in each of its cells.

    Args:
        x: (N, C, H, W).
        rois: (R, 4), x0, y0, x1, y1 in pixels of the image, those of the first map first.
        counts: (N,), how many of *rois* are of each map.
        size: Cells of a box in each direction.
        scale: Places of the map for each pixel of the image.

    Returns:
        (R, C, size, size).

    Source:
        He et al., Mask R-CNN, ICCV 2017, §3, with the half pixel of detectron2's ``aligned=True``.
    """
    height, width = x.shape[2:]
    steps = (torch.arange(size * SAMPLES, dtype=x.dtype, device=x.device) + 0.5) / (size * SAMPLES)
    low = rois[:, :2] * scale - 0.5
    span = (rois[:, 2:] - rois[:, :2]) * scale
    place = low[:, None] + steps[:, None] * span[:, None]  # (R, size * SAMPLES, 2), in places of the map
    far = place.new_tensor([width, height])
    seen = ((place >= -1) & (place <= far)).to(x.dtype)  # farther out than one place there is nothing
    place = 2 * (place + 0.5) / far - 1  # as grid_sample counts, -1 and 1 the outer borders
    grids = torch.stack(
        [place[:, None, :, 0].expand(-1, len(steps), -1), place[:, :, None, 1].expand(-1, -1, len(steps))], dim=-1
    )  # (R, rows, columns, 2)
    parts = []
    for features, grid in zip(x.split(1), grids.split([int(count) for count in counts]), strict=True):
        if not len(grid):
            continue
        found = F.grid_sample(features, grid.flatten(0, 1)[None], padding_mode="border", align_corners=False)
        parts.append(found[0].unflatten(1, (len(grid), len(steps))).transpose(0, 1))  # (R of it, C, rows, columns)
    taken = torch.cat(parts) * (seen[:, None, :, None, 1] * seen[:, None, None, :, 0])
    return F.avg_pool2d(taken, SAMPLES)
