#!/bin/bash
# Builds an image of Dockerfile.arm64 and prints its name.
#   image.sh device|tests
. "$(dirname "$0")/common.sh"
. "$here/engine.sh"
target=${1:-device}
"$here/setup.sh"
prepare_engine
base=
if command -v apt-get >/dev/null; then
  root=$("$here/rootfs.sh")
  base=localhost/doorkeep-base:$(basename "$root" | sed 's/^rootfs-//')
  has_image "$base" || import_image "$root" "$base"
else
  say 'no Debian here: the base image is the one that Dockerfile.arm64 names'
fi
context=$("$here/context.sh" "$target")
name=localhost/doorkeep:arm64-$target
say "building $name with $engine"
forget_old_images
build_image "$context" "$base" "$target" "$name"
echo "$name"
