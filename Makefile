# Every recipe works on a fresh machine with Python 3.11+, git and make; nothing has to be activated.
# What is installed is pinned in constraints.txt. torch goes first and alone: as a dependency of
# something else, pip may choose a build with gigabytes of GPU libraries.

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
TORCH := torch==2.13.0

# The first of these that is 3.11 or newer makes the environment; `make PYTHON=... ` overrides it.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# A stamp says that an install ended well; a changed pin or extra makes it again.
VENV_READY := $(VENV)/.ready-venv
DEMO_READY := $(VENV)/.ready-demo
DEV_READY := $(VENV)/.ready-dev
PINS := constraints.txt pyproject.toml

# Tests start thousands of processes: each would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow soak check bench docs format install-dev

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-21s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(DEMO_READY) ## Search an architecture for handwritten digits; ends with demo/report.html
	@$(PY) examples/demo.py

test: $(DEV_READY) ## Run all tests
	$(PY) -m pytest tests/unit -q -n 2
	$(PY) scripts/run_tests.py

test-slow: $(DEV_READY) ## Run the dear tests that `make test` leaves out and CI adds
	$(PY) scripts/run_tests.py --slow

soak: $(DEV_READY) ## Run the long tests that CI leaves out too
	$(PY) scripts/run_tests.py --soak

check: $(DEV_READY) ## Format, lint, types, import contracts, unit tests
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports
	$(PY) scripts/generate_docs.py --check
	$(PY) -m pytest tests/unit -q -n 2

bench: $(DEV_READY) ## Run the benchmarks; a table here, JSON in benchmarks/results
	$(PY) -m benchmarks

bench-optimizers-full: $(DEV_READY) ## 200 seeds of the optimizers on NAS-Bench-201: hours; goes on after a stop
	$(PY) -m benchmarks.optimizers_full

docs: $(DEV_READY) ## Generate the diagrams and the schema in docs/ from the code
	$(PY) scripts/generate_docs.py

format: $(DEV_READY) ## Put the code into the one format
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix-only .

install-dev: $(DEV_READY) ## Make .venv with everything that tests and checks need

$(VENV_READY):
	@test -x $(PY) || test -n "$(PYTHON)" || \
		{ echo "MorphML needs Python 3.11 or newer; none was found on PATH."; exit 1; }
	@test -x $(PY) || { echo "Making $(VENV) with $(PYTHON)"; $(PYTHON) -m venv $(VENV); } || \
		{ echo "No venv module: on Debian, apt-get install python3-venv"; exit 1; }
	@touch $@

$(DEMO_READY): $(VENV_READY) $(PINS)
	@echo "Installing what the demo needs (once; some minutes, torch is large)"
	@$(PIP) $(TORCH)
	@$(PIP) --editable '.[demo]'
	@touch $@

$(DEV_READY): $(VENV_READY) $(PINS)
	@echo "Installing what tests and checks need (once; some minutes, torch is large)"
	@$(PIP) $(TORCH)
	@$(PIP) --editable '.[dev]'
	@touch $(DEMO_READY) $@
