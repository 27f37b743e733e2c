#!/usr/bin/env bash
# A timeline of training steps on the GPU with Nsight Systems, and the summaries that matter: kernels by time, memory
# copies, and what the host waited for.
#
#   profiling/nsys.sh [OUT] [-- ARGUMENTS OF duel bench step]        OUT: duel-timeline by default; OUT.nsys-rep is written
#
# DUEL is the program, build/duel if not set.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
duel=${DUEL:-$here/../build/duel}
out=duel-timeline
if [ $# -gt 0 ] && [ "$1" != -- ]; then
  out=$1
  shift
fi
[ "${1:-}" != -- ] || shift
[ $# -gt 0 ] || set -- --preset classic --precision bf16 --data synthetic

die() {
  echo "nsys: $*" >&2
  exit 2
}
[ -x "$duel" ] || die "there is no program $duel; build it with -DDUEL_CUDA=ON, or set DUEL"
nsys=$(command -v nsys || ls -1 /opt/nvidia/nsight-systems/*/bin/nsys /usr/local/cuda/bin/nsys 2> /dev/null | tail -n 1 || true)
[ -n "$nsys" ] || die "nsys was not found: install Nsight Systems (package nsight-systems of NVIDIA's repository, or developer.nvidia.com/nsight-systems)"
"$nsys" profile --force-overwrite true --trace cuda,nvtx,osrt --cuda-graph-trace node --sample none --cpuctxsw none \
  --output "$out" "$duel" bench step --device cuda --seconds 0.5 "$@"
"$nsys" stats --force-export true --report cuda_gpu_kern_sum,cuda_gpu_mem_time_sum,nvtx_sum,cuda_api_sum "$out.nsys-rep"
echo "nsys: open $out.nsys-rep in Nsight Systems"
