PYTHON ?= python
.DEFAULT_GOAL := help
.PHONY: help install format lint type test test-all cov golden doc check clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install:  ## install the package in place, with everything a developer needs
	$(PYTHON) -m pip install -e ".[test]"

format:  ## rewrite the sources in the house style
	$(PYTHON) -m ruff format . && $(PYTHON) -m ruff check --fix .

lint:  ## style, docstrings, forbidden constructs
	$(PYTHON) -m ruff check . && $(PYTHON) -m ruff format --check .

type:  ## mypy --strict on the package
	$(PYTHON) -m mypy

test:  ## the tests of every change: minutes, CPU
	$(PYTHON) -m pytest

test-all:  ## every test this machine can run
	$(PYTHON) -m pytest -m "slow or not slow"

cov:  ## the same, and the lines they do not reach
	$(PYTHON) -m pytest --cov=ppocr_lite --cov-report=term-missing

golden:  ## rewrite tests/golden; read the diff before committing it
	PPOCR_LITE_GOLDEN=write $(PYTHON) -m pytest tests/golden

doc:  ## rewrite doc/components.md from the registries, check links and snippets, build the site, strictly
	$(PYTHON) -m ppocr_lite.cli components --markdown doc/components.md && $(PYTHON) -m pytest tests/architecture/test_documents.py && $(PYTHON) -m mkdocs build --strict

check: lint type test  ## everything a change must pass

clean:  ## remove what tools and builds leave behind
	rm -rf build dist site *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage && find . -name __pycache__ -prune -exec rm -rf {} +
