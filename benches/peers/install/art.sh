#!/bin/sh
# art.sh VENV: the Adversarial Robustness Toolbox; it runs on torch.sh's PyTorch.
set -eu
exec "$1/bin/python" -m pip install --quiet --disable-pip-version-check -r "$(dirname "$0")/art.txt"
