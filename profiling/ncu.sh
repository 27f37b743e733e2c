#!/usr/bin/env bash
# The counters of one kernel with Nsight Compute: how near it is to the limits of memory and arithmetic, and what holds it.
#
#   profiling/ncu.sh CASE [OUT] [-- ARGUMENTS OF duel_op_bench]      CASE: a pattern of a case, as 'conv2d_forward/classic*'
#
# duel_op_bench --list names the cases. OUT.ncu-rep is written, duel-counters by default. OP_BENCH is the program,
# build/profiling/duel_op_bench if not set. Counters need the right to read them: as root, or NVIDIA's ERR_NVGPUCTRPERM page.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bench=${OP_BENCH:-$here/../build/profiling/duel_op_bench}
die() {
  echo "ncu: $*" >&2
  exit 2
}
case "${1:-}" in
  "" | -*) die "usage: profiling/ncu.sh CASE [OUT] [-- ARGUMENTS]; $bench --list names the cases" ;;
esac
pattern=$1
shift
out=duel-counters
if [ $# -gt 0 ] && [ "$1" != -- ]; then
  out=$1
  shift
fi
[ "${1:-}" != -- ] || shift
[ -x "$bench" ] || die "there is no program $bench; build it with -DDUEL_CUDA=ON, or set OP_BENCH"
ncu=$(command -v ncu || ls -1 /usr/local/cuda/bin/ncu /opt/nvidia/nsight-compute/*/ncu 2> /dev/null | tail -n 1 || true)
[ -n "$ncu" ] || die "ncu was not found: install Nsight Compute (it comes with CUDA's toolkit, or developer.nvidia.com/nsight-compute)"
# Few calls: every one is replayed for each group of counters. The clocks stay as they are: to lock them would change the
# card for everybody on it, and show speeds that no training has.
"$ncu" --clock-control none --set full --import-source yes --launch-count 4 --force-overwrite --export "$out" \
  "$bench" --backend cuda --filter "$pattern" --windows 1 --window-ms 0.01 --rotate-mib 0 --bandwidth 1 "$@"
"$ncu" --import "$out.ncu-rep" --page details --print-details header
echo "ncu: open $out.ncu-rep in Nsight Compute"
