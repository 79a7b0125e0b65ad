# The Rust tests on AArch64, under emulation: every SIMD path, golden case and model. Not part of `make test`.
# Debian: apt install g++-aarch64-linux-gnu qemu-user-static binfmt-support (QEMU 10 or later: ONNX Runtime ends an older one by a
# signal), and rustup target add aarch64-unknown-linux-gnu.

A64 := aarch64-unknown-linux-gnu
A64_ORT := .deps/onnxruntime-Linux-aarch64
A64_TEST = CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc QEMU_LD_PREFIX=/usr/aarch64-linux-gnu \
	HOST_CC=cc HOST_CXX=c++ CC=aarch64-linux-gnu-gcc CXX=aarch64-linux-gnu-g++ \
	SMOOTHTOPK_CACHE=off SMOOTHTOPK_ONNXRUNTIME="$(CURDIR)/$(A64_ORT)" $(CARGO) test --locked $(HOOKS) --target $(A64)

# All but the simulations of coverage, which are the same arithmetic many times over, and the tests that read what the program
# prints, where ONNX Runtime warns of the emulator's unknown processor.
.PHONY: test-aarch64

test-aarch64: ## Test on AArch64 under QEMU's emulation (cross compiler and QEMU 10 by hand)
	@command -v aarch64-linux-gnu-g++ >/dev/null || { echo "make: aarch64-linux-gnu-g++ was not found; mk/aarch64.mk says what to install" >&2; exit 1; }
	@test -e /proc/sys/fs/binfmt_misc/qemu-aarch64 || test "$$(uname -m)" = aarch64 \
		|| { echo "make: no emulator is registered for AArch64 programs; mk/aarch64.mk says what to install" >&2; exit 1; }
	$(PYTHON) scripts/get_onnxruntime.py Linux aarch64
	$(A64_TEST) --package smoothtopk --lib --test runtime --test plan
	$(A64_TEST) --package smoothtopk --test library -- --skip coverage:: --skip guarantees:: --skip header::
	$(A64_TEST) --package smoothtopk-cli --test cli radius::
