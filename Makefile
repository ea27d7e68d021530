# make demo, make test: each does all of its own set-up.
VENV := .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# what is imported is compiled then, most never is, and compiling all takes half of an installation
INSTALL := install --quiet --disable-pip-version-check --no-compile
# the versions that all of it was tested with; `make CONSTRAINTS=` takes the newest that may be
CONSTRAINTS ?= constraints.txt
PINNED := $(addprefix --constraint ,$(CONSTRAINTS))

.PHONY: demo test soak check audit constraints base clean

$(VENV)/.installed: pyproject.toml $(CONSTRAINTS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "swerun needs Python 3.11 or newer; set PYTHON=..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip $(INSTALL) $(PINNED) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/pip $(INSTALL) $(PINNED) --editable '.[dev]'
	@touch $@

base: $(VENV)/.installed
	@$(BIN)/swerun images base --install

# two recorded models, side by side: real containers, real tests, no key, no network
demo: base
	$(BIN)/swerun --model demo/qwen2.5-coder-1.5b --model demo/handwritten --subset sample --fresh --no-cache

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: $(VENV)/.dev base
	$(BIN)/pytest

# known vulnerabilities of what is installed; where nobody can be asked, it says so
audit: $(VENV)/.dev
	$(BIN)/pip $(INSTALL) $(PINNED) --editable '.[dev,audit]'
	$(BIN)/pip-audit --progress-spinner off --skip-editable --format json | $(BIN)/python .ci/audit.py

constraints:
	$(PYTHON) -m venv --clear $(VENV)-new
	$(VENV)-new/bin/pip $(INSTALL) --editable '.[dev,audit]'
	$(VENV)-new/bin/pip freeze --exclude-editable >constraints.txt
	rm -rf $(VENV)-new

# runs that are killed fifty times, at random moments; some ten minutes
soak: $(VENV)/.dev base
	$(BIN)/python -m tests.cli.soak

clean:
	rm -rf $(VENV) dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
