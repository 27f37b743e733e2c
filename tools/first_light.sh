#!/usr/bin/env bash
# The first minutes on a GPU: does it compute the right thing, how quick is it, and how far off were the predictions?
# From the folder of tools/gpu_bundle.sh, or from a source tree with a build. Needs python3 and nothing else.
#
#   bash tools/first_light.sh [--stage 1|2] [--out DIR] ...      (--help says more)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if ! command -v python3 > /dev/null; then
  echo "first_light: python3 was not found; it runs the parts and writes the results" >&2
  exit 2
fi
[ ! -f "$here/../unpack.sh" ] || sh "$here/../unpack.sh" # a bundle's libraries, packed for the way here
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$here/first_light.py" "$@"
