#!/bin/sh
# The checker of certificates, checked: run.sh SOUND UNSOUND OUT, the two programs and a folder to write in. Both certify the same
# digits; the sound program's `verify` must find far more breaks than alpha allows in the unsound RUN, and no more in ours.
set -eu
sound=$1 unsound=$2 out=$3
model=demo/digits_mlp_sigma0.25.onnx data=demo/digits_test200.npz

fail() {
    echo "test-verify: $1" >&2
    exit 1
}

case $("$sound" --version) in *UNSOUND*) fail "$sound is an unsound build" ;; esac
case $("$unsound" --version 2>/dev/null) in *UNSOUND*) ;; *) fail "$unsound does not say that it is unsound" ;; esac

rm -rf "$out"
mkdir -p "$out"
for build in sound unsound; do
    if test $build = sound; then program=$sound; else program=$unsound; fi
    "$program" certify --model $model --data $data --input-scale 16 --sigma 0.25 --k 1,2,3 --n 10000 --alpha 0.001 \
        --seed 7 --batch 64 --skip 4 --quiet --out "$out/$build" 2>"$out/$build.stderr"
    code=0
    # The seed is fixed, and with it the one chance of blaming the sound build: 0.001.
    "$sound" verify --run "$out/$build" --model $model --data $data --attacks 100 --seed 11 --batch 64 --quiet \
        --out "$out/verify-$build" >"$out/verify-$build.md" || code=$?
    echo "$code" >"$out/$build.code"
    echo "== $build"
    grep '^| k |' -A 4 "$out/verify-$build.md"
done

grep -q 'UNSOUND' "$out/unsound/manifest.json" || fail "the unsound RUN's manifest does not say what made it"
grep -q 'UNSOUND' "$out/unsound.stderr" || fail "the unsound program runs without a warning"
if grep -q 'UNSOUND' "$out/sound/manifest.json" "$out/sound.stderr"; then fail "the sound RUN is said to be unsound"; fi
test "$(cat "$out/sound.code")" = 0 || fail "verify found more breaks in the sound RUN than alpha allows"
test "$(cat "$out/unsound.code")" = 3 || fail "verify did not find the unsound RUN out"
for k in 1 2 3; do
    grep -Eq "^\| $k \|.*\| beyond alpha \|$" "$out/verify-unsound.md" || fail "verify found too few breaks at k = $k"
done

# Guarantees for whole answers, every kind of them at k = 2. Where a set ends two rare labels are compared: that takes more rows.
for build in sound unsound; do
    if test $build = sound; then program=$sound; else program=$unsound; fi
    "$program" certify --model $model --data $data --input-scale 16 --sigma 0.5 --k 2 --n 10000 --alpha 0.001 --guarantee \
        --seed 7 --batch 64 --skip 8 --quiet --out "$out/answers-$build" 2>/dev/null
    code=0
    "$sound" verify --run "$out/answers-$build" --model $model --data $data --attacks 100 --rows 500 --n 20000 --seed 17 \
        --batch 64 --quiet --out "$out/verify-answers-$build" >"$out/verify-answers-$build.md" || code=$?
    echo "$code" >"$out/answers-$build.code"
    echo "== $build, guarantees"
    grep '^| k |' -A 6 "$out/verify-answers-$build.md"
done
test "$(cat "$out/answers-sound.code")" = 0 || fail "verify found more breaks in the sound guarantees than alpha allows"
test "$(cat "$out/answers-unsound.code")" = 3 || fail "verify did not find the unsound guarantees out"
for about in 'each label' 'the set' 'at least 1' 'the first' 'the ranking'; do
    grep -Eq "^\| 2 \| $about \|.*\| beyond alpha \|$" "$out/verify-answers-unsound.md" || fail "verify found too few breaks of $about"
done

# What it saved must break the certificates again, by noise of its own, read back as anybody's adversarial examples are.
code=0
"$sound" verify --run "$out/unsound" --model $model --data $data --adversarial "$out/verify-unsound/breaks.npz" --n 10000 \
    --seed 13 --batch 64 --quiet >"$out/again.md" || code=$?
test $code = 3 || fail "the saved breaks do not break the certificates again"
echo "test-verify: passed"
