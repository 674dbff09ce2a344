#!/bin/bash
# A power cut, again and again: in a virtual ARM64 machine a household opts in, is recorded and opts out on a disk of
# which every request is logged; then the disk is cut off at many moments of that log, and the agent's own code opens
# what is left. Three more households forget to sync, each something else: if the checks do not find them out, they
# find nothing. Prints the seconds of each step; fails if any check fails. docs/operations.md says what this proves.
#   run.sh [--cuts N] [--keep]     N: preset 120. --keep: leaves the folder with disks, logs and console, and names it
. "$(dirname "$0")/../arm64/common.sh"
powercut=$project/scripts/powercut
export PATH="$project/node_modules/.bin:/usr/sbin:/sbin:$PATH"
cuts=120
keep=
while [ $# -gt 0 ]; do
  case $1 in
    --cuts) cuts=$2 && shift 2 ;;
    --keep) keep=yes && shift ;;
    *) fail "powercut: unknown option $1" ;;
  esac
done
started=$SECONDS
lap() {
  echo "powercut: $1: $((SECONDS - started)) s" >&2
  started=$SECONDS
}
work=$(mktemp -d)
[ -n "$keep" ] && echo "powercut: everything is kept in $work" >&2 || trap 'rm -rf "$work"' EXIT

"$here/setup.sh"
need_packages qemu-system-arm e2fsprogs
lap 'tools'
app=$("$here/stage.sh" device)
root=$("$here/rootfs.sh" busybox-static)
debian=$("$project/scripts/kernel/packages.sh" linux-image-arm64)
lap 'agent, root and kernel'

compiler=aarch64-linux-gnu-gcc
is_arm64 && compiler=cc
$compiler -shared -fPIC -std=c11 -O2 -Wall -Wextra -Werror "$powercut/forget-sync.c" -o "$work/forget-sync.so" -ldl
# Of the agent what records and erases; the household plays on the fakes of the tests.
parts=("$app/package.json:/opt/doorkeep/package.json" "$app/native:/opt/doorkeep/native" "$app/agent:/opt/doorkeep/agent" "$app/dist:/opt/doorkeep/dist")
for module in "$app"/node_modules/*; do
  case $(basename "$module") in
    onnxruntime-* | sharp | @img) ;;
    *) parts+=("$module:/opt/doorkeep/node_modules/$(basename "$module")") ;;
  esac
done
for fake in "$project"/agent/test/fakes/*.ts; do
  parts+=("$fake:/opt/doorkeep/dist/agent/test/fakes/$(basename "$fake" .ts).js")
done
for script in acknowledgement household; do
  parts+=("$powercut/$script.ts:/opt/doorkeep/dist/scripts/powercut/$script.js")
done
node --disable-warning=ExperimentalWarning "$project/scripts/kernel/initramfs.ts" "$work/initramfs" "$root:/" "${parts[@]}" \
  "$powercut/init:/init" "$work/forget-sync.so:/powercut/forget-sync.so" \
  --modules "$debian/lib/modules" virtio_pci virtio_blk crc32c_generic ext4

# What each household forgets to sync ("-": nothing), and what must come of it.
forgotten=(- /consent/ records.db-wal zeros)
faults=('' 'consent undone' 'rows lost' 'left over')
disks=()
for n in "${!forgotten[@]}"; do
  truncate -s 32M "$work/$n.img"
  mke2fs -q -t ext4 -b 4096 -F "$work/$n.img" 28M
  cp --sparse=always "$work/$n.img" "$work/$n.before"
  truncate -s 512M "$work/$n.log"
  disks+=(
    -blockdev "driver=file,node-name=f$n,filename=$work/$n.img" -blockdev "driver=raw,node-name=d$n,file=f$n"
    -blockdev "driver=file,node-name=fl$n,filename=$work/$n.log" -blockdev "driver=raw,node-name=l$n,file=fl$n"
    -blockdev "driver=blklogwrites,node-name=b$n,file=d$n,log=l$n,log-sector-size=512"
    -device "virtio-blk-pci,drive=b$n"
  )
done
lap 'the machine'

# In software on any host: no processor of the host's is needed, and its kernel takes no part.
timeout 240 nice -n 10 qemu-system-aarch64 -M virt -cpu "$QEMU_CPU" -accel tcg,thread=multi -smp 2 -m 1024 \
  -nographic -no-reboot -nic none -kernel "$debian"/boot/vmlinuz-* -initrd "$work/initramfs" \
  -append "console=ttyAMA0 quiet panic=-1 cycles=5 forget=$(IFS=,; echo "${forgotten[*]}")" \
  "${disks[@]}" </dev/null >"$work/console" || true
tr -d '\r' <"$work/console" | grep '^powercut: ' || true
if [ "$(grep -c '^powercut: household .*: done' "$work/console")" != ${#forgotten[@]} ]; then
  echo 'powercut: the end of the console:' >&2
  tail -n 40 "$work/console" >&2
  exit 1
fi
lap 'households'

node "$powercut/replay.ts" whole "$work/0.before" "$work/0.log" "$cuts"
lap "$cuts cuts"
for n in 1 2 3; do
  node "$powercut/replay.ts" "without syncs of ${forgotten[n]}" "$work/$n.before" "$work/$n.log" 60 --must-fail "${faults[n]}"
done
lap 'households that forget'
