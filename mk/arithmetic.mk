# The same models in cheaper arithmetic: int8 by the processor's own provider, bfloat16 by OpenVINO's. Each is another base
# classifier, with certificates of its own. Linux on x86-64.
#
#   ARITHMETIC_ROUNDS, ARITHMETIC_MODELS  rounds and models; without, seven, and the models of SMOOTHTOPK_SHARED

ARITHMETIC_VENV := .venv/arithmetic
ARITHMETIC_ROUNDS ?= 7
ARITHMETIC_MODELS ?= $(wildcard $(SHARED)/models/*.onnx)

.PHONY: bench-arithmetic

$(ARITHMETIC_VENV)/ready: benches/arithmetic/requirements.txt
	$(fresh_venv)

bench-arithmetic: setup $(ARITHMETIC_VENV)/ready ## Measure float32, int8 and bfloat16 beside each other
	$(PYTHON) scripts/get_onnxruntime_openvino.py
	$(CARGO) build --release --locked --bin smoothtopk
	SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}" $(ARITHMETIC_VENV)/bin/python \
		benches/arithmetic/rows.py "$(TARGET)/release/smoothtopk" "$(OPENVINO_ORT)" --shared "$(SHARED)" \
		--out "$(TARGET)/arithmetic" --rounds $(ARITHMETIC_ROUNDS) $(ARITHMETIC_MODELS)
