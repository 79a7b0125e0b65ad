# Checks of the Rust side that take long or a build of their own, and are therefore not part of `make test`.
.PHONY: test-loom test-verify fuzz

test-loom: ## Every interleaving of the scheduler's locks, by loom's model checker
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR="$(TARGET)/loom" $(CARGO) test --locked --package smoothtopk --lib --no-default-features loom_tests

test-verify: setup ## verify finds the false certificates of a falsified RUN, and none in the RUN itself
	$(CARGO) build --locked $(HOOKS) --bin smoothtopk
	SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}" sh tests/verify/run.sh \
		"$(TARGET)/debug/smoothtopk" "$(PYTHON)" "$(TARGET)/test-verify"

fuzz: setup ## Fuzz the C ABI and model files for a minute each (nightly Rust and cargo-fuzz)
	cd fuzz && SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}" $(CARGO) +nightly fuzz run abi -- -max_total_time=60
	cd fuzz && SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}" $(CARGO) +nightly fuzz run model -- -max_total_time=60
