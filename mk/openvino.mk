# OpenVINO's provider, from Intel's build of ONNX Runtime: the one provider beside the processor's that needs no device.
# OPENVINO_ROUNDS, OPENVINO_MODELS: rounds and models of bench-openvino; the models of SMOOTHTOPK_SHARED without.

OPENVINO_ORT := .deps/onnxruntime-openvino
OPENVINO_ROUNDS ?= 7
OPENVINO_MODELS ?= $(wildcard $(SHARED)/models/*.onnx)

.PHONY: test-openvino bench-openvino

test-openvino: setup ## Run, resume and verify with OpenVINO's provider, in float32 and bfloat16 (Linux on x86-64, PyPI)
	$(PYTHON) scripts/get_onnxruntime_openvino.py
	$(CARGO) build --locked --bin smoothtopk
	SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}" $(PYTHON) tests/openvino/run.py \
		"$(TARGET)/debug/smoothtopk" "$(OPENVINO_ORT)" "$(TARGET)/test-openvino"

bench-openvino: setup ## Measure OpenVINO's provider beside the processor's
	$(PYTHON) scripts/get_onnxruntime_openvino.py
	$(CARGO) build --release --locked --bin smoothtopk
	SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}" $(PYTHON) benches/openvino/rows.py \
		"$(TARGET)/release/smoothtopk" "$(OPENVINO_ORT)" --shared "$(SHARED)" --rounds $(OPENVINO_ROUNDS) $(OPENVINO_MODELS)
