# `make demo` for a first look, `make test` for everything CI does, `make dev` for the Dagster UI.
# Needs Python 3.11 or newer, git and make; the rest is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DEV_EXTRAS := [ml,postgres,dev]

# uv installs in seconds what pip installs in minutes, and finds wheels where pip's find-links points. Where uv can't be
# had or can't reach what pip can, pip does it. Byte code is compiled at once, as pip does: otherwise each process of a
# run may compile Dagster again, which takes seconds.
INSTALL = { $(BIN)/uv --version >/dev/null 2>&1 || $(BIN)/pip install --quiet uv; } && \
	UV_FIND_LINKS="$$PIP_FIND_LINKS" $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python -c constraints.txt -e '.$(1)' || \
	$(BIN)/pip install --quiet -c constraints.txt -e '.$(1)'

# A file of tests to each of two processes: those with a service spend half of their time waiting for it. In the order of
# collection (slow files first), or the files that take longest would come last.
# When one of them dies, the other would wait for its tests for ever: then the session ends instead.
PARALLEL := --numprocesses 2 --dist loadfile --no-loadscope-reorder --max-worker-restart 0

# With two processes on two cores, a second thread of a numerical library only waits for the first.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

# Temporary folders of tests in memory, where there is room: Dagster's SQLite waits for the disk thousands of times.
IN_MEMORY := $(shell df --output=avail -BG /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 + 0 >= 6 {print "PYTEST_DEBUG_TEMPROOT=/dev/shm"}')

# Images of containers often set it; our tests start hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo dev test test-fast test-wide lint format types docs bench clean help

help:
	@echo "make demo       the sample stream, from the inbox to highlights"
	@echo "make dev        the Dagster UI and the daemon that watches the inbox"
	@echo "make test       lint, format check, types and all tests"
	@echo "make test-fast  the same without the slow tests"
	@echo "make test-wide  the wide variants of some tests, too"
	@echo "make docs       rewrite docs/data_dictionary.md"
	@echo "make bench      the figures in docs/figures.md"
	@echo "make clean      remove .venv and caches (never data/)"

$(VENV)/pyvenv.cfg:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Klip needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: $(VENV)/pyvenv.cfg pyproject.toml constraints.txt
	@echo "Installing Klip (a minute or so) ..."
	@$(call INSTALL,)
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "Installing what the tests need, torch included (some minutes) ..."
	@$(call INSTALL,$(DEV_EXTRAS))
	@touch $@

demo: $(VENV)/.base
	@$(BIN)/klip demo

dev: $(VENV)/.base
	@$(BIN)/klip dev

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/vulture

format: $(VENV)/.dev
	$(BIN)/ruff format .

types: $(VENV)/.dev
	$(BIN)/mypy

test: lint types
	$(BIN)/ruff format --check .
	$(IN_MEMORY) $(ONE_THREAD) $(BIN)/python -m pytest $(PARALLEL)

test-fast: lint types
	$(BIN)/ruff format --check .
	$(IN_MEMORY) $(ONE_THREAD) $(BIN)/python -m pytest $(PARALLEL) -m "not slow" --hypothesis-profile=fast

test-wide: export KLIP_TESTS_WIDE := 1
test-wide: test

docs: $(VENV)/.dev
	$(BIN)/python scripts/write_data_dictionary.py

bench: $(VENV)/.dev
	$(BIN)/python benchmarks/planted_moments.py
	$(BIN)/python benchmarks/code_location.py
	$(BIN)/python benchmarks/unknown_files.py
	$(BIN)/python benchmarks/decode_speed.py
	$(BIN)/python benchmarks/audio_speed.py
	$(BIN)/python benchmarks/voice.py
	$(BIN)/python benchmarks/recognizer.py
	$(BIN)/python benchmarks/shout.py
	$(BIN)/python benchmarks/caption_readers.py
	$(BIN)/python benchmarks/tweet_ingest.py
	$(BIN)/python benchmarks/marts_speed.py
	$(BIN)/python benchmarks/llm_throughput.py
	$(BIN)/python benchmarks/text_models.py

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .import_linter_cache .pytest_cache .hypothesis build dist *.egg-info
