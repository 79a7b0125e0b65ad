#!/bin/sh
# torch.sh VENV: Cohen's loop, and PyTorch's noise. The list is whole: pip must not add what it leaves out.
set -eu
exec "$1/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps -r "$(dirname "$0")/torch.txt"
