#!/bin/sh
# headers.sh STAGE OUT: each header alone, twice in one unit, and in two units linked together, by every compiler there is, in
# every dialect, with warnings as errors.
set -eu
include=$1/include lib=$1/lib out=$2
mkdir -p "$out"
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wundef -Werror"
for name in h hpp; do
    printf '#include <smoothtopk.%s>\n#include <smoothtopk.%s>\n' $name $name >"$out/twice_$name.in"
done
printf 'const char *%s(void);\nconst char *%s(void) { return stk_version(); }\n' first first >"$out/first.in"
printf 'const char *%s(void);\nint main(void) { return first()[0] == stk_version()[0] ? 0 : 1; }\n' first >"$out/second.in"
for unit in first second; do
    cat "$out/twice_h.in" "$out/$unit.in" >"$out/$unit.c"
    cat "$out/twice_hpp.in" "$out/$unit.in" >"$out/$unit.cpp"
done
link() { "$@" -L"$lib" -lsmoothtopk -Wl,-rpath,"$(cd "$lib" && pwd)" -o "$out/linked" && "$out/linked"; }

count=0
for compilers in "gcc g++" "clang clang++"; do
    cc=${compilers% *} cxx=${compilers#* }
    command -v "$cc" >/dev/null 2>&1 && command -v "$cxx" >/dev/null 2>&1 || { echo "abi: SKIPPED the headers with $cc, which is not here"; continue; }
    for std in c11 c17; do
        # shellcheck disable=SC2086
        link $cc -std=$std $warnings -Wstrict-prototypes -I"$include" "$out/first.c" "$out/second.c"
        count=$((count + 1))
    done
    for std in c++17 c++20 c++2b; do
        # shellcheck disable=SC2086
        link $cxx -std=$std $warnings -I"$include" -x c++ "$out/first.c" "$out/second.c" -x none
        # shellcheck disable=SC2086
        link $cxx -std=$std $warnings -Wnon-virtual-dtor -I"$include" "$out/first.cpp" "$out/second.cpp"
        for setting in "-DSMOOTHTOPK_EXCEPTIONS" "-fno-exceptions -fno-rtti"; do
            # shellcheck disable=SC2086
            $cxx -std=$std $warnings -Wnon-virtual-dtor -I"$include" $setting -fsyntax-only "$out/first.cpp"
        done
        count=$((count + 4))
    done
done
# A status that is not looked at is warned of.
printf '#include <smoothtopk.h>\nvoid f(void);\nvoid f(void) { stk_request_set_n(0, 1, 0); }\n' >"$out/ignored.c"
# shellcheck disable=SC2086
gcc -std=c11 $warnings -I"$include" -c "$out/ignored.c" -o "$out/ignored.o" 2>"$out/ignored" || true
grep -q unused-result "$out/ignored" || { echo "abi: an ignored status passes" >&2; exit 1; }
# Units of different settings in one program.
g++ -std=c++17 -fno-exceptions -fno-rtti -I"$include" -c "$out/first.cpp" -o "$out/first.o"
link g++ -std=c++20 -DSMOOTHTOPK_EXCEPTIONS -I"$include" "$out/second.cpp" "$out/first.o"
echo "abi: headers compile alone, twice and in two linked units: $count ways"
