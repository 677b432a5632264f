#!/usr/bin/env bash
# Runs the addon's tests under AddressSanitizer and UndefinedBehaviorSanitizer: libs/native/asan.sh [JEST ARGS...]
#
# Leaks: LeakSanitizer is off, because it would judge all of node, whose own blocks it cannot tell from ours (every stack begins in node).
# Ours are counted by memory.c and descriptors by /proc/self/fd; each test checks both (checkLeaks).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

readonly COMPILER=${CC:-gcc}
readonly JEST=../../node_modules/.bin/jest

main() {
  local arch runtime
  arch=$(node -p process.arch)
  runtime=$("$COMPILER" -print-file-name=libasan.so)
  [ -e "$runtime" ] || stop "$COMPILER has no libasan.so (apt-get install libasan8, or gcc)"
  node build.mjs --asan
  export LD_PRELOAD=$runtime
  export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1:strict_string_checks=1:exitcode=99
  export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
  prove_that_it_finds_faults
  export PP_ADDON_PATH=$PWD/../../dist/addons/addon-$arch-asan.node
  "$JEST" --runInBand "$@"
  echo "asan: no fault found" >&2
}

stop() {
  echo "asan.sh: $1" >&2
  exit 1
}

# A library that writes one byte too far must end node, or this run would prove nothing.
prove_that_it_finds_faults() {
  local directory said
  directory=$(mktemp -d)
  trap "rm -r '$directory'" EXIT
  LD_PRELOAD='' "$COMPILER" -x c -shared -fPIC -fsanitize=address -o "$directory/canary.node" - << 'END'
#include <stdlib.h>
__attribute__((constructor)) static void write_too_far(void) { ((volatile char *)malloc(8))[8] = 1; }
END
  said=$(node -e 'process.dlopen({ exports: {} }, process.argv[1])' "$directory/canary.node" 2>&1) &&
    stop "the canary was not caught: AddressSanitizer is not at work"
  [[ $said == *heap-buffer-overflow* ]] || stop "the canary ended otherwise: $said"
}

main "$@"
