#!/usr/bin/env bash
# Duel's training step beside PyTorch's, JAX's and Keras's on the device at hand, in turn, as one table of ratios with
# versions and settings; on a CPU with the project's goals. Builds nothing.
#
#   profiling/compare.sh [--duel PROGRAM] [--device auto|cpu|cuda] [--rounds N] [--json FILE] ...      (--help says more)
#
# PYTHON is an interpreter with PyTorch, JAX_PYTHON one with JAX, and KERAS_PYTHON one with TensorFlow, each the same as
# PYTHON if not set; where that is not set either, the first python3 on the PATH that has the package, in a virtual
# environment or not. What is missing is said in the table.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# OpenBLAS takes processors that are newer than itself for old ones. AVX-512 must exist, or its kernels would crash.
if grep -qm1 avx512f /proc/cpuinfo; then
  export OPENBLAS_CORETYPE=${OPENBLAS_CORETYPE:-SkylakeX}
fi
exec python3 "$here/compare.py" "$@"
