# make run, make test: everything they need is installed into a virtual environment of the project.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
SPACE  := .venv-space
# A Space's own, where this computer has it.
SPACE_PYTHON ?= $(shell python3.12 -c '' 2>/dev/null && echo python3.12 || echo $(PYTHON))

.DEFAULT_GOAL := help
.PHONY: help run test space check fix contract bench quality soak assets browser clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

run: $(VENV)/app ## Serve the app, and say where
	$(BIN)/python app.py

test: $(VENV)/dev node_modules/.made browser ## Run every test, those in a real browser included
	$(BIN)/python -m pytest

space: $(VENV)/dev browser ## Install what is committed as a Space does, and use it in a browser
	$(SPACE_PYTHON) -m venv --clear $(SPACE)
	git show HEAD:requirements.txt > $(SPACE)/requirements.txt
	$(SPACE)/bin/python -m pip install --disable-pip-version-check -q -r $(SPACE)/requirements.txt
	$(BIN)/python -m tests.space $(SPACE)/bin/python

check: $(VENV)/dev node_modules/.made ## Lint, format, types, and which room may import which
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/node node_modules/typescript/bin/tsc -p jsconfig.json
	$(BIN)/node node_modules/eslint/bin/eslint.js .

fix: $(VENV)/dev ## Format, and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/dev browser ## Measure speed, memory and bytes; takes an hour
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.live
	$(BIN)/python -m benchmarks.store
	$(BIN)/python -m benchmarks.exports
	$(BIN)/python -m benchmarks.apply
	$(BIN)/python -m benchmarks.api
	$(BIN)/python -m benchmarks.backbones

quality: $(VENV)/dev ## Measure the masks on a folder of labelled photos, which takes most of an hour: make quality DATA=folder
	$(BIN)/python -m benchmarks.quality $(DATA) --peers 6
	$(BIN)/python -m benchmarks.mixed $(DATA)
	$(BIN)/python -m benchmarks.things $(DATA)
	$(BIN)/python -m benchmarks.held_back $(DATA)

contract: $(VENV)/dev ## Write what the page must know of the server
	$(BIN)/python -m pointprompt.ui.contract

soak: $(VENV)/dev ## Use the app long and hard, and count what is lost, crossed, leaked or left
	$(BIN)/python -m benchmarks.soak

assets: $(VENV)/dev browser ## Draw the example set, the thumbnails, the animation and the figures again, and run the notebook
	$(BIN)/python assets/draw_examples.py
	$(BIN)/python assets/make.py thumbnails
	$(BIN)/python assets/make.py animation
	$(BIN)/python assets/draw_method.py
	$(BIN)/python assets/draw_outlines.py
	$(BIN)/python assets/run_notebook.py

# With the node of the dev extra, so that no other one need be there.
node_modules/.made: package.json package-lock.json $(VENV)/dev
	PATH="$(abspath $(BIN)):$$PATH" $(BIN)/npm ci --silent
	@touch $@

# Chromium; and Firefox where apt has it, since its test is skipped without it.
APT := [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null
browser: $(VENV)/dev
	@if command -v chromium || command -v chromium-browser || command -v google-chrome; then :; \
	elif $(APT); then apt-get update && apt-get install -y --no-install-recommends chromium fonts-dejavu-core; \
	else $(BIN)/python -m playwright install chromium; fi
	@if command -v firefox-esr || command -v firefox || ! { $(APT); }; then :; \
	else apt-get update && apt-get install -y --no-install-recommends firefox-esr || true; fi

clean: ## Remove the virtual environment and the caches
	rm -rf $(VENV) $(SPACE) node_modules .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info

$(VENV)/python: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/app: $(VENV)/python
	$(BIN)/python -m pip install --disable-pip-version-check -e .
	@touch $@

$(VENV)/dev: $(VENV)/python
	$(BIN)/python -m pip install --disable-pip-version-check -e '.[dev]'
	@touch $(VENV)/app $@
