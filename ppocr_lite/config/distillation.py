"""PP-OCR's PostProcess for the networks of a distillation, as that of the one network that is evaluated."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ppocr_lite.config.check import convert
from ppocr_lite.errors import ConfigError, suggest

PREFIX = "Distillation"  # what the names of such post-processing begin with
_OWN = {"model_name": list[str], "key": str | None}


def plain_postprocess(node: dict[str, Any], known: Collection[str], networks: Collection[str]) -> dict[str, Any]:
    """Return a PostProcess section with the name and the arguments of a registered class.

    ``DistillationCTCLabelDecode`` is ``CTCLabelDecode`` for each network that ``model_name`` lists, from under ``key``
    of what the network returns. Evaluation and export look at one network, whose answer is its last one; so these two
    are checked and left out.

    Args:
        node: The section.
        known: Names of the registered classes.
        networks: Names under Architecture.Models; empty where there is one network.

    Raises:
        ConfigError: If ``model_name`` names a network that is not there, or one of the two is of a wrong type.
    """
    name = str(node.get("name", ""))
    plain = name.removeprefix(PREFIX)
    if plain == name or plain not in known:
        return node
    for argument, hint in _OWN.items():
        if argument in node:
            convert(node[argument], hint, f"PostProcess.{argument}")
    for network in node.get("model_name", ()) if networks else ():
        if network not in networks:
            raise ConfigError(f"PostProcess.model_name: no network is called {network!r}.{suggest(network, networks)}")
    return {argument: value for argument, value in node.items() if argument not in _OWN} | {"name": plain}
