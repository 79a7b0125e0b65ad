# The same work done by what a user would pick instead, measured beside ours (benches/peers/README.md).
#
#   PEERS_SECONDS, PEERS_ROUNDS  length and number of each peer's slices: PEERS_SECONDS=0.3 PEERS_ROUNDS=3 is a short run
#   PEERS_PARTS, PEERS_MODELS    what to measure: smoothing noise certificates; digits_mlp resnet20 efficientnet_lite0
#   PEERS_THREADS                threads of everything that smooths; unset: one per usable core

PEERS_VENV := .venv/peers
PEERS_BIN := $(PEERS_VENV)/bin/python
PEERS_DIR := benches/peers
# PyTorch last: it is installed without all that it lists, which pip complains of whenever it installs anything after it.
PEERS_INSTALLS := onnxruntime statsmodels art torch
export PEERS_SECONDS PEERS_ROUNDS PEERS_PARTS PEERS_MODELS PEERS_THREADS

.PHONY: bench-peers

$(PEERS_VENV)/ready: $(wildcard $(PEERS_DIR)/install/*)
	$(PYTHON) -m venv $(PEERS_VENV)
	@for peer in $(PEERS_INSTALLS); do \
		echo "make: installing $$peer into $(PEERS_VENV)"; sh $(PEERS_DIR)/install/$$peer.sh $(PEERS_VENV); done
	touch $@

# Ours is driven as it is shipped: by the wheel, around the release library, on the ONNX Runtime that the plain loop uses.
bench-peers: $(PEERS_VENV)/ready ## Measure smoothtopk beside its peers (2 GB of downloads the first time, half an hour)
	$(CARGO) build --release --locked --lib --bin smoothtopk
	$(CARGO) build --release --locked --example peers_noise
	$(MAKE) --no-print-directory wheel SMOOTHTOPK_LIB_DIR="$(abspath $(TARGET))/release"
	$(PEERS_BIN) -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall $(PY_WHEELS)/*.whl
	env -u SMOOTHTOPK_ONNXRUNTIME -u ORT_DYLIB_PATH -u SMOOTHTOPK_LIBRARY PYTHONPATH=benches \
		$(PEERS_BIN) -m peers --noise-worker "$(abspath $(TARGET))/release/examples/peers_noise"
