#!/bin/sh
# The checker of certificates, checked: run.sh PROGRAM PYTHON OUT, with a folder to write in. `verify` must find far more breaks than
# alpha allows in a RUN whose radii were made larger, and no more in the RUN as it was certified.
set -eu
program=$1 python=$2 out=$3
model=demo/digits_mlp_sigma0.25.onnx data=demo/digits_test200.npz

fail() {
    echo "test-verify: $1" >&2
    exit 1
}

# check NAME VERIFY-OPTIONS..: verify of the RUN must find nothing, that of its false copy must find it out.
check() {
    name=$1
    shift
    "$python" tests/verify/falsify.py "$out/$name-true" "$out/$name-false"
    for kind in true false; do
        code=0
        # The seed is fixed, and with it the one chance of blaming the RUN: 0.001.
        "$program" verify --run "$out/$name-$kind" --model $model --data $data --attacks 100 --batch 64 --quiet --unproven "$@" \
            --out "$out/verify-$name-$kind" >"$out/verify-$name-$kind.md" || code=$?
        echo "== $name, $kind"
        grep '^| k |' -A 6 "$out/verify-$name-$kind.md"
        case $kind-$code in
        true-0 | false-3) ;;
        true-*) fail "verify found more breaks in $name than alpha allows" ;;
        *) fail "verify did not find $name out, whose radii are false" ;;
        esac
    done
}

rm -rf "$out"
mkdir -p "$out"
"$program" certify --model $model --data $data --input-scale 16 --sigma 0.25 --k 1,2,3 --n 10000 --alpha 0.001 --seed 7 \
    --batch 64 --skip 4 --quiet --out "$out/labels-true"
check labels --seed 11
for k in 1 2 3; do
    grep -Eq "^\| $k \|.*\| beyond alpha \|$" "$out/verify-labels-false.md" || fail "verify found too few breaks at k = $k"
done

# Guarantees for whole answers, every kind of them at k = 2. Where a set ends two rare labels are compared: that takes more samples.
"$program" certify --model $model --data $data --input-scale 16 --sigma 0.5 --k 2 --n 10000 --alpha 0.001 --guarantee --seed 7 \
    --batch 64 --skip 8 --quiet --out "$out/answers-true"
check answers --rows 500 --n 20000 --seed 17
for about in 'each label' 'the set' 'at least 1' 'the first' 'the ranking'; do
    grep -Eq "^\| 2 \| $about \|.*\| beyond alpha \|$" "$out/verify-answers-false.md" || fail "verify found too few breaks of $about"
done

# What it saved must break the certificates again, by noise of its own, read back as anybody's adversarial examples are.
code=0
"$program" verify --run "$out/labels-false" --model $model --data $data --adversarial "$out/verify-labels-false/breaks.npz" \
    --n 10000 --seed 13 --batch 64 --quiet --unproven >"$out/again.md" || code=$?
test $code = 3 || fail "the saved breaks do not break the certificates again"
# Without --unproven the false RUN is refused: its counts do not prove its radii.
code=0
"$program" verify --run "$out/labels-false" --model $model --data $data --attacks 1 --out "$out/refused" 2>"$out/refused.txt" || code=$?
test $code = 1 && grep -q "the record was altered" "$out/refused.txt" || fail "altered radii were believed"
echo "test-verify: passed"
