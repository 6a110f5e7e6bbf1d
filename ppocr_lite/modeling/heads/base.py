"""The registry of heads."""

from __future__ import annotations

from typing import Any

from ppocr_lite.registry import Registry

# ``forward``: features → what the loss reads, by name; ``predict``: features → what prediction reads, by name. Neither
# depends on the mode of the layer. A head with ``takes_targets = True`` is given the batch as a second argument in
# training.
HEADS: Registry[Any] = Registry("head", runtime=("in_channels", "num_classes"))
