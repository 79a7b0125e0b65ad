#!/bin/sh
# Installs the built library with its headers, CMake package and pkg-config file, and the program with shell completions and
# manual pages; `make install` calls it.
#   LIBRARY_DIR  folder of libsmoothtopk.so (and of libsmoothtopk.a and the program smoothtopk, if they are there)
#   ALLOW_TEST_HOOKS  set for the stage of the test suites: a library with the feature test-hooks is refused otherwise
#   PREFIX, LIBDIR, INCLUDEDIR, DESTDIR  as usual; prefixes are absolute
set -eu
cd "$(dirname "$0")/.."
prefix=${PREFIX:?} libdir=${LIBDIR:-$PREFIX/lib} includedir=${INCLUDEDIR:-$PREFIX/include} dest=${DESTDIR:-}
fail() { echo "install: $*" >&2; exit 1; }

test "$(uname -s)" = Linux || fail "only Linux has an install step; link $LIBRARY_DIR by hand"
for folder in "$prefix" "$libdir" "$includedir"; do
    case $folder in /*) ;; *) fail "$folder is not an absolute path" ;; esac
done
library=$LIBRARY_DIR/libsmoothtopk.so
test -f "$library" || fail "there is no $library; build it with: make build"
if test -z "${ALLOW_TEST_HOOKS:-}" && LC_ALL=C nm -D --defined-only "$library" | grep -q ' stk_test_'; then
    fail "$library has the feature test-hooks, which is for tests alone: build it without"
fi
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
soname=$(LC_ALL=C readelf -d "$library" | sed -n 's/.*(SONAME).*\[\(.*\)\]$/\1/p')
case $soname in libsmoothtopk.so.[0-9]*) ;; *) fail "$library has no SONAME of ours: '$soname'" ;; esac
# SONAME's number first, then the release: libsmoothtopk.so.1 -> libsmoothtopk.so.1.0.1.0.
file=$soname.$version

install -d "$dest$libdir/cmake/smoothtopk" "$dest$libdir/pkgconfig" "$dest$includedir"
# Put in place by a rename: programs that run with the old library keep it whole.
install -m 755 "$library" "$dest$libdir/.$file.new"
mv -f "$dest$libdir/.$file.new" "$dest$libdir/$file"
ln -sfn "$file" "$dest$libdir/$soname"
ln -sfn "$soname" "$dest$libdir/libsmoothtopk.so"
if test -f "$LIBRARY_DIR/libsmoothtopk.a"; then
    install -m 644 "$LIBRARY_DIR/libsmoothtopk.a" "$dest$libdir/libsmoothtopk.a"
fi
install -m 644 include/smoothtopk.h include/smoothtopk.hpp "$dest$includedir/"

fill() {
    sed -e "s|@PREFIX@|$prefix|" -e "s|@LIBDIR@|$libdir|" -e "s|@INCLUDEDIR@|$includedir|" -e "s|@VERSION@|$version|" \
        -e "s|@LIBRARY@|$file|" -e "s|@SONAME@|$soname|" \
        -e "s|@INCLUDEDIR_FROM_LIBDIR@|$(realpath -m --relative-to="$libdir" "$includedir")|" "$1" >"$2"
    chmod 644 "$2"
}
fill bindings/pkgconfig/smoothtopk.pc.in "$dest$libdir/pkgconfig/smoothtopk.pc"
fill bindings/cmake/smoothtopkConfig.cmake.in "$dest$libdir/cmake/smoothtopk/smoothtopkConfig.cmake"
fill bindings/cmake/smoothtopkConfigVersion.cmake.in "$dest$libdir/cmake/smoothtopk/smoothtopkConfigVersion.cmake"
# The program itself writes them, so it has to run here.
program=$LIBRARY_DIR/smoothtopk
if test -f "$program"; then
    share=$dest$prefix/share
    bash=$share/bash-completion/completions zsh=$share/zsh/site-functions fish=$share/fish/vendor_completions.d
    install -d "$dest$prefix/bin" "$bash" "$zsh" "$fish"
    "$program" man "$share/man/man1" || fail "$program does not run here: install where it does"
    "$program" completions bash >"$bash/smoothtopk"
    "$program" completions zsh >"$zsh/_smoothtopk"
    "$program" completions fish >"$fish/smoothtopk.fish"
    install -m 755 "$program" "$dest$prefix/bin/.smoothtopk.new"
    mv -f "$dest$prefix/bin/.smoothtopk.new" "$dest$prefix/bin/smoothtopk"
fi
echo "smoothtopk $version is in $dest$prefix ($file)"
