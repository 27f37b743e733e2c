#!/usr/bin/env bash
# Gets OpenVINO, by which `--extractor onnx:FILE` runs networks: the library and its C headers out of PyPI's wheel, of a
# fixed version and checksum. Only what runs ONNX files on a CPU is kept (100 MB).
#
#   bash tools/get_onnx_runtime.sh [FOLDER]     otherwise $XDG_CACHE_HOME/duel/openvino or ~/.cache/duel/openvino
#
# CMake finds it there (-DDUEL_OPENVINO=FOLDER otherwise); configure and build again afterwards. It does nothing where the
# folder holds that version already. For x86-64 Linux with glibc 2.28 or newer, as Debian and Ubuntu have it.
set -euo pipefail

version=2026.4.1
wheel=openvino-2026.4.1-22982-cp311-cp311-manylinux_2_28_x86_64.whl
expected=2d22b1da03f7caf74df30e9f6417d0ab2f637e4a38e08e1dcd294d2c37407aaf

say() { printf 'get_onnx_runtime: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

[ $# -le 1 ] && [[ ${1:-} != -* ]] || {
  say "usage: bash tools/get_onnx_runtime.sh [FOLDER]"
  exit 2
}
folder=${1:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/duel/openvino}

if [ "$(cat "$folder/version" 2> /dev/null)" = "$version" ]; then
  say "OpenVINO $version is in $folder"
  exit 0
fi
[ ! -e "$folder" ] || [ -e "$folder/version" ] || [ -z "$(ls -A "$folder")" ] ||
  die "$folder holds something else; name an empty folder, or remove it"
[ "$(uname -sm)" = "Linux x86_64" ] || die "this wheel is for Linux on x86-64, and this is $(uname -sm)"
python3 -m pip --version > /dev/null 2>&1 || die "this needs pip; install python3-pip (bash tools/setup.sh does)"

mkdir -p "$(dirname "$folder")" || die "cannot make the folder $(dirname "$folder")"
part=$(mktemp -d "$folder.part.XXXXXX")
trap 'rm -rf "$part"' EXIT
say "fetching OpenVINO $version from PyPI (59 MB)"
# Of one Python whatever runs here: its libraries are the same in all, and one file has one checksum.
python3 -m pip --disable-pip-version-check download --quiet --no-deps --only-binary :all: --implementation cp \
  --python-version 3.11 --abi cp311 --platform manylinux_2_28_x86_64 --dest "$part" "openvino==$version" >&2 ||
  die "pip could not fetch openvino $version; its own message is above"
sum=$(sha256sum "$part/$wheel" | cut -d ' ' -f 1) || die "pip fetched no $wheel"
[ "$sum" = "$expected" ] || die "$wheel is not the file it should be: its SHA-256 is $sum, not $expected"

python3 - "$part/$wheel" "$part/openvino" << 'EOF'
import re
import sys
import zipfile
from pathlib import Path, PurePosixPath

wheel, to = zipfile.ZipFile(sys.argv[1]), Path(sys.argv[2])
wanted = re.compile(r"openvino/(include/openvino/c/[\w/]+\.h|libs/lib(openvino|openvino_c|openvino_onnx_frontend"
                    r"|openvino_intel_cpu_plugin|tbb|tbbmalloc|tbbbind_2_5|hwloc)\.so[.\d]*)$"
                    r"|openvino-[\d.]+\.dist-info/licenses?/")
for name in wheel.namelist():
    if wanted.match(name) and not name.endswith("/"):
        file = to / PurePosixPath(name).relative_to(PurePosixPath(name).parts[0])
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(wheel.read(name))
EOF
printf '%s\n' "$version" > "$part/openvino/version"
rm -rf "$folder"
mv "$part/openvino" "$folder"
say "OpenVINO $version is in $folder; configure and build Duel again"
