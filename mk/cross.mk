# Counts that one language writes and another reads. Needs what the suites of Go and Python need.
.PHONY: test-cross

test-cross: GO_LIB_DIR = $(abspath $(TEST_LIB_DIR))
test-cross: setup-go python-installed ## Counts through Go, Python and the command line, against one run in Rust
	$(GO_ENV) $(PY_BIN) tests/cross/run.py "$(GO)" "$(abspath $(PY_BIN))" "$(GO_LIB_DIR)/smoothtopk" "$(TARGET)/cross"
