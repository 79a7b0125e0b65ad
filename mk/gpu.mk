# The GPU path. What needs no GPU is tested by `make test-gpu-build`; `make gpu-bundle` packs what a machine with one needs.
# GPU_ARCH: architectures kept of ONNX Runtime's CUDA build in the bundle, such as 90 (H100) or "80 90"; empty keeps all.
# GPU_SIZE: the bundle's largest size in MiB.

GPU_VENV := .venv/gpu
GPU_PY := $(GPU_VENV)/bin/python
GPU_ORT := $(GPU_VENV)/onnxruntime
GPU_ARCH ?= 90
GPU_SIZE ?= $(if $(GPU_ARCH),96,400)
GPU_OUT := $(TARGET)/gpu-bundle
GPU_MODELS = demo/digits_mlp_sigma0.25.onnx $(wildcard $(SHARED)/models/*.onnx) $(wildcard benches/peers/models/*.onnx)

.PHONY: test-gpu-build check-gpu-build ptx gpu-bundle gpu-check

# NVRTC and ptxas from PyPI: neither needs a GPU.
$(GPU_VENV)/ready: scripts/requirements-gpu-build.txt
	rm -rf $(GPU_VENV)
	$(PYTHON) -m venv $(GPU_VENV)
	$(GPU_PY) -m pip install --quiet --disable-pip-version-check --no-deps --requirement $<
	touch $@

ptx: $(GPU_VENV)/ready ## Compile the GPU kernels to the PTX that is committed
	$(GPU_PY) scripts/make_ptx.py

# The kernels' own tests and those of the device path are part of the unit tests: they need a C++ compiler only. Here
# are the PTX, its assembly for three architectures, and what is said where CUDA's libraries are missing. NVIDIA's
# packages and ONNX Runtime's CUDA build come from PyPI, once. Where they are not here and cannot be had, that is said
# and no error, except in CI.
test-gpu-build: setup ## Check all of the GPU path that needs no GPU
	@if test "$$(uname -sm)" != "Linux x86_64"; then \
		echo "make: SKIPPED the checks of the GPU build: NVRTC, ptxas and ONNX Runtime's CUDA build are fetched for Linux on x86-64" >&2; \
	elif { test -e $(GPU_VENV)/ready && test -e $(GPU_ORT)/installed.json; } || $(PYTHON) -m pip index versions \
		--disable-pip-version-check --retries 1 --timeout 10 nvidia-cuda-nvrtc-cu12 >/dev/null 2>&1; then \
		$(MAKE) --no-print-directory check-gpu-build; \
	else \
		echo "make: SKIPPED the checks of the GPU build: pip cannot reach PyPI for what they need" >&2; test -z "$${CI:-}"; \
	fi

check-gpu-build: $(GPU_VENV)/ready
	$(GPU_PY) scripts/make_ptx.py --check
	$(GPU_PY) scripts/get_onnxruntime_cuda.py $(GPU_ORT)
	SMOOTHTOPK_ONNXRUNTIME_CUDA="$(abspath $(GPU_ORT))" $(CARGO) test --locked $(HOOKS) --test missing_cuda
	SMOOTHTOPK_NVRTC="$$($(GPU_PY) -c 'import nvidia.cu13; print(nvidia.cu13.__path__[0])')/lib" $(CARGO) test --locked $(HOOKS) --lib nvrtc_

gpu-bundle: $(GPU_VENV)/ready ## Pack a folder that checks and measures the GPU path on a machine with neither Rust nor network
	$(CARGO) build --release --locked --bins --lib
	$(GPU_PY) scripts/get_onnxruntime_cuda.py $(GPU_VENV)/onnxruntime-bundle $(if $(GPU_ARCH),--keep $(GPU_ARCH))
	$(GPU_PY) scripts/gpu_bundle.py --target "$(TARGET)" --onnxruntime $(GPU_VENV)/onnxruntime-bundle --out "$(GPU_OUT)" \
		--size $(GPU_SIZE) --models $(GPU_MODELS)

gpu-check: gpu-bundle ## Make the bundle, and check and measure the GPU of this machine by it
	"$(GPU_OUT)/gpu-check"
