#!/usr/bin/env bash
# What the compiler gives each kernel: registers, shared memory, spills, and the occupancy that follows.
#
#   profiling/resources.sh [--arch 80 90] [FILE.cu ...]        --help says more
set -euo pipefail
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$(dirname "${BASH_SOURCE[0]}")/resources.py" "$@"
