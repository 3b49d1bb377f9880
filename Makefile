# make demo    a fresh virtual environment, the install, and the main job on real data
# make test    the same environment with what the tests need, and the tests
# make slow    the long forms of tests that `make test` runs on a sample: kills, bit flips, random graphs (an hour or two)
# make lint    ruff and mypy
# make bench   Ramify beside Keras and hand-written PyTorch; BENCH="--workloads mlp --minutes 2" says what to run
# make docs    runs the code blocks of the pages and checks their links
# make clean   removes everything that these made

PYTHON  ?= python3
VENV    ?= .venv
WORKERS ?= 2
BENCH   ?=

PY      := $(VENV)/bin/python
PAGES   := $(wildcard *.md docs/*.md)
# One call of pip, with the constraints: the pinned torch is chosen before anything else can ask for a newer one.
INSTALL  = $(PY) -m pip install --disable-pip-version-check --quiet -c constraints.txt --editable

.PHONY: demo test slow lint bench docs clean
.DELETE_ON_ERROR:

demo: $(VENV)/.all
	$(PY) examples/digits.py

test: $(VENV)/.test
	$(PY) -m pytest -n $(WORKERS)

slow: $(VENV)/.test
	$(PY) -m pytest -n $(WORKERS) -m slow

lint: $(VENV)/.lint
	$(PY) -m ruff check .
	$(PY) -m mypy

bench: $(VENV)/.test
	$(PY) benchmarks/run.py $(BENCH)

docs: $(VENV)/.test
	$(PY) docs/check.py $(PAGES)

clean:
	rm -rf $(VENV) build dist *.egg-info benchmarks/.venvs .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: installed again only where the project's metadata or the pins have changed.
$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Ramify needs Python 3.11 or newer, this is " + sys.version.split()[0] + "; name another with: make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

$(VENV)/.all: $(VENV)/.python pyproject.toml constraints.txt
	@echo 'installing Ramify and what it needs into $(VENV): a minute or two the first time'
	$(INSTALL) '.[all]'
	touch $@

$(VENV)/.test: $(VENV)/.python pyproject.toml constraints.txt
	@echo 'installing what the tests need into $(VENV)'
	$(INSTALL) '.[all,test]'
	touch $@ $(VENV)/.all

$(VENV)/.lint: $(VENV)/.python pyproject.toml constraints.txt
	$(INSTALL) '.[all,test,lint]'
	touch $@ $(VENV)/.all $(VENV)/.test
