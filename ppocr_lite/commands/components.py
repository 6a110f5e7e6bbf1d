"""List the classes a config may name.

Without a name: every kind and its classes.  With a kind (``head``): its classes, each with file and line.
With a class (``DBHead``): its signature, which is what may stand under it, and its documentation.
"""

from __future__ import annotations

import argparse
import inspect
import re
from pathlib import Path
from typing import Any

from ppocr_lite import files
from ppocr_lite.commands.console import say
from ppocr_lite.engine.build import registries
from ppocr_lite.errors import ConfigError, suggest
from ppocr_lite.registry import Registry, where

# kind → where it stands in a config
PLACES = {
    "backbone": "Architecture.Backbone",
    "neck": "Architecture.Neck",
    "head": "Architecture.Head",
    "network": "Architecture.Network",
    "loss": "Loss",
    "optimizer": "Optimizer",
    "schedule": "Optimizer.lr",
    "postprocess": "PostProcess",
    "metric": "Metric",
    "dataset": "Train.dataset and Eval.dataset",
    "transform": "Train.dataset.transforms and Eval.dataset.transforms",
}
LISTED = ("Args", "Attributes", "Raises")
HEADING = """# Components

Every class a config may name, by the section it stands in.
Written by `make doc` from the registries; do not edit.

The arguments are the keys in YAML.
Values that the code computes, such as `in_channels`, are not listed: a config must not give them.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument("name", nargs="?", help="a kind or a class")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write everything as a page")


def run(arguments: argparse.Namespace) -> int:
    """Print or write what is asked for; return the exit status."""
    kinds = registries()
    if arguments.markdown is not None:
        files.write_text(arguments.markdown, markdown(kinds))
    elif arguments.name is None:
        say("\n".join(f"{kind:12} {', '.join(kinds[kind])}" for kind in PLACES))
    elif arguments.name in kinds:
        registry = kinds[arguments.name]
        say("\n".join(f"{name:24} {where(registry.get(name))}" for name in registry))
    else:
        say(describe(kinds, arguments.name))
    return 0


def describe(kinds: dict[str, Registry[Any]], name: str) -> str:
    """Return signature, place and documentation of a class.

    Raises:
        ConfigError: If nothing has that name.
    """
    for kind, place in PLACES.items():
        if name in set(kinds[kind]):
            cls = kinds[kind].get(name)
            signature = f"{name}({', '.join(arguments_of(cls, kinds[kind].runtime))})"
            return f"{signature}\n{kind}, under {place}; defined at {where(cls)}\n\n{inspect.getdoc(cls) or ''}"
    known = [*PLACES, *(name for registry in kinds.values() for name in registry)]
    raise ConfigError(f"No component or kind is called {name!r}.{suggest(name, known)}")


def arguments_of(cls: type[Any], runtime: frozenset[str]) -> list[str]:
    """Return the arguments that a config may give, as they stand in the code: ``name: type = default``."""
    lines = []
    for name, parameter in inspect.signature(cls).parameters.items():
        if name not in runtime:
            default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
            lines.append(f"{name}: {parameter.annotation}{default}")
    return lines


def markdown(kinds: dict[str, Registry[Any]]) -> str:
    """Return the page ``doc/components.md``."""
    parts = [HEADING]
    for kind, place in PLACES.items():
        registry = kinds[kind]
        parts.append(f"## {kind}\n\nUnder `{place}`.\n")
        for name in registry:
            cls = registry.get(name)
            lines = [f"    {argument}," for argument in arguments_of(cls, registry.runtime)]
            signature = "\n".join([f"{name}(", *lines, ")"]) if lines else f"{name}()"
            file = f"{cls.__module__.replace('.', '/')}.py"
            text = _plain_text(inspect.getdoc(cls) or "", registry.runtime)
            parts.append(f"### {name}\n\n`{file}`\n\n```text\n{signature}\n```\n\n{text}\n")
    return "\n".join(parts)


def _plain_text(docstring: str, runtime: frozenset[str]) -> str:
    """Return a docstring as Markdown: headings become bold, described names a list without the *runtime* ones.

    Examples become blocks of code.
    """
    lines: list[str] = []
    section, skipping = "", False
    for line in docstring.splitlines():
        bare = line.strip()
        if re.fullmatch(r"[A-Z][a-z]+:", line):
            section, skipping = bare[:-1], False
            lines += [f"**{section}**", ""]
        elif section in LISTED and re.match(r" {4}\S", line):
            name, _, text = bare.partition(":")
            skipping = name in runtime
            lines += [] if skipping else [f"- `{name}`: {text.strip()}"]
        elif not skipping or not bare:
            lines.append(f"  {bare}" if section in LISTED and bare else bare)
    text = "\n".join(lines).replace("``", "`").rstrip()
    return re.sub(r"^>>> .*(\n.+)*", lambda example: f"```pycon\n{example[0]}\n```", text, flags=re.MULTILINE)
