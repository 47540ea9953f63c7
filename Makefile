# Two lines do all the set-up:   make run   (installs, runs the main job)   and   make check   (installs, runs all tests).
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: run check install format lint types layers tests check-ray check-train check-axolotl check-vllm chaos

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
	$(BIN)/pytest -n auto

# Needs a second environment of about 600 MB, so `make check` skips these tests with a reason.
check-ray: .venv-ray/installed
	.venv-ray/bin/python -m pytest tests/runner/test_ray.py

.venv-ray/installed: pyproject.toml
	$(PYTHON) -m venv .venv-ray
	.venv-ray/bin/python -m pip install --quiet --disable-pip-version-check -e ".[dev,ray]"
	@touch $@

# What needs torch: trainings, local models, the monitor, rounds of the worker; in an environment of its own. Where the
# package index has the CUDA build of torch (several GB) and there is no GPU, name the CPU builds first:
#   make check-train TRAIN_PIP="--extra-index-url https://download.pytorch.org/whl/cpu"
TRAIN_PIP ?=

check-train: .venv-train/installed
	OMP_NUM_THREADS=1 .venv-train/bin/python -m pytest tests/training tests/llm/test_local_hf.py tests/monitor \
		tests/worker/test_real_rounds.py tests/benchmarks/test_circle.py

.venv-train/installed: pyproject.toml
	$(PYTHON) -m venv .venv-train
	.venv-train/bin/python -m pip install --quiet --disable-pip-version-check $(TRAIN_PIP) -e ".[dev,train,hf]"
	@touch $@

# Our rows read, trained on and merged by Axolotl 0.19 itself, on the CPU; in an environment of its own (2.8 GB), since
# its exact pins conflict with vLLM's. TORCH: elsewhere than on a machine whose index has CPU builds, for example
#   make check-axolotl TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
AXOLOTL_VENV ?= .venv-axolotl
TORCH ?= torch==2.13.0

check-axolotl: $(VENV)/installed-dev $(AXOLOTL_VENV)/installed
	$(BIN)/python -m tests.axolotl.check --environment $(AXOLOTL_VENV)

$(AXOLOTL_VENV)/installed: tests/axolotl/requirements.txt
	$(PYTHON) -m venv $(AXOLOTL_VENV)
	$(AXOLOTL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(AXOLOTL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps \
		axolotl==0.19.0 axolotl-contribs-lgpl==0.0.7 axolotl-contribs-mit==0.0.6 "triton>=3.4.0,<3.8" bitsandbytes==0.50.2
	$(AXOLOTL_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/axolotl/requirements.txt
	@touch $@

# `mode: vllm` against vLLM 0.32 itself, on the CPU; in an environment of its own (3.5 GB), since its pins conflict with
# Axolotl's. TORCH as above. Without torchvision, torchaudio and torchcodec, which come built for another torch.
VLLM_VENV ?= .venv-vllm

check-vllm: $(VENV)/installed-dev $(VLLM_VENV)/installed
	$(BIN)/python -m tests.vllm.check --environment $(VLLM_VENV)

$(VLLM_VENV)/installed: tests/vllm/requirements.txt
	$(PYTHON) -m venv $(VLLM_VENV)
	$(VLLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(VLLM_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r tests/vllm/requirements.txt
	$(VLLM_VENV)/bin/python -m pip uninstall --quiet --yes torchvision torchaudio torchcodec
	@touch $@

# Breaks real runs in every way we could think of, for some minutes; `make tests` runs the short form of it.
chaos: $(VENV)/installed-dev
	$(BIN)/python -m tests.chaos
