#!/usr/bin/env bash
# Makes a folder that checks Duel on another machine with a GPU: one without a network, and of another distribution, as
# long as its glibc is as new as this machine's. The driver is all it has to have; python3 for the scripts in tools/.
#
#   bash tools/gpu_bundle.sh [OUT_DIR]        OUT_DIR: build-bundle/duel-gpu by default; replaced where a bundle lies there
#
#   programs.tar.xz   bin/: duel, duel_tests, duel_op_bench, duel_probe, for any x86-64-v3 processor; lib/: every shared
#                     library that they need but glibc's, the driver's, CUDA's and cuDNN's. `sh unpack.sh` unpacks them,
#                     once; the scripts do it by themselves. Unpacked they have 150 MiB: three hold the same kernels
#   data/             ten thousand pictures of Fashion-MNIST
#   tools/            first_light.sh, for the first minutes on a GPU, and gpu_check.sh, which checks all
#   profiling/        the same step in PyTorch, for where PyTorch is installed; what was predicted
#   commit, README.md
#
# DUEL_CUDA_ARCHITECTURES=90 builds for one GPU only, which is quicker. Exit codes: 1 it failed; 2 usage, or no nvcc.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly MAX_MIB=50
say() { printf 'gpu_bundle: %s\n' "$*" >&2; }
die() { # EXIT_CODE TEXT
  say "$2"
  exit "$1"
}

case "${1:-}" in
  -*) die 2 "usage: bash tools/gpu_bundle.sh [OUT_DIR]" ;;
esac
[ $# -le 1 ] || die 2 "usage: bash tools/gpu_bundle.sh [OUT_DIR]"
build=$PWD/build-bundle
log=$build/bundle.log
out=$(realpath -m "${1:-$build/duel-gpu}")
if [ -e "$out" ] && [ ! -f "$out/commit" ] && [ -n "$(ls -A "$out")" ]; then
  die 2 "$out is not empty and no bundle; name another folder"
fi

find_nvcc() {
  local candidate
  for candidate in "${CUDACXX:-}" "$(command -v nvcc || true)" "${CUDA_HOME:-/usr/local/cuda}/bin/nvcc"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
      echo "$candidate"
      return
    fi
  done
  return 1
}
nvcc=$(find_nvcc) || die 2 "no nvcc was found: put CUDA's compiler on the PATH, or set CUDACXX or CUDA_HOME"

find_pictures() {
  local folder
  for folder in "${DUEL_FASHION_MNIST:-}" /usr/share/datasets/fashion-mnist "${HOME:-/root}/.cache/duel/fashion-mnist"; do
    if [ -n "$folder" ] && [ -s "$folder/t10k-images-idx3-ubyte.gz" ]; then
      echo "$folder"
      return
    fi
  done
  return 1
}
pictures=$(find_pictures) || die 1 "Fashion-MNIST was not found; tools/setup.sh installs it"

# Without photographs: libvips brings a hundred libraries. An RPATH, unlike a RUNPATH, also holds for the libraries of the libraries, and goes before LD_LIBRARY_PATH.
options=(-G Ninja -DCMAKE_BUILD_TYPE=Release -DDUEL_CUDA=ON "-DCMAKE_CUDA_COMPILER=$nvcc" -DDUEL_TESTS=ON
  -DDUEL_CPU_ARCH=x86-64-v3 -DDUEL_PHOTOGRAPHS=OFF "-DCMAKE_BUILD_RPATH=\$ORIGIN/../lib" -DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags)
[ -z "${DUEL_CUDA_ARCHITECTURES:-}" ] || options+=("-DDUEL_CUDA_ARCHITECTURES=$DUEL_CUDA_ARCHITECTURES")
say "building with $nvcc in $build"
mkdir -p "$build"
cmake -S . -B "$build" "${options[@]}" > "$log" 2>&1 || die 1 "cmake failed; see $log"
cmake --build "$build" -j "${JOBS:-$(nproc)}" --target duel duel_tests duel_op_bench duel_probe >> "$log" 2>&1 ||
  die 1 "the build failed; see $log"

# Finished beside its place and moved there whole.
part=$out.part
rm -rf "$part"
mkdir -p "$part"/{bin,lib,data,tools,profiling}
for program in duel tests/duel_tests profiling/duel_op_bench profiling/duel_probe; do
  strip -o "$part/bin/$(basename "$program")" "$build/$program"
done

is_of_the_system() { # glibc, which fits only its own kernel and loader; the driver, CUDA and cuDNN
  case "$1" in
    linux-vdso.so* | ld-linux* | libc.so* | libm.so* | libmvec.so* | libdl.so* | librt.so* | libpthread.so*) return 0 ;;
    libresolv.so* | libutil.so* | libanl.so* | libnss_* | libcuda.so*) return 0 ;;
    libcud* | libcublas* | libcurand* | libcufft* | libcusparse* | libcusolver* | libnv*) return 0 ;;
  esac
  return 1
}
missing=()
while read -r name arrow path _; do
  [ "$arrow" = "=>" ] || continue
  is_of_the_system "$name" && continue
  if [ "$path" = not ]; then
    missing+=("$name")
  else
    cp -L "$path" "$part/lib/$name"
  fi
