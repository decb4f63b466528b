# Every command of this repository. Only git, make and Python >= 3.11 are needed: uv is fetched into .uv/.
#   make demo                      the main job, from seed files to tables, tests and a site
#   make test                      everything that must be green before a change is merged
#   make PYTHON=python3.12 test    on another interpreter
#   make PYTEST_ARGS="-k seeds" test

PYTHON ?= python3
PYTEST_ARGS ?=
ENGINE ?= *
PROJECT := examples/simple_duckdb

# uv: the pinned one, whatever is on PATH; `make UV=/path/to/uv` says otherwise. Tests find it by the same name.
UV := $(CURDIR)/.uv/uv
export UV

# The machine's own interpreter, never a downloaded one. `_base_executable` looks through an active venv.
ifndef UV_PYTHON
UV_PYTHON := $(shell $(PYTHON) -c 'import sys; print(getattr(sys, "_base_executable", sys.executable))')
endif
export UV_PYTHON
export UV_PYTHON_DOWNLOADS := never
# The machine's certificates, as Python used them to fetch uv: uv's own list knows no company proxy.
export UV_SYSTEM_CERTS ?= true
# An active venv is not the one we work in; uv would warn about it at every step.
unexport VIRTUAL_ENV
# Images of containers often forbid bytecode: every process of the tests, over a thousand, would compile all it imports.
unexport PYTHONDONTWRITEBYTECODE

# By file, since what a file prepares for its tests is prepared once, and together what conftest.py says to share. Not
# `loadgroup`, which groups nothing under pytest 9.2 (pytest-dev/pytest-xdist#1386). In the order of conftest.py: xdist's
# own begins with the files of most tests, which leaves those of a few long ones to the end.
# Three on two cores: a test that waits for a server, a lock or a killed process leaves its core to another.
PYTEST = $(RUN) pytest -n 3 --dist loadfile --no-loadscope-reorder

RUN = $(UV) run --frozen --no-sync
FLOWFORGE = UV_PROJECT_ENVIRONMENT=.venv-demo $(RUN) flowforge
# One step of the demo: the command as a user types it, then what it says.
STEP = @printf '\n$$ flowforge %s\n' "$(1)"; $(FLOWFORGE) $(1)

MAKEFLAGS += --no-print-directory
# What `make test` checks before the tests is checked side by side, each with its words together, where make can do that.
ifndef SIDE_BY_SIDE
.NOTPARALLEL:
endif
BESIDE = $(MAKE) SIDE_BY_SIDE=yes -j 3 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target)
.DEFAULT_GOAL := help
.PHONY: help demo test lint types contracts conformance iceberg nightly bench scorecard build fmt clean sync

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

demo: $(UV) ## run the example project on DuckDB: seed, run, test, site, tables
	UV_PROJECT_ENVIRONMENT=.venv-demo $(UV) sync --frozen --no-default-groups --group demo
	$(call STEP,seed $(PROJECT) --env dev)
	$(call STEP,run $(PROJECT) --env dev)
	$(call STEP,test $(PROJECT) --env dev)
	$(call STEP,dag $(PROJECT) --env dev --html)
	$(call STEP,show users $(PROJECT) --env dev)
	$(call STEP,show users_enriched $(PROJECT) --env dev)
	$(call STEP,show orders $(PROJECT) --env dev)
	$(call STEP,show mart_orders_enriched $(PROJECT) --env dev)
	$(call STEP,show marts_daily $(PROJECT) --env dev)
	@echo; echo "Site: $(CURDIR)/$(PROJECT)/.flowforge/docs/index.html"

test: sync ## lint, types, contracts, then every test
	@$(BESIDE) lint types contracts
	$(PYTEST) $(PYTEST_ARGS)

lint: sync ## ruff: rules and format
	$(RUN) ruff check
	$(RUN) ruff format --check

types: sync ## mypy, strict
	$(RUN) mypy

contracts: sync ## who may import whom, declared dependencies, sizes
	$(RUN) lint-imports
	$(RUN) python tools/isolated_imports.py
	$(RUN) python tools/check_sizes.py

conformance: sync ## every engine through the kit, or ENGINE=…; writes docs/reference/conformance.md
	$(PYTEST) packages/flowforge-$(ENGINE)/tests/test_conformance.py --flowforge-report .pytest_cache/conformance.md $(PYTEST_ARGS)
	$(RUN) python tools/conformance_table.py $(if $(filter-out *,$(ENGINE)),--keep) .pytest_cache/conformance.md

iceberg: sync ## the kit on tables of Iceberg, on a Spark of its own; adds its column to docs/reference/conformance.md
	$(RUN) python tools/spark_iceberg.py -q --timeout 900 --flowforge-report .pytest_cache/iceberg.md $(PYTEST_ARGS)
	$(RUN) python tools/conformance_table.py --keep .pytest_cache/iceberg.md

nightly: sync ## the same tests, with larger counts; then every engine's lowest and newest dependencies
	FLOWFORGE_NIGHTLY=1 $(PYTEST) --timeout 3600 $(PYTEST_ARGS)
	$(RUN) python tools/versions.py

bench: sync ## the figures of docs/, measured on this machine
	$(RUN) python tools/bench

scorecard: sync ## which promises stand: runs their tests and writes SCORECARD.md
	$(RUN) python tools/scorecard.py

build: $(UV) ## every wheel and sdist into dist/
	$(UV) build --all-packages --out-dir dist

fmt: sync ## format, and mend what ruff can mend
	$(RUN) ruff format
	$(RUN) ruff check --fix

clean: ## remove what the commands above have made, except uv and the development venv
	rm -rf dist .venv-demo .venv-versions .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf $(PROJECT)/.local $(PROJECT)/.flowforge

sync: $(UV)
	@$(UV) sync --frozen

$(CURDIR)/.uv/uv: tools/bootstrap_uv.py
	@$(PYTHON) tools/bootstrap_uv.py
