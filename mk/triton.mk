# The Triton backend: installing it, and its tests on a real tritonserver, which PyPI has for Linux on x86-64.

TRITON_OUT := $(TARGET)/triton
TRITON_VENV := .venv/triton

.PHONY: install-triton test-triton soak-triton bench-triton triton-backend

# $(call triton_build,PREFIX OF THE INSTALLED LIBRARY,BUILD FOLDER,FLAGS)
triton_build = PATH="$(CURDIR)/$(CPP_VENV)/bin:$$PATH"; unset MAKEFLAGS; \
	cmake -G Ninja -S bindings/triton -B "$(2)" -DCMAKE_CXX_FLAGS=$(3) -DCMAKE_PREFIX_PATH="$(abspath $(1))" >/dev/null; \
	cmake --build "$(2)"

install-triton: setup cpp-library $(CPP_VENV)/.stamp ## Install the Triton backend, with library and ONNX Runtime beside it (PREFIX, DESTDIR)
	$(call need,/usr/include/nlohmann/json.hpp,nlohmann-json3-dev)
	@LIBRARY_DIR="$(LIB_DIR)" PREFIX="$(abspath $(TRITON_OUT)/library)" sh mk/install.sh >/dev/null
	@$(call triton_build,$(TRITON_OUT)/library,$(TRITON_OUT)/build,-O2)
	@LIBRARY="$(TRITON_OUT)/library/lib" BUILD="$(TRITON_OUT)/build" TO="$(DESTDIR)$(PREFIX)" sh mk/install_triton.sh

# As install-triton, of the library that the suites test.
triton-backend: setup $(STAGED) $(CPP_VENV)/.stamp
	$(call need,/usr/include/nlohmann/json.hpp,nlohmann-json3-dev)
	@$(call triton_build,$(CPP_STAGE),$(TRITON_OUT)/test-build,-O1)
	@unset MAKEFLAGS; $(CPP_VENV)/bin/cmake --build $(TRITON_OUT)/test-build --target test_devices && $(TRITON_OUT)/test-build/test_devices
	@LIBRARY="$(CPP_STAGE)/lib" BUILD="$(TRITON_OUT)/test-build" TO="$(TRITON_OUT)/stage" sh mk/install_triton.sh >/dev/null

# The server comes without the packages that only its Python side needs.
$(TRITON_VENV)/.stamp: bindings/triton/tests/requirements.txt
	@$(PYTHON) -m venv $(TRITON_VENV)
	@$(TRITON_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@$(TRITON_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps nvidia-pytriton==0.7.0
	@touch $@

# Why the server cannot run here; empty where it can.
TRITON_MISSING := $(shell test "$$(uname -sm)" = "Linux x86_64" || { echo "the server is for Linux on x86-64"; exit; }; \
	printf 'glibc 2.34\n%s\n' "$$(getconf GNU_LIBC_VERSION)" | sort -CV || echo "the server needs glibc 2.34")
TRITON_NEEDS := $(if $(TRITON_MISSING),,triton-backend $(TRITON_VENV)/.stamp)
triton_run = $(if $(TRITON_MISSING),echo "make: SKIPPED $@: $(TRITON_MISSING)" >&2,$(CPP_ENV) $(TRITON_VENV)/bin/python $(1) $(TRITON_OUT)/stage/backends)

test-triton: $(TRITON_NEEDS) ## The Triton backend on a real tritonserver: HTTP, gRPC, streams, and each danger that is known
	@$(call triton_run,bindings/triton/tests/test_backend.py)

MINUTES ?= 2
soak-triton: $(TRITON_NEEDS) ## Ten times the load, slow clients, disconnects, reloads and shutdown on Triton, for MINUTES (2)
	@$(call triton_run,bindings/triton/tests/soak.py --minutes $(MINUTES))

# Of the release library.
bench-triton: cpp-library $(TRITON_VENV)/.stamp ## Requests a second through Triton, against in-process and blocking, in one run
	$(call need,h2load,nghttp2-client)
	@$(MAKE) --no-print-directory install-triton PREFIX="$(abspath $(TRITON_OUT))/release"
	$(CXX) -std=c++17 $(STRICT) -O2 bindings/triton/tests/in_process.cpp -I$(TRITON_OUT)/library/include -L$(TRITON_OUT)/library/lib \
		-Wl,-rpath,$(abspath $(TRITON_OUT))/library/lib -lsmoothtopk -o $(TRITON_OUT)/in_process
	$(CPP_ENV) $(TRITON_VENV)/bin/python bindings/triton/tests/bench.py $(TRITON_OUT)/release/backends $(TRITON_OUT)/in_process
