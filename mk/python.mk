# Python: the wheel and its tests, and the README's examples. SMOOTHTOPK_LIB_DIR names the folder of the built library and program;
# without it, both are built, in release.

PY_VENV := .venv/python
PY_BIN := $(PY_VENV)/bin/python
PY_DIR := bindings/python
PY_TARGET := $(or $(CARGO_TARGET_DIR),target)
PY_LIB_DIR = $(abspath $(or $(SMOOTHTOPK_LIB_DIR),$(PY_TARGET)/release))
PY_WHEELS := $(PY_TARGET)/wheels
PY_SOURCES := $(PY_DIR) examples/python tests/readme tests/cross tests/cluster tests/ray tests/openvino benches/peers benches/arithmetic benches/cluster

# Pages whose programs are run; those of docs/models.md need the frameworks (make test-exports).
README_PAGES = README.md $(filter-out docs/models.md,$(wildcard docs/*.md)) bindings/go/README.md bindings/python/README.md

.PHONY: wheel test-python test-readme bench-python python-installed

$(PY_VENV)/ready: $(PY_DIR)/requirements-test.txt
	$(fresh_venv)

wheel: $(PY_VENV)/ready ## Build the Python wheel
	$(if $(SMOOTHTOPK_LIB_DIR),,$(CARGO) build --locked --release --lib --bin smoothtopk)
	rm -rf $(PY_WHEELS)
	SMOOTHTOPK_LIB_DIR="$(PY_LIB_DIR)" $(PY_BIN) -m build --wheel --no-isolation --outdir $(PY_WHEELS) $(PY_DIR) >$(PY_VENV)/build.log 2>&1 \
		|| { cat $(PY_VENV)/build.log >&2; exit 1; }
	@ls $(PY_WHEELS)/*.whl

python-installed: wheel
	$(PY_BIN) -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(PY_WHEELS)/*.whl

test-python: python-installed ## Test the Python wheel
	$(PY_VENV)/bin/ruff check --quiet --config $(PY_DIR)/pyproject.toml $(PY_SOURCES)
	$(PY_VENV)/bin/ruff format --quiet --check --config $(PY_DIR)/pyproject.toml $(PY_SOURCES)
	$(PY_VENV)/bin/ruff check --quiet scripts
	$(PY_VENV)/bin/ruff format --quiet --check scripts
	SMOOTHTOPK_WHEELS="$(abspath $(PY_WHEELS))" $(PY_BIN) -m pytest --quiet $(PY_DIR)

test-readme: python-installed ## Run the programs of the README and of docs as printed
	$(PY_BIN) -m pytest --quiet tests/readme
	SMOOTHTOPK_LIB_DIR="$(PY_LIB_DIR)" $(PY_BIN) tests/readme/run_readme.py $(README_PAGES)

bench-python: python-installed ## Measure what a call from Python costs over one from C
	$(PY_BIN) $(PY_DIR)/bench_overhead.py
