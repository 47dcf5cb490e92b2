# The two commands of the README, and what they are made of.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: simulate test checks test-arm64 test-loop test-mutations lint types imports unit report bench validate docs clean

simulate: $(VENV)/.installed
	@$(BIN)/vsim simulate

# The checks side by side, and then the tests: what they time is to have the machine to itself.
test:
	@$(MAKE) checks
	@$(MAKE) unit

checks:
	@$(MAKE) --jobs 2 lint types imports docs

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@ $(VENV)/.installed

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

imports: $(VENV)/.installed-dev
	$(BIN)/lint-imports --no-cache

# Every test is in one of the two: those on all processors, and then those beside which nothing may run.
unit: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -m "not alone" --numprocesses logical --dist loadfile --no-loadscope-reorder --benchmark-disable
	$(BIN)/python -m pytest -m alone

# Slow, and as root: a Debian guest for AArch64 under full emulation. Ten minutes the first time, three after that.
test-arm64: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/arm64/guest.py

# A minute, on a host that does nothing else: measure, calibrate and predict in small sizes. `validate` does it in full.
test-loop: $(VENV)/.installed-dev
	$(BIN)/python -m pytest tests/integration/validate_loop.py

# Ten minutes: 10,000 mutated compose files and as many Dockerfiles, where `make test` tries some hundred.
test-mutations: $(VENV)/.installed-dev
	VSIM_MUTATIONS=10000 $(BIN)/python -m pytest tests/scenario/compose/test_mutations.py \
		tests/scenario/dockerfile/test_mutations.py

# What `make report` draws: scenarios, samples of a real host, layers of images, timed pulls (of another), a validation.
SAMPLES := benchmarks/results/2026-11-24-second-virtual-machine
PULLS := benchmarks/results/2026-11-24-virtual-machine-2-cores/pulls.json
GALLERY := evolution same-hardware reports/scenarios/load.yaml reports/scenarios/raspberry.yaml \
	$(SAMPLES)/levels.jsonl.gz $(SAMPLES)/run-3.jsonl.gz $(SAMPLES)/run-4.jsonl.gz \
	reports/scenarios/images.yaml $(PULLS) benchmarks/results/validation.json

# The gallery in reports/gallery. A test compares it with what is committed.
report: $(VENV)/.installed-dev
	@$(BIN)/vsim report $(GALLERY) --format svg --out reports/gallery

bench: $(VENV)/.installed-dev
	$(BIN)/python -m pytest benchmarks

# As root, on a host that does nothing else: measures, calibrates on a part and predicts the rest. A quarter of an hour.
validate: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.validate

# What the start-up times with one and ten starts at a time predict for 50 and 100; needs the reference data.
blind: $(VENV)/.installed-dev
	@$(BIN)/python -m tests.validation.nsdi2020_blind

docs: $(VENV)/.installed-dev
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

clean:
	rm -rf $(VENV) docs/_build dist build
