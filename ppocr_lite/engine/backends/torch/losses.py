"""CTCLoss, ACELoss, CenterLoss, ClsLoss, CombinedLoss: the twins of those in ``ppocr_lite.losses``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ppocr_lite import centers
from ppocr_lite.config.check import check_component
from ppocr_lite.engine.backends.torch.base import LOSSES
from ppocr_lite.errors import ConfigError

_BLANK = 0
_LEAST = 1e-10  # probability of a class that counts as never predicted
INFEASIBLE = "ctc_infeasible"


@LOSSES.register
class ClsLoss(nn.Module):
    """Cross-entropy, mean over the batch.

    Shape:
        outputs: ``logits`` (N, C); batch: ``label``, (N,) int64, or (N, C) float32 with the share of each class, as
        ``Mixup`` and ``CutMix`` make it. Returns the scalar ``loss``.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See *Shape* of the class."""
        labels = batch["label"]
        target = labels.float() if labels.ndim == 2 else labels.long().flatten()
        return {"loss": F.cross_entropy(outputs["logits"].float(), target)}


@LOSSES.register
class CTCLoss(nn.Module):
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

    def forward(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See *Shape* of the class."""
        return self.compute(outputs["logits"], batch["label"], batch["length"])

    def compute(self, logits: Tensor, labels: Tensor, lengths: Tensor) -> dict[str, Tensor]:
        """Return the loss of logits found by the caller; arguments as under *Shape* of the class."""
        samples, steps = logits.shape[0], logits.shape[1]
        labels, lengths = labels.int(), lengths.long().flatten()
        feasible = torch.logical_and(required_steps(labels, lengths) <= steps, lengths > 0)  # (N,)
        values = F.ctc_loss(
            F.log_softmax(logits.float(), dim=2).transpose(0, 1),  # (T, N, C)
            labels,
            torch.full((samples,), steps, dtype=torch.long),
            torch.where(feasible, lengths, torch.zeros_like(lengths)),
            blank=_BLANK,
            reduction="none",
        ).flatten()  # (N,)
        if self.use_focal_loss:
            values = values * (1.0 - torch.exp(-values)) ** 2
        weights = feasible.float()
        loss = (values * weights).sum() / weights.sum().clip(min=1.0)
        return {"loss": loss, INFEASIBLE: samples - weights.sum()}


def required_steps(labels: Tensor, lengths: Tensor) -> Tensor:
    """Return the fewest steps that spell each text: its characters, and a blank between equal neighbours.

    Args:
        labels: (N, L) int32, padded with anything.
        lengths: (N,) int64.

    Returns:
        (N,) int64.
    """
    if labels.shape[1] < 2:
        return lengths
    inside = torch.arange(1, labels.shape[1], device=labels.device).unsqueeze(0) < lengths.unsqueeze(1)  # (N, L - 1)
    repeats = torch.logical_and(labels[:, 1:] == labels[:, :-1], inside)
    return lengths + repeats.long().sum(1)


@LOSSES.register
class ACELoss(nn.Module):
    """How often each character is predicted against how often the text has it, wherever it stands.

    With the probabilities of each class averaged over the T steps, ``p[k]``, and the share of the text that is class k,
    ``n[k] / T``, the blank taking the T - length steps that are left: ``loss = -Σ over k of n[k] / T * log p[k]``, mean
    over the batch. A text longer than T leaves the blank less than nothing and is left out. Added to :class:`CTCLoss`
    in :class:`CombinedLoss` the two are called A-CTC.

    Shape:
        outputs: ``logits`` (N, T, C), before softmax; batch: ``label`` (N, L) int32, padded with anything, and
        ``length`` (N,) int64. Returns the scalar ``loss``.

    Source:
        Xie et al., Aggregation Cross-Entropy for Sequence Recognition, CVPR 2019, eq. 7 and 8.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See *Shape* of the class."""
        logits = outputs["logits"].float()
        _, steps, classes = logits.shape
        labels, lengths = batch["label"].long(), batch["length"].long().flatten().to(logits.device)
        inside = (torch.arange(labels.shape[1], device=labels.device) < lengths.unsqueeze(1)).float()  # (N, L)
        counts = logits.new_zeros(labels.shape[0], classes).scatter_add(1, labels, inside)  # (N, C)
        counts[:, 0] += steps - lengths
        predicted = torch.softmax(logits, dim=2).mean(1)  # (N, C)
        values = -(counts / steps * predicted.clip(min=_LEAST).log()).sum(1)  # (N,)
        fits = (lengths <= steps).float()
        return {"loss": (values * fits).sum() / fits.sum().clip(min=1.0)}


