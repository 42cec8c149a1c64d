# raysed: `make demo` runs the main job on built-in sounds, `make test` the tests. Each sets up what it needs.

SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: help setup demo test quick browser gpu-check bench docs regress lint clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 10

setup: $(READY) ## .venv with the pinned packages (and Debian's SoX headers)

$(READY): pyproject.toml constraints.txt | sox-headers
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
		|| { echo "raysed needs Python 3.11; $(PYTHON) is $$($(PYTHON) -V). Give another with: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing packages into .venv (about 3 minutes and 6.5 GB the first time)" >&2
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# soxbindings compiles against SoX; its wheel does not exist for every platform.
.PHONY: sox-headers
sox-headers:
	@echo '#include <sox.h>' | $${CC:-cc} -E - >/dev/null 2>&1 || { \
		command -v apt-get >/dev/null || { echo "sox.h is missing: install SoX with its headers and formats" >&2; exit 2; }; \
		sudo=; if [ "$$(id -u)" != 0 ]; then sudo=sudo; command -v sudo >/dev/null \
			|| { echo "sox.h is missing. As root run: apt-get install libsox-dev libsox-fmt-all" >&2; exit 2; }; fi; \
		echo "installing libsox-dev and libsox-fmt-all" >&2; \
		$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends libsox-dev libsox-fmt-all >/dev/null; }

demo: $(READY) ## sounds -> Scaper -> DALI -> shards -> 8 trials on Ray Tune -> table (about 6 minutes on 2 cores)
	@$(BIN)/raysed demo

test: $(READY) ## all tests that this machine can run
	@$(BIN)/python -m pytest

quick: $(READY) ## the quick lane: tests that need neither Ray nor more than some seconds
	@$(BIN)/python -m pytest -q --hypothesis-profile=quick -m "not ray and not slow and not gpu"

browser: ## Debian's Chromium, in which the tests look at the report's page
	@command -v chromium >/dev/null || { sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; }

gpu-check: $(READY) ## parity and throughput on a GPU (its CPU half without one)
	@$(BIN)/python -m benchmarks.gpu_check

bench: $(READY) ## the stages' benchmarks, each against its peer
	@for name in data mel loader train_step ddp metrics tune scheduling; do $(BIN)/python -m benchmarks.$$name || exit; done

docs: $(READY) ## what is made from the models: docs/configuration.md and the schemas of the YAML files
	@$(BIN)/raysed schema --markdown > docs/configuration.md
	@$(BIN)/raysed schema space > tune_spaces/schema.json
	@$(BIN)/raysed schema job > data_jobs/schema.json

regress: $(READY) ## measure again and compare ratios with the recorded ones
	@$(BIN)/python -m benchmarks.regress

lint: $(READY) ## format, lint and type check
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyrefly check

clean: ## remove runs and generated data (not .venv)
	rm -rf data runs
