#!/usr/bin/env bash
# Builds Duel and runs every test, in an optimised build and then in one with AddressSanitizer and
# UndefinedBehaviorSanitizer. Before its end it prints where the time went; the last line counts both builds together:
# "N passed, N failed".
#
#   bash tools/test.sh [--fast]      --fast: the optimised build only
#
# A failure in one build does not keep the other from running; the exit status is 0 only where nothing failed at all.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

presets=(release sanitize)
for argument in "$@"; do
  case "$argument" in
    --fast) presets=(release) ;;
    *)
      echo "test: unknown argument $argument; usage: bash tools/test.sh [--fast]" >&2
      exit 2
      ;;
  esac
done

times=() # rows of the table at the end
# Runs a command, and notes how long it took.
timed() { # WHAT COMMAND...
  local what=$1 begin=$SECONDS status=0
  shift
  "$@" < /dev/null || status=$?
  times+=("$(printf '%9d s  %s' $((SECONDS - begin)) "$what")")
  return "$status"
}

timed setup bash tools/setup.sh
timed "OpenVINO" bash tools/get_onnx_runtime.sh || echo "test: without OpenVINO the tests of ONNX extractors are skipped"

# In CI, for time's sake: one architecture is enough to see that the kernels compile, and as no GPU runs them there, nvcc need not
# optimise them (the test `resources`, which finds spills, is for the builds of those who change them). What is built once is
# built in fewer pieces, and the host optimised little. The emulated kernels are tested without sanitizers alone; with them they
# too are for those who change a kernel.
release_options=()
sanitize_options=()
if [ "${CI:-}" = true ]; then
  release_options=(-DDUEL_CUDA_ARCHITECTURES=90-real -DDUEL_UNITY=ON -DDUEL_HOST_OPTIMISATION=-O1)
  nvcc=$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)
  [[ $("$nvcc" --help 2> /dev/null) != *--Ofast-compile* ]] || release_options+=(-DCMAKE_CUDA_FLAGS=--Ofast-compile=max)
  sanitize_options=(-DDUEL_EMULATED_TESTS=OFF)
fi

links_with_sanitizers() { # COMPILER
  local program
  program=$(mktemp)
  echo 'int main() {}' | "$1" -x c++ -fsanitize=address,undefined -o "$program" - 2> /dev/null && "$program"
  local status=$?
  rm -f "$program"
  return "$status"
}
if ! links_with_sanitizers clang++; then
  echo "test: clang++ links no program with sanitizers, so g++ builds those tests, which takes longer" >&2
  sanitize_options+=(-DCMAKE_CXX_COMPILER=g++)
fi

folder_of() { # of a preset, in CMakePresets.json
  [ "$1" = release ] && echo build || echo "build-$1"
}

# Of CTest's JUnit report, in which "<" within a test's output is escaped. A test whose program is not there is "notrun"
# as a skipped one is, but has no message of a skip: it counts as failed.
count() { grep -c "$1" "$report" || true; } # PATTERN

passed=0
failed=0
skipped=0
faults=()
for preset in "${presets[@]}"; do
  folder=$(folder_of "$preset")
  report=$PWD/$folder/ctest.xml
  echo "== $preset"
  declare -n options=${preset}_options
  if ! timed "$preset: configure" cmake --preset "$preset" -DDUEL_TESTS=ON ${options[@]+"${options[@]}"} ||
    ! timed "$preset: compile" cmake --build --preset "$preset" -j "$(nproc)"; then
    faults+=("the $preset build failed")
    continue
  fi
  rm -f "$report"
  timed "$preset: test" ctest --test-dir "$folder" --output-on-failure --no-tests=error --timeout 300 -j "$(nproc)" \
    --output-junit "$report" || faults+=("tests of the $preset build failed")
  if [ ! -s "$report" ]; then
    faults+=("ctest left no report of the $preset build")
    continue
  fi
  times+=("$(python3 tools/slowest_tests.py "$report" || true)")
  all=$(count '<testcase ')
  good=$(count '<testcase .* status="run"')
  left_out=$(($(count '<skipped message="SKIP_') + $(count '<testcase .* status="disabled"')))
  passed=$((passed + good))
  skipped=$((skipped + left_out))
  failed=$((failed + all - good - left_out))
done

echo
echo "where the time went:"
printf '%s\n' "${times[@]}"
printf '%9d s  in all\n\n' "$SECONDS"
for fault in "${faults[@]}"; do
  echo "test: $fault"
done
[ "$skipped" = 0 ] || echo "test: $skipped skipped; ctest's lists above say which"
echo "$passed passed, $failed failed"
[ ${#faults[@]} = 0 ] && [ "$failed" = 0 ]
