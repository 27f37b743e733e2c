#!/usr/bin/env bash
# Duel's training step beside PyTorch's on this CPU, in turn, as one table with the goals. Builds nothing.
#
#   profiling/compare_cpu.sh [DUEL] [--rounds N] [--batch N] [--threads N] [--json FILE]
#
# DUEL is the program, build/duel if not given; PYTHON an interpreter with PyTorch, /usr/bin/python3 if not set.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-/usr/bin/python3}
duel=$here/../build/duel
if [[ $# -gt 0 && $1 != -* ]]; then
  duel=$1
  shift
fi

if [[ " $* " != *" --help "* && " $* " != *" -h "* ]]; then
  if [[ ! -x $duel ]]; then
    echo "compare_cpu: there is no program $duel; build it first: cmake --preset release && cmake --build build" >&2
    exit 2
  fi
  if ! "$python" -c 'import torch' 2>/dev/null; then
    echo "compare_cpu: $python has no PyTorch; on Debian: apt-get install python3-torch libopenblas0-openmp," >&2
    echo "compare_cpu: or set PYTHON to an interpreter that has it" >&2
    exit 2
  fi
fi

# OpenBLAS takes processors that are newer than itself for old ones. AVX-512 must exist, or its kernels would crash.
if grep -qm1 avx512f /proc/cpuinfo; then
  export OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-SkylakeX}
fi
exec "$python" "$here/compare_cpu.py" --duel "$duel" --python "$python" "$@"
