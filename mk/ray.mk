# Data sets on a Ray cluster of several nodes, all on this machine; Ray comes from PyPI into an environment of its own.

RAY_VENV := .venv/ray
RAY_PYTHON := $(RAY_VENV)/bin/python

.PHONY: test-ray bench-ray ray-installed

$(RAY_VENV)/ready: tests/ray/requirements.txt
	$(fresh_venv)

ray-installed: $(RAY_VENV)/ready python-installed
	$(RAY_PYTHON) -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(PY_WHEELS)/*.whl

test-ray: ray-installed ## Test data sets on a Ray cluster of this machine
	RAY_USAGE_STATS_ENABLED=0 $(RAY_PYTHON) -W ignore -m pytest --quiet tests/ray

bench-ray: ray-installed ## Measure Ray actors against one process
	RAY_USAGE_STATS_ENABLED=0 $(RAY_PYTHON) benches/cluster/ray_actors.py
