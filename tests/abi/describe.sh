#!/bin/sh
# describe.sh HEADER OUTPUT-PREFIX: writes PREFIX.abi, what abidw makes of every function and type the header declares, and
# PREFIX.constants, the values of its macros.
#
# Rust's debug information does not speak of C's types, so the description is taken from a library of empty functions that a C
# compiler makes from the header's own declarations; check.sh compares their names with the real library's symbols.
set -eu
header=$1 prefix=$2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp "$header" "$scratch/smoothtopk.h"
cd "$scratch"
echo '#include "smoothtopk.h"' >unit.c
gcc -std=gnu2x -aux-info prototypes -fsyntax-only unit.c
{
    cat unit.c
    sed -n 's#^/\* [^ ]*smoothtopk\.h:.*\*/ extern \(.*\);$#\1 { __builtin_trap(); }#p' prototypes
} >stubs.c
gcc -std=gnu2x -g -O0 -w -shared -fPIC -Wl,-soname,libsmoothtopk.so.1 stubs.c -o libstubs.so
abidw --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed --no-parameter-names --out-file stubs.abi libstubs.so
# What says only where and by what it was compiled.
sed "s#<abi-instr [^>]*>#<abi-instr address-size='64' path='smoothtopk.h' language='LANG_C11'>#" stubs.abi >description
gcc -std=c11 -dM -E unit.c | sed -n '/STK_MUST_CHECK/d; s/^#define \(STK_[A-Z0-9_]* .*\)$/\1/p' | LC_ALL=C sort >constants
cd - >/dev/null
cp "$scratch/description" "$prefix.abi"
cp "$scratch/constants" "$prefix.constants"
