#!/usr/bin/env bash
# On a machine with a GPU: every operator case there, the same under compute-sanitizer, losses beside those of the CPU, the time of
# kernels and of whole steps, and a training,
# from a source tree with a build or from the folder of tools/gpu_bundle.sh. Needs python3 and nothing else.
#
#   bash tools/gpu_check.sh [--quick] [--out DIR] [--programs DIR] ...      (--help says more)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! command -v python3 > /dev/null; then
  echo "gpu_check: python3 was not found; it runs the parts and writes the results" >&2
  exit 2
fi
[ ! -f "$here/../unpack.sh" ] || sh "$here/../unpack.sh" # a bundle's libraries, packed for the way here
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$here/gpu_check.py" "$@"