done < <(for program in "$part"/bin/*; do ldd "$program"; done | sort -u)
[ ${#missing[@]} = 0 ] || die 1 "this machine itself lacks ${missing[*]}"
chmod u+w "$part"/lib/*
strip --strip-unneeded "$part"/lib/*
say "packing"
# A dictionary that reaches from one program to the next, which repeats its kernels.
tar -C "$part" --owner=0 --group=0 -cf - bin lib | xz -T1 --lzma2=preset=6,dict=128MiB > "$part/programs.tar.xz"
rm -rf "$part/bin" "$part/lib"
cat > "$part/unpack.sh" <<'END'
#!/bin/sh
# Unpacks bin/ and lib/ beside this file: needed once.
set -eu
cd "$(dirname "$0")"
[ ! -d bin ] || exit 0
rm -rf unpacked.part
if ! mkdir unpacked.part; then
  echo "unpack: nothing can be written in $PWD; copy the bundle to another folder" >&2
  exit 2
fi
if command -v xz > /dev/null; then
  tar -C unpacked.part -xJf programs.tar.xz
else
  python3 -c 'import tarfile; tarfile.open("programs.tar.xz").extractall("unpacked.part")'
fi
rm -rf lib
mv unpacked.part/lib lib
mv unpacked.part/bin bin # last: it says that all is there
rmdir unpacked.part
END

cp "$pictures"/t10k-{images-idx3,labels-idx1}-ubyte.gz "$part/data/"
cp tools/first_light.{sh,py} tools/first_light_tables.py tools/gpu_check.{sh,py} tools/gpu_{parts,processes}.py "$part/tools/"
cp -r profiling/{compare_pytorch,torch_gan,peer_timing,find_python}.py profiling/predictions "$part/profiling/"
git describe --always --dirty --abbrev=12 --exclude='*' > "$part/commit" 2> /dev/null || echo unknown > "$part/commit"
# Of the symbols that are asked for, the newest decides where it runs.
elsewhere=$(mktemp -d)
trap 'rm -rf "$elsewhere" "$part"' EXIT
cp -r "$part" "$elsewhere/a bundle"
sh "$elsewhere/a bundle/unpack.sh"
glibc=$(objdump -T "$elsewhere/a bundle"/{bin,lib}/* | grep -o 'GLIBC_[0-9.]*' | sort -uV | tail -n 1)
cat > "$part/README.md" <<END
Duel, commit $(cat "$part/commit"), for machines with an NVIDIA GPU, x86-64-v3 and ${glibc/_/ } or newer. The first minutes there:
\`bash tools/first_light.sh [--stage 1|2] [--out DIR]\`; everything: \`bash tools/gpu_check.sh [--quick] [--out DIR]\`; train with \`sh unpack.sh && bin/duel train --data data --out run\`.
END

# Whether it runs: from another folder, with a blank in its name, and with nothing in the environment.
check() { # COMMAND...
  (cd "$elsewhere/a bundle" && env -i "$@") > "$elsewhere/log" 2>&1 ||
    die 1 "the bundle does not run here: $*: $(tail -n 3 "$elsewhere/log")"
}
check bin/duel info
check bin/duel_op_bench --backend cpu --filter 'advance_counter/*' --all --windows 1 --bandwidth 20
check bin/duel_tests '--gtest_filter=*ContextTest*/cpu'
grep -q '\[  PASSED  \]' "$elsewhere/log" || die 1 "duel_tests ran no test in the bundle"
check bin/duel train --data data --dry-run
no_device=0
(cd "$elsewhere/a bundle" && env -i PATH="$PATH" CUDA_VISIBLE_DEVICES=-1 bash tools/first_light.sh --out "$elsewhere/light") \
  > "$elsewhere/log" 2>&1 || no_device=$?
[ "$no_device" = 4 ] && [ -s "$elsewhere/light/first-light.md" ] ||
  die 1 "first_light.sh in the bundle, with no device, ended with $no_device: $(tail -n 3 "$elsewhere/log")"
for program in "$elsewhere/a bundle"/bin/*; do
  while read -r name arrow path _; do
    if [ "$arrow" = "=>" ] && [[ $path != "$elsewhere"/* ]] && ! is_of_the_system "$name"; then
      die 1 "$(basename "$program") takes $name from $path, not from the bundle"
    fi
  done < <(env -i ldd "$program" | sed "s|a bundle|a_bundle|")
done

kib=$(du -sk --apparent-size "$part" | cut -f 1)
[ "$kib" -lt $((MAX_MIB * 1024)) ] ||
  die 1 "the bundle has $((kib / 1024)) MiB, $MAX_MIB are allowed: $(du -k "$part"/*/* | sort -rn | head -n 5 | tr '\n\t' '; ')"
rm -rf "$out"
mkdir -p "$(dirname "$out")"
mv "$part" "$out"
say "$out: $((kib / 1024)) MiB, needs ${glibc/_/ } or newer; there: bash tools/first_light.sh"
