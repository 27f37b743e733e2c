#!/usr/bin/env bash
# How long a training step would take on an H100, predicted from the machine code of its kernels, without one.
#
#   profiling/predict.sh --build build-cuda [--steps classic-bf16 ...]        --help says more
set -euo pipefail
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$(dirname "${BASH_SOURCE[0]}")/predict.py" "$@"
