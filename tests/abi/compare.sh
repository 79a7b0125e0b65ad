#!/bin/sh
# compare.sh OLD-PREFIX NEW-PREFIX: fails where something was removed or changed; new functions and constants, and fields
# at the tail of a struct that says its size (stk_summary, stk_guarantee, stk_query, stk_call), pass.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
status=0
# Such structs may grow at their tails: functions that fill or read one are told the size that the caller knows. So the
# new one is cut to the old one's size. (abidiff's has_data_member_inserted_at suppression would also hide a field whose
# type changed.)
awk -F"'" '
    /<class-decl name=.stk_(summary|guarantee|query|call). size-in-bits=/ {
        if (NR == FNR) size[$2] = $4
        inside = old = size[$2]
        if (inside && $4 + 0 > old + 0) sub(/size-in-bits=.[0-9]+/, "size-in-bits=\x27" old)
    }
    NR == FNR { next }
    /<\/class-decl>/ { inside = 0 }
    inside && /<data-member / {
        match($0, /layout-offset-in-bits=.[0-9]+/)
        skip = substr($0, RSTART + 23, RLENGTH - 23) + 0 >= old + 0
    }
    !skip { print }
    /<\/data-member>/ { skip = 0 }
' "$1.abi" "$2.abi" >"$scratch/cut.abi"
# Any bit: an error (1, 2), a change (4), an incompatible change (8). --harmless, so that a change of const is a change too.
abidiff --no-added-syms --harmless "$1.abi" "$scratch/cut.abi" || status=1
lost=$(LC_ALL=C comm -23 "$1.constants" "$2.constants")
if test -n "$lost"; then
    echo "constants that are gone or have another value:"
    echo "$lost"
    status=1
fi
exit $status
