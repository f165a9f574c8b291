PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help

help:  ## Show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-12s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

setup: $(READY)  ## Install everything into .venv

demo: $(READY)  ## Search, random baseline, retrain, compare on embedded data: minutes on two cores
	$(BIN)/nasctl search -m +experiment=darts_digits,random_search_digits seed=0,1
	$(BIN)/nasctl retrain -m from=$$(ls -d outputs/search/darts-*-digits/*-s[01] | paste -sd,)
	$(BIN)/nasctl compare outputs/search outputs/retrain

test: $(READY)  ## Run the fast tests
	$(BIN)/pytest

test-slow: $(READY)  ## Run the tests that take minutes
	$(BIN)/pytest -m slow --dist=load

NEWEST ?= $(shell ls -d $(HOME)/.pyenv/versions/3.1[1-9]*/bin/python3 /usr/bin/python3.1[1-9] 2>/dev/null | sort -V | tail -1)

test-newest:  ## Run the fast tests on the newest Python that is installed, in .venv-newest
	test -n "$(NEWEST)" || { echo "no Python 3.11 or later was found; set NEWEST=PATH"; exit 1; }
	$(NEWEST) -m venv .venv-newest
	.venv-newest/bin/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	.venv-newest/bin/pytest

lint: $(READY)  ## Check style
	$(BIN)/ruff check .

format: $(READY)  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

typecheck: $(READY)  ## Check types
	$(BIN)/mypy

check: lint typecheck test  ## Everything that CI runs
	$(BIN)/ruff format --check .

bench: $(READY)  ## Measure speed against plainly written alternatives
	$(BIN)/python -m benchmarks

clean:  ## Remove caches and the environment, never outputs/
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache dist build

.PHONY: help setup demo test test-slow test-newest lint format typecheck check bench clean
