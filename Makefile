# Huike's commands. Each does its own set-up; nothing needs a server of yours.
SHELL := /bin/bash
PY := .venv/bin/python
EMBEDDED := $(PY) -m deploy.local.embedded
export SECRET_KEY ?= only-for-checks-and-tests-on-this-machine-0123456789-abcdefghijklmnop
SIDE_BY_SIDE := -n logical --maxprocesses 4
CODE := manage.py crm customers analytics campaigns deploy benchmarks tests

.PHONY: help demo stop test test-full lint fmt messages openapi backup restore screenshot bench backtest

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s "$$(printf '\t')"

demo:  ## Start the product with real orders; Ctrl-C stops everything
	@deploy/local/setup.sh demo
	@env -u SECRET_KEY $(PY) -m deploy.local.demo

stop:  ## Stop embedded servers that a killed demo left behind
	@$(EMBEDDED) stop

test:  ## Run the tests on a Postgres and a broker of their own
	@deploy/local/setup.sh test
	@$(EMBEDDED) run --ephemeral -- $(PY) -m pytest -q $(SIDE_BY_SIDE) -m "not slow"

test-full:  ## Run also what takes long
	@deploy/local/setup.sh test
	@$(EMBEDDED) run --ephemeral -- $(PY) -m pytest -q $(SIDE_BY_SIDE)

lint:  ## Check style, imports, types, migrations, catalogues and the API description
	@deploy/local/setup.sh test
	.venv/bin/ruff check $(CODE)
	.venv/bin/ruff format --check $(CODE)
	.venv/bin/lint-imports --no-cache
	@$(EMBEDDED) run --ephemeral -- deploy/local/lint.sh

bench:  ## Measure beside peers; docs/benchmarks.md has the figures
	@deploy/local/setup.sh test
	@$(EMBEDDED) run --ephemeral -- $(PY) -m benchmarks.import_orders
	@$(EMBEDDED) run --ephemeral -- $(PY) -m benchmarks.import_presets
	@$(EMBEDDED) run --ephemeral -- $(PY) -m benchmarks.simulate_shop
	@$(PY) -m benchmarks.clv_chain
	@$(EMBEDDED) run --ephemeral -- $(PY) -m benchmarks.nightly

backtest:  ## Write docs/backtests.md and docs/known-truth.md: how well the scores foretell
	@deploy/local/setup.sh test
	@$(PY) -m benchmarks.backtests
	@$(PY) -m benchmarks.known_truth

fmt:  ## Format the code
	.venv/bin/ruff check --fix $(CODE)
	.venv/bin/ruff format $(CODE)

messages:  ## Collect and compile the Chinese texts
	@deploy/local/setup.sh test
	@$(EMBEDDED) run --ephemeral -- $(PY) manage.py makemessages -l zh_Hans
	@msgfmt --check --statistics -o locale/zh_Hans/LC_MESSAGES/django.mo locale/zh_Hans/LC_MESSAGES/django.po
	@msgfmt --check -o locale/zh_Hans/LC_MESSAGES/djangojs.mo locale/zh_Hans/LC_MESSAGES/djangojs.po

openapi:  ## Write docs/openapi.yaml from the code
	@$(EMBEDDED) run --ephemeral -- $(PY) manage.py spectacular --validate --fail-on-warn \
		--file docs/openapi.yaml

screenshot:  ## Make the documentation's pictures, or with HUIKE_SCREENSHOTS=folder those of every page and walk
	@deploy/local/setup.sh test
	@HUIKE_SCREENSHOTS=$(or $(HUIKE_SCREENSHOTS),docs/images) $(EMBEDDED) run --ephemeral -- \
		$(PY) -m pytest -q -m "$(if $(HUIKE_SCREENSHOTS),browser,not slow)" \
		tests/browser/test_pictures.py tests/browser/test_walks.py tests/browser_setup

backup:  ## Save database and files to backups/<time>/
	@$(PY) -m deploy.local.backup save

restore:  ## Bring a backup back: make restore FROM=backups/<time> [FORCE=1]
	@$(PY) -m deploy.local.backup restore "$(FROM)" $(if $(FORCE),--force)
