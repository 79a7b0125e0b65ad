# OpenVINO's provider, from Intel's build of ONNX Runtime: the one provider beside the processor's that needs no device.

OPENVINO_ORT := .deps/onnxruntime-openvino

.PHONY: test-openvino

test-openvino: setup ## Run, resume and verify with OpenVINO's provider, in float32 and bfloat16 (Linux on x86-64, PyPI)
	$(PYTHON) scripts/get_onnxruntime_openvino.py
	$(CARGO) build --locked $(HOOKS) --bin smoothtopk
	SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}" $(PYTHON) tests/openvino/run.py \
		"$(TARGET)/debug/smoothtopk" "$(OPENVINO_ORT)" "$(TARGET)/test-openvino"
