"""Check a config, apply -o overrides, and print the YAML that training would save."""

from __future__ import annotations

import argparse

import yaml

from ppocr_lite.commands.console import say
from ppocr_lite.config.arguments import add_config
from ppocr_lite.engine.run import read_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the config; return the exit status."""
    source = read_config(arguments).source
    say(yaml.safe_dump(source, allow_unicode=True, sort_keys=False, width=120).rstrip())
    return 0
