#!/bin/sh
# consume.sh FOLDER: installs into an empty prefix, and builds and runs projects of their own against it, by find_package and
# by pkg-config; then one against the checkout, by FetchContent.
#   LIBRARY_DIR  folder of the built library
set -eu
out=$1
rm -rf "$out"
mkdir -p "$out"
out=$(cd "$out" && pwd)
root=$(pwd)
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
fail() { echo "consume: $*" >&2; exit 1; }
quietly() { "$@" >"$out/log" 2>&1 || { cat "$out/log" >&2; fail "failed: $*"; }; }
build() { # build NAME SOURCE CMAKE-ARGUMENT...
    name=$1 source=$2
    shift 2
    quietly cmake -G Ninja -S "$source" -B "$out/$name" -DCMAKE_BUILD_TYPE=Release "$@"
    quietly cmake --build "$out/$name"
    for program in "$out/$name"/consumer_*; do
        test -f "$program" || continue
        printf '%s ' "$name"
        "$program"
    done
}

# Into a staged root, as packages are made; then moved to where it was meant for.
quietly env PREFIX="$out/prefix" DESTDIR="$out/root" sh mk/install.sh
mv "$out/root$out/prefix" "$out/prefix"
for link in libsmoothtopk.so libsmoothtopk.so.1; do
    test -L "$out/prefix/lib/$link" || fail "$link is no link"
done
test "$(readlink -f "$out/prefix/lib/libsmoothtopk.so")" = "$out/prefix/lib/libsmoothtopk.so.1.$version" || fail "libsmoothtopk.so leads elsewhere"

if test -f "$out/prefix/bin/smoothtopk"; then
    "$out/prefix/bin/smoothtopk" --version | grep -q " $version\$" || fail "the program has another version"
    bash -n "$out/prefix/share/bash-completion/completions/smoothtopk"
    for page in smoothtopk smoothtopk-certify; do
        grep -q '^\.TH' "$out/prefix/share/man/man1/$page.1" || fail "$page.1 is no manual page"
    done
fi

build find_package tests/cpp/consumer -DCMAKE_PREFIX_PATH="$out/prefix" -DWANTED_VERSION="$version"
if cmake -G Ninja -S tests/cpp/consumer -B "$out/too_new" -DCMAKE_PREFIX_PATH="$out/prefix" -DWANTED_VERSION=99.0 >/dev/null 2>&1; then
    fail "find_package took version $version for 99.0"
fi

export PKG_CONFIG_PATH="$out/prefix/lib/pkgconfig"
test "$(pkg-config --modversion smoothtopk)" = "$version" || fail "pkg-config gives another version"
for language in c cpp; do
    compiler=cc
    if test $language = cpp; then compiler="c++ -std=c++17"; fi
    # shellcheck disable=SC2046
    $compiler tests/cpp/consumer/main.$language $(pkg-config --cflags --libs smoothtopk) -o "$out/pkg_config_$language"
    printf 'pkg-config '
    LD_LIBRARY_PATH="$out/prefix/lib" "$out/pkg_config_$language"
done

# What is installed loads nothing from the builder's tree, where ONNX Runtime lies, nor from where that would be beside it.
outside=$(mktemp -d)
trap 'rm -rf "$outside"' EXIT
mkdir -p "$outside/.deps/onnxruntime"
cat >"$outside/plant.c" <<'END'
#include <stdio.h>
__attribute__((constructor)) static void planted(void) { puts("PLANTED"); }
END
cc -shared -fPIC "$outside/plant.c" -o "$outside/.deps/onnxruntime/libonnxruntime.so"
quietly env PREFIX=/target DESTDIR="$outside" sh mk/install.sh
cc -I"$outside/target/include" tests/cpp/consumer/main.c "$outside/target/lib/libsmoothtopk.so" \
    -Wl,-rpath,"$outside/target/lib" -o "$outside/target/program"
found=$(env -u SMOOTHTOPK_ONNXRUNTIME -u ORT_DYLIB_PATH "$outside/target/program" runtime)
case $found in *PLANTED*) fail "an installed library loaded what was planted: $found" ;; esac
case $found in *"$root/"* | *"make setup"*) fail "an installed library looks into the source tree: $found" ;; esac
printf 'installed: %.60s..\n' "$found"

build fetch_content tests/cpp/subproject -DCHECKOUT="$root" -DSMOOTHTOPK_LIBRARY="$LIBRARY_DIR/libsmoothtopk.so"
