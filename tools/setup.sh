#!/usr/bin/env bash
# Installs what Duel is built from, and Fashion-MNIST, on Debian 12 and 13 and on Ubuntu 24.04. Without arguments it
# installs everything; --no-tests leaves out what only the tests need.
#
# It does nothing where nothing is missing, and asks for no password then. Everything comes from apt but the pictures
# where apt does not have them: those are fetched from their authors, and checked, into $HOME/.cache/duel.
set -euo pipefail

say() { printf 'setup: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

with_tests=1
for argument in "$@"; do
  case "$argument" in
    --no-tests) with_tests=0 ;;
    -h | --help)
      echo "usage: bash tools/setup.sh [--no-tests]"
      exit 0
      ;;
    *)
      say "unknown argument $argument; usage: bash tools/setup.sh [--no-tests]"
      exit 2
      ;;
  esac
done

# One package a line; where releases call it differently, the names are separated by |. OpenCL is only recommended by
# oneDNN's package, whose CMake file asks for it all the same.
packages=(
  g++ cmake ninja-build ccache pkg-config git python3
  "libdnnl-dev|libonednn-dev" ocl-icd-opencl-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev libspdlog-dev
  zlib1g-dev libpng-dev libprotobuf-dev protobuf-compiler libisal-dev libmd-dev libvips-dev libeigen3-dev
)
if [ "$with_tests" = 1 ]; then
  packages+=(libgtest-dev clang-format clang "libclang-rt-dev|libclang-rt-18-dev|libclang-rt-19-dev"
    python3-torch python3-onnx)
  python3 -m pip --version > /dev/null 2>&1 || packages+=(python3-pip) # tools/get_onnx_runtime.sh fetches by it
fi

if ! command -v dpkg-query > /dev/null || ! command -v apt-get > /dev/null; then
  die "this needs apt-get (Debian or Ubuntu); elsewhere install by hand: ${packages[*]}"
fi

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]; }

# apt-cache show succeeds for a package that is only referred to; policy names no candidate for that one.
apt_knows() { [[ $(LC_ALL=C apt-cache policy "$1" 2> /dev/null) == *"  Candidate: "[!\(]* ]]; }

apt() {
  local prefix=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo > /dev/null || die "to install ${missing[*]} this must run as root, or with sudo installed"
    prefix=(sudo)
    [ -t 0 ] || prefix+=(-n) # nobody is there to type a password
  fi
  "${prefix[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300 "$@" < /dev/null >&2
}

update_lists() {
  apt update && return
  say "apt-get update failed; once more in 5 seconds"
  sleep 5
  apt update || say "apt-get update failed again; going on with the package lists that are there"
}

# The sums are those of the unpacked files, because Debian packed the same files anew.
pictures=(
  "train-images-idx3-ubyte c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
  "train-labels-idx1-ubyte bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
  "t10k-images-idx3-ubyte 5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
  "t10k-labels-idx1-ubyte 0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
)
pictures_url=${DUEL_FASHION_MNIST_URL:-http://fashion-mnist.s3-website.eu-central-1.amazonaws.com}
pictures_cache=${HOME:-/root}/.cache/duel/fashion-mnist

have_pictures() {
  local folder entry
  for folder in "${DUEL_FASHION_MNIST:-}" /usr/share/datasets/fashion-mnist "$pictures_cache"; do
    [ -n "$folder" ] || continue
    for entry in "${pictures[@]}"; do
      [ -s "$folder/${entry% *}.gz" ] || [ -s "$folder/${entry% *}" ] || continue 2
    done
    return 0
  done
  return 1
}

fetch() { # URL FILE
  if command -v curl > /dev/null; then
    curl -fsSL --retry 2 --connect-timeout 30 -o "$2" "$1"
  elif command -v wget > /dev/null; then
    wget -q --tries 3 --timeout 30 -O "$2" "$1"
  else
    python3 -c 'import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=30) as answer, open(sys.argv[2], "wb") as file:
    shutil.copyfileobj(answer, file)' "$1" "$2"
  fi
}

fetch_pictures() {
  local entry name expected part sum
  mkdir -p "$pictures_cache" || die "cannot make the folder $pictures_cache for Fashion-MNIST"
  for entry in "${pictures[@]}"; do
    name=${entry% *}
    expected=${entry#* }
    [ ! -s "$pictures_cache/$name.gz" ] || continue
    say "fetching $pictures_url/$name.gz"
    part=$pictures_cache/$name.gz.part.$$ # a file under its own name is whole and checked
    if ! fetch "$pictures_url/$name.gz" "$part"; then
      rm -f "$part"
      die "cannot fetch $pictures_url/$name.gz; put the file into $pictures_cache yourself, or set DUEL_FASHION_MNIST" \
        "to a folder that has it"
    fi
    sum=$(gzip -dc < "$part" 2> /dev/null | sha256sum | cut -d ' ' -f 1) || sum="none (it is no gzip file)"
    if [ "$sum" != "$expected" ]; then
      rm -f "$part"
      die "$pictures_url/$name.gz is not the file it should be: SHA-256 of its content is $sum, not $expected"
    fi
    mv "$part" "$pictures_cache/$name.gz"
  done
}

missing=()
for entry in "${packages[@]}"; do
  IFS='|' read -ra names <<< "$entry"
  for name in "${names[@]}"; do
    is_installed "$name" && continue 2
  done
  missing+=("$entry")
done
if ! have_pictures; then
  missing+=(dataset-fashion-mnist)
fi

if [ ${#missing[@]} -gt 0 ]; then
  say "missing: ${missing[*]}"
  update_lists
  chosen=()
  unknown=()
  for entry in "${missing[@]}"; do
    IFS='|' read -ra names <<< "$entry"
    for name in "${names[@]}"; do
      if apt_knows "$name"; then
        chosen+=("$name")
        continue 2
      fi
    done
    [ "$entry" = dataset-fashion-mnist ] || unknown+=("$entry")
  done
  [ ${#unknown[@]} = 0 ] ||
    die "apt knows no package ${unknown[*]} here; Duel is built on Debian 12 and 13 and on Ubuntu 24.04 (universe)"
  # What a test opens reports in, along with the rest; Ubuntu has it as a snap alone, and the test is skipped there.
  if [ "$with_tests" = 1 ] && ! is_installed chromium && apt_knows chromium; then
    chosen+=(chromium)
  fi
  if [ ${#chosen[@]} -gt 0 ]; then
    apt install -y --no-install-recommends "${chosen[@]}" ||
      die "apt-get could not install ${chosen[*]}; its own message is above"
  fi
  have_pictures || fetch_pictures
fi

# A version that another prefix puts in front of apt's counts: it is the one that is going to run.
cmake_version=$(cmake --version | sed -n 's/^cmake version \([0-9.]*\).*/\1/p')
[ "$(printf '%s\n' 3.24 "$cmake_version" | sort -V | head -n 1)" = 3.24 ] ||
  die "cmake is $cmake_version and must be 3.24 or newer; install a newer one, for example with: pip install cmake"
say "everything is installed"
