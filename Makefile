# Everything a person or CI does here. A fresh clone needs only Python 3.11 or later, and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
SAMPLE := --format html --format junit --format markdown --format json
STAMP  := $(VENV)/installed
READY  := $(VENV)/ready
PYTHONS ?= $(PYTHON)
# What starts hundreds of processes should not compile everything in each.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: conformance test lint types unit soak seeds pages prove bench bench-peers spec-lint sample dist docs lock clean

conformance: $(READY)  ## Judge the embedded reference server and write reports/reference
	@$(BIN)/genstore-conformance run

test: lint types unit  ## Everything about the suite itself

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

unit: $(STAMP)  # more workers than cores, since hostile servers keep some of them waiting
	$(BIN)/python -m pytest -n 4 --dist worksteal -m 'not browser'

soak: $(STAMP)  ## The reference against malformed requests, crowds and crashes for longer: SOAK seconds each
	SOAK=$${SOAK:-30} $(BIN)/python -m pytest tests/hostile/test_reference.py

seeds: $(STAMP)  ## Judge honest servers by requests drawn from many seeds: SEEDS of them
	SEEDS=$${SEEDS:-200} $(BIN)/python -m pytest -n 2 tests/test_seeds.py

pages: $(STAMP)  ## The report in a real browser (needs node, and Debian's chromium or a Chrome)
	npm ci --silent --prefix tests/report
	$(BIN)/python -m pytest -m browser tests/report

prove: $(STAMP)  ## Judge every faulty and every honest server of the shelf: reports/proof
	$(BIN)/genstore-conformance prove --publish spec/proof.json

bench: $(STAMP)  ## Where the time of a run goes, and what its requests cost without a suite
	@$(BIN)/python -m tests.bench

bench-peers: $(STAMP)  ## Faults killed by the generated checks, by the others, and by a plain st run (slow)
	@$(BIN)/python -m tests.bench_peers

spec-lint:  ## Redocly's and Spectral's recommended rules on spec/openapi.yaml (needs node)
	cd spec/lint && npm ci --silent && npm run --silent lint

sample: $(STAMP)  ## Make the committed sample reports again, and their picture (needs Debian's chromium)
	$(BIN)/genstore-conformance run reference --out reports/sample/conformant $(SAMPLE)
	$(BIN)/genstore-conformance run fault:revives-canceled --out reports/sample/faulty $(SAMPLE); test $$? = 1
	chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=1280,1180 \
	  --screenshot=reports/sample/report.png "file://$(CURDIR)/reports/sample/faulty/report.html" 2> /dev/null

dist: $(STAMP)  ## Build the wheel and try it in a clean environment: make dist PYTHONS="python3.11 python3.13"
	rm -rf dist
	$(BIN)/hatchling build -d dist
	ci/try-wheel dist/*.whl $(PYTHONS)

docs: $(STAMP)  ## Make docs/reference.md and docs/requirements.md again
	$(BIN)/python docs/generate.py

lock: $(STAMP)  ## Resolve requirements.lock, and ci/requirements.lock without what only developers need, again from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-header -q -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 -c requirements.lock \
	  --generate-hashes --no-header -q -o ci/requirements.lock

# What a run needs, and no more: a first report should not wait for linters and browsers.
$(READY): pyproject.toml ci/requirements.lock
	@echo "installing into $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r ci/requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps -e .
	@touch $(READY)

$(STAMP): $(READY) requirements.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $(STAMP)

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .hypothesis
