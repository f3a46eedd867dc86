# `make demo` and `make test` set up all that they need in .venv and nothing outside of it.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
PLUGINS = $(wildcard plugins/domctx-plugin-*)
PROJECTS = pyproject.toml $(PLUGINS:=/pyproject.toml)
SOURCES = domctx_core $(PLUGINS:=/src)

.PHONY: demo test test-all lint format bench docs screenshots dist clean

$(VENV)/.ready: $(PROJECTS)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "domctx needs Python 3.11 or newer; say which with make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev -e . $(PLUGINS:%=-e %)
	touch $@

demo: $(VENV)/.ready
	@PATH="$(abspath $(BIN)):$$PATH" $(BIN)/python examples/demo.py

test: $(VENV)/.ready
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(VENV)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy $(SOURCES)

# Each Python that the machine has, pyenv's too, gets an environment of its own.
test-all:
	@for minor in 11 12 13; do \
	    python=$$(python3.$$minor -c 'import sys; print(sys.executable)' 2>/dev/null \
	        || ls -d "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.$$minor.*/bin/python 2>/dev/null | tail -n 1); \
	    if [ -n "$$python" ]; then \
	        echo "== Python 3.$$minor: $$python"; \
	        $(MAKE) --no-print-directory test PYTHON=$$python VENV=.venv-3.$$minor || exit 1; \
	    else \
	        echo "== Python 3.$$minor: not on this machine"; \
	    fi; \
	done

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The figures of docs/reference/benchmarks.md, and its plots, on this machine.
bench: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group bench
	$(BIN)/python -m benchmarks --write

# The site, in dist/docs; a warning is an error. All pages (-a): each has the list of them.
docs: $(VENV)/.ready
	$(BIN)/sphinx-build -a -W --keep-going -q -b html docs dist/docs

# The pictures of the README; needs Chromium.
screenshots: $(VENV)/.ready
	$(BIN)/python docs/make_screenshots.py

dist: $(VENV)/.ready
	rm -rf dist/*.whl dist/*.tar.gz
	for project in . $(PLUGINS); do $(BIN)/python -m build --outdir dist $$project || exit 1; done

clean:
	rm -rf .venv .venv-* dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
