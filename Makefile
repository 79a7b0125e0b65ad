# One command for each thing to do: `make help` lists them. Needs Rust, Python 3 with pip, and make.

CARGO ?= cargo
PYTHON ?= python3
TARGET := $(or $(CARGO_TARGET_DIR),target)
SMOOTHTOPK := $(TARGET)/release/smoothtopk
DEMO_OUT := demo-out

# What is built outside of the tree does not find what `make setup` fetched into it.
OUR_ONNXRUNTIME := $(CURDIR)/.deps/onnxruntime
ifdef CARGO_TARGET_DIR
export SMOOTHTOPK_ONNXRUNTIME := $(or $(SMOOTHTOPK_ONNXRUNTIME),$(OUR_ONNXRUNTIME))
endif

# Recipes stop at the first command that fails.
SHELL := /bin/sh
.SHELLFLAGS := -euc
.DEFAULT_GOAL := help
# One recipe at a time, but for the suites of the hosts: each waits for little, and their compilers take one core each.
ifndef PARALLEL
.NOTPARALLEL:
endif
.PHONY: help setup build demo test fmt-check lint doc unit-test host-test bench clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Fetch the pinned, checksum-verified ONNX Runtime into .deps, once
	@command -v $(CARGO) >/dev/null || { echo "make: cargo was not found; install Rust from https://rustup.rs" >&2; exit 1; }
	@if test "$${SMOOTHTOPK_ONNXRUNTIME:-$(OUR_ONNXRUNTIME)}" != "$(OUR_ONNXRUNTIME)"; then \
		echo "make: nothing fetched, SMOOTHTOPK_ONNXRUNTIME names $$SMOOTHTOPK_ONNXRUNTIME"; exit 0; fi; \
	command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) was not found; install Python 3, or name it: make PYTHON=..." >&2; exit 1; }; \
	$(PYTHON) scripts/get_onnxruntime.py

build: setup ## Build the library and the command line (release)
	$(CARGO) build --release --locked

demo: build ## Certify 200 digits with the bundled network; print a table, draw a plot
	@echo "Model: demo/digits_mlp_sigma0.25.onnx, trained with noise on scikit-learn's digits (demo/README.md)."
	@echo "Data:  demo/digits_test200.npz, 200 real scans the network has not seen; each gets 10,000 noisy copies."
	$(SMOOTHTOPK) certify --model demo/digits_mlp_sigma0.25.onnx --data demo/digits_test200.npz --input-scale 16 \
		--sigma 0.25 --k 1,2,3 --n 10000 --n0 100 --alpha 0.001 --seed 7 --out $(DEMO_OUT)/run
	$(SMOOTHTOPK) report $(DEMO_OUT)/run --data demo/digits_test200.npz --out $(DEMO_OUT)/report
	@echo "Look at: $(DEMO_OUT)/report/report.html (open it in a browser). Table and plot: $(DEMO_OUT)/report. Counts, radii and what they were made with: $(DEMO_OUT)/run."

# A missing rustfmt or clippy is skipped and said at the end, except in CI, where it is an error.
has = $(shell $(CARGO) $(1) --version >/dev/null 2>&1 && echo yes)
SHARED := $(or $(SMOOTHTOPK_SHARED),../shared)
# Test builds have the exports that only tests call; what is released or installed has not.
HOOKS := --features smoothtopk/test-hooks

test: setup fmt-check lint doc unit-test test-gpu-build host-test ## Pass every check: format, lints, docs, all tests in every language
	@printf 'make test: passed setup'
	@printf '$(if $(call has,fmt),$(comma) format)$(if $(call has,clippy),$(comma) lints), docs, tests in Rust, C, C++, Go and Python.'
	@printf '$(if $(call has,fmt),, SKIPPED the format (rustup component add rustfmt).)'
	@printf '$(if $(call has,clippy),, SKIPPED the lints (rustup component add clippy).)'
	@test -e .venv/gpu/onnxruntime/installed.json || printf ' SKIPPED the checks of the GPU build (Linux on x86-64, PyPI).'
	@test -d "$(SHARED)" || printf ' SKIPPED the tests on the large models and data (SMOOTHTOPK_SHARED names their folder).'
	@echo

fmt-check:
	$(if $(call has,fmt),$(CARGO) fmt --check,$(call missing,rustfmt))

lint:
	$(PYTHON) scripts/check_house.py
	$(PYTHON) scripts/site/assemble.py --check
	$(if $(call has,clippy),$(CARGO) clippy --locked --all-targets $(HOOKS) -- -D warnings,$(call missing,clippy))
	$(if $(call has,clippy),$(CARGO) clippy --locked --package smoothtopk --lib --no-default-features -- -D warnings)

doc:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

# Not by nextest, which is slower: in a process of its own each test compiles the kernels or loads ONNX Runtime again.
# Programs of the documentation run elsewhere, and do not find what `make setup` fetched into the tree.
unit-test: export SMOOTHTOPK_ONNXRUNTIME := $(or $(SMOOTHTOPK_ONNXRUNTIME),$(OUR_ONNXRUNTIME))
unit-test:
	$(CARGO) test --locked $(HOOKS)

# The suites of the hosts use the library of the profile that the Rust tests have built: no second build, and its assertions are on.
HOST_SUITES := test-c test-cpp test-abi test-asan test-valgrind test-cpp-server test-triton test-go test-python test-ray test-readme test-cross

host-test: export SMOOTHTOPK_CACHE = off
host-test:
	$(CARGO) build --locked $(HOOKS) --lib --bin smoothtopk
	$(MAKE) --no-print-directory PARALLEL=yes -j2 --output-sync=target SMOOTHTOPK_LIB_DIR="$(abspath $(TARGET))/debug" $(HOST_SUITES)

bench: setup ## Run the benchmarks
	$(CARGO) bench --locked

clean: ## Remove everything these commands made: target, .deps, .venv, demo-out
	rm -rf .deps .venv $(DEMO_OUT)
	$(CARGO) clean

# An environment of Python's, made anew, with what a list names: of VENV/ready, which needs the list.
define fresh_venv
rm -rf $(@D)
$(PYTHON) -m venv $(@D)
$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
touch $@
endef

include $(wildcard mk/*.mk)

comma := ,
missing = @echo "make: $(1) is missing; get it with: rustup component add $(1)" >&2; test -z "$${CI:-}"
