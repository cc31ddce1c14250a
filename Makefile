# Everything runs from a virtual environment of the project's own; nothing is assumed but Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PAGE := meetctl/web/page
# Keeps the lock and this machine's Python apart: pip resolves nothing, it installs what is written.
LOCK := requirements.lock
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help install up test check bench soak page screenshots lock clean

help: ## Show this help
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(STAMP): pyproject.toml $(LOCK) hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "meetctl needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

install: $(STAMP) ## Make .venv with meetctl in it; fetch livekit-server and the local models
	$(BIN)/meetctl setup

up: install ## Run the demo meeting
	$(BIN)/meetctl up configs/demo.yaml

test: install ## Run all tests, the browser's too
	$(BIN)/python tests/browser/install_chromium.py
	$(BIN)/python -m pytest -m "not soak"

check: $(STAMP) ## Lint, types, import contracts, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/typos

bench: install ## Measure the figures that the README states
	$(BIN)/python -m benchmarks

soak: install ## The long forms of the tests
	$(BIN)/python tests/browser/install_chromium.py
	$(BIN)/python -m pytest -m soak

page: $(STAMP) ## Build the join page
	$(BIN)/python hatch_build.py

screenshots: install ## Make the README's pictures again
	$(BIN)/python tests/browser/install_chromium.py
	$(BIN)/python -m docs.screenshots

lock: ## Resolve the dependencies again
	$(BIN)/uv pip compile --universal --python-version 3.11 --group dev pyproject.toml --no-emit-index-url --no-annotate --no-header --output-file $(LOCK)

clean: ## Remove everything that was made
	rm -rf $(VENV) meetctl/web/static $(PAGE)/node_modules build dist
