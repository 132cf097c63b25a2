# Essaim: make run · make test · make check · make bench · make docs
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export ESSAIM_DATA_DIR ?= $(if $(wildcard ../shared/data/README.md),$(abspath ../shared/data),)
export ESSAIM_HOME ?= $(CURDIR)/var
unexport PYTHONDONTWRITEBYTECODE
PYTEST := $(BIN)/python -m pytest

.PHONY: run demo test test-slow test-postgres check bench docs lock clean

run: $(VENV)/.core ## creates everything on first use, then starts the site and its worker
	@$(BIN)/essaim run

demo: $(VENV)/.core ## builds the demonstration without starting the site
	@$(BIN)/essaim demo

test: $(VENV)/.dev $(VENV)-store/.ready ## everything but the long simulations, on SQLite then on PostgreSQL
	@scripts/system-packages.sh chromium postgresql java
	@scripts/test.sh

test-slow: $(VENV)/.dev $(VENV)-peers/.ready ## long simulations
	@$(PYTEST) -m slow

check: $(VENV)/.dev ## style, types, import contracts, migrations, generated documents, known vulnerabilities
	@scripts/check.sh

bench: $(VENV)/.dev $(VENV)-peers/.ready ## measures against named peers, writes docs/benchmarks.md
	@scripts/system-packages.sh wrk postgresql
	@$(BIN)/python -m bench

docs: $(VENV)/.dev ## writes the generated part of docs/reference
	@$(BIN)/essaim docs

lock: $(VENV)/.uv ## resolves requirements/*.in again
	@scripts/lock.sh

clean:
	rm -rf $(VENV) $(VENV)-peers $(VENV)-store var build src/*.egg-info

$(VENV)/.uv: requirements/uv.txt
	@scripts/environment.sh $(PYTHON) $(VENV)
	@touch $@

$(VENV)/.core: $(VENV)/.uv requirements/core.txt pyproject.toml
	@[ -f $(VENV)/.dev ] || VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements/core.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.uv requirements/dev.txt pyproject.toml
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.core

# Environments beside: peers of the benchmarks, the object store that tests talk to.
$(VENV)-%/.ready: $(VENV)/.uv requirements/%.txt
	@[ -x $(VENV)-$*/bin/python ] || $(BIN)/uv venv --quiet --python $(BIN)/python $(VENV)-$*
	@VIRTUAL_ENV=$(VENV)-$* $(BIN)/uv pip sync --quiet --require-hashes requirements/$*.txt
	@touch $@
