#!/bin/sh
# onnxruntime.sh VENV: the plain onnxruntime and NumPy loop.
set -eu
exec "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$(dirname "$0")/onnxruntime.txt"
