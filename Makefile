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
# What `make parity` runs; the default runs all and writes the page.
PARITY ?= --json tests/parity/figures.json --page docs/parity.md
WORKERS ?= 2
# The parts of `make test`, each a target of its own, in order of speed.
PARTS ?= $(addprefix conformance-,$(filter-out jax numpy,$(BACKENDS))) standard-only cuda-cupy cuda-torch \
  $(addprefix conformance-,$(filter jax numpy,$(BACKENDS))) unit

VENV := .venv
BIN := $(VENV)/bin
LOOPS := arrayconv/_accel/native/loops.so
# A file of .venv for each list of extras that is installed there: what the demo needs, the tests, the linters.
EXTRAS_demo := demo
EXTRAS_quick := demo,conformance
EXTRAS_test := test
EXTRAS_dev := dev,test
EXTRAS_docs := docs,test
SAY_demo := what the demo imports, hundreds of MB in .venv; a minute or two, most of it the C compiler
SAY_quick := the same and pytest, hundreds of MB in .venv; a minute or two, most of it the C compiler
SAY_test := torch, JAX and all that the tests compare with; minutes and gigabytes in .venv, more where torch comes with CUDA
SAY_docs := Sphinx and all that the tests import; minutes and gigabytes in .venv, more where torch comes with CUDA
SAY_dev := the linters, torch, JAX and all that the tests import; minutes and gigabytes in .venv, more where torch comes with CUDA
installed = $(firstword $(wildcard $(foreach list,$(1),$(VENV)/.$(list))) $(VENV)/.$(firstword $(1))) $(LOOPS)
FOR_DEMO := $(call installed,demo quick test dev)
FOR_QUICK := $(call installed,quick test dev)
INSTALLED := $(call installed,test dev)
FOR_DOCS := $(call installed,docs)
FOR_CHECKS := $(call installed,dev)
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) $(if $(RESULTS),--junitxml=$(RESULTS))
EXAMPLES := $(wildcard examples/*.py)
# The unit tests of `make quick`, which need no array library but NumPy and array-api-strict.
QUICK := $(addprefix tests/unit/test_,$(addsuffix .py,shapes boundary lags split windows native_tiles)) \
  tests/property/test_definition.py
# Some environments set it: each of a run's two hundred processes would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo quick train test unit conformance lowest pythons standard-only cuda cuda-cupy cuda-torch parity examples docs bench tune check format clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

demo: $(FOR_DEMO)  ## show what the package does on this machine
	$(BIN)/python -m arrayconv demo

quick: $(FOR_QUICK)  ## the essentials in two minutes: conformance at the level quick on NumPy, and the fast unit tests
	$(BIN)/python -m arrayconv conformance --level quick -n $(WORKERS)
	$(PYTEST) -q $(QUICK)

train: $(INSTALLED)  ## train a small network on NumPy, torch and JAX arrays
	$(BIN)/python -m benchmarks.training --json benchmarks/results/training.json --picture docs/images/digits.png
	$(BIN)/python -m benchmarks.figures

test: $(INSTALLED)  ## conformance on every backend in BACKENDS, then the unit tests; goes on after a failure, and sums up
	@$(BIN)/python tools/parts.py $(MAKE) -- $(PARTS)

unit: $(INSTALLED)  ## the tests of the package alone
	$(PYTEST) tests

conformance: conformance-$(BACKEND)  ## the conformance suite on one backend: make conformance BACKEND=torch

conformance-%: $(INSTALLED)
	$(PYTEST) $(or $(CHOSEN_$*),conformance) --backend $*

lowest: $(LOOPS)  ## conformance at the level quick on the oldest NumPy and array-api-compat that pyproject.toml allows
	$(PYTHON) tools/environments.py lowest

pythons: $(LOOPS)  ## the same on each other version of Python that is installed here, with the newest NumPy
	$(PYTHON) tools/environments.py others

standard-only: $(INSTALLED)  ## conformance without any accelerator, on tensors: what runs on a GPU
	$(PYTEST) conformance --backend torch --max-examples 20 --target conformance.standard_only

cuda: cuda-cupy cuda-torch  ## what can be shown of GPUs without one: CuPy arrays, tensors and kernels on stand-ins, by compilers

cuda-cupy: $(INSTALLED)
	$(PYTEST) tests/cuda conformance --backend cupy --max-examples 20 -p tests.cuda.plugin

# Every row once: conformance-torch runs every combination on tensors, and cuda-cupy by the same kernels.
cuda-torch: $(INSTALLED)
	$(PYTEST) tests/cuda conformance --backend torch --level quick --max-examples 20 -p tests.cuda.torch_plugin

parity: $(INSTALLED)  ## SciPy's own tests on our functions, writes docs/parity.md: make parity PARITY="--backend numpy --fast"
	$(BIN)/python tools/parity.py -n $(WORKERS) $(PARITY)

examples: $(INSTALLED)  ## run every example; one that raises stops the run
	@set -e; for example in $(EXAMPLES); do echo "$$example"; MPLBACKEND=Agg $(BIN)/python "$$example"; done

bench: $(INSTALLED)  ## time everything against its peers, and write docs/benchmarks.md and all figures; fails if a prediction is off: wants an idle machine
	@set -e; for library in $(BENCHED); do \
	  $(BIN)/python -m benchmarks.run --library $$library --methods --json benchmarks/results/$$library.json; done
	@set -e; for script in remembered streams chunked distributed; do \
	  $(BIN)/python -m benchmarks.$$script --json benchmarks/results/$$script.json; done
	@status=0; for library in $(BENCHED); do \
	  $(BIN)/python -m benchmarks.doors --library $$library --json benchmarks/results/doors-$$library.json || status=1; \
	done; $(BIN)/python -m benchmarks.page && exit $$status

docs: $(FOR_DOCS)  ## build the site in build/site: runs every example; warnings are errors
	$(BIN)/python -m tools.site

tune: $(INSTALLED)  ## measure the constants the method choice rests on (benchmarks/fit.py refines them): wants an idle machine
	$(BIN)/python benchmarks/calibrate.py --write

check: $(FOR_CHECKS)  ## lint, formatting, types, what users' type checkers see
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/python tools/check_types.py

format: $(FOR_CHECKS)  ## apply the formatter and the linter's safe fixes
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

clean:  ## remove what the tools leave behind, except .venv
	rm -rf build dist .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.%: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -c 'import sys; sys.version_info < (3, 11) and sys.exit( \
	  "arrayconv: Python must be 3.11 or newer. Got " + sys.version.split()[0] + ". Run make PYTHON=python3.x")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing, once: $(SAY_$*)."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[$(EXTRAS_$*)]"
	@test ! -e $(LOOPS) || echo "The C loops are compiled."
	@touch $@

# The install compiles them too. Without a C compiler they stay missing, and everything works without.
$(LOOPS): hatch_build.py $(wildcard arrayconv/_accel/native/src/*.[ch])
	@$(PYTHON) hatch_build.py
