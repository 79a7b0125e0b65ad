#!/bin/sh
# statsmodels.sh VENV: the paper's certificates.
set -eu
exec "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$(dirname "$0")/statsmodels.txt"
