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
SIMULATED := $(or $(SCHEDULES),20000)
SCHEDULES ?= 2000
SEED ?= 1
OPENSTACK ?= .openstack
BED_SCHEDULES ?= 40
MINUTES ?= 20
CLOUD_ARGS ?=
BENCH_ARGS ?= --output docs/docsite/rst/benchmark
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Ansible refuses to start under a locale that the machine does not have, such as one that ssh brought along.
ifeq ($(shell uname),Linux)
export LC_ALL := C.UTF-8
endif

.DEFAULT_GOAL := help
.PHONY: help demo test matrix gates gates-more sanity lint typecheck build site picture release clean
.PHONY: conformance cloud faults fuzz simulate bench
.PHONY: openstack openstack-down openstack-wipe openstack-status test-openstack batches-openstack

help: ## list the commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do \
	  printf '  make %-16s %s\n' "$$name" "$$text"; done

$(VENV)/ready: tests/gates/make_venv requirements.txt tests/requirements.txt
	@tests/gates/make_venv "$(PYTHON)" "$(VENV)" tests/requirements.txt
	@touch $@

$(VENV)/gates-ready: $(VENV)/ready tests/gates/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement tests/gates/requirements.txt
	@touch $@

$(VENV)/site-ready: $(VENV)/ready docs/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement docs/requirements.txt
	@touch $@

$(VENV)/openstack-ready: $(VENV)/ready tests/openstack/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement tests/openstack/requirements.txt
	@touch $@

$(VENV)/bench-ready: $(VENV)/ready tests/bench/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement tests/bench/requirements.txt
	@touch $@

demo: $(VENV)/ready ## provision ten VMs on a local cloud, show them, do it again, tear down
	@tests/demo/run

test: $(VENV)/ready ## run all tests
	@rm -rf collections
	@$(BIN)/python -m tests.openssh
	@$(BIN)/python -m pytest $(PYTEST_ARGS) tests

fuzz: $(VENV)/ready ## change replies and options at random until you press Ctrl-C: SEED=1
	@seed="$(SEED)"; while NOVA_EC2_FUZZ=500 $(BIN)/python -m pytest -q -p no:cacheprovider \
	  --hypothesis-seed="$$seed" tests/modules/test_fuzz.py; do seed=$$((seed + 1)); echo "SEED=$$seed"; done

matrix: $(VENV)/ready ## run a choice of the tests, and ansible-test, on later ansible-cores and Pythons
	@CELL="$(CELL)" tests/matrix/run

gates: $(VENV)/gates-ready $(VENV)/site-ready ## run the checks, besides the tests, that every change must pass
	@tests/gates/all

gates-more: $(VENV)/gates-ready ## run the checks that take many minutes, or environments of their own
	@tests/gates/all sanity_everywhere molecule importer environment navigator release

sanity: $(VENV)/ready ## ansible-test sanity, without exceptions
	@tests/gates/sanity

lint: $(VENV)/gates-ready ## ruff, yamllint, shellcheck and ansible-lint
	@tests/gates/lint

typecheck: $(VENV)/gates-ready ## mypy on module_utils
	@tests/gates/typecheck

build: $(VENV)/ready ## build the collection's file
	@$(BIN)/ansible-galaxy collection build --force

site: $(VENV)/site-ready ## build the documentation site: open .site/index.html
	@docs/build .site

picture: $(VENV)/ready ## record the README's picture of a terminal, and the guide's of a replacement
	@$(BIN)/python -m tests.picture docs/images/terminal.svg
	@$(BIN)/python -m tests.picture.rolling docs/docsite/rst/images/rolling.svg

release: $(VENV)/gates-ready ## changelog, commit, tag, built and verified file, for you to publish: VERSION=1.0.0
	@ANSIBLE_LOCALHOST_WARNING=false $(BIN)/ansible-playbook tests/release/release.yml -e "release_version=$(VERSION)"

conformance: $(VENV)/ready ## compare the local cloud with recordings: RECORDINGS=folder PROFILE=grizzly
	@$(BIN)/python tests/conformance "$(RECORDINGS)" --profile "$(PROFILE)" --judge $(or $(JUDGE),0) --minimum 95

cloud: $(VENV)/ready ## run a local cloud until you press Ctrl-C: PROFILE=grizzly
	@$(BIN)/python tests/local_cloud --profile "$(PROFILE)" --directory .local-cloud $(CLOUD_ARGS)

faults: $(VENV)/ready ## lose, break and kill what can be: SCHEDULES=2000 SEED=1 PROFILE=all
	@rm -rf collections
	@$(BIN)/python -m tests.faults --schedules "$(SCHEDULES)" --seed "$(SEED)" --profile "$(FAULTS_PROFILE)"

simulate: $(VENV)/ready ## all that can go wrong, simulated: SCHEDULES=20000 or all, SEED=1 PROFILE=all DEVIATIONS=3, REPLAY=line
	@$(BIN)/python -m tests.simulator $(if $(REPLAY),--replay "$(REPLAY)",--schedules "$(SIMULATED)" --seed "$(SEED)" \
	  --profile "$(FAULTS_PROFILE)" $(if $(DEVIATIONS),--deviations "$(DEVIATIONS)"))

bench: $(VENV)/bench-ready ## measure this collection beside amazon.aws, the way of Ansible 2.9, and the least there is
	@$(BIN)/python -m tests.bench $(BENCH_ARGS)

openstack: $(VENV)/openstack-ready ## bring up a real OpenStack with ec2-api on loopback (Debian 12): OPENSTACK=.openstack
	@$(BIN)/python -m tests.openstack up --directory "$(OPENSTACK)"

openstack-down: $(VENV)/ready ## stop that OpenStack
	@$(BIN)/python -m tests.openstack down --directory "$(OPENSTACK)"

openstack-wipe: $(VENV)/ready ## stop that OpenStack and remove its data
	@$(BIN)/python -m tests.openstack wipe --directory "$(OPENSTACK)"

openstack-status: $(VENV)/ready ## show what runs of that OpenStack, and its memory
	@$(BIN)/python -m tests.openstack status --directory "$(OPENSTACK)"

test-openstack: openstack ## run the tests and 40 schedules of faults on that OpenStack: MINUTES=20 at most
	@rm -rf collections
	@$(BIN)/python -m tests.openstack.check tests --bed "$(OPENSTACK)" --schedules "$(BED_SCHEDULES)" \
	  --minutes "$(MINUTES)" $(PYTEST_ARGS)

batches-openstack: openstack ## measure batches of 1, 20, 50 and 100 VMs on that OpenStack
	@rm -rf collections
	@$(BIN)/python -m tests.openstack.check batches --bed "$(OPENSTACK)" --minutes 30 $(PYTEST_ARGS)

clean: openstack-wipe ## remove what make has made
	rm -rf $(VENV) collections tests/output .local-cloud .demo .site nova_ec2-cloud-*.tar.gz
