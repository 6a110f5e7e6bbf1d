"""The section Architecture, checked: one network, or the several of a distillation."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from ppocr_lite.config.check import check_arguments, check_component
from ppocr_lite.config.family import check_model_type
from ppocr_lite.config.schema import Initialization, Node, Quantization
from ppocr_lite.errors import ConfigError, suggest
from ppocr_lite.registry import Registry

Registries = Mapping[str, Registry[Any]]

DISTILLATION = "DistillationModel"  # the name of a section with several networks
_NETWORK = ("model_type", "algorithm", "Transform", "Backbone", "Neck", "Head", "return_all_feats", "quant", "init")
_WHOLE = ("model_type", "algorithm", "Network", "quant")  # where one class stands for backbone, neck and head
_MEMBER = ("pretrained", "freeze_params")
_SEVERAL = ("name", "algorithm", "model_type", "Models")


def check_architecture(node: Mapping[str, Any], registries: Registries, path: str = "Architecture") -> Node:
    """Return a network, or the networks of a distillation, in its final form.

    Args:
        node: The section. Not modified.
        registries: Under ``backbone``, ``neck``, ``head`` and ``network``.
        path: Where it stands.

    Raises:
        ConfigError: At the first thing that is unknown, missing or of the wrong type; names its path.
    """
    if "Models" not in node and node.get("name") != DISTILLATION:
        return _check_network(node, registries, path)
    if node.get("name") != DISTILLATION:
        raise ConfigError(f"{path}.name must be {DISTILLATION!r} where there are Models. Received: {node!r}")
    only(node, _SEVERAL, path)
    models = mapping(node.get("Models"), f"{path}.Models")
    if not models:
        raise ConfigError(f"{path}.Models must name at least one network. Received: {models!r}")
    checked = {}
    for name, model in models.items():
        inner = mapping(model, f"{path}.Models.{name}") or {}
        inner = {"model_type": node.get("model_type")} | inner if node.get("model_type") else inner
        checked[name] = _check_network(inner, registries, f"{path}.Models.{name}", _MEMBER)
    types = {str(model["model_type"]) for model in checked.values()}
    types |= {str(node["model_type"])} if node.get("model_type") else set()
    if len(types) > 1:
        raise ConfigError(f"{path}: all networks must have one model_type. Received: {sorted(types)}")
    return {**node, "model_type": types.pop(), "Models": checked}


def needs_classes(component: type[Any]) -> bool:
    """Say whether a head cannot be built without the number of its classes."""
    parameter = inspect.signature(component).parameters.get("num_classes")
    return parameter is not None and parameter.default is parameter.empty


def check_further(component: type[Any], arguments: Mapping[str, Any], path: str) -> None:
    """Let a component check what its signature cannot say, if it has a class method ``check``.

    Args:
        component: A registered class.
        arguments: Its checked node.
        path: Where that stands.

    Raises:
        ConfigError: As the component says.
    """
    check = getattr(component, "check", None)
    if check is not None:
        check(arguments, path)


def check_quantization(node: Any, path: str) -> Node:
    """Return the arguments of :class:`Quantization`, checked."""
    checked = check_arguments(Quantization, mapping(node, path) or {}, path)
    options = Quantization(**checked)
    if options.alpha <= 0 or options.decay < 0:
        raise ConfigError(f"{path} needs alpha > 0 and decay ≥ 0. Received: {node!r}")
    return checked


def _check_network(node: Mapping[str, Any], registries: Registries, path: str, more: tuple[str, ...] = ()) -> Node:
    whole = node.get("Network") is not None
    only(node, (*(_WHOLE if whole else _NETWORK), *more), path)
    check_model_type(node.get("model_type"), f"{path}.model_type")
    if whole:
        checked = dict(node) | {"Network": check_component(registries["network"], node["Network"], f"{path}.Network")}
        return _with_quantization(checked, path)
    if node.get("Transform") is not None:
        raise ConfigError(f"{path}.Transform must be empty: there is no rectifier. Received: {node['Transform']!r}")
    checked = {key: value for key, value in node.items() if key not in ("Backbone", "Neck", "Head")}
    for part in ("Backbone", "Neck", "Head"):
        if node.get(part) is not None:
            checked[part] = check_component(registries[part.lower()], node[part], f"{path}.{part}")
            check_further(registries[part.lower()].get(checked[part]["name"]), checked[part], f"{path}.{part}")
        elif part != "Neck":
            raise ConfigError(f"{path}.{part} is required: {{name: …}}.{suggest('', registries[part.lower()])}")
        else:
            checked[part] = None
    if node.get("init") is not None:
        checked["init"] = check_arguments(Initialization, mapping(node["init"], f"{path}.init") or {}, f"{path}.init")
    return _with_quantization(checked, path)


def _with_quantization(node: Node, path: str) -> Node:
    """Return the section of a network with its quantisation checked."""
    if node.get("quant") is None:
        return node
    return node | {"quant": check_quantization(node["quant"], f"{path}.quant")}


def mapping(node: Any, path: str) -> Node | None:
    """Return *node* if it is a mapping or nothing.

    Raises:
        ConfigError: If it is something else.
    """
    if node is None or isinstance(node, dict):
        return node
    raise ConfigError(f"{path} must be a mapping. Received: {node!r} ({type(node).__name__})")


def only(node: Mapping[str, Any], known: tuple[str, ...], path: str) -> None:
    """Check that *node* has no other keys.

    Raises:
        ConfigError: If it has; names the nearest known one.
    """
    for key in node:
        if key not in known:
            raise ConfigError(f"{path}.{key} is not known here.{suggest(str(key), known)}")
