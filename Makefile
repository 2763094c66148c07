# Every target works on a clean clone: the first one makes .venv and installs the tested versions into it.

PYTHON ?= python3
BACKEND ?= numpy
# What `make test` runs the conformance suite on, quickest first. Adding a backend is adding a word.
BACKENDS ?= mparray array_api_strict torch jax numpy
# Of a library whose numbers are slow the part that takes seconds: it shows that any namespace serves.
CHOSEN_mparray := conformance/test_values.py conformance/test_lags.py conformance/test_einconv.py \
  --max-examples 1 -k "not long and not scipy and not torch and not random"
# What `make bench` times.
BENCHED ?= numpy torch jax
WORKERS ?= 2
# The parts of `make test`, each a target of its own, in order of speed.
PARTS ?= $(addprefix conformance-,$(filter-out jax numpy,$(BACKENDS))) standard-only cuda-cupy cuda-torch \
  $(addprefix conformance-,$(filter jax numpy,$(BACKENDS))) unit

VENV := .venv
BIN := $(VENV)/bin
LOOPS := arrayconv/_accel/native/loops.so
INSTALLED := $(VENV)/.installed $(LOOPS)
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) $(if $(RESULTS),--junitxml=$(RESULTS))
EXAMPLES := $(wildcard examples/*.py)
# Some environments set it: each of a run's two hundred processes would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo train test unit conformance standard-only cuda cuda-cupy cuda-torch parity examples docs bench tune check format clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

demo: $(INSTALLED)  ## show what the package does on this machine
	$(BIN)/python -m arrayconv demo

train: $(INSTALLED)  ## train a small network on NumPy, torch and JAX arrays
	$(BIN)/python examples/13_digits.py --libraries numpy torch jax --picture docs/images/digits.png

test: $(INSTALLED)  ## conformance on every backend in BACKENDS, then the unit tests; goes on after a failure, and sums up
	@$(BIN)/python tools/parts.py $(MAKE) -- $(PARTS)

unit: $(INSTALLED)  ## the tests of the package alone
	$(PYTEST) tests

conformance: conformance-$(BACKEND)  ## the conformance suite on one backend: make conformance BACKEND=torch

conformance-%: $(INSTALLED)
	$(PYTEST) $(or $(CHOSEN_$*),conformance) --backend $*

standard-only: $(INSTALLED)  ## conformance without any accelerator, on tensors: what runs on a GPU
	$(PYTEST) conformance --backend torch --max-examples 20 --target conformance.standard_only

cuda: cuda-cupy cuda-torch  ## what can be shown of GPUs without one: CuPy arrays, tensors and kernels on stand-ins, by compilers

cuda-cupy: $(INSTALLED)
	$(PYTEST) tests/cuda conformance --backend cupy --max-examples 20 -p tests.cuda.plugin

# Every row once: conformance-torch runs every combination on tensors, and cuda-cupy by the same kernels.
cuda-torch: $(INSTALLED)
	$(PYTEST) tests/cuda conformance --backend torch --level quick --max-examples 20 -p tests.cuda.torch_plugin

parity: $(INSTALLED)  ## SciPy's own tests on our functions: make parity PARITY="--backend numpy --fast"
	$(BIN)/python tools/parity.py -n $(WORKERS) $(PARITY)

examples: $(INSTALLED)  ## run every example; one that raises stops the run
	@set -e; for example in $(EXAMPLES); do echo "$$example"; MPLBACKEND=Agg $(BIN)/python "$$example"; done

bench: $(INSTALLED)  ## time everything against its peers, and write docs/benchmarks.md; fails if a prediction is off: wants an idle machine
	@set -e; for library in $(BENCHED); do \
	  $(BIN)/python -m benchmarks.run --library $$library --methods --json benchmarks/results/$$library.json; done
	$(BIN)/python -m benchmarks.remembered --json benchmarks/results/remembered.json
	@status=0; for library in $(BENCHED); do \
	  $(BIN)/python -m benchmarks.doors --library $$library --json benchmarks/results/doors-$$library.json || status=1; \
	done; $(BIN)/python -m benchmarks.page && exit $$status

docs: $(INSTALLED)  ## build the site in build/site: runs every example; warnings are errors
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[docs]"
	$(BIN)/python -m tools.site

tune: $(INSTALLED)  ## measure the constants the method choice rests on (benchmarks/fit.py refines them): wants an idle machine
	$(BIN)/python benchmarks/calibrate.py --write

check: $(INSTALLED)  ## lint, formatting, types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

format: $(INSTALLED)  ## apply the formatter and the linter's safe fixes
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:  ## remove what the tools leave behind, except .venv
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.version_info < (3, 11) and sys.exit( \
	  "arrayconv: Python must be 3.11 or newer. Got " + sys.version.split()[0] + ". Run make PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[demo,dev,test]"
	@touch $@

# The install compiles them too. Without a C compiler they stay missing, and everything works without.
$(LOOPS): hatch_build.py $(wildcard arrayconv/_accel/native/src/*.[ch]) | $(VENV)/.installed
	@$(BIN)/python hatch_build.py