@LOSSES.register
class CenterLoss(nn.Module):
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
        self.register_buffer("centers", torch.from_numpy(values), persistent=update_rate > 0)

    def forward(self, outputs: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See *Shape* of the class."""
        feats, logits = outputs.get("feats"), outputs["logits"]
        centers.check_fit(None if feats is None else feats.shape, logits.shape, self.centers.shape)
        labels = logits.detach().argmax(dim=2).flatten()  # (N T,)
        gaps = outputs["feats"].float().flatten(0, 1) - self.centers[labels]  # (N T, D)
        if self.update_rate:
            self._move(gaps.detach(), labels)
        return {"loss": gaps.square().sum(1).mean()}

    @torch.no_grad()
    def _move(self, gaps: Tensor, labels: Tensor) -> None:
        """Move each centre towards the features of its class: *gaps* (M, D) is what they lack, *labels* (M,)."""
        sums = torch.zeros_like(self.centers).index_add_(0, labels, gaps)
        counts = torch.bincount(labels, minlength=len(self.centers)).unsqueeze(1)  # (C, 1)
        self.centers += self.update_rate * sums / (1 + counts)


@LOSSES.register
class CombinedLoss(nn.Module):
    """Adds losses up, each times its weight.

    Args:
        loss_config_list: ``[{Class: {weight: 1.0, argument: value}}, …]``.

    Raises:
        ConfigError: If the list is empty, or an entry is not of that form.

    Shape:
        Returns ``loss``, and the terms of each loss by their own names, weighted. A loss with no term but ``loss`` is
        listed as ``loss_Class_index``.
    """

    def __init__(self, loss_config_list: list[dict[str, Any]]) -> None:
        super().__init__()
        if not loss_config_list:
            raise ConfigError("Loss.loss_config_list must name at least one loss. Received: []")
        self.names: list[str] = []
        self.weights: list[float] = []
        self.parts = nn.ModuleList()
        for index, entry in enumerate(loss_config_list):
            name, weight, part = _build(entry, f"Loss.loss_config_list[{index}]")
            self.names.append(name)
            self.weights.append(weight)
            self.parts.append(part)

    def forward(self, outputs: Mapping[str, Any], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See *Shape* of the class."""
        totals, terms = [], {}
        for index, (name, weight, part) in enumerate(zip(self.names, self.weights, self.parts, strict=True)):
            found = dict(part(outputs, batch))
            total = found.pop("loss")
            totals.append(total * weight)
            counts = {key: found.pop(key) for key in (INFEASIBLE,) if key in found}
            weighted = {key: value * weight for key, value in (found or {f"loss_{name}_{index}": total}).items()}
            for key, value in (weighted | counts).items():
                terms[f"{key}_{index}" if key in terms else key] = value
        return {"loss": torch.stack(totals).sum(), **terms}


def _build(entry: Mapping[str, Any], path: str) -> tuple[str, float, nn.Module]:
    """Return name, weight and loss of one entry of the list."""
    if not isinstance(entry, Mapping) or len(entry) != 1:
        raise ConfigError(f"{path} must be '- Class: {{weight: …, …}}'. Received: {entry!r}")
    name, arguments = next(iter(entry.items()))
    arguments = dict(arguments or {})
    weight = arguments.pop("weight", None)
    if isinstance(weight, bool) or not isinstance(weight, int | float):
        raise ConfigError(f"{path}.{name}.weight must be a number. Received: {weight!r}")
    node = check_component(LOSSES, {"name": name} | arguments, f"{path}.{name}")
    return name, float(weight), LOSSES.build(node)
