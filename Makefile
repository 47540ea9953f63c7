# Two lines do all the set-up:   make run   (installs, runs the main job)   and   make check   (installs, runs all tests).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run check install format lint types layers tests check-ray

run: $(VENV)/installed-run
	$(BIN)/python -m augment_correction run configs/correction.yaml

check: $(VENV)/installed-dev lint types layers tests

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-run: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[embedded,tokenizer]"
	@touch $@

$(VENV)/installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	@touch $@ $(VENV)/installed-run

format: $(VENV)/installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lint: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/installed-dev
	$(BIN)/mypy

layers: $(VENV)/installed-dev
	$(BIN)/lint-imports

tests: $(VENV)/installed-dev
	$(BIN)/pytest

# Needs a second environment of about 600 MB, so `make check` skips these tests with a reason.
check-ray: .venv-ray/installed
	.venv-ray/bin/python -m pytest tests/runner/test_ray.py

.venv-ray/installed: pyproject.toml
	$(PYTHON) -m venv .venv-ray
	.venv-ray/bin/python -m pip install --quiet --disable-pip-version-check -e ".[dev,ray]"
	@touch $@
