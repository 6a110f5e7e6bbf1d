"""The loss that draws the features of a character together."""

from __future__ import annotations

from collections.abc import Mapping

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.losses import centers
from ppocr_lite.losses.base import LOSSES


@LOSSES.register
class CenterLoss(nn.Layer):
    """Squared distance of each step's features from the centre of the class that the head predicts there.

    ``loss = mean over n, t of ‖x[n, t] - c[y[n, t]]‖²`` with ``y[n, t] = argmax over k of logits[n, t, k]``; the blank
    is a class as any other. Characters that look alike move apart, as each is drawn to a centre of its own. The centres
    come from a network trained with CTC alone: the mean features of each class on lines that it reads correctly, as
    ``tools/make_centers.py`` finds them. They stay, unless *update_rate* lets them follow the features. The class of a
    step is a constant, so only the features get a gradient. Added to :class:`CTCLoss` in :class:`CombinedLoss`; the
    head needs ``return_feats: true``.

    Args:
        num_classes: Classes of the head: characters plus one.
        feat_dim: Features that enter its last layer: ``mid_channels``, or those of the neck.
        center_file_path: A ``.npz`` or ``.safetensors`` file with an array ``centers``, float (num_classes,
            feat_dim). Without it every centre is 0.
        init_center: Whether to read the file; False leaves every centre at 0.
        update_rate: α of eq. 4: after each batch ``c[k] += α Σ (x - c[k]) / (1 + number)`` over its steps of class k.
            Moving centres are saved with the optimizer, so a resumed run goes on with them.

    Raises:
        ConfigError: If a number is not positive, the rate not in [0, 1], or the file of another kind, such as a
            pickled one; when called, if the head gives no features, or their sizes differ from those of the centres.
        DataError: If the file cannot be read, or does not hold such an array.

    Shape:
        outputs: ``feats`` (N, T, feat_dim), ``logits`` (N, T, num_classes). Returns the scalar ``loss``.

    Source:
        Wen et al., A Discriminative Feature Learning Approach for Deep Face Recognition, ECCV 2016, eq. 2, without the
        factor ½, and eq. 4; for CTC: Du et al., PP-OCRv2, 2021, §2.2, Enhanced CTC loss.
    """

    def __init__(
        self,
        num_classes: int = 6625,
        feat_dim: int = 96,
        center_file_path: str | None = None,
        init_center: bool = True,
        update_rate: float = 0.0,
    ) -> None:
        super().__init__()
        if not 0 <= update_rate <= 1:
            raise ConfigError(f"CenterLoss.update_rate must lie in [0, 1]. Received: {update_rate}")
        self.update_rate = update_rate
        values = centers.load(center_file_path if init_center else None, num_classes, feat_dim)
        self.register_buffer("centers", nn.to_tensor(values), persistable=update_rate > 0)

    def forward(self, outputs: Mapping[str, nn.Tensor], batch: Mapping[str, nn.Tensor]) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        feats, logits = outputs.get("feats"), outputs["logits"]
        centers.check_fit(None if feats is None else feats.shape, logits.shape, self.centers.shape)
        labels = logits.detach().argmax(axis=2).flatten()  # (N T,)
        nearest = nn.index_select(self.centers, labels)  # (N T, D)
        gaps = nn.cast(outputs["feats"], "float32").flatten(0, 1) - nearest  # (N T, D)
        if self.update_rate:
            self._move(gaps.detach(), labels)
        return {"loss": gaps.square().sum(1).mean()}

    def _move(self, gaps: nn.Tensor, labels: nn.Tensor) -> None:
        """Move each centre towards the features of its class: *gaps* (M, D) is what they lack, *labels* (M,)."""
        with nn.no_grad():
            sums = nn.index_add(nn.zeros_like(self.centers), labels, 0, gaps)  # (C, D)
            counts = nn.bincount(labels, minlength=self.centers.shape[0]).unsqueeze(1)  # (C, 1)
            nn.set_value(self.centers, self.centers + self.update_rate * sums / nn.cast(1 + counts, "float32"))
