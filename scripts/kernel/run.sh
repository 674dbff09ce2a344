#!/bin/bash
# The agent on a real kernel: Debian's for arm64, in an emulated machine with a virtual camera (vivid) and a GPIO
# chip (PL061). What is checked there is in guest/. Prints the seconds of each step; fails if any check fails.
#   run.sh [--keep] [--memory MINUTES]
# --keep: leaves the folder with the machine's parts and its console, and names it
# --memory: no checks; the door works for so long, and says how much memory it has
. "$(dirname "$0")/../arm64/common.sh"
kernel=$project/scripts/kernel
export PATH="$project/node_modules/.bin:$PATH"
started=$SECONDS
lap() {
  echo "kernel: $1: $((SECONDS - started)) s" >&2
  started=$SECONDS
}
work=$(mktemp -d)
keep=
minutes=0
while [ $# -gt 0 ]; do
  case $1 in
    --keep) keep=yes ;;
    --memory) minutes=${2:?how many minutes} && shift ;;
    *) echo "kernel: $1: no such option" >&2 && exit 64 ;;
  esac
  shift
done
if [ -n "$keep" ]; then echo "kernel: everything is kept in $work" >&2; else trap 'rm -rf "$work"' EXIT; fi

"$here/setup.sh"
need_packages qemu-system-arm
lap 'tools'
app=$("$here/stage.sh" device)
root=$("$here/rootfs.sh" busybox-static)
debian=$("$kernel/packages.sh" linux-image-arm64)
lap 'agent, root and kernel'
compiler=aarch64-linux-gnu-gcc
is_arm64 && compiler=cc
for tool in feed watch-line; do
  $compiler -static -std=c11 -O2 -Wall -Wextra -Werror "$kernel/$tool.c" -o "$work/$tool"
done
node "$kernel/material.ts" "$work/material"
# Weights that do not come with the agent, where they are.
models=()
if [ -d "$project/../shared/models" ]; then
  for model in "$project"/../shared/models/*.onnx; do models+=("$model:/opt/shared/models/$(basename "$model")"); done
fi
checks=()
for part in "$kernel"/guest/*.ts; do checks+=("$part:/opt/doorkeep/dist/scripts/kernel/guest/$(basename "$part" .ts).js"); done
node --disable-warning=ExperimentalWarning "$kernel/initramfs.ts" "$work/initramfs" "$root:/" "$app:/opt/doorkeep" "${models[@]}" \
  "$kernel/init:/init" "${checks[@]}" \
  "$work/material:/kernel" "$work/feed:/kernel/feed" "$work/watch-line:/kernel/watch-line" \
  --modules "$debian/lib/modules" vivid
lap 'the machine'
# In software on any host, with two processors of the kind that the image is tested on. iomem: watch-line.c reads the chip's registers.
timeout $((240 + 60 * minutes)) qemu-system-aarch64 -M virt -cpu "$QEMU_CPU" -accel tcg,thread=multi -smp 2 -m 1536 \
  -nographic -no-reboot -nic none -kernel "$debian"/boot/vmlinuz-* -initrd "$work/initramfs" \
  -append "console=ttyAMA0 quiet panic=-1 iomem=relaxed doorkeep.minutes=$minutes" </dev/null >"$work/console" || true
tr -d '\r' <"$work/console" | grep '^kernel: ' || true
lap 'checks'
if ! grep -q '^kernel: ALL WELL' "$work/console"; then
  echo 'kernel: the end of the console:' >&2
  tail -n 40 "$work/console" >&2
  exit 1
fi
