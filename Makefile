# make train: a virtual environment, the package, and a network trained on the embedded digits.
# make test:  what the tests need, and all tests.
# make test-scale: JAX into the same environment, and the tests of the xla engine, which make test leaves out.
# make soak-scale: kills one of four processes that train, 20 times, and goes on with three.
# make fuzz:  random graphs over all operations in every style, for MINUTES; SEED is the first.
# make mutate: derivative rules made wrong in every way, which the tests must notice; takes minutes.
# make soak:  kills, forks, interrupts, hostile files …, for MINUTES; SEED is the first. MINUTES=2 is short.
# make bench: the peers in an environment of their own, and benchmarks/RESULTS.md; a quiet machine.
PYTHON ?= python3
VENV ?= .venv
BENCH ?= .venv-bench
BIN = $(VENV)/bin
MINUTES ?= 10
SEED ?= 1000
# Two processes test side by side: one thread each, and one cache of machine code for both. Bytecode is
# kept, whatever the shell says: each of them, and what they start, would compile all sources again.
QUIETLY = OPENBLAS_NUM_THREADS=1 PALINGRAD_NUM_THREADS=1 PALINGRAD_CACHE=$(abspath $(VENV))/cache PALINGRAD_VERIFY=1 PYTHONDONTWRITEBYTECODE=
SOURCES = src tests benchmarks examples tools conftest.py

.PHONY: train test test-scale soak-scale browser tiny fuzz soak mutate check format bench clean
.DEFAULT_GOAL := test

$(VENV)/.made:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.installed-test: pyproject.toml $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable ".[test]"
	touch $@ $(VENV)/.installed

$(VENV)/.installed-scale: pyproject.toml $(VENV)/.installed-test
	$(BIN)/python -m pip install --quiet --editable ".[test,xla]"
	touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/.made
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $@ $(VENV)/.installed-test $(VENV)/.installed

$(BENCH)/.installed: pyproject.toml
	$(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --upgrade pip
	$(BENCH)/bin/python -m pip install --quiet --editable ".[plot]" torch jax mygrad autograd micrograd
	touch $@

train: $(VENV)/.installed
	$(BIN)/palingrad train digits

test: $(VENV)/.installed-test browser
	@echo "tests/engines/xla and tests/scale aren't run here, because they need JAX: make test-scale"
	$(QUIETLY) $(BIN)/python -m pytest -n 2 --dist worksteal --durations=10 --ignore=tests/engines/xla --ignore=tests/scale --ignore=src/palingrad/engines/xla --ignore=src/palingrad/scale/runtime.py

test-scale: $(VENV)/.installed-scale
	$(QUIETLY) $(BIN)/python -m pytest -n 2 --dist loadgroup --durations=10 tests/engines/xla tests/scale

soak-scale: $(VENV)/.installed-scale
	PYTHONPATH=tests $(QUIETLY) $(BIN)/python -m scale.killed --seed $(SEED)

# The tests of the page run in the system's Chromium; where it is missing and apt is here, install it.
browser:
	@sh tools/browser.sh

tiny: $(VENV)/.installed-test
	$(QUIETLY) $(BIN)/python -m pytest -m tiny -n 2 tests

fuzz: $(VENV)/.installed-test
	PYTHONPATH=tests $(QUIETLY) $(BIN)/python -m fuzzing --seed $(SEED) --minutes $(MINUTES)

mutate: $(VENV)/.installed-test
	PYTHONPATH=tests $(QUIETLY) $(BIN)/python -m mutation
	$(BIN)/python tools/proof.py

soak: $(VENV)/.installed-test
	PYTHONPATH=tests $(QUIETLY) $(BIN)/python -m soak --seed $(SEED) --minutes $(MINUTES)

check: $(VENV)/.installed-dev
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)
	$(BIN)/python tools/layers.py
	$(BIN)/python tools/families.py --check
	$(BIN)/python tools/numpy_coverage.py --check
	$(BIN)/python tools/operations.py --check
	$(BIN)/python tools/proof.py --check
	$(BIN)/python tools/native_example.py --check
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)
	$(BIN)/python tools/families.py
	$(BIN)/python tools/numpy_coverage.py
	$(BIN)/python tools/operations.py
	$(BIN)/python tools/proof.py
	$(BIN)/python tools/native_example.py

bench: $(BENCH)/.installed
	$(BENCH)/bin/python benchmarks/run.py --write

clean:
	rm -rf $(VENV) $(BENCH) runs .pytest_cache .ruff_cache .hypothesis
