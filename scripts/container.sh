#!/bin/bash
# doorkeep's ARM64 image, with whatever this machine has: Docker or Podman, else buildah under QEMU from Debian's
# packages; on an ARM64 machine natively.
#   container.sh build             builds it, and says how large it is and what is in it
#   container.sh test [FILES]      builds it, its tests over it, and runs them inside
#   container.sh run [--data DIR] [--mount FROM:TO]... [ARGS]
#                                  doorkeep in it, its root read-only, its data in DIR (preset: ./data)
. "$(dirname "$0")/arm64/common.sh"
command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  build)
    started=$SECONDS
    name=$("$here/image.sh" device)
    "$here/sizes.sh"
    echo "$name built in $((SECONDS - started)) s"
    ;;
  test) exec "$here/test.sh" "$@" ;;
  run) exec "$here/run.sh" "$@" ;;
  *)
    sed -n '2,/^\./{/^#/s/^# \{0,1\}//p}' "$0" >&2
    exit 64
    ;;
esac
