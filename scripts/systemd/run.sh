#!/bin/bash
# The service on a real systemd: Debian's, on Debian's kernel for arm64, in an emulated machine. What is checked there is
# in check.sh. Prints the seconds of each step; fails if any check fails. What of it takes seconds is in score.sh.
#   run.sh [--keep]        --keep: leaves the folder with the machine's parts and its console, and names it
. "$(dirname "$0")/../arm64/common.sh"
export PATH="$project/node_modules/.bin:$PATH"
started=$SECONDS
lap() {
  echo "systemd: $1: $((SECONDS - started)) s" >&2
  started=$SECONDS
}
# Weights that do not come with the agent, where they are.
models=()
for model in "$project"/../shared/models/*.onnx; do
  [ -f "$model" ] && models+=("$model:/opt/shared/models/$(basename "$model")")
done
work=$(mktemp -d)
[ "${1:-}" = --keep ] && echo "systemd: everything is kept in $work" >&2 || trap 'rm -rf "$work"' EXIT

"$here/setup.sh"
need_packages qemu-system-arm
lap 'tools'
app=$("$here/stage.sh" device)
root=$("$here/rootfs.sh" busybox-static systemd udev bash kmod mount login passwd grep sed findutils util-linux)
debian=$("$project/scripts/kernel/packages.sh" linux-image-arm64)
lap 'agent, root and kernel'

mkdir -p "$work/etc" "$work/data"
echo 0123456789abcdef0123456789abcdef >"$work/etc/machine-id"
cat >"$work/etc/check.service" <<'UNIT'
[Unit]
Wants=basic.target systemd-journald.service
After=basic.target
[Service]
ExecStart=/bin/bash /check.sh
UNIT
ln -s /usr/lib/systemd/systemd "$work/init"
cat >"$work/data/doorkeep.json" <<'SETTINGS'
{"cloud.region": "eu-central-1", "controller.name": "A Maker", "controller.contact": "1 Street, Town", "controller.privacyPolicy": "https://maker.example/privacy"}
SETTINGS
node --disable-warning=ExperimentalWarning "$project/scripts/kernel/initramfs.ts" "$work/initramfs" "$root:/" "$app:/opt/doorkeep" "${models[@]}" \
  "$work/init:/init" "$work/etc/machine-id:/etc/machine-id" "$work/etc/check.service:/etc/systemd/system/check.service" \
  "$work/data:/var/lib/doorkeep" "$project/scripts/systemd/check.sh:/check.sh" "$project/fixtures/faces/resident-1:/faces" \
  --modules "$debian/lib/modules" virtio_pci
lap 'the machine'

timeout 480 nice -n 10 qemu-system-aarch64 -M virt -cpu "$QEMU_CPU" -accel tcg,thread=multi -smp 2 -m 2048 \
  -nographic -no-reboot -nic none -kernel "$debian"/boot/vmlinuz-* -initrd "$work/initramfs" \
  -append 'console=ttyAMA0 quiet panic=-1 systemd.unit=check.service systemd.show_status=0' </dev/null >"$work/console" || true
tr -d '\r' <"$work/console" | grep '^systemd: ' || true
lap 'checks'
if ! grep -q '^systemd: ALL WELL' "$work/console"; then
  echo 'systemd: the end of the console:' >&2
  tail -n 60 "$work/console" >&2
  exit 1
fi
