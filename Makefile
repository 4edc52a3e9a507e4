# `make demo` and `make test` are all a newcomer needs: Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test soak versions newest check install browser lock bench load clean

demo: install
	$(BIN)/reviewkit demo

test: check browser
	$(BIN)/python tests/whole.py

# Long storms, each of them bounded; one after the other, because they measure what a machine can take.
soak: browser
	$(BIN)/pytest -m soak tests/soak

# The quick part of the suite, and one page in a browser, on every Python from 3.11 to 3.13 that is found here.
versions: browser
	$(BIN)/python tests/elsewhere.py versions

# What we assume of other people's releases, tried on the newest of them: no lock, no upper bounds.
newest: browser
	$(BIN)/python tests/elsewhere.py newest

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

install: $(STAMP)

$(STAMP): requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("reviewkit needs Python 3.11 or newer; name one with: make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $(STAMP)

# The tests drive a browser: one that is installed, else playwright's own, else the system's package.
browser: install
	$(BIN)/python tests/browser.py

lock: install
	$(BIN)/uv pip compile pyproject.toml --extra postgresql --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements.txt
	$(BIN)/uv pip compile pyproject.toml --extra postgresql --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements-dev.txt

# The peers have an environment of their own: nothing of theirs gets into the product's.
bench: browser
	test -x .bench/bin/panel || { $(PYTHON) -m venv .bench && .bench/bin/pip install --quiet voila ipywidgets ipykernel panel streamlit reader; }
	$(BIN)/python benchmarks/pages.py --peers .bench/bin

# Many people at once, without a browser: sign-ins, opens, a thousand open pages.
load: install
	$(BIN)/python benchmarks/load.py

clean:
	rm -rf $(VENV) .elsewhere build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
