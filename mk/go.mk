# The Go binding and what is built on it. Included by the Makefile; needs the shared library and ONNX Runtime.
.PHONY: setup-go test-go bench-go

GO ?= $(shell test -x .deps/go/bin/go && echo $(CURDIR)/.deps/go/bin/go || echo go)
GO_LIB_DIR = $(abspath $(or $(SMOOTHTOPK_LIB_DIR),$(firstword $(dir $(wildcard \
	$(addsuffix /libsmoothtopk.*,$(or $(CARGO_TARGET_DIR),target)/release $(or $(CARGO_TARGET_DIR),target)/debug)))), \
	target/release))
# Modules need nothing from the network; the toolchain is the one chosen here.
GO_ENV = GOTOOLCHAIN=local GOPROXY=off GOFLAGS=-mod=mod GOWORK=off CGO_ENABLED=1 RUST_BACKTRACE=0 \
	SMOOTHTOPK_LIBRARY="$(GO_LIB_DIR)" SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}"
# The library under test has the test hooks ($(STAGED) makes it where it is not given).
GO_HOOKS := -tags smoothtopk_test_hooks
GO_MODULES := bindings/go examples/go examples/go-service

setup-go:
	@command -v "$${CC:-cc}" >/dev/null || command -v gcc >/dev/null || { echo "make: Go needs a C compiler: install gcc" >&2; exit 1; }
	@$(or $(PYTHON),python3) scripts/get_go.py

# The second run of the binding's tests looks for data races, for Go pointers that C keeps (cgocheck2), and collects garbage
# all the time; the third links the library by pkg-config, as installed. -count=1: Go's test cache does not see that the library
# changed.
test-go: GO_LIB_DIR = $(abspath $(TEST_LIB_DIR))
test-go: setup-go $(STAGED) ## Test the Go binding and its examples
	@ls "$(GO_LIB_DIR)"/libsmoothtopk.so "$(GO_LIB_DIR)"/libsmoothtopk.dylib 2>/dev/null | grep -q . || { \
		echo "make: there is no libsmoothtopk in $(GO_LIB_DIR): build it (make build), or set SMOOTHTOPK_LIB_DIR" >&2; exit 1; }
	@unformatted=$$($(dir $(shell $(GO) env GOROOT)/bin/x)gofmt -l $(GO_MODULES)); \
		test -z "$$unformatted" || { echo "make: not as gofmt has it: $$unformatted" >&2; exit 1; }
	set -e; for module in $(GO_MODULES); do (cd $$module; $(GO_ENV) $(GO) vet $(GO_HOOKS) ./...); done
	cd bindings/go; $(GO_ENV) $(GO) test $(GO_HOOKS) -count=1 -timeout 120s ./...
	cd bindings/go; $(GO_ENV) GOEXPERIMENT=cgocheck2 GOGC=1 $(GO) test $(GO_HOOKS) -count=1 -timeout 120s -race ./...
	@if command -v "$${PKG_CONFIG:-pkg-config}" >/dev/null; then \
		echo "cd bindings/go; go test -tags smoothtopk_link -run 'Golden|Open' ."; \
		cd bindings/go; PKG_CONFIG_PATH="$(abspath $(CPP_STAGE))/lib/pkgconfig" LD_LIBRARY_PATH="$(abspath $(CPP_STAGE))/lib" \
			$(GO_ENV) $(GO) test -count=1 -timeout 120s -tags smoothtopk_link -run 'Golden|Open' .; \
	else echo "make: SKIPPED linking the Go binding by pkg-config: install pkg-config"; test -z "$${CI:-}"; fi
	cd examples/go; $(GO_ENV) $(GO) test -count=1 -timeout 120s ./...
	cd examples/go-service; $(GO_ENV) GOEXPERIMENT=cgocheck2 $(GO) test -count=1 -timeout 120s -race ./...

bench-go: setup-go ## Measure what a call from Go costs over the same call from C
	cd bindings/go; $(GO_ENV) $(GO) test -run '^$$' -bench . ./...
