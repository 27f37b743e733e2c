#!/usr/bin/env bash
# From a fresh checkout to pictures: installs what is missing, builds, trains on Fashion-MNIST, and says where to look.
#
#   bash tools/quickstart.sh [STEPS]      where none are given, as many as four minutes hold, and 8000 at most
#
# It trains in bf16 where that is quicker here, which a dry run of each tells.
# The run goes to runs/quickstart, or to quickstart-2, quickstart-3 ... where there is one already. $DUEL_RUNS names
# another folder for it than runs/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

steps=${1:-}
if [ $# -gt 1 ] || ! [[ ${steps:-1} =~ ^0*[1-9][0-9]{0,8}$ ]]; then
  echo "quickstart: usage: bash tools/quickstart.sh [STEPS], where STEPS is a whole number from 1 to 999999999, not \"$*\"" >&2
  exit 2
fi

bash tools/setup.sh
united=() # what is built from nothing is built in fewer pieces
[ -e build/CMakeCache.txt ] || united=(-DDUEL_UNITY=ON)
cmake --preset release ${united[@]+"${united[@]}"}
cmake --build --preset release -j "$(nproc)" --target duel

runs=${DUEL_RUNS:-runs}
mkdir -p "$runs"
run=$runs/quickstart
for ((n = 2; ; ++n)); do
  [ -e "$run" ] || break
  run=$runs/quickstart-$n
done

# Prints the milliseconds of a step in a precision; fails where this machine cannot do it.
step_of() {
  build/duel train --data fashion-mnist --precision "$1" --dry-run --json < /dev/null 2> /dev/null |
    sed -n 's/.*"ms_a_step": *\([0-9]*\).*/\1/p'
}

precision=fp32
milliseconds=$(step_of fp32)
in_bf16=$(step_of bf16) || true
if [ -n "$in_bf16" ] && [ "$in_bf16" -lt "$milliseconds" ]; then
  precision=bf16
  milliseconds=$in_bf16
fi
if [ -z "$steps" ]; then
  steps=$((215000 / (milliseconds + 1)))  # sheets and checkpoints take the rest
  steps=$((steps < 100 ? 100 : steps > 8000 ? 8000 : steps))
fi
steps=$((10#$steps))  # leading zeros are decimal, as everywhere

build/duel train --data fashion-mnist --precision "$precision" --out "$run" --steps "$steps" < /dev/null

# The nine digits leave out step_..._raw.png, the sheet of the weights that are not averaged.
sheet=$(find "$run/samples" -name 'step_?????????.png' | sort | tail -n 1)
if [ -z "$sheet" ]; then
  echo "quickstart: the training ended well, but left no picture in $run/samples" >&2
  exit 1
fi
cat << END

Trained for $steps steps. The last sheet of generated pictures:
    $sheet
More of them, from the same generator:
    build/duel generate --run "$run" --grid 10x10 --out more.png
    build/duel generate --run "$run" --class "ankle boot" --count 20 --out boots
The curves of the losses, with TensorBoard (pip install tensorboard):
    tensorboard --logdir "$run"
END
