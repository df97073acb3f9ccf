# One command each for everyday work. Needs Python 3.11 or newer; everything else is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.DEFAULT_GOAL := help
.PHONY: help run dev test check lint format bench chaos screens eval lock clean

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.installed ## Start the site at http://localhost:3000 (PORT=... for another port)
	@exec $(BIN)/interviewer run

dev: $(VENV)/.installed ## Start the site and start it again after every change
	@exec $(BIN)/watchfiles --filter default "$(BIN)/interviewer run" interviewer assets

test: $(VENV)/.installed-dev lint ## Run every check and every test, in Chromium too
	@$(BIN)/interviewer run --build-only
	@$(BIN)/pytest -n 2 --dist loadgroup

check: $(VENV)/.installed-dev lint ## Run the checks and the quick tests, without browser and running sites, in under three minutes
	@$(BIN)/interviewer run --build-only
	@$(BIN)/pytest -n 2 --dist worksteal -m "not browser and not site and not slow"

lint: $(VENV)/.installed-dev ## Check format, style and types
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

format: $(VENV)/.installed-dev ## Format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

bench: $(VENV)/.installed-dev ## Measure waiting times, statements, bytes and pages (needs Chromium; PART=pages for one part)
	@$(BIN)/interviewer run --build-only
	@ENV_FILE=/dev/null $(BIN)/python -W ignore -m tests.bench $(PART)

chaos: $(VENV)/.installed-dev ## Load and losses: many people, two workers, one of them killed, ... (PART=people, pair, ... for one)
	@$(BIN)/interviewer run --build-only
	@ENV_FILE=/dev/null $(BIN)/python -W ignore -m tests.chaos $(PART)

screens: $(VENV)/.installed-dev ## Take pictures of every page into docs/screens/ (needs Chromium)
	@$(BIN)/interviewer run --build-only
	@ENV_FILE=/dev/null $(BIN)/python -W ignore -m tests.screens

eval: $(VENV)/.installed ## Compare scores with human grades; report in .data/eval/ (INTERVIEWER=openai for the model)
	@$(BIN)/interviewer eval tests/samples/saf --interviewer $(or $(INTERVIEWER),builtin) \
		--out .data/eval/predictions.jsonl --report .data/eval/report.html

lock: $(VENV)/.installed-dev ## Resolve the dependencies of pyproject.toml anew
	@$(PIP) uv
	@$(BIN)/uv pip compile pyproject.toml --group build --universal -p 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-annotate --no-header --quiet -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --group build --group dev --universal -p 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-annotate --no-header --quiet -c requirements.lock -o requirements-dev.lock

clean: ## Remove what was built and installed; the data in .data/ stays
	@rm -rf $(VENV) .web .mypy_cache .ruff_cache .pytest_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed; choose it with PYTHON=python3.x")'
	@$(PYTHON) -m venv $(VENV) || { echo "The virtual environment could not be made; on Debian and Ubuntu install python3-venv."; rm -rf $(VENV); exit 1; }

$(VENV)/.installed: $(BIN)/python requirements.lock pyproject.toml
	@echo "Installing dependencies; the first time this takes about a minute ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@echo "Installing the tools for development ..."
	@$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
