#!/usr/bin/env bash
# Fails where a C++ or CUDA file is not laid out as .clang-format says; `clang-format -i FILE` mends it.
#
# Versions of clang-format disagree about details, so one of them decides: 14, Debian 12's. Where it is missing the check
# is skipped: it says so and exits 77, which CTest reports as skipped.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

deciding=14
formatter=
for name in "clang-format-$deciding" clang-format; do
  if command -v "$name" > /dev/null && [[ $("$name" --version) == *"version $deciding."* ]]; then
    formatter=$name
    break
  fi
done
if [ -z "$formatter" ]; then
  echo "format: skipped, there is no clang-format $deciding here; apt install clang-format-$deciding where apt knows it"
  exit 77
fi

patterns=('*.h' '*.cpp' '*.cu' '*.cuh')
files=()
if git rev-parse --is-inside-work-tree > /dev/null 2>&1; then
  list() { git ls-files -z -co --exclude-standard -- "${patterns[@]}"; }
else # an unpacked archive
  list() {
    find . -type d \( -name 'build*' -o -name runs -o -name '.?*' \) -prune -o -type f \
      \( -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh' \) -print0
  }
fi
while IFS= read -r -d '' file; do
  [ ! -f "$file" ] || files+=("$file") # git lists a file that was deleted but not yet committed as such
done < <(list)
if [ ${#files[@]} = 0 ]; then
  echo "format: found no C++ file under $PWD" >&2
  exit 1
fi

if ! "$formatter" --dry-run -Werror "${files[@]}" < /dev/null; then
  echo "format: mend it with: $formatter -i FILE" >&2
  exit 1
fi
echo "format: ${#files[@]} files are well laid out"
