"""The loss of a recogniser."""

from __future__ import annotations

from collections.abc import Mapping

from ppocr_lite import nn
from ppocr_lite.charset import BLANK
from ppocr_lite.losses.base import LOSSES

# A number of samples among the terms: nothing to weigh.
INFEASIBLE = "ctc_infeasible"


@LOSSES.register
class CTCLoss(nn.Layer):
    """Negative logarithm of the probability of the text, over all ways to spell it in T steps; mean over the batch.

    A text that cannot be spelled in T steps (it needs one step per character and one more between equal neighbours)
    has no such probability. Frameworks give it loss 0 in silence, which would look like a perfect sample; here it is
    left out of the mean and counted in ``ctc_infeasible``, as is an empty text.

    Args:
        use_focal_loss: Weigh each sample by ``(1 - p)²``, p the probability of its text.

    Shape:
        outputs: ``logits`` (N, T, C), before softmax; batch: ``label`` (N, L) int32, zero-padded, and ``length``
        (N,) int64. Returns scalars ``loss`` and ``ctc_infeasible``, a number of samples.

    Source:
        Graves et al., Connectionist Temporal Classification, ICML 2006; weight: Lin et al., Focal Loss,
        ICCV 2017, eq. 4.
    """

    def __init__(self, use_focal_loss: bool = False) -> None:
        super().__init__()
        self.use_focal_loss = use_focal_loss

    def forward(self, outputs: Mapping[str, nn.Tensor], batch: Mapping[str, nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        return self.compute(outputs["logits"], batch["label"], batch["length"])

    def compute(self, logits: nn.Tensor, labels: nn.Tensor, lengths: nn.Tensor) -> dict[str, nn.Tensor]:
        """Return the loss of logits found by the caller; arguments as under *Shape* of the class."""
        samples, steps = logits.shape[0], logits.shape[1]
        labels, lengths = nn.cast(labels, "int32"), nn.cast(lengths, "int64").flatten()
        feasible = nn.logical_and(required_steps(labels, lengths) <= steps, lengths > 0)  # (N,)
        lengths = nn.where(feasible, lengths, nn.zeros_like(lengths))
        values = nn.ctc_loss(nn.cast(logits, "float32"), labels, lengths, BLANK)  # (N,)
        if self.use_focal_loss:
            values = values * (1.0 - (-values).exp()) ** 2
        weights = nn.cast(feasible, "float32")
        loss = (values * weights).sum() / weights.sum().clip(min=1.0)
        return {"loss": loss, INFEASIBLE: samples - weights.sum()}


def required_steps(labels: nn.Tensor, lengths: nn.Tensor) -> nn.Tensor:
    """Return the fewest steps that spell each text: its characters, and a blank between equal neighbours.

    Args:
        labels: (N, L) int32, padded with anything.
        lengths: (N,) int64.

    Returns:
        (N,) int64.
    """
    if labels.shape[1] < 2:
        return lengths
    inside = nn.arange(1, labels.shape[1], lengths).unsqueeze(0) < lengths.unsqueeze(1)  # (N, L - 1)
    repeats = nn.logical_and(labels[:, 1:] == labels[:, :-1], inside)
    return lengths + nn.cast(repeats, "int64").sum(1)
