# Every target does its own set-up in .venv; "make help" lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
export PATH := $(abspath $(BIN)):$(PATH)
export PYTHONDONTWRITEBYTECODE :=
RECORDED := $(or $(ASR_WIRE),../shared/wire)
export ANSIBLE_HOME ?= $(abspath .cache/ansible)

.DEFAULT_GOAL := help
.PHONY: help setup rehearse down test lint unit boundary contract scenarios molecule docs faults fault-tests bench bench-lab bench-hosts clean

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with everything that is needed

$(READY): requirements.txt constraints.txt requirements.yml pyproject.toml scripts/get_collections.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "asr-migrate needs Python 3.11 or newer (set PYTHON=...)")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt -c constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	$(BIN)/python scripts/get_collections.py
	@touch $@

rehearse: $(READY) ## migrate the lab's two waves from EC2 to Azure, on this machine
	$(BIN)/asr-migrate rehearse

down: $(READY) ## stop the lab that "make rehearse" left running
	$(BIN)/asr-migrate lab down

test: $(READY) ## everything that CI runs, three targets at a time (JOBS=1 for one after the other)
	+$(MAKE) --no-print-directory --jobs=$(or $(JOBS),3) lint scenarios boundary unit molecule fault-tests contract

lint: $(READY) ## ruff, mypy --strict, import contracts, ansible-lint, yamllint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict .
	$(BIN)/ansible-lint --offline --strict

unit: $(READY) ## unit tests
	$(BIN)/pytest tests/unit --ignore=tests/unit/boundary

boundary: $(READY) ## modules and playbooks as whole processes, which mostly wait
	$(BIN)/pytest tests/unit/boundary

contract: $(READY) ## the lab and the adapters against recorded exchanges (skipped where there are none)
	$(BIN)/pytest tests/contract -rA
	@if test -d "$(RECORDED)"; then $(BIN)/python -m asr_lab.contract "$(RECORDED)"; fi

scenarios: $(READY) ## one story a file, and the rehearsal itself
	$(BIN)/pytest tests/scenarios --durations=15

fault-tests: $(READY) ## killed runs (KILLS=30), faulty answers, two runs at once, a machine that fails at each stage
	KILLS=$(or $(KILLS),30) $(BIN)/pytest tests/faults -s --durations=10

faults: $(READY) ## kill 300 runs of whole waves at random moments (KILLS=, SEED= for one story) and judge each wave
	$(BIN)/python -m tests.faults --kills $(or $(KILLS),300) $(if $(SEED),--seed $(SEED))

molecule: $(READY) ## every role against the lab: converged twice, broken, mended, put back (ROLES= for some)
	scripts/molecule.sh $(ROLES)

bench: $(READY) ## the engine against its targets and two naive ways (15 minutes; ARGS=--quick, ARGS=--write)
	$(BIN)/python tests/bench/bench_engine.py $(ARGS)

bench-lab: $(READY) ## how fast the lab's Azure is with 5,000 protected machines
	$(BIN)/python tests/bench/bench_lab.py

bench-hosts: $(READY) ## preparing a Linux and a Windows host against the same steps as single Ansible tasks (ARGS=--write)
	$(BIN)/python -m tests.bench.bench_hosts $(ARGS)

clean: ## remove what the targets made
	rm -rf $(VENV) .lab .cache reports journal
