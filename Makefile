# Two lines do all the set-up:   make run   (installs, runs the main job)   and   make check   (installs, runs all tests;
# torch, TRL and Ray included: about 2 GB).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Where the package index has the CUDA build of torch (several GB) and there is no GPU, name the CPU builds, for example
#   make check TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
TORCH ?= torch==2.13.0
# Images often set it: each of the thousand processes that the tests start would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE
# For pytest; continuous integration gives --no-skips.
PYTEST_OPTIONS ?=

.PHONY: docs run check install format lint types layers tests lock audit check-ray check-train check-axolotl check-vllm bench bench-full bench-check bench-peers chaos mutate

run: $(VENV)/installed-run
	$(BIN)/python -m augment_correction run configs/correction.yaml

check: $(VENV)/installed-dev lint types layers tests

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-run: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[embedded,offline,tokenizer]"
	@touch $@

$(VENV)/installed-dev: pyproject.toml requirements.lock | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c requirements.lock -e ".[dev]"
	@touch $@ $(VENV)/installed-run

# requirements.lock: one version of every package of the extra `dev` and of what these need; `make check` installs just
# these (another TORCH than the locked one wants `make lock TORCH=...` first). A test tells where it lags behind
# pyproject.toml.
$(VENV)/bin/uv $(VENV)/bin/pip-audit: | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv pip-audit

LOCK := pip compile pyproject.toml --extra dev --python-version 3.11 --quiet --no-header

lock: $(VENV)/bin/uv
	echo "$(firstword $(TORCH))" | $(BIN)/uv $(LOCK) --constraint - --upgrade --output-file requirements.lock

# Known vulnerabilities of the locked versions, as PyPI knows them. It fails where there are some, and says so without
# failing where PyPI's database cannot be reached.
audit: $(VENV)/bin/pip-audit
	$(BIN)/python -m tests.dependencies

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
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST_OPTIONS)

# Parts of `make tests`: what needs Ray, and what trains, watches and serves models with torch.
check-ray: $(VENV)/installed-dev
	$(BIN)/python -m pytest tests/runner/test_ray.py

check-train: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest tests/training tests/llm/test_local_hf.py tests/monitor \
		tests/worker/test_real_rounds.py tests/benchmarks/test_circle.py

# Our rows read, trained on and merged by Axolotl itself, on the CPU; in an environment of its own (2.8 GB), since its exact
# pins conflict with vLLM's and with ours. AXOLOTL: 0.21, which wants Python 3.12, or 0.19, the oldest that is supported.
AXOLOTL ?= 0.21
AXOLOTL_VENV ?= .venv-axolotl-$(AXOLOTL)

check-axolotl: $(VENV)/installed-dev $(AXOLOTL_VENV)/installed
	$(BIN)/python -m tests.axolotl.check --environment $(AXOLOTL_VENV)

$(AXOLOTL_VENV)/installed: tests/axolotl/requirements-$(AXOLOTL).txt tests/axolotl/environment.py
	$(PYTHON) -m tests.axolotl.environment $(AXOLOTL_VENV) --axolotl $(AXOLOTL) --torch "$(TORCH)"
	@touch $@

# `mode: vllm` against vLLM 0.32 itself, on the CPU; in an environment of its own (3.5 GB), since its pins conflict with
# Axolotl's. Without torchvision, torchaudio and torchcodec, which come built for another torch. VLLM_OPTIONS: --short
# leaves the slower proofs out. --no-compile: pip would compile 25,000 modules, of which few are ever imported.
VLLM_VENV ?= .venv-vllm
VLLM_OPTIONS ?=

check-vllm: $(VENV)/installed-dev $(VLLM_VENV)/installed
	$(BIN)/python -m tests.vllm.check --environment $(VLLM_VENV) $(VLLM_OPTIONS)

$(VLLM_VENV)/installed: tests/vllm/requirements.txt
	$(PYTHON) -m venv --clear $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile $(TORCH)
	$(VLLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile -r tests/vllm/requirements.txt
	$(VLLM_VENV)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

# Breaks real runs in every way we could think of, for some minutes; `make tests` runs the short form of it.
chaos: $(VENV)/installed-dev
	$(BIN)/python -m tests.chaos

# The site of docs/ in site/, in an environment of its own (170 MB); a dead link or anchor is an error.
DOCS_VENV ?= .venv-docs

docs: $(DOCS_VENV)/installed
	$(DOCS_VENV)/bin/mkdocs build --strict --quiet

$(DOCS_VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(DOCS_VENV)
	$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check "mkdocs-material>=9.8,<10"
	@touch $@

# The figures that README and docs name, measured and recorded with the machine, its load and the floor of the same run; the
# tables in the documents are written from them. `bench-check` fails where a request has become dearer beside the floor.
bench: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.bench

bench-full: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.bench --form full

bench-check: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.bench --check

# Other tools that send the same requests, each in an environment of its own under .venv-peers (2 GB); AUGMENTOOLKIT names a
# clone of Augmentoolkit where GitHub cannot be reached.
bench-peers: $(VENV)/installed-dev
	$(BIN)/python -m benchmarks.peers --record
	$(BIN)/python -m benchmarks.bench --write

# Puts small mistakes into the modules that decide, one at a time, and counts those that the tests beside them notice: half
# an hour on two cores. MUTATE: `--each 40 --module limiter` tries forty of one module.
MUTATE ?=

mutate: $(VENV)/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.mutate $(MUTATE)
