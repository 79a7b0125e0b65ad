# The C and C++ side: install, and the suites that use the library as a host does, from where it was installed.
#
#   SMOOTHTOPK_LIB_DIR  folder of a built libsmoothtopk.so (and .a); unset: cargo builds the release one, and for the suites one
#                       of the test profile, which has the test hooks
#   PREFIX, DESTDIR, LIBDIR, INCLUDEDIR  where `make install` puts things

PREFIX ?= /usr/local
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
CPP_OUT := $(TARGET)/cpp
CPP_STAGE := $(CPP_OUT)/stage
CPP_VENV := .venv/cpp
LIB_DIR = $(or $(SMOOTHTOPK_LIB_DIR),$(TARGET)/release)
TEST_LIB_DIR = $(or $(SMOOTHTOPK_LIB_DIR),$(TARGET)/debug)
STRICT := -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g

# What a test program needs to find ONNX Runtime, whose folder `make setup` fills.
CPP_ENV = RUST_BACKTRACE=0 SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}"
STAGE_FLAGS = -I$(CPP_STAGE)/include -L$(CPP_STAGE)/lib -Wl,-rpath,$(abspath $(CPP_STAGE)/lib)
C_SOURCES := $(wildcard tests/c/*.c)
CPP_SOURCES := $(wildcard tests/cpp/*.cpp)
C_HEADERS := $(wildcard tests/c/*.h)
CPP_HEADERS := $(wildcard tests/cpp/*.hpp)
STAGED := $(CPP_STAGE)/.stamp

.PHONY: install cpp-library test-library test-c test-cpp test-abi test-asan test-valgrind test-cpp-server

cpp-library:
	$(if $(SMOOTHTOPK_LIB_DIR),,$(CARGO) build --locked --release --lib --bin smoothtopk)
	@test -f "$(LIB_DIR)/libsmoothtopk.so" || { echo "make: there is no $(LIB_DIR)/libsmoothtopk.so" >&2; exit 1; }

test-library:
	$(if $(SMOOTHTOPK_LIB_DIR),,$(CARGO) build --locked $(HOOKS) --lib)
	@test -f "$(TEST_LIB_DIR)/libsmoothtopk.so" || { echo "make: there is no $(TEST_LIB_DIR)/libsmoothtopk.so" >&2; exit 1; }

install: cpp-library ## Install library, program, headers, completions and manual pages (PREFIX, DESTDIR)
	@LIBRARY_DIR="$(LIB_DIR)" LIBDIR="$(LIBDIR)" INCLUDEDIR="$(INCLUDEDIR)" PREFIX="$(PREFIX)" DESTDIR="$(DESTDIR)" \
		sh mk/install.sh

# Every suite links the library as installed, in the build folder; a new library or header makes it again.
$(CPP_STAGE)/.stamp: test-library $(wildcard include/*) $(wildcard bindings/cmake/*) $(wildcard bindings/pkgconfig/*) mk/install.sh
	@new="$$(cat "$(TEST_LIB_DIR)/libsmoothtopk.so" include/* bindings/cmake/* bindings/pkgconfig/* mk/install.sh | sha256sum)"; \
	if test "$$new" != "$$(cat $@ 2>/dev/null)"; then \
		rm -rf "$(CPP_STAGE)"; \
		ALLOW_TEST_HOOKS=1 LIBRARY_DIR="$(TEST_LIB_DIR)" PREFIX="$(abspath $(CPP_STAGE))" sh mk/install.sh >/dev/null; \
		echo "$$new" >$@; \
	fi

# $(call need,PROGRAM OR HEADER TO FIND,DEBIAN PACKAGES): installs what is missing where root may, else says what to do.
need = @sh mk/need.sh "$(1)" $(2)

$(CPP_OUT)/c/%.o: tests/c/%.c $(C_HEADERS) $(STAGED)
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_POSIX_C_SOURCE=200809L $(STRICT) -O1 -g -I$(CPP_STAGE)/include -Itests/c -c $< -o $@

$(CPP_OUT)/asan-c/%.o: tests/c/%.c $(C_HEADERS) $(STAGED)
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_POSIX_C_SOURCE=200809L $(STRICT) $(SANITIZE) -I$(CPP_STAGE)/include -Itests/c -c $< -o $@

$(CPP_OUT)/cpp/%.o: tests/cpp/%.cpp $(C_HEADERS) $(CPP_HEADERS) $(STAGED)
	@mkdir -p $(@D)
	$(CXX) $(CPP_STD) $(STRICT) -O1 -g -I$(CPP_STAGE)/include -Itests/c -c $< -o $@

# Units of other settings, in the same program.
CPP_STD = -std=c++17
%/cpp20.o: CPP_STD = -std=c++20
%/bare.o: CPP_STD = -std=c++17 -fno-exceptions -fno-rtti

$(CPP_OUT)/asan-cpp/%.o: tests/cpp/%.cpp $(C_HEADERS) $(CPP_HEADERS) $(STAGED)
	@mkdir -p $(@D)
	$(CXX) $(CPP_STD) $(STRICT) $(SANITIZE) -I$(CPP_STAGE)/include -Itests/c -c $< -o $@

$(CPP_OUT)/test_c: $(C_SOURCES:tests/c/%.c=$(CPP_OUT)/c/%.o)
	$(CC) $^ $(STAGE_FLAGS) -lsmoothtopk -lpthread -o $@

$(CPP_OUT)/test_c_asan: $(C_SOURCES:tests/c/%.c=$(CPP_OUT)/asan-c/%.o)
	$(CC) $(SANITIZE) $^ $(STAGE_FLAGS) -lsmoothtopk -lpthread -o $@

# The C++ suite reads the golden cases with the C suite's reader.
$(CPP_OUT)/test_cpp: $(CPP_SOURCES:tests/cpp/%.cpp=$(CPP_OUT)/cpp/%.o) $(CPP_OUT)/c/golden_read.o
	$(CXX) $^ $(STAGE_FLAGS) -lsmoothtopk -ldl -lpthread -o $@

$(CPP_OUT)/test_cpp_asan: $(CPP_SOURCES:tests/cpp/%.cpp=$(CPP_OUT)/asan-cpp/%.o) $(CPP_OUT)/asan-c/golden_read.o
	$(CXX) $(SANITIZE) $^ $(STAGE_FLAGS) -lsmoothtopk -ldl -lpthread -o $@

test-c: setup $(CPP_OUT)/test_c ## The C suite, and the C examples: the event loop under ThreadSanitizer
	$(CC) -std=c11 $(STRICT) examples/c/certify.c $(STAGE_FLAGS) -lsmoothtopk -o $(CPP_OUT)/example_c
	$(CPP_ENV) $(CPP_OUT)/test_c
	$(CPP_ENV) $(CPP_OUT)/example_c
	$(CC) -std=c11 -D_DEFAULT_SOURCE $(STRICT) -fsanitize=thread -O1 -g examples/c/event_loop.c $(STAGE_FLAGS) -lsmoothtopk -lpthread -o $(CPP_OUT)/event_loop
	$(CPP_ENV) TSAN_OPTIONS="halt_on_error=1 ignore_noninstrumented_modules=1 report_mutex_bugs=0" $(CPP_OUT)/event_loop | sort >$(CPP_OUT)/event_loop.out
	@test "$$(grep -c '^question [0-7]: label [0-9], certified radius' $(CPP_OUT)/event_loop.out)" = 8 || { cat $(CPP_OUT)/event_loop.out >&2; exit 1; }

# CMake and Ninja come from PyPI where the machine has none.
$(CPP_VENV)/.stamp: tests/cpp/requirements.txt
	@$(PYTHON) -m venv $(CPP_VENV)
	@$(CPP_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

test-cpp: setup $(CPP_OUT)/test_cpp $(CPP_VENV)/.stamp ## The C++ suite; find_package, pkg-config and add_subdirectory from projects of their own
	$(CXX) -std=c++17 $(STRICT) examples/cpp/certify.cpp $(STAGE_FLAGS) -lsmoothtopk -o $(CPP_OUT)/example_cpp
	$(CPP_ENV) $(CPP_OUT)/example_cpp
	$(CPP_ENV) sh tests/cpp/run.sh $(CPP_OUT)/test_cpp
	$(CPP_ENV) ALLOW_TEST_HOOKS=1 LIBRARY_DIR="$(abspath $(TEST_LIB_DIR))" PATH="$(CURDIR)/$(CPP_VENV)/bin:$$PATH" sh tests/cpp/consume.sh $(CPP_OUT)/consume

test-abi: $(STAGED) ## Exported symbols, headers alone, and the ABI against the committed description
	$(call need,abidw,abigail-tools)
	@RELEASE="$(TARGET)/release/libsmoothtopk.so" sh tests/abi/check.sh $(CPP_STAGE) $(CPP_OUT)/abi

# The library is not instrumented (its Rust has sanitizer runs of its own): what is watched is the C and C++ around it, and
# the memory that crosses the border.
test-asan: setup $(CPP_OUT)/test_c_asan $(CPP_OUT)/test_cpp_asan ## The C and C++ suites under AddressSanitizer and UBSan
	$(CPP_ENV) $(ASAN_ENV) $(CPP_OUT)/test_c_asan
	$(CPP_ENV) $(ASAN_ENV) sh tests/cpp/run.sh $(CPP_OUT)/test_cpp_asan

ASAN_ENV = ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1

test-valgrind: $(CPP_OUT)/test_c ## Certificates from counts under valgrind's memcheck
	$(call need,valgrind,valgrind)
	valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=all --errors-for-leak-kinds=definite$(comma)possible $(CPP_OUT)/test_c layout counts budget

$(CPP_VENV)-server/.stamp: examples/cpp-server/requirements.txt
	@$(PYTHON) -m venv $(CPP_VENV)-server
	@$(CPP_VENV)-server/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

test-cpp-server: setup $(STAGED) $(CPP_VENV)/.stamp $(CPP_VENV)-server/.stamp ## The C++ inference server under Triton's own HTTP client
	$(call need,/usr/include/boost/beast.hpp,libboost-dev)
	$(call need,/usr/include/zlib.h,zlib1g-dev)
	$(call need,/usr/include/nlohmann/json.hpp,nlohmann-json3-dev)
	@PATH="$(CURDIR)/$(CPP_VENV)/bin:$$PATH"; \
	unset MAKEFLAGS; \
	cmake -G Ninja -S examples/cpp-server -B $(CPP_OUT)/server -DCMAKE_CXX_FLAGS=-O1 -DCMAKE_PREFIX_PATH="$(abspath $(CPP_STAGE))" >/dev/null; \
	cmake --build $(CPP_OUT)/server
	$(CPP_ENV) $(CPP_VENV)-server/bin/python examples/cpp-server/test_server.py $(CPP_OUT)/server/smoothtopk-server
