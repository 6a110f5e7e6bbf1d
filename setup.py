"""A stub for tools that still call setup.py; what is packaged stands in pyproject.toml."""

from setuptools import setup

setup()
