#!/bin/bash
# The part of CI that is about the device's processor: builds its image, checks what is in it, and runs the
# test-suite inside, emulated on x86-64. Prints the seconds of each part.
. "$(dirname "$0")/common.sh"
started=$SECONDS
lap() {
  say "$1: $((SECONDS - started)) s"
  started=$SECONDS
}
"$here/setup.sh"
lap 'tools'
if is_arm64 || [ -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
  "$project/scripts/container.sh" build
  lap 'image'
  "$here/smoke.sh"
  lap 'the image at work'
fi
# The limit of the whole of this is 15 minutes.
timeout 840 "$here/test.sh"
lap 'tests inside the image'
