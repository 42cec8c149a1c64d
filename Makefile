# raysed: `make demo` runs the main job on built-in sounds, `make test` the tests. Each sets up what it needs.

SHELL := /bin/bash
# Images of containers often forbid Python to keep what it has compiled; each of hundreds of processes would do it anew.
unexport PYTHONDONTWRITEBYTECODE
VERSIONS := 3.11 3.12 3.13
# The first that runs: a version manager may put names on the path that are not set up.
PYTHON ?= $(shell for v in $(VERSIONS); do python$$v -c pass 2>/dev/null && { command -v python$$v; exit; }; done; command -v python3)
# Further interpreters for `make interpreters`, by path; these are found on the path or where pyenv keeps them.
PYTHONS ?= $(shell for v in $(VERSIONS); do for p in python$$v $(HOME)/.pyenv/versions/$$v.*/bin/python; do \
	$$p -c pass 2>/dev/null && { command -v $$p; break; }; done; done)
BIN := .venv/bin
READY := .venv/.ready
# Tests without Ray, a file to a process; Ray's take all processors anyway, and some look for its processes.
PROCESSES := -n logical --maxprocesses 4 --dist loadfile

.PHONY: help setup demo test quick interpreters browser gpu-check bench docs site wheel regress lint clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:[^#]*## /\t/' | expand -t 10

setup: $(READY) ## .venv with the pinned packages (and Debian's SoX headers)

$(READY): pyproject.toml constraints.txt | sox-headers
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
		|| { echo "raysed needs Python 3.11, 3.12 or 3.13; $(PYTHON) is $$($(PYTHON) -V). Give another with: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing packages into .venv (about 4 minutes and 7 GB the first time)" >&2
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

demo: $(READY) ## sounds -> Scaper -> DALI -> shards -> 8 trials on Ray Tune -> table (about 3 minutes on 2 cores)
	@$(BIN)/raysed demo

test: $(READY) ## all tests that this machine can run
	@$(BIN)/python -m pytest $(PROCESSES) -m "not ray and not gpu"
	@$(BIN)/python -m pytest -m "ray or gpu" $$(grep -rlE 'mark\.(ray|gpu)' --include='test_*.py' tests)

quick: $(READY) ## the quick lane: tests that need neither Ray nor more than some seconds
	@$(BIN)/python -m pytest -q $(PROCESSES) --hypothesis-profile=quick -m "not ray and not slow and not gpu"

interpreters: | sox-headers ## the quick lane on every Python of 3.11, 3.12 and 3.13 that is there (7 GB for each)
	@set -e; for python in $(PYTHONS); do \
		own=.venv-$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
		test -x $$own/bin/python || $$python -m venv $$own; \
		$$own/bin/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'; \
		echo "$$($$own/bin/python -V), $$own"; \
		$$own/bin/python -m pytest -q --hypothesis-profile=quick -m "not ray and not slow and not gpu"; \
	done

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

site: $(READY) ## the documents as a site with search: build/site (installs mkdocs)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[docs]'
	@$(BIN)/mkdocs build --strict -q

wheel: $(READY) ## dist/raysed-*.whl, which `pip install` takes with any of the extras
	@$(BIN)/python -m pip wheel -q --disable-pip-version-check --no-deps -w dist .

regress: $(READY) ## measure again and compare ratios with the recorded ones
	@$(BIN)/python -m benchmarks.regress

lint: $(READY) ## format, lint and type check
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/pyrefly check

clean: ## remove runs and generated data (not .venv)
	rm -rf data runs
