#!/bin/sh
# self_test.sh HEADER OUT: whether compare.sh finds what it must find, on headers with one change each.
set -eu
header=$1 out=$2
here=tests/abi
mkdir -p "$out"
sh $here/describe.sh "$header" "$out/before"
try() { # try EXPECTED NAME SED-SCRIPT
    sed "$3" "$header" >"$out/changed.h"
    ! cmp -s "$header" "$out/changed.h" || { echo "abi: the self-test '$2' changes nothing" >&2; exit 1; }
    sh $here/describe.sh "$out/changed.h" "$out/after"
    got=pass
    sh $here/compare.sh "$out/before" "$out/after" >"$out/log" 2>&1 || got=found
    test $got = "$1" || { cat "$out/log" >&2; echo "abi: self-test '$2': $got, not $1" >&2; exit 1; }
}
tail='s/^} stk_summary;/  double later;\n&/'
try pass "a field at the tail" "$tail"
guarantee_tail='s/^} stk_guarantee;/  double later;\n&/'
try pass "a field at the other struct's tail" "$guarantee_tail"
query_tail='s/^} stk_query;/  double later;\n&/'
try pass "a field at the tail of the struct that is read" "$query_tail"
try pass "a field at the tail of a call" 's/^} stk_call;/  double later;\n&/'
try found "a field in the middle of the struct that is read" 's/^  double uniform;/  double between;\n&/'
try pass "a new function" 's/^stk_status stk_error_status(/int stk_later(int x);\n&/'
try pass "a new constant" 's/^#define STK_STATUS_OK 0/&\n#define STK_STATUS_LATER 99/'
try found "a function removed" 's/^uint32_t stk_abi_version(void);//'
try found "a return type" 's/^uint32_t stk_abi_version(void);/uint64_t stk_abi_version(void);/'
try found "a parameter" 's/^size_t stk_model_elements(const struct stk_model \*model);/size_t stk_model_elements(const struct stk_model *model, int x);/'
try found "const lost" 's/^size_t stk_model_elements(const struct/size_t stk_model_elements(struct/'
try found "a field in the middle" 's/^  double p_lower;/  double between;\n&/'
try found "a field removed" 's/^  double p_lower;//'
try found "a field's type" 's/^  double p_lower;/  uint64_t p_lower;/'
try found "a field's name" 's/^  double p_lower;/  double lower;/'
try found "a field's type, with growth" "s/^  double p_lower;/  uint64_t p_lower;/; $tail"
try found "two fields exchanged, with growth" "s/^  double p_lower;/  double p_x;/; s/^  double p_upper;/  double p_lower;/; s/^  double p_x;/  double p_upper;/; $tail"
try found "a field's type in the other struct, with growth" "s/^  double set_radius;/  uint64_t set_radius;/; $guarantee_tail"
try found "a field in the middle of the other struct" 's/^  double set_radius;/  double between;\n&/'
try found "a typedef" 's/^typedef int32_t stk_status;/typedef int64_t stk_status;/'
try found "a callback's parameter" 's/^typedef void (\*stk_done_callback)(void \*user, /&int x, /'
try found "a constant's value" 's/^#define STK_STATUS_OK 0/#define STK_STATUS_OK 100/'
try found "a constant removed" 's/^#define STK_STATUS_OK 0//'
echo "abi: the comparison passes 6 additions and finds 17 breaks"
