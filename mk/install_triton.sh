#!/bin/sh
# Puts the built backend into the layout that Triton looks for; `make install-triton` calls it.
#   BUILD    folder of the built backend
#   LIBRARY  folder of the installed libsmoothtopk.so.1
#   TO       gets backends/smoothtopk, for tritonserver --backend-directory TO/backends
set -eu
folder=$TO/backends/smoothtopk
runtime=${SMOOTHTOPK_ONNXRUNTIME:-.deps/onnxruntime}
test -d "$runtime" && runtime=$(ls "$runtime"/libonnxruntime.so* | head -n 1)
install -d "$folder"
# By a rename: a server that runs with the old files keeps them whole.
put() {
    install -m 755 "$1" "$folder/.new"
    mv -f "$folder/.new" "$folder/$2"
}
put "$BUILD/backends/smoothtopk/libtriton_smoothtopk.so" libtriton_smoothtopk.so
put "$LIBRARY/libsmoothtopk.so.1" libsmoothtopk.so.1
put "$runtime" "$(basename "$runtime")"
echo "tritonserver --backend-directory $TO/backends"
