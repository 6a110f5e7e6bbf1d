"""Losses between networks that learn from one another, and of several networks against one truth.

Each reads ``outputs[network][key]``, as ``DistillationModel`` returns it, and returns its terms under the names that
the logs of this field use, besides ``loss``, their sum.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from ppocr_lite import nn
from ppocr_lite.errors import ConfigError
from ppocr_lite.losses import functional
from ppocr_lite.losses.base import LOSSES
from ppocr_lite.losses.ctc_loss import CTCLoss
from ppocr_lite.losses.db_loss import DBLoss, MainLoss

Outputs = Mapping[str, Mapping[str, nn.Tensor]]
Batch = Mapping[str, nn.Tensor]
MapName = Literal["thrink_maps", "threshold_maps", "binary_maps"]  # "thrink" is how PaddleOCR spells it

_CHANNELS = {"thrink_maps": 0, "threshold_maps": 1, "binary_maps": 2}
_TEACHER_THRESHOLD = 0.3  # Du et al., PP-OCRv2, 2021: the threshold of the detector's postprocessing


@LOSSES.register
class DistillationDBLoss(nn.Layer):
    """:class:`DBLoss` of several networks against the truth.

    Args:
        model_name_list: Networks to train.
        key: Which of their outputs; ``maps`` (N, 3, H, W) where None.
        balance_loss: As in :class:`DBLoss`, as are the next four.
        main_loss_type: Loss of the probability map.
        alpha: Weight of the probability map.
        beta: Weight of the threshold map.
        ohem_ratio: Most negative pixels per positive one when balancing.
        eps: Keeps quotients finite.

    Shape:
        Returns ``loss`` and, for each network, ``db_<network>_loss_shrink_maps``, ``…_threshold_maps``,
        ``…_binary_maps``.
    """

    def __init__(
        self,
        model_name_list: list[str],
        key: str | None = None,
        balance_loss: bool = True,
        main_loss_type: MainLoss = "DiceLoss",
        alpha: float = 5.0,
        beta: float = 10.0,
        ohem_ratio: float = 3.0,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.model_name_list, self.key = _names(model_name_list), key or "maps"
        self.criterion = DBLoss(balance_loss, main_loss_type, alpha, beta, ohem_ratio, eps)

    def forward(self, outputs: Outputs, batch: Batch) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        totals, terms = [], {}
        for name in self.model_name_list:
            found = self.criterion({"maps": outputs[name][self.key]}, batch)
            totals.append(found.pop("loss"))
            terms.update({f"db_{name}_{key}": value for key, value in found.items()})
        return {"loss": nn.add_n(totals), **terms}


@LOSSES.register
class DistillationDilaDBLoss(nn.Layer):
    """Students against the dilated probability map of a teacher.

    The teacher's map is cut at 0.3 and dilated by a 2×2 square, since text regions are shrunk and a student errs less
    by a little more than by a little less. ``alpha * main(probability) + Dice(binary)``, without the ignored pixels;
    of a network that returns the probability alone, as exported ones do, the first term.

    Args:
        model_name_pairs: ``[[student, teacher], …]``.
        key: Which of their outputs; ``maps`` (N, 3, H, W) where None.
        balance_loss: As in :class:`DBLoss`, as are the next three.
        main_loss_type: Loss of the probability map.
        alpha: Weight of the probability map.
        ohem_ratio: Most negative pixels per positive one when balancing.
        beta: Accepted because PaddleOCR's configs write it; there is no threshold map to weigh.
        eps: Keeps quotients finite.

    Shape:
        Returns ``loss`` and ``dila_dbloss_<student>_<teacher>`` for each pair.

    Source:
        Du et al., PP-OCRv2, 2021 (collaborative mutual learning).
    """

    def __init__(
        self,
        model_name_pairs: list[list[str]] | list[str],
        key: str | None = None,
        balance_loss: bool = True,
        main_loss_type: MainLoss = "DiceLoss",
        alpha: float = 5.0,
        beta: float = 10.0,
        ohem_ratio: float = 3.0,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.model_name_pairs, self.key = _pairs(model_name_pairs), key or "maps"
        self.criterion = DBLoss(balance_loss, main_loss_type, alpha, beta, ohem_ratio, eps)

    def forward(self, outputs: Outputs, batch: Batch) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        terms = {}
        mask = batch["shrink_mask"]
        for student, teacher in self.model_name_pairs:
            seen = outputs[teacher][self.key][:, 0].detach()
            loss = _against_teacher(self.criterion, outputs[student][self.key], seen, mask)
            terms[f"dila_dbloss_{student}_{teacher}"] = loss
        return {"loss": nn.add_n(list(terms.values())), **terms}


@LOSSES.register
class TeacherMapLoss(nn.Layer):
    """A detector against the dilated probability map of a teacher that was stored, see ``LoadTeacherMap``.

    The same as :class:`DistillationDilaDBLoss`, without the time and the memory that a teacher takes in training.

    Args:
        balance_loss: As in :class:`DBLoss`, as are the next four.
        main_loss_type: Loss of the probability map.
        alpha: Weight of the probability map.
        ohem_ratio: Most negative pixels per positive one when balancing.
        eps: Keeps quotients finite.

    Shape:
        outputs: ``maps`` (N, 3, H, W), or (N, 1, H, W); batch: ``teacher_map`` (N, H, W) uint8, ``shrink_mask``
        (N, H, W). Returns ``loss`` and the same as ``loss_teacher_map``.
    """

    def __init__(
        self,
        balance_loss: bool = True,
        main_loss_type: MainLoss = "DiceLoss",
        alpha: float = 5.0,
        ohem_ratio: float = 3.0,
        eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.criterion = DBLoss(balance_loss, main_loss_type, alpha, 0.0, ohem_ratio, eps)

    def forward(self, outputs: Mapping[str, nn.Tensor], batch: Batch) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        seen = nn.cast(batch["teacher_map"], "float32") / 255.0
        loss = _against_teacher(self.criterion, outputs["maps"], seen, batch["shrink_mask"])
        return {"loss": loss, "loss_teacher_map": loss}


@LOSSES.register
class DistillationDMLLoss(nn.Layer):
    """Pulls two networks towards the same distribution, by the mean of the two Kullback-Leibler divergences.

    Args:
        model_name_pairs: ``[[first, second], …]``, or one pair.
        key: Which of their outputs; ``maps`` with *maps_name*, else ``head_out``, where None.
        act: What turns that output into probabilities; None if it is probabilities.
        maps_name: Which maps of a detector to compare; the output is then (N, 3, H, W). None for sequences.
        use_log: Sum over the steps of a sequence, as the released recognisers were trained, instead of the mean.

    Shape:
        Returns ``loss`` and ``dml_<pair>``, or ``dml_<map>_<pair>``, pairs counted from 0.

    Source:
        Zhang et al., Deep Mutual Learning, CVPR 2018; Du et al., PP-OCRv2, 2021.
    """

    def __init__(
        self,
        model_name_pairs: list[list[str]] | list[str],
        key: str | None = None,
        act: Literal["softmax", "sigmoid"] | None = None,
        maps_name: MapName | list[MapName] | None = None,
        use_log: bool = False,
    ) -> None:
        super().__init__()
        self.model_name_pairs = _pairs(model_name_pairs)
        self.maps_name = [maps_name] if isinstance(maps_name, str) else list(maps_name or [])
        self.key = key or ("maps" if self.maps_name else "head_out")
        self.act, self.use_log = act, use_log

    def forward(self, outputs: Outputs, batch: Batch) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        terms = {}
        for index, pair in enumerate(self.model_name_pairs):
            first, second = (nn.cast(outputs[name][self.key], "float32") for name in pair)
            if not self.maps_name:
                terms[f"dml_{index}"] = self._compare(first, second)
            for name in self.maps_name:
                channel = _CHANNELS[name]
                terms[f"dml_{name}_{index}"] = self._compare_maps(first[:, channel], second[:, channel])
        return {"loss": nn.add_n(list(terms.values())), **terms}

    def _compare_maps(self, first: nn.Tensor, second: nn.Tensor) -> nn.Tensor:
        if self.act == "sigmoid":
            first, second = nn.sigmoid(first), nn.sigmoid(second)
        return functional.bernoulli_divergence(first, second)

    def _compare(self, first: nn.Tensor, second: nn.Tensor) -> nn.Tensor:
        if self.act == "sigmoid":
            return self._compare_maps(first, second)
        if self.act == "softmax":
            first, second = nn.log_softmax(first, axis=-1), nn.log_softmax(second, axis=-1)
        else:
            first, second = (x.clip(min=1e-10).log() for x in (first, second))
        values = functional.categorical_divergence(first, second)  # (N, T) or (N,)
        return values.sum() / values.shape[0] if self.use_log else values.mean()


@LOSSES.register
class DistillationCTCLoss(nn.Layer):
    """:class:`CTCLoss` of several networks against the truth.

    Args:
        model_name_list: Networks to train.
        key: Which of their outputs, (N, T, C) before softmax; ``head_out`` where None.
        use_focal_loss: As in :class:`CTCLoss`.

    Shape:
        Returns ``loss`` and ``loss_ctc_<network>_<index>``, networks counted from 0.
    """

    def __init__(self, model_name_list: list[str], key: str | None = None, use_focal_loss: bool = False) -> None:
        super().__init__()
        self.model_name_list, self.key = _names(model_name_list), key or "head_out"
        self.criterion = CTCLoss(use_focal_loss)

    def forward(self, outputs: Outputs, batch: Batch) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        terms = {
            f"loss_ctc_{name}_{index}": self.criterion.compute(
                outputs[name][self.key], batch["label"], batch["length"]
            )["loss"]
            for index, name in enumerate(self.model_name_list)
        }
        return {"loss": nn.add_n(list(terms.values())), **terms}


@LOSSES.register
class DistillationDistanceLoss(nn.Layer):
    """Pulls the features of two networks together.

    Args:
        model_name_pairs: ``[[first, second], …]``, or one pair.
        key: Which of their outputs; both of one shape. ``backbone_out`` where None.
        mode: Squared (``l2``), absolute (``l1``) or Huber (``smooth_l1``) difference, mean over all elements.

    Shape:
        Returns ``loss`` and ``loss_distance_<mode>_<first>_<second>_<index>``, pairs counted from 0.

    Source:
        Du et al., PP-OCRv2, 2021 (unified deep mutual learning).
    """

    def __init__(
        self,
        model_name_pairs: list[list[str]] | list[str],
        key: str | None = None,
        mode: Literal["l1", "l2", "smooth_l1"] = "l2",
    ) -> None:
        super().__init__()
        self.model_name_pairs, self.key, self.mode = _pairs(model_name_pairs), key or "backbone_out", mode

    def forward(self, outputs: Outputs, batch: Batch) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        distance: dict[str, Any] = {"l1": nn.l1_loss, "l2": nn.mse_loss, "smooth_l1": nn.smooth_l1_loss}
        terms = {}
        for index, (first, second) in enumerate(self.model_name_pairs):
            features = (nn.cast(outputs[name][self.key], "float32") for name in (first, second))
            terms[f"loss_distance_{self.mode}_{first}_{second}_{index}"] = distance[self.mode](*features)
        return {"loss": nn.add_n(list(terms.values())), **terms}


def _against_teacher(criterion: DBLoss, maps: nn.Tensor, seen: nn.Tensor, mask: nn.Tensor) -> nn.Tensor:
    """Return the loss of a student's *maps* (N, 3, H, W) against the probabilities *seen* (N, H, W) of a teacher."""
    maps = nn.cast(maps, "float32")
    target = dilate(nn.cast(seen > _TEACHER_THRESHOLD, "float32"))
    loss = criterion.alpha * criterion.main_loss(maps[:, 0], target, mask)
    if maps.shape[1] == 1:  # a network as it is exported
        return loss
    return loss + functional.dice(maps[:, 2], target, mask, criterion.eps)


def dilate(maps: nn.Tensor) -> nn.Tensor:
    """Return the maximum of each pixel and its neighbours above and to the left; (N, H, W) → the same."""
    padded = nn.pad(maps.unsqueeze(1), [1, 0, 1, 0])  # (N, 1, H + 1, W + 1)
    return nn.max_pool2d(padded, 2, stride=1).squeeze(1)  # (N, H, W)


def _names(names: list[str]) -> list[str]:
    if not names:
        raise ConfigError("model_name_list must name at least one network. Received: []")
    return list(names)


def _pairs(pairs: list[list[str]] | list[str]) -> list[tuple[str, str]]:
    """Return a list of pairs from such a list, or from one pair."""
    flat = [item for item in pairs if isinstance(item, str)]
    nested = [item for item in pairs if not isinstance(item, str)] + ([flat] if flat else [])
    if not pairs or any(len(pair) != 2 for pair in nested):
        raise ConfigError(f"model_name_pairs must be [[first, second], …]. Received: {pairs}")
    return [(pair[0], pair[1]) for pair in nested]
