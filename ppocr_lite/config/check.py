"""Check a plain mapping against a signature; used for sections and for components alike."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ppocr_lite.errors import ConfigError, shown, suggest
from ppocr_lite.registry import Registry, where

_NUMBER = r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*"
_DIVISION = re.compile(f"{_NUMBER}/{_NUMBER}")  # the one expression understood: scale: 1./255.


def check_arguments(
    target: Callable[..., Any], given: dict[str, Any], path: str, runtime: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return *given* with values converted to the annotated types of *target*.

    Args:
        target: A dataclass or a registered class; its signature is the schema.
        given: What the YAML file says.
        path: Where it says it, e.g. ``"Train.target[1]"``.
        runtime: Arguments the code will supply; the file must not.

    Raises:
        ConfigError: On an unknown, missing, or ill-typed argument. Names the path, the nearest
            known argument, and the file and line where *target* is defined.
    """
    if not isinstance(given, Mapping):
        raise ConfigError(f"{path} must be a mapping. Received: {shown(given)}")
    name = getattr(target, "__name__", str(target))
    parameters = inspect.signature(target).parameters
    settable = set(parameters) - runtime

    def error(key: str, what: str) -> ConfigError:  # reading a source for its line takes longer than all the rest
        return ConfigError(f"{path}.{key} {what}\n  {name} is defined at {where(target)}")

    for key in given:
        if key in runtime:
            raise error(key, "is computed by the code; remove it.")
        if key not in settable:
            raise error(key, f"is not an argument of {name}.{suggest(str(key), settable)}")
    for key in sorted(settable - set(given)):
        if parameters[key].default is inspect.Parameter.empty:
            raise error(key, f"is required by {name}.")
    hints = get_type_hints(target.__init__ if inspect.isclass(target) else target)
    return {k: convert(v, hints.get(k, Any), f"{path}.{k}") for k, v in given.items()}


def check_component(registry: Registry[Any], node: Any, path: str) -> dict[str, Any]:
    """Check one ``{name: ..., ...}`` node without building it."""
    if not isinstance(node, dict) or not isinstance(node.get("name"), str):
        raise ConfigError(f"{path} must be a mapping with a 'name'. Received: {node!r}")
    name = node["name"]
    if name not in set(registry):
        raise ConfigError(f"{path}.name: no {registry.kind} is called {name!r}.{suggest(name, registry)}")
    given = {k: v for k, v in node.items() if k != "name"}
    return {"name": name} | check_arguments(registry.get(name), given, path, registry.runtime)


def convert(value: Any, hint: Any, path: str) -> Any:
    """Return *value* as *hint*, or raise a :class:`ConfigError` that names *path*."""
    origin = get_origin(hint)
    if hint is Any:
        return value
    if origin is Literal:
        return _one_of(value, get_args(hint), path)
    if origin in (Union, types.UnionType):
        return _first_fit(value, hint, path)
    if origin in (list, tuple, Sequence) and isinstance(value, list | tuple):
        return _sequence(value, hint, path)
    if origin in (dict, Mapping) and isinstance(value, dict):
        return {k: convert(v, get_args(hint)[1], f"{path}.{k}") for k, v in value.items()}
    if hint is float and type(value) in (int, float):
        return float(value)
    if hint is float and isinstance(value, str) and (division := _DIVISION.fullmatch(value)):
        return _divide(division, path)
    if hint in (int, str, bool, dict, list) and type(value) is hint:
        return value
    raise _mismatch(value, hint, path)


def _one_of(value: Any, options: tuple[Any, ...], path: str) -> Any:
    if value in options:
        return value
    hint = suggest(str(value), (str(o) for o in options))
    raise ConfigError(f"{path} must be one of {list(options)}. Received: {value!r}.{hint}")


def _first_fit(value: Any, hint: Any, path: str) -> Any:
    if value is None and type(None) in get_args(hint):
        return None
    for option in get_args(hint):
        try:
            return convert(value, option, path)
        except ConfigError:
            continue
    raise _mismatch(value, hint, path)


def _sequence(value: list[Any] | tuple[Any, ...], hint: Any, path: str) -> Any:
    arguments = get_args(hint)
    open_ended = get_origin(hint) is not tuple or arguments[-1] is Ellipsis
    if not open_ended and len(arguments) != len(value):
        raise ConfigError(f"{path} must have {len(arguments)} values. Received: {value!r}")
    hints = (arguments[0],) * len(value) if open_ended else arguments
    items = (convert(v, h, f"{path}[{i}]") for i, (v, h) in enumerate(zip(value, hints, strict=True)))
    return tuple(items) if get_origin(hint) is tuple else list(items)


def _divide(division: re.Match[str], path: str) -> float:
    upper, lower = float(division[1]), float(division[2])
    if lower == 0:
        raise ConfigError(f"{path} divides by zero. Received: {division[0]!r}")
    return upper / lower


def _mismatch(value: Any, hint: Any, path: str) -> ConfigError:
    name = hint.__name__ if inspect.isclass(hint) else str(hint)
    return ConfigError(f"{path} must be {name}. Received: {value!r} ({type(value).__name__})")
