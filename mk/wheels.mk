# Wheels for other machines than the one that builds them: Linux on x86-64 and AArch64 with glibc 2.28 or later (2018), as ONNX
# Runtime's own. Needs Rust's libraries for both (rustup target add) and runs on Linux. This machine's own wheel is built first: its program writes the manual pages of all. The library and the program of each lie in target/portable/*/release, for C, C++ and Go hosts there.

WHEELS_VENV := .venv/wheels
WHEELS_PY := $(WHEELS_VENV)/bin/python
WHEELS_GLIBC := 2.28
WHEELS_OUT = $(TARGET)/portable/wheels
WHEELS_PROCESSORS := x86_64 aarch64

.PHONY: wheels $(addprefix wheel-,$(WHEELS_PROCESSORS))

$(WHEELS_VENV)/ready: scripts/requirements-wheels.txt
	$(fresh_venv)

wheels: $(addprefix wheel-,$(WHEELS_PROCESSORS)) ## Build wheels for any Linux with glibc 2.28, x86-64 and AArch64
	@ls $(WHEELS_OUT)/*.whl

# auditwheel reads from the symbols which C library is needed, whatever was asked of the linker.
$(addprefix wheel-,$(WHEELS_PROCESSORS)): wheel-%: $(WHEELS_VENV)/ready
	@test -d "$$(rustc --print target-libdir --target $*-unknown-linux-gnu)" \
		|| { echo "make: Rust has no libraries for $*: rustup target add $*-unknown-linux-gnu" >&2; exit 1; }
	PATH="$(CURDIR)/$(WHEELS_VENV)/bin:$$PATH" CARGO_PROFILE_RELEASE_STRIP=debuginfo CARGO_TARGET_DIR="$(TARGET)/portable" \
		$(CARGO) zigbuild --release --locked --lib --bin smoothtopk --target $*-unknown-linux-gnu.$(WHEELS_GLIBC)
	rm -f $(WHEELS_OUT)/*_$*.whl
	SMOOTHTOPK_LIB_DIR="$(abspath $(TARGET))/portable/$*-unknown-linux-gnu/release" \
	SMOOTHTOPK_RUNS_HERE="$(abspath $(TARGET))/portable/$$(uname -m)-unknown-linux-gnu/release/smoothtopk" \
	SMOOTHTOPK_WHEEL_PLATFORM=manylinux_$(subst .,_,$(WHEELS_GLIBC))_$* \
		$(WHEELS_PY) -m build --wheel --no-isolation --outdir $(WHEELS_OUT) $(PY_DIR)
	found=$$($(WHEELS_PY) -m auditwheel show $(WHEELS_OUT)/*_$*.whl | tr '\n' ' '); \
	case $$found in *'platform tag: "manylinux_$(subst .,_,$(WHEELS_GLIBC))_$*"'*) ;; *) echo "make: $$found" >&2; exit 1 ;; esac
