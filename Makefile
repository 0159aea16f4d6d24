# `make demo` and `make test` install what they need; python3 (3.11 or newer) is enough.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
PEERS_KFP2 := .venv-peers-kfp2
LOWEST := .venv-lowest
BENCH := .venv-bench

# The official synchronous clients, in an environment of their own: one of them pins an
# old aiohttp.
PEER_CLIENTS := nextmv==1.13.0 kfp-server-api==1.8.5 abeja-sdk==2.3.6 cloudify-common==7.0.5
# Two generations of this one exclude each other.
PEER_KFP2 := kfp-server-api==2.17.3

.PHONY: help demo test check format peers vectors lowest bench clean

help:
	@echo "make demo    run the demo: one sweep on four platforms, against a local server"
	@echo "make test    run all tests, the official clients against the local server too"
	@echo "make torture kill followers and inject faults, with 300 seeds a platform"
	@echo "make check   lint, format, types, and the layers of imports"
	@echo "make format  format the code"
	@echo "make peers   run only the tests with the official clients"
	@echo "make vectors record what the official clients send and return, for ours to match"
	@echo "make lowest  run the tests with the lowest dependencies that are allowed"
	@echo "make bench   measure speed and memory, beside bare loops and the official clients"
	@echo "make clean   remove the environments"

demo: $(VENV)/.demo
	@$(BIN)/aioruns demo

test: $(VENV)/.develop $(PEERS)/.installed $(PEERS_KFP2)/.installed
	$(BIN)/python -m pytest

# AIORUNS_SEED=7 repeats one seed, in `make test` as well.
torture: $(VENV)/.develop
	TORTURE_SEEDS=$${TORTURE_SEEDS:-300} $(BIN)/python -m pytest tests/faults

check: $(VENV)/.develop
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.develop
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

peers: $(VENV)/.develop $(PEERS)/.installed $(PEERS_KFP2)/.installed
	$(BIN)/python -m pytest tests/peers

vectors: $(PEERS)/.installed $(PEERS_KFP2)/.installed
	$(PEERS)/bin/python -m tests.wire.record_nextmv
	$(PEERS)/bin/python -m tests.wire.record_kubeflow
	$(PEERS_KFP2)/bin/python -m tests.wire.record_kubeflow
	$(PEERS)/bin/python -m tests.wire.record_abeja
	$(PEERS)/bin/python -m tests.wire.record_cloudify

lowest: $(LOWEST)/.installed $(PEERS)/.installed $(PEERS_KFP2)/.installed
	$(LOWEST)/bin/python -m pytest

bench: $(BENCH)/.installed $(PEERS)/.installed
	$(BENCH)/bin/python -m benchmarks

clean:
	rm -rf $(VENV) $(PEERS) $(PEERS_KFP2) $(LOWEST) $(BENCH)

$(VENV)/bin/python:
	@echo "making a virtual environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "aioruns needs Python 3.11 or newer: name one with make PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "python3 cannot make virtual environments: apt-get install python3-venv"; \
	  exit 1; }

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	@echo "installing aioruns and what it depends on"
	@$(BIN)/python -m pip install --quiet --editable ".[cli]"
	@touch $@

$(VENV)/.develop: pyproject.toml | $(VENV)/bin/python
	@echo "installing aioruns, and the tools for tests and checks"
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --editable ".[cli]" --group test --group check
	@touch $@ $(VENV)/.demo

$(PEERS)/.installed: Makefile
	@echo "installing the official clients into $(PEERS)"
	@$(PYTHON) -m venv $(PEERS)
	@$(PEERS)/bin/python -m pip install --quiet $(PEER_CLIENTS)
	@touch $@

$(PEERS_KFP2)/.installed: Makefile
	@echo "installing the newer Kubeflow client into $(PEERS_KFP2)"
	@$(PYTHON) -m venv $(PEERS_KFP2)
	@$(PEERS_KFP2)/bin/python -m pip install --quiet $(PEER_KFP2)
	@touch $@

$(BENCH)/.installed: pyproject.toml
	@echo "installing aioruns, and what its measurements need, into $(BENCH)"
	@$(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(BENCH)/bin/python -m pip install --quiet --editable ".[cli]" --group bench
	@touch $@

$(LOWEST)/.installed: pyproject.toml
	@echo "installing the lowest dependencies into $(LOWEST)"
	@$(PYTHON) -m venv $(LOWEST)
	@$(LOWEST)/bin/python -m pip install --quiet uv
	@$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python \
	  --resolution lowest-direct --editable ".[cli]" --group test
	@touch $@
