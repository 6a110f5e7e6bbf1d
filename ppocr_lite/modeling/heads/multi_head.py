"""CTC beside a head that guides it in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ppocr_lite import nn
from ppocr_lite.config.check import check_arguments
from ppocr_lite.errors import ConfigError, suggest
from ppocr_lite.modeling.heads.base import HEADS
from ppocr_lite.modeling.heads.ctc_head import CTCHead
from ppocr_lite.modeling.heads.nrtr_head import NRTRHead, Projection
from ppocr_lite.modeling.necks import NECKS, SequenceEncoder
from ppocr_lite.modeling.necks.sequence_encoder import Im2Seq

_CTC = "CTCHead"
_GUIDES = {"NRTRHead": NRTRHead}
_COMPUTED = NECKS.runtime | HEADS.runtime


@HEADS.register
class MultiHead(nn.Layer):
    """A neck and a :class:`CTCHead`, and beside them a head that guides the backbone in training.

    The guiding head sees the features of the backbone, learns to spell the text, and so teaches the backbone; with
    ``use_guide`` the neck lets no gradient through, and the backbone learns from that head alone. It is not part of
    prediction, and an exported network does not hold it.

    Args:
        in_channels: Channels of the features of the backbone.
        num_classes: Characters plus one; index 0 is the blank.
        head_list: ``[{CTCHead: {Neck: {name: svtr, …}, Head: {…}}}, {NRTRHead: {nrtr_dim: 384, …}}]``: the name of the
            neck is an ``encoder_type`` of :class:`SequenceEncoder`, whose arguments may follow; ``Head`` holds those of
            :class:`CTCHead`. Without a second entry there is no guide.

    Attributes:
        takes_targets: True: in training the guiding head reads ``label_gtc``, as ``MultiLabelEncode`` makes it.

    Shape:
        forward: (N, in_channels, 1, W) → what :class:`CTCHead` gives, and in training "gtc" (N, L, num_classes + 4),
            the guide's next characters before softmax
        predict: (N, in_channels, 1, W) → {"probabilities": (N, W, num_classes)}

    Raises:
        ConfigError: If *head_list* is not of that form, or the neck or the head lets no gradient through and there is
            no guide.

    Source:
        Hu et al., GTC: Guided Training of CTC, AAAI 2020; Li et al., PP-OCRv3, 2022, §3.2.
    """

    takes_targets = True

    def __init__(self, in_channels: int, num_classes: int, head_list: list[dict[str, Any]]) -> None:
        super().__init__()
        self.check({"head_list": head_list}, "MultiHead")
        given = {name: node or {} for entry in head_list for name, node in entry.items()}
        parts = given.pop(_CTC)
        self.ctc_encoder = SequenceEncoder(in_channels, **_neck(parts["Neck"], "MultiHead.Neck"))
        head = check_arguments(CTCHead, parts.get("Head") or {}, "MultiHead.Head", _COMPUTED)
        self.ctc_head = CTCHead(self.ctc_encoder.out_channels, num_classes, **head)
        self.guided = bool(given)
        for name, node in given.items():
            guide = _GUIDES[name](num_classes, **check_arguments(_GUIDES[name], node, f"MultiHead.{name}", _COMPUTED))
            self.before_gtc = nn.Sequential(Im2Seq(), Projection(in_channels, guide.nrtr_dim))
            self.gtc_head = guide

    @classmethod
    def check(cls, arguments: Mapping[str, Any], path: str) -> None:
        """Check what the signature cannot say; the Architecture section is read with this.

        Raises:
            ConfigError: Names the path of what is unknown, missing or of the wrong type.
        """
        entries = arguments["head_list"]
        places: dict[str, str] = {}
        for index, entry in enumerate(entries):
            where = f"{path}.head_list[{index}]"
            if len(entry) != 1:
                raise ConfigError(f"{where} must be '- Class: {{argument: value}}'. Received: {entry!r}")
            (name,) = entry
            if name in places or (name != _CTC and len(places) > 1):
                raise ConfigError(f"{where}: there is one CTCHead and at most one guide. Received: {name!r} as well")
            places[name] = f"{where}.{name}"
            _check_entry(name, entry[name] or {}, places[name])
        if _CTC not in places:
            raise ConfigError(f"{path}.head_list must have a CTCHead: it is what predicts. Received: {list(places)}")
        _check_guided(entries, places[_CTC], guided=len(places) > 1)

    def forward(self, x: nn.Tensor, targets: Mapping[str, nn.Tensor] | None = None) -> dict[str, nn.Tensor]:
        """See *Shape* of the class; *targets* is the batch."""
        outputs: dict[str, nn.Tensor] = self.ctc_head(self.ctc_encoder(x))
        if self.guided and targets is not None:
            outputs["gtc"] = self.gtc_head(self.before_gtc(x), targets["label_gtc"])
        return outputs

    def predict(self, x: nn.Tensor) -> dict[str, nn.Tensor]:
        """See *Shape* of the class."""
        found: dict[str, nn.Tensor] = self.ctc_head.predict(self.ctc_encoder(x))
        return found


def _check_entry(name: str, node: Any, path: str) -> None:
    """Check one entry of the list."""
    if not isinstance(node, dict):
        raise ConfigError(f"{path} must be a mapping. Received: {node!r}")
    if name in _GUIDES:
        check_arguments(_GUIDES[name], node, path, _COMPUTED)
        return
    if name != _CTC:
        hint = suggest(name, (_CTC, *_GUIDES))
        raise ConfigError(f"{path}: no head of a MultiHead is called {name!r}.{hint}")
    for key in node:
        if key not in ("Neck", "Head"):
            raise ConfigError(f"{path}.{key} is not known here.{suggest(str(key), ('Neck', 'Head'))}")
    neck = node.get("Neck")
    if not isinstance(neck, dict) or "name" not in neck:
        raise ConfigError(f"{path}.Neck must be {{name: svtr, …}}. Received: {neck!r}")
    _neck(neck, f"{path}.Neck")
    check_arguments(CTCHead, node.get("Head") or {}, f"{path}.Head", _COMPUTED)


def _neck(node: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the checked arguments of the neck, whose name in the file is the type of its encoder."""
    arguments = {"encoder_type" if key == "name" else key: value for key, value in node.items()}
    return check_arguments(SequenceEncoder, arguments, path, _COMPUTED)


def _check_guided(entries: Sequence[Mapping[str, Any]], path: str, guided: bool) -> None:
    """Check that something teaches the backbone."""
    (node,) = (entry[_CTC] for entry in entries if _CTC in entry)
    blocked = [part for part in ("Neck", "Head") if (node.get(part) or {}).get("use_guide")]
    if blocked and not guided:
        raise ConfigError(
            f"{path}.{blocked[0]}.use_guide lets no gradient through to the backbone, and no guide teaches it. "
            "Add '- NRTRHead:' to head_list, or set use_guide to false."
        )
