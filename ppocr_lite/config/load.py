"""Read one YAML file, apply ``-o`` overrides, fill in environment variables, and return a plain dict.

``${NAME}`` in a text value is replaced by the environment variable NAME, ``${NAME:-default}`` by the default
where NAME is not set.  Relative paths are relative to the working directory.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import yaml

from ppocr_lite.errors import ConfigError, suggest
from ppocr_lite.registry import Registry

log = logging.getLogger(__name__)

_PART = re.compile(r"(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]")
_KEY = re.compile(r"[^.\[\]]+(\.[^.\[\]]+|\[\d+\])*")
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(:-(?P<default>[^}]*))?\}")

_DEEPEST = 50
# No config is as long, and what repeats itself by aliases is not as large written out.
_LONGEST, _MOST = 4_000_000, 200_000
_LARGEST = 2**63
# What begins a line, at least as long as it is deep; libyaml follows nesting on the stack of C, which has no limit of
# its own, so what may be deeper than that is left to Python.
_OPENS, _SAFE = re.compile(r"^[ \t?:-]+", re.MULTILINE), 1000
_UNUSABLE = re.compile("[\0\ud800-\udfff]")  # no path, and no file that is written, can hold them
# What PyYAML's constructors raise on a tag that does not fit its value, and on nesting beyond Python's stack.
_YAML_ERRORS = (
    yaml.YAMLError, ValueError, TypeError, AttributeError, LookupError, OverflowError, RecursionError,
)  # fmt: skip


class _Loader(yaml.SafeLoader):
    """Safe loader that rejects repeated keys and reads ``1e-3`` as a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            mark = key_node.start_mark
            if isinstance(key, list | dict):
                raise ConfigError(f"{mark.name}:{mark.line + 1}: a key must be plain text. Received: {key!r}")
            if key in seen:
                raise ConfigError(f"{mark.name}:{mark.line + 1}: key {key!r} is given twice.")
            seen.add(key)
        return super().construct_mapping(node, deep)

    def construct_scalar(self, node: yaml.ScalarNode | yaml.MappingNode) -> Any:
        """Return the text of a value, refusing characters that nothing can be done with."""
        value = super().construct_scalar(node)
        if isinstance(value, str) and _UNUSABLE.search(value):
            raise ConfigError(f"{node.start_mark.name}:{node.start_mark.line + 1}: a NUL or half a character in text.")
        return value

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Return a number of at most 64 bits; messages could not even quote much larger ones."""
        value = super().construct_yaml_int(node)
        if not -_LARGEST <= value < 2 * _LARGEST:
            raise ConfigError(f"{node.start_mark.name}:{node.start_mark.line + 1}: a number of more than 64 bits.")
        return value


# libyaml's parser is eight times as fast.  It only finds the parts; what they mean is decided by the loader above.
_Parser: Any = type("_Parser", (yaml.CSafeLoader,), {}) if yaml.__with_libyaml__ else None
_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)
for _one in filter(None, (_Loader, _Parser)):
    _one.add_implicit_resolver(
        "tag:yaml.org,2002:float", re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
    )


def read_yaml(text: str, source: str) -> Any:
    """Parse YAML text; *source* is named in error messages.

    Raises:
        ConfigError: If it is not YAML, or too long, too deep or, with its aliases written out, too large for a config.
    """
    if len(text) > _LONGEST:
        raise ConfigError(f"{source}: {len(text):,} characters are no config; {_LONGEST:,} are the most.")
    try:
        node = _parts(text, source)
        if node is None:
            return None
        if _count(node, source, {}) > _MOST:
            raise ConfigError(f"{source}: written out, its aliases (*name) are more than {_MOST:,} values.")
        return _Loader("").construct_document(node)
    except ConfigError:
        raise
    except _YAML_ERRORS as error:
        raise ConfigError(f"{source}: {_reason(error)}") from error


def _parts(text: str, source: str) -> yaml.Node | None:
    """Return the tree of a document, not understood yet."""
    deepest = text.count("[") + text.count("{") + max(map(len, _OPENS.findall(text)), default=0)
    if _Parser is not None and deepest <= _SAFE:
        stream = io.StringIO(text)
        stream.name = source
        with contextlib.suppress(*_YAML_ERRORS):  # the other parser says better what is wrong
            return _Parser(stream).get_single_node()
    loader = _Loader(text)
    loader.name = source
    return loader.get_single_node()


def _count(node: yaml.Node, source: str, known: dict[int, int], depth: int = 0) -> int:
    """Return how many values *node* has with its aliases written out; *known* by the identity of nodes."""
    if depth > _DEEPEST:
        raise ConfigError(f"{source}: an alias holds itself, or the nesting is deeper than {_DEEPEST} levels.")
    if id(node) not in known:
        inner = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else []
        inner = list(node.value) if isinstance(node, yaml.SequenceNode) else inner
        known[id(node)] = 1 + sum(_count(part, source, known, depth + 1) for part in inner)
    return known[id(node)]


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return f"the nesting is deeper than {_DEEPEST} levels."
    return str(error) if isinstance(error, yaml.YAMLError) else f"a tag (!!name) does not fit its value: {error}"


def load(path: Path, overrides: Iterable[str] = (), sections: Iterable[str] = ()) -> dict[str, Any]:
    """Read *path* and apply overrides such as ``Train.batch_size=4`` or ``Train.target[1].min_size=8``.

    Args:
        path: The YAML file.
        overrides: ``key.path=YAML value``, applied in order.
        sections: Sections an override may begin even if the file does not mention them.

    Raises:
        ConfigError: If the file is not there, is not a mapping, or an override does not fit it.
    """
    if not path.is_file():
        raise ConfigError(f"No config file at {path}.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} must be UTF-8: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    config = read_yaml(text, str(path))
    if not isinstance(config, dict):
        raise ConfigError(f"{path} must hold a mapping. Received: {type(config).__name__}")
    config = _unshare(config, str(path))
    sections = frozenset(sections)
    for override in overrides:
        name = re.split(r"[.\[=]", override, maxsplit=1)[0]
        if name in sections:
            config.setdefault(name, {})
        apply_override(config, override)
    filled: dict[str, Any] = fill_variables(config, "")
    return filled


def apply_override(config: dict[str, Any], override: str) -> None:
    """Set one existing-or-new leaf in place; every part but the last must already exist.

    A part that exists but is empty (``- RecAug:``) becomes a mapping.
    """
    key, equals, text = override.partition("=")
    if not equals or not _KEY.fullmatch(key):
        raise ConfigError(f"-o {override!r} must look like Section.key=value or Section.list[0].key=value.")
    parts: list[str | int] = [
        int(part["index"]) if part["index"] is not None else part["name"] for part in _PART.finditer(key)
    ]
    cursor: Any = config
    for depth, part in enumerate(parts[:-1]):
        _require(cursor, part, parts[: depth + 1], override)
        if cursor[part] is None:
            cursor[part] = {}
        cursor = cursor[part]
    last, value = parts[-1], read_yaml(text, f"-o {override}")
    named = isinstance(cursor, dict) and isinstance(last, str)
    numbered = isinstance(cursor, list) and isinstance(last, int) and last < len(cursor)
    if not (named or numbered):
        _refuse_dotted_index(cursor, parts, override)
        raise ConfigError(f"-o {override}: {_dotted(parts[:-1])} cannot hold {last!r}. It is: {cursor!r}")
    cursor[last] = value


def drop_keys_of_another_class(config: dict[str, Any], overrides: Sequence[str], datasets: Registry[Any]) -> None:
    """Drop what a data set was told in the file, where an override makes it one of a class that knows no such argument.

    What an override has set stays, and is refused later if it is unknown.

    Args:
        config: As :func:`load` returns it; changed in place.
        overrides: Those that were applied.
        datasets: The classes.
    """
    keys = [override.partition("=")[0] for override in overrides]
    for prefix in (key.removesuffix(".name") for key in keys if key in ("Train.dataset.name", "Eval.dataset.name")):
        node = config[prefix.partition(".")[0]]["dataset"]
        if node["name"] not in set(datasets):
            continue
        known = {"name", "transforms", *inspect.signature(datasets.get(node["name"])).parameters}
        for key in [key for key in node if key not in known]:
            if not any(re.match(rf"{re.escape(f'{prefix}.{key}')}(?![^.\[])", given) for given in keys):
                log.info("%s.%s of the file is dropped: %s has no such argument.", prefix, key, node["name"])
                del node[key]


def fill_variables(node: Any, path: str) -> Any:
    """Return *node* with ``${NAME}`` and ``${NAME:-default}`` replaced in every text value.

    Raises:
        ConfigError: If a variable is not set and has no default.
    """
    if isinstance(node, dict):
        return {key: fill_variables(value, f"{path}.{key}" if path else str(key)) for key, value in node.items()}
    if isinstance(node, list):
        return [fill_variables(value, f"{path}[{index}]") for index, value in enumerate(node)]
    if not isinstance(node, str):
        return node

    def replace(match: re.Match[str]) -> str:
        value = os.environ.get(match["name"], match["default"])
        if value is None:
            raise ConfigError(f"{path}: the environment variable {match['name']} is not set. Received: {node!r}")
        return value

    return _VARIABLE.sub(replace, node)


def _unshare(node: Any, source: str, depth: int = 0) -> Any:
    """Return a copy in which what an alias (``*name``) repeats can be overridden in one place alone."""
    if depth > _DEEPEST:
        raise ConfigError(f"{source}: an alias holds itself, or the nesting is deeper than {_DEEPEST} levels.")
    if isinstance(node, dict):
        return {key: _unshare(value, source, depth + 1) for key, value in node.items()}
    if isinstance(node, list):
        return [_unshare(value, source, depth + 1) for value in node]
    return node


def _require(cursor: Any, part: str | int, parts: list[str | int], override: str) -> None:
    known = cursor if isinstance(cursor, dict) else range(len(cursor)) if isinstance(cursor, list) else ()
    if part not in known:
        _refuse_dotted_index(cursor, parts, override)
        raise ConfigError(
            f"-o {override}: there is no {_dotted(parts)!r}.{suggest(str(part), [str(name) for name in known])}"
        )


def _refuse_dotted_index(cursor: Any, parts: list[str | int], override: str) -> None:
    part = parts[-1]
    if isinstance(cursor, list) and isinstance(part, str) and part.isdigit():
        raise ConfigError(f"-o {override}: {_dotted(parts[:-1])} is a list: write [{part}] instead of .{part}.")


def _dotted(parts: list[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")
