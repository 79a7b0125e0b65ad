# Checks of the Rust side that take a build of their own, and are therefore not part of `make test`.
.PHONY: test-loom fuzz

test-loom: ## Every interleaving of the scheduler's locks, by loom's model checker
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR="$(TARGET)/loom" $(CARGO) test --locked --lib --no-default-features loom_tests

fuzz: setup ## Fuzz the C ABI and model files for a minute each (nightly Rust and cargo-fuzz)
	cd fuzz && SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}" $(CARGO) +nightly fuzz run abi -- -max_total_time=60
	cd fuzz && SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}" $(CARGO) +nightly fuzz run model -- -max_total_time=60
