"""The loss of CTPN."""

from __future__ import annotations

from collections.abc import Mapping

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.losses import functional
from ppocr_lite.losses.base import LOSSES

_EPS = 1e-6


@LOSSES.register
class CTPNLoss(nn.Layer):
    """Softmax cross-entropy of the anchors drawn, smooth L1 of where the text in them is and where it ends.

    Each term is the mean over what it is learnt from in the whole batch: the drawn anchors, those of text among them,
    and those near the end of a text. A batch without any text is finite, and teaches background.

    Args:
        vertical_weight: Of centre and height, λ1 of the paper.
        side_weight: Of the ends, λ2 of the paper.

    Raises:
        ConfigError: If a weight is below 0; when called, if network and targets do not have the same anchors.

    Shape:
        outputs: ``scores`` and ``vertical`` (N, 2 A, h, w), ``sides`` (N, A, h, w); batch: ``anchor_labels``,
        ``anchor_sides`` and ``anchor_side_mask`` (N, A, h, w), ``anchor_vertical`` (N, 2, A, h, w). Returns scalars
        ``loss``, ``loss_scores``, ``loss_vertical`` and ``loss_sides``, the weights included.

    Source:
        Tian et al., Connectionist Text Proposal Network, ECCV 2016, eq. 5.
    """

    def __init__(self, vertical_weight: float = 1.0, side_weight: float = 2.0) -> None:
        super().__init__()
        if min(vertical_weight, side_weight) < 0:
            raise ConfigError(f"CTPNLoss needs weights of at least 0. Received: {vertical_weight}, {side_weight}")
        self.vertical_weight, self.side_weight = vertical_weight, side_weight

    def forward(self, outputs: Mapping[str, nn.Tensor], batch: Mapping[str, nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        labels = batch["anchor_labels"]
        _check_places(tuple(outputs["sides"].shape), tuple(labels.shape))
        count, anchors, rows, columns = labels.shape
        pairs = (count, 2, anchors, rows, columns)
        scores = nn.log_softmax(nn.cast(outputs["scores"], "float32").reshape(pairs), axis=1)
        text, background = nn.cast(labels == 1, "float32"), nn.cast(labels == 0, "float32")
        chosen = scores[:, 0] * background + scores[:, 1] * text
        vertical = nn.smooth_l1_loss(
            nn.cast(outputs["vertical"], "float32").reshape(pairs), batch["anchor_vertical"], reduction="none"
        )
        sides = nn.smooth_l1_loss(nn.cast(outputs["sides"], "float32"), batch["anchor_sides"], reduction="none")
        terms = {
            "loss_scores": functional.masked_mean(-chosen, text + background, _EPS),
            "loss_vertical": self.vertical_weight * functional.masked_mean(vertical.sum(1), text, _EPS),
            "loss_sides": self.side_weight * functional.masked_mean(sides, batch["anchor_side_mask"], _EPS),
        }
        return {"loss": nn.add_n(list(terms.values())), **terms}


def _check_places(found: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    """Refuse outputs (N, A, h, w) for other anchors than the targets are made for."""
    if found[1] != wanted[1]:
        raise ConfigError(
            f"CTPNLoss: the head has {found[1]} anchors at each place, the targets {wanted[1]}. "
            "Set CTPNHead.anchors to the number of MakeCTPNTargets.heights."
        )
    if found != wanted:
        raise ConfigError(
            f"CTPNLoss: the network's map has {found[2]} x {found[3]} places, the targets {wanted[2]} x {wanted[3]}: "
            "the stride of MakeCTPNTargets is not that of the backbone. Stride 16 is the last map of a backbone with "
            "stages: 3."
        )
