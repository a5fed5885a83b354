# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything is installed into the clone's own .venv. `make help` lists the commands.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One generation unless told otherwise; the faults suite takes all.
FAULTS_PROFILE := $(or $(PROFILE),all)
PROFILE ?= grizzly
RECORDINGS ?= tests/fixtures/wire/nova-2013.1.5
PYTEST_ARGS ?=
SCHEDULES ?= 2000
SEED ?= 1
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Ansible refuses to start under a locale that the machine does not have, such as one that ssh brought along.
ifeq ($(shell uname),Linux)
export LC_ALL := C.UTF-8
endif

.DEFAULT_GOAL := help
.PHONY: help demo test gates sanity lint typecheck build conformance cloud figures faults clean

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	  printf '  make %-12s %s\n' "$$name" "$$text"; done

$(VENV)/ready: tests/gates/make_venv requirements.txt tests/requirements.txt
	@tests/gates/make_venv "$(PYTHON)" "$(VENV)" tests/requirements.txt
	@touch $@

$(VENV)/gates-ready: $(VENV)/ready tests/gates/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement tests/gates/requirements.txt
	@touch $@

demo: $(VENV)/ready ## provision ten VMs on a local cloud, show them, do it again, tear down
	@tests/demo/run

test: $(VENV)/ready ## run all tests
	@rm -rf collections
	@$(BIN)/python -m pytest $(PYTEST_ARGS) tests

gates: $(VENV)/gates-ready ## run every check that is not a test
	@tests/gates/all

sanity: $(VENV)/gates-ready ## ansible-test sanity, without exceptions
	@tests/gates/sanity

lint: $(VENV)/gates-ready ## ruff, yamllint and ansible-lint
	@tests/gates/lint

typecheck: $(VENV)/gates-ready ## mypy on module_utils
	@tests/gates/typecheck

build: $(VENV)/ready ## build the collection's file
	@$(BIN)/ansible-galaxy collection build --force

conformance: $(VENV)/ready ## compare the local cloud with recordings: RECORDINGS=folder PROFILE=grizzly
	@$(BIN)/python tests/conformance "$(RECORDINGS)" --profile "$(PROFILE)" --minimum 95

cloud: $(VENV)/ready ## run a local cloud until you press Ctrl-C: PROFILE=grizzly
	@$(BIN)/python tests/local_cloud --profile "$(PROFILE)" --directory .local-cloud

figures: $(VENV)/ready ## measure requests and processor time of the modules
	@$(BIN)/python tests/figures

faults: $(VENV)/ready ## lose, break and kill what can be: SCHEDULES=2000 SEED=1 PROFILE=all
	@rm -rf collections
	@$(BIN)/python -m tests.faults --schedules "$(SCHEDULES)" --seed "$(SEED)" --profile "$(FAULTS_PROFILE)"

clean: ## remove what make has made
	rm -rf $(VENV) collections tests/output .local-cloud .demo nova_ec2-cloud-*.tar.gz
