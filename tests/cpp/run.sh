#!/bin/sh
# The C++ suite in one process, then the tests about the process's ONNX Runtime, each in its own, beside a second copy of
# the library's file.
set -eu
program=$1
"$program"
ours=$SMOOTHTOPK_ONNXRUNTIME
if test -d "$ours"; then ours=$(find "$ours" -name 'libonnxruntime.so*' | sort | head -n 1); fi
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp "$ours" "$copy/libhost_onnxruntime.so"
export HOST_ONNXRUNTIME="$copy/libhost_onnxruntime.so"
for how in host-first ours-first shared; do "$program" $how; done
