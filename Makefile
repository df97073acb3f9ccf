# One command for each everyday task. Requires Python 3.11 or newer; everything else is installed into .venv.

PYTHON ?= python3
BIN := .venv/bin
# Test processes. Tests wait for servers and disks half of the time, so there are more than cores. Browsers and sites wait less.
TESTERS ?= 3
BROWSERS ?= 2
LOCK = $(BIN)/uv pip compile pyproject.toml --universal -p 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-annotate --no-header --quiet

.DEFAULT_GOAL := help
.PHONY: help run dev install tools browser servers built test check lint format bench chaos screens eval lock clean

help: ## Show this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: install ## Start the site at http://localhost:3000 (PORT=... for another port)
	@exec $(BIN)/interviewer run

dev: tools ## Start the site, and restart it after every change
	@exec $(BIN)/watchfiles --filter default "$(BIN)/interviewer run" interviewer assets

install: ## Install the site's locked packages into .venv
	@$(PYTHON) tools/install.py run

tools: # Install the development tools too
	@$(PYTHON) tools/install.py dev

browser: tools # Find or install Chromium
	@$(BIN)/python -m tests.support.programs chromium

servers: tools # Find or install the servers that tests use
	@$(BIN)/python -m tests.support.programs pgbouncer

built: tools
	@$(BIN)/interviewer run --build-only

test: lint browser servers built ## Run every check and test; installs what is missing, including the browser
	@$(BIN)/pytest -n $(TESTERS) --dist loadgroup -m "not browser"
	@$(BIN)/pytest -n $(BROWSERS) --dist loadgroup -m browser

check: lint built ## Run the checks and the quick tests, without browsers and running sites, in under three minutes
	@$(BIN)/pytest -n $(TESTERS) --dist worksteal -m "not browser and not site and not slow"

lint: tools ## Check format, style and types
	@echo "Checking format, style and types ..."
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy

format: tools ## Format the code
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --quiet --fix .

bench: browser built ## Measure latency, SQL statements, bytes and pages (PART=pages for one part)
	@ENV_FILE=/dev/null $(BIN)/python -W ignore -m tests.bench $(PART)

chaos: browser built ## Run load and failure tests: many users, two workers, one of them killed, ... (PART=people, pair, ... for one)
	@ENV_FILE=/dev/null $(BIN)/python -W ignore -m tests.chaos $(PART)

screens: browser built ## Take screenshots of every page into docs/screens/
	@ENV_FILE=/dev/null $(BIN)/python -W ignore -m tests.screens

eval: install ## Compare scores with human grades, with a report in .data/eval/ (INTERVIEWER=openai for the model)
	@$(BIN)/python -m training.samples development .data/eval/answers.jsonl
	@$(BIN)/interviewer eval .data/eval/answers.jsonl --interviewer $(or $(INTERVIEWER),builtin) \
		--out .data/eval/predictions.jsonl --report .data/eval/report.html

lock: ## Resolve the dependencies of pyproject.toml again
	@$(PYTHON) tools/install.py resolve
	@$(LOCK) --extra embedded --extra build --group install -o requirements.lock
	@$(LOCK) -c requirements.lock -o requirements-server.lock
	@$(LOCK) --extra embedded --extra build --group install --group dev -c requirements.lock -o requirements-dev.lock

clean: ## Remove everything built and installed; keep the data in .data/
	@rm -rf .venv .web .mypy_cache .ruff_cache .pytest_cache
