#!/usr/bin/env bash
# From a fresh checkout to pictures: installs what is missing, builds, trains on Fashion-MNIST, and says where to look.
#
#   bash tools/quickstart.sh [STEPS]      1200 steps where none are given
#
# The run goes to runs/quickstart, or to quickstart-2, quickstart-3 ... where there is one already. $DUEL_RUNS names
# another folder for it than runs/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

steps=${1:-1200}
if [ $# -gt 1 ] || ! [[ $steps =~ ^0*[1-9][0-9]{0,8}$ ]]; then
  echo "quickstart: usage: bash tools/quickstart.sh [STEPS], where STEPS is a whole number from 1 to 999999999, not \"$*\"" >&2
  exit 2
fi
steps=$((10#$steps))  # leading zeros are decimal, as everywhere

bash tools/setup.sh
cmake --preset release
cmake --build --preset release -j "$(nproc)" --target duel

runs=${DUEL_RUNS:-runs}
mkdir -p "$runs"
run=$runs/quickstart
for ((n = 2; ; ++n)); do
  [ -e "$run" ] || break
  run=$runs/quickstart-$n
done

build/duel train --data fashion-mnist --preset steady --out "$run" --steps "$steps" < /dev/null

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
    build/duel generate --run "$run" --grid 8x8 --out more.png
The curves of the losses, with TensorBoard (pip install tensorboard):
    tensorboard --logdir "$run"
END
