# Everything sets itself up: Python 3.11 with venv, and make, are all that must be there.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.ready
# Airflow stands on .venv, not in it: see docs/decisions/011.
AIRFLOW_STAMP := .venv/airflow/.ready

# Commands are started hundreds of times by the tests; compiled modules save seconds each time.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-long lint check format bench-ingest bench-lake bench-marts bench-pages accuracy screenshots readme lock clean

help: ## This list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(STAMP) ## Make .venv with the locked dependencies

$(STAMP): requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it with: make PYTHON=python3.12 …"; exit 2; }
	@echo "setting up .venv (a minute or two, once)"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

$(AIRFLOW_STAMP): $(STAMP) requirements-airflow.lock .ci/airflow
	@echo "adding Airflow for its tests (half a minute, once)"
	@bash .ci/airflow .venv .venv/airflow
	@touch $(AIRFLOW_STAMP)

demo: $(STAMP) ## A simulated fleet, taken in and served; prints the address and who may sign in
	@$(BIN)/haulwatch demo

test: $(AIRFLOW_STAMP) lint ## Lint, types and every test but the long ones (within 15 minutes)
	@bash .ci/chromium
	@bash .ci/axe .venv/axe
	@bash .ci/tests

test-long: $(AIRFLOW_STAMP) ## The tests that take minutes each
	@bash .ci/chromium
	@$(BIN)/python -m pytest -m long

lint: $(STAMP) ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(STAMP) ## Put the code into shape
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench-ingest: $(STAMP) ## Ingestion against DuckDB, Polars and ClickHouse (25 minutes)
	@$(BIN)/python -m tests.bench.ingest

bench-lake: $(STAMP) ## Merging a day, a unit's day out of a year, the same on S3 (15 minutes)
	@$(BIN)/python -m tests.bench.lake

accuracy: $(STAMP) ## The marts against the simulator's truth; SEEDS=1,2,3 chooses the seeds (10 minutes)
	@$(BIN)/python -m tests.accuracy

bench-marts: $(STAMP) ## Building a day, one more hour of 50 and 500 units (20 minutes)
	@$(BIN)/python -m tests.bench.marts

bench-pages: $(STAMP) ## Pages over 500 units and 30 days: questions, loads, clicks, 50 sessions (25 minutes)
	@bash .ci/chromium
	@$(BIN)/python -m tests.bench.pages

readme: $(STAMP) ## Write the README's and docs' generated tables anew
	@$(BIN)/python -m tests.tables

screenshots: $(STAMP) ## Take the README's screenshots from a demo
	@bash .ci/chromium
	@$(BIN)/python -m tests.browser.screenshots

lock: $(STAMP) ## Resolve the locks anew from pyproject.toml
	@$(BIN)/pip install --quiet uv
	@$(BIN)/uv pip compile pyproject.toml --extra postgres --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-strip-extras --quiet -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-header --no-strip-extras --quiet -o requirements-dev.lock
	@$(BIN)/uv pip compile pyproject.toml --extra airflow --constraint requirements-dev.lock --universal \
		--python-version 3.11 --generate-hashes --no-emit-index-url --no-header --strip-extras --quiet \
		-o requirements-airflow.lock

clean: ## Remove what was set up and made (never the home, var/)
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis test-artefacts
