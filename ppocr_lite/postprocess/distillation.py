"""Post-processing by the name of each network of a distillation; the results are those of the plain classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from numpy.typing import NDArray

from ppocr_lite.charset import Charset
from ppocr_lite.errors import ConfigError, suggest
from ppocr_lite.postprocess.base import POSTPROCESSES
from ppocr_lite.postprocess.ctc import CTCLabelDecode
from ppocr_lite.postprocess.db import DBPostProcess
from ppocr_lite.results import Detections, Recognition

Outputs = NDArray[Any] | Mapping[str, Any]


def pick(outputs: Mapping[str, Any], name: str, key: str | None) -> NDArray[Any]:
    """Return the array of network *name*, from under *key* where it returned several.

    Raises:
        ConfigError: If the outputs have no such network or key.
    """
    if name not in outputs:
        raise ConfigError(f"PostProcess.model_name: no network is called {name!r}.{suggest(name, outputs)}")
    found = outputs[name]
    if not isinstance(found, Mapping):
        return found  # type: ignore[no-any-return]
    if key not in found:
        raise ConfigError(f"PostProcess.key: {name} returns no {key!r}.{suggest(str(key), found)}")
    return found[key]  # type: ignore[no-any-return]


@POSTPROCESSES.register
class DistillationDBPostProcess:
    """:class:`DBPostProcess` for each network of a distillation.

    Args:
        model_name: Networks to look at.
        key: Output to take where a network returns several.
        thresh: See :class:`DBPostProcess`, as all below.
        box_thresh: Least score of a region.
        max_candidates: Regions per image.
        unclip_ratio: Growth of a region.
        use_dilation: Thicken the map.
        score_mode: What the score is the mean of.
        box_type: Quads or outlines.
    """

    def __init__(
        self,
        model_name: list[str] | tuple[str, ...] = ("Student",),
        key: str | None = "maps",
        thresh: float = 0.3,
        box_thresh: float = 0.6,
        max_candidates: int = 1000,
        unclip_ratio: float = 1.5,
        use_dilation: bool = False,
        score_mode: Literal["fast", "slow"] = "fast",
        box_type: Literal["quad", "poly"] = "quad",
    ) -> None:
        self.model_name, self.key = tuple(model_name), key
        self.base = DBPostProcess(thresh, box_thresh, max_candidates, unclip_ratio, use_dilation, score_mode, box_type)

    def __call__(self, maps: Outputs) -> Detections | dict[str, Detections]:
        """Return the regions of one array, or of each named network of a mapping."""
        if isinstance(maps, Mapping):
            return {name: self.base(pick(maps, name, self.key)) for name in self.model_name}
        return self.base(maps)


@POSTPROCESSES.register
class DistillationCTCLabelDecode:
    """:class:`CTCLabelDecode` for each network of a distillation.

    Args:
        charset: The characters the classes stand for.
        model_name: Networks to look at.
        key: Output to take where a network returns several.
    """

    def __init__(
        self,
        charset: Charset,
        model_name: list[str] | tuple[str, ...] = ("Student",),
        key: str | None = "head_out",
    ) -> None:
        self.model_name, self.key = tuple(model_name), key
        self.base = CTCLabelDecode(charset)

    @property
    def num_classes(self) -> int:
        """Classes the network must return, the blank among them."""
        return self.base.num_classes

    def __call__(self, probabilities: Outputs) -> list[Recognition] | dict[str, list[Recognition]]:
        """Return the texts of one array, or of each named network of a mapping."""
        if isinstance(probabilities, Mapping):
            return {name: self.base(pick(probabilities, name, self.key)) for name in self.model_name}
        return self.base(probabilities)
