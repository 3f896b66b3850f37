# make lab: the course in JupyterLab.   make test: everything that is tested.   make mutants: what no test notices.
PYTHON ?= python3
BIN := .venv/bin
# Two lessons side by side, one thread each, are quicker than one by one.
NBVAL := --nbval --nbval-current-env -n 2 --dist loadfile
OLDEST := torch==2.11.* torchvision==0.26.*

.PHONY: lab test lint unit nbval machines mutants notebooks bench clean

lab: .venv/lab
	$(BIN)/jupyter lab $(LAB) notebooks/00_start_here.ipynb

test: lint unit nbval

lint: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/python notebooks/execute.py --check

unit: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/pytest tests -n auto --dist worksteal

nbval: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/pytest $(NBVAL) notebooks

# All lessons and the tests that train, as unlike machines would run them, into tests/machines.md; an hour on two cores.
machines: .venv/dev .venv-oldest/dev
	$(BIN)/python tests/machines.py

# Runs every lesson on the embedded digits and writes its outputs and figures; a second run changes nothing.
notebooks: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/python notebooks/execute.py

bench: .venv/dev
	for script in tests/benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

# Small mistakes, one at a time, against the unit tests: hours for all. make mutants MODULES="training metrics" ARGS="--jobs 4"
mutants: .venv/dev
	OMP_NUM_THREADS=1 $(BIN)/python tests/mutants.py $(MODULES) $(ARGS)

clean:
	rm -rf .venv .venv-oldest .mutants build dist runs *.egg-info .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/lab: requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; sys.exit('Python %d.%d is too old: set PYTHON to 3.11 or newer, as in make lab PYTHON=python3.12' % sys.version_info[:2] if sys.version_info < (3, 11) else 0)"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --requirement requirements.txt --editable .
	touch $@

.venv/dev: .venv/lab
	$(BIN)/pip install --quiet --editable '.[dev]'
	touch $@

.venv-oldest/dev: requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/pip install --quiet $(OLDEST) --requirement requirements.txt --editable '.[dev]'
	touch $@
