#!/bin/bash
# Runs the device's image: its root read-only, nothing written but the data volume.
#   run.sh [--data DIR] [--mount FROM:TO]... [--entrypoint PROGRAM] [ARGS]
. "$(dirname "$0")/common.sh"
. "$here/engine.sh"
data=$project/data
mounts=()
entry=()
while [ $# -gt 0 ]; do
  case $1 in
    --data) data=$(realpath -m "$2"); shift 2 ;;
    --mount) mounts+=("$2"); shift 2 ;;
    --entrypoint) entry=("$2"); shift 2 ;;
    --) shift; break ;;
    *) break ;;
  esac
done
name=localhost/doorkeep:arm64-device
has_image "$name" || "$here/image.sh" device >/dev/null
if [ ! -d "$data" ]; then
  mkdir -p -m 700 "$data"
  [ "$(id -u)" != 0 ] || chown 10001:10001 "$data"
fi

if [ "$engine" != buildah ]; then
  words=(run --rm --platform linux/arm64 --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges)
  words+=(--volume "$data:/var/lib/doorkeep")
  for mount in "${mounts[@]}"; do words+=(--volume "$mount:ro"); done
  [ ${#entry[@]} -eq 0 ] || words+=(--entrypoint "${entry[0]}")
  exec "$engine" "${words[@]}" "$name" "$@"
fi

# buildah has no read-only root: the same by hand, in a mount namespace that ends with the agent. Every step
# replaces the one before it, so that a signal to this process is a signal to the agent.
prepare_engine
id=$(own_buildah inspect --type image --format '{{.FromImageID}}' "$name" | cut -c1-12)
working=doorkeep-run-$id
own_buildah inspect "$working" >/dev/null 2>&1 || own_buildah from --arch arm64 --pull-never --name "$working" "$name" >/dev/null
root=$(own_buildah mount "$working")
mapfile -t environment < <(own_buildah inspect --type image --format '{{range .OCIv1.Config.Env}}{{println .}}{{end}}' "$name" | grep .)
[ ${#entry[@]} -gt 0 ] || mapfile -t entry < <(own_buildah inspect --type image --format '{{range .OCIv1.Config.Entrypoint}}{{println .}}{{end}}' "$name" | grep .)
is_arm64 || environment+=("QEMU_CPU=$QEMU_CPU")
write_cpuinfo
export root data cpuinfo=$cache/cpuinfo mounted="${mounts[*]}"
# shellcheck disable=SC2016
exec unshare --mount --propagation private bash -euc '
  mount --bind "$root" "$root"
  for each in $mounted; do
    mkdir -p "$root${each#*:}"
    mount --bind "${each%%:*}" "$root${each#*:}"
    mount -o remount,bind,ro "$root${each#*:}"
  done
  mount -o remount,bind,ro "$root"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --bind /sys "$root/sys"
  mount -o remount,bind,ro "$root/sys"
  mount --bind "$data" "$root/var/lib/doorkeep"
  [ "$(uname -m)" = aarch64 ] || mount --bind "$cpuinfo" "$root/proc/cpuinfo"
  unset root data cpuinfo mounted
  exec "$@"
' bash chroot --userspec=10001:10001 "$root" /usr/bin/env -i "${environment[@]}" "${entry[@]}" "$@"
