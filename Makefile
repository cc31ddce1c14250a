# Everything runs from a virtual environment of the project's own; nothing is assumed but Python 3.11+ and make.
PYTHON ?= python3
# Where that environment is; one that is named may be used from a checkout that cannot be written.
VENV := .venv
BIN := $(VENV)/bin
PAGE := meetctl/web/page
# Keeps the lock and this machine's Python apart: pip resolves nothing, it installs what is written.
LOCK := requirements.lock
STAMP := $(VENV)/.installed
# Chosen tests: `make test T=tests/system K=down`; T is a path or `path::test`, K a part of a name, as pytest's -k has it.
T :=
K :=
# How many faults `make soak` does to a meeting, and which: the same seed is the same faults.
FAULTS :=
SEED :=
CHOSEN := $(if $(K),-k '$(K)') $(T)
PYTEST := $(BIN)/python -m pytest
SLOW := --durations 30 --durations-min 3
PARALLEL := --numprocesses logical --maxprocesses 8 --dist worksteal
# What starts servers waits more than it works: two at a time, and a file's tests share what they started. Three take all
# of two cores, and what is then late is called broken.
PAIRED := --numprocesses logical --maxprocesses 2 --dist loadfile
# A browser takes a whole machine. What takes root is left out for others; `.ci/run` runs it as root.
ALONE := browser$(if $(filter 0,$(shell id -u)), or root)
# Compiled once, not at every start of a process: whoever keeps Python from it means his own programs.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help

help: ## Show this help
	@grep -E '^[a-z]+:.*##' $(firstword $(MAKEFILE_LIST)) | sed 's/:.*## /\t/' | expand -t 14

ifneq ($(word 2,$(VENV)),)
$(error VENV=$(VENV) holds a space, which make cannot have in the name of a folder: name another)
endif

ifeq ($(shell test -w . || echo read-only),)
.PHONY: install up test unit check bench profile soak coverage browsers page screenshots lock clean

$(STAMP): pyproject.toml $(LOCK) hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "meetctl needs Python 3.11 or newer; try: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	touch $@

install: $(STAMP) ## Make .venv with meetctl in it; fetch livekit-server and the local models
	$(BIN)/meetctl setup

# The shell takes Ctrl-C too and would have make call it an error; meetctl has it from the terminal all the same.
up: install ## Run the demo meeting
	@trap : INT; $(BIN)/meetctl up configs/demo.yaml; code=$$?; [ $$code -eq 130 ] || exit $$code

unit: $(STAMP) ## Run what starts nothing, in parallel; T=path K=name choose
	$(PYTEST) -m unit $(PARALLEL) $(SLOW) $(CHOSEN)

ifneq ($(strip $(T)$(K)),)
test: install browsers
	$(PYTEST) -m 'not soak' $(CHOSEN)
else
test: install browsers unit ## Run all tests, the browsers' too; T=path K=name choose
	$(PYTEST) -m 'process or system' $(PAIRED) $(SLOW); code=$$?; $(PYTEST) -m '$(ALONE)' $(SLOW) && exit $$code
endif

check: $(STAMP) ## Lint, types, import contracts, spelling, GitHub files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/typos
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms $(filter-out %/config.yml,$(wildcard .github/ISSUE_TEMPLATE/*.yml))
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml

bench: install ## Measure the figures that the README states
	$(BIN)/meetctl setup local local/tiny
	$(BIN)/python -m benchmarks

profile: install ## Draw where the time of a start goes, and where the CPU of a meeting: profile.html
	$(BIN)/meetctl setup
	$(BIN)/python -m benchmarks.profile

soak: install browsers ## The long forms of the tests; T=path K=name choose; FAULTS=200 SEED=7 play faults (again)
	MEETCTL_FAULTS=$(FAULTS) MEETCTL_SEED=$(SEED) $(PYTEST) -m soak $(if $(FAULTS)$(SEED),tests/system/test_chaos.py,$(CHOSEN))

coverage: install ## Run all tests and say which lines were run, in child processes too; T=path K=name choose
	$(BIN)/python -m testing.covered $(MAKE) test VENV=$(VENV) T='$(T)' K='$(K)'

browsers: $(STAMP)
	$(BIN)/meetctl setup local local/tiny
	$(BIN)/python testing/browser/install_chromium.py

page: $(STAMP) ## Build the join page
	$(BIN)/python hatch_build.py

screenshots: install browsers ## Make the README's pictures again
	$(BIN)/python -m docs.screenshots

lock: $(STAMP) ## Resolve the dependencies again
	$(BIN)/python -m pip install --quiet 'uv>=0.9,<1'
	$(BIN)/uv pip compile --universal --python-version 3.11 --group dev pyproject.toml --no-emit-index-url --no-annotate --no-header --output-file $(LOCK)

clean: ## Remove everything that was made
	test ! -e $(VENV) || test -e $(VENV)/pyvenv.cfg
	rm -rf $(VENV) meetctl/web/static $(PAGE)/node_modules build dist

else # nothing can be made in here: neither the environment nor the join page

COPY := $(abspath $(VENV))/checkout
GOAL = $(or $(filter-out help,$(MAKECMDGOALS)),up)

.DEFAULT:
ifeq ($(origin VENV),file)
	@echo "the folder $(CURDIR) cannot be written, and make needs it for $(VENV) and the join page: name another folder for both, as in" >&2
	@echo "    make $(GOAL) VENV=$${XDG_CACHE_HOME:-$$HOME/.cache}/meetctl-venv" >&2
	@exit 1
else
	@mkdir -p $(COPY) && tar --exclude=./.venv --exclude=node_modules --exclude=__pycache__ -cf - . | tar -xf - -C $(COPY) && chmod -R u+w $(COPY)
	@$(MAKE) --no-print-directory -C $(COPY) VENV=$(abspath $(VENV)) $@
endif

endif
