# The programs in docs/models.md, from each framework's training to a certificate. The frameworks are 2 GB of downloads, so this is
# no part of `make test`, which only reads the programs.

EXPORTS_VENV := .venv/exports
EXPORTS_PY := $(EXPORTS_VENV)/bin/python
EXPORTS_LISTS := benches/peers/install/torch.txt tests/readme/requirements-exports.txt

.PHONY: test-exports

# PyTorch last: it is installed without all that it lists, which pip complains of whenever it installs anything after it.
$(EXPORTS_VENV)/ready: $(EXPORTS_LISTS)
	rm -rf $(EXPORTS_VENV)
	$(PYTHON) -m venv $(EXPORTS_VENV)
	$(EXPORTS_PY) -m pip install --quiet --disable-pip-version-check --requirement tests/readme/requirements-exports.txt
	$(EXPORTS_PY) -m pip install --quiet --disable-pip-version-check --no-deps --requirement benches/peers/install/torch.txt
	touch $@

test-exports: $(EXPORTS_VENV)/ready wheel ## Train, export and certify with each framework, as docs/models.md prints it
	$(EXPORTS_PY) -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(PY_WHEELS)/*.whl
	SMOOTHTOPK_LIB_DIR="$(PY_LIB_DIR)" $(EXPORTS_PY) tests/readme/run_readme.py docs/models.md --only python
