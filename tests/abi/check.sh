#!/bin/sh
# check.sh STAGE OUT: the library and headers installed in STAGE against what is promised: exported symbols, the dynamic
# section, headers that compile alone, and the ABI against tests/abi/smoothtopk.abi. UPDATE_ABI=1 writes that file anew.
# RELEASE names the release library; where it is there and newer than the sources, it must not have the test hooks.
set -eu
stage=$1 out=$2
here=tests/abi
library=$stage/lib/libsmoothtopk.so
header=$stage/include/smoothtopk.h
mkdir -p "$out"
fail() { echo "abi: $*" >&2; exit 1; }
export LC_ALL=C

# Only stk_* symbols are exported, and exactly those that the header declares: the stage may have the test hooks as well.
exports() { nm -D --defined-only "$1" | awk '{ print $NF }' | sort; }
exports "$library" | grep -v '^stk_test_panic$' >"$out/exported"
! grep -v '^stk_' "$out/exported" >&2 || fail "exports that are not stk_*"
sh $here/describe.sh "$header" "$out/now"
sed -n "s/^ *<elf-symbol name='\([^']*\)'.*/\1/p" "$out/now.abi" | sort >"$out/declared"
diff "$out/declared" "$out/exported" >&2 || fail "the header and the library do not agree on the functions (< header, > library)"
echo "abi: $(wc -l <"$out/exported") functions, only stk_*, each declared in the header"

# A library with the test hooks cannot be installed, and a release has none.
if exports "$library" | grep -q '^stk_test_'; then
    ! LIBRARY_DIR=$stage/lib PREFIX=$(realpath "$out")/hooked sh mk/install.sh >/dev/null 2>"$out/refusal" ||
        fail "a library with the test hooks was installed"
    grep -q test-hooks "$out/refusal" || fail "the install of a library with the test hooks failed otherwise: $(cat "$out/refusal")"
    echo "abi: a library with the test hooks is refused by the install"
fi
release=${RELEASE:-}
if test -f "$release" && test -z "$(find Cargo.toml src -newer "$release" | head -n 1)"; then
    ! exports "$release" | grep '^stk_test_' >&2 || fail "$release has test hooks"
    exports "$release" | diff "$out/declared" - >&2 || fail "the header and $release do not agree on the functions"
    echo "abi: the release library has no test hooks"
fi

readelf -d "$library" >"$out/dynamic"
grep -q 'SONAME.*\[libsmoothtopk\.so\.1\]' "$out/dynamic" || fail "SONAME is not libsmoothtopk.so.1"
grep -q 'FLAGS_1.*NODELETE' "$out/dynamic" || fail "the library is not marked NODELETE"
! grep -qE 'R(UN)?PATH' "$out/dynamic" || fail "the library has a run path"
! grep -q TEXTREL "$out/dynamic" || fail "the library has text relocations"
echo "abi: SONAME libsmoothtopk.so.1, NODELETE, no run path"

sh $here/headers.sh "$stage" "$out/headers"

if test "$(uname -m)" != x86_64; then
    echo "abi: SKIPPED the comparison with the committed description, which is for x86_64"
    exit 0
fi
if test -n "${UPDATE_ABI:-}"; then
    cp "$out/now.abi" $here/smoothtopk.abi
    cp "$out/now.constants" $here/smoothtopk.constants
    echo "abi: wrote $here/smoothtopk.abi"
fi
sh $here/compare.sh $here/smoothtopk "$out/now" || fail "the ABI is not that of $here/smoothtopk.abi. A removal or change needs a new ABI version; additions pass, and UPDATE_ABI=1 records them"
echo "abi: nothing removed or changed"
sh $here/self_test.sh "$header" "$out/self"
