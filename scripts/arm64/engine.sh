# Sourced after common.sh: the container engine of this machine, and what differs between engines.
# Docker and Podman where one works; else buildah, which needs no daemon, from Debian's packages.
choose_engine() {
  local name
  for name in ${CONTAINER_ENGINE:-docker podman}; do
    if timeout 20 "$name" info >/dev/null 2>&1; then
      echo "$name"
      return
    fi
  done
  echo buildah
}
engine=${engine:-$(choose_engine)}

# buildah with a store of its own, deleted with the cache.
own_buildah() {
  local driver=overlay
  [ -e "$cache/store.vfs" ] && driver=vfs
  BUILDAH_ISOLATION=chroot TMPDIR=$cache/tmp \
    buildah --root "$cache/store" --runroot "$cache/run" --storage-driver "$driver" "$@"
}

prepare_engine() {
  [ "$engine" = buildah ] || return 0
  need_packages buildah
  [ "$(id -u)" = 0 ] || fail 'buildah isolates by chroot here: that takes root'
  mkdir -p "$cache/tmp"
  # Where the cache itself lies on an overlay, there is none on top of it.
  own_buildah info >/dev/null 2>&1 || { rm -rf "$cache/store"; touch "$cache/store.vfs"; }
}

# What /proc/cpuinfo of a door says.
write_cpuinfo() {
  for processor in 0 1 2 3; do
    printf 'processor\t: %s\nBogoMIPS\t: 48.00\nFeatures\t: fp asimd evtstrm aes pmull sha1 sha2 crc32 cpuid\n' $processor
    printf 'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n'
  done >"$cache/cpuinfo"
}

# Emulated programs would otherwise read the host's processor there, and choose wrong kernels by it.
with_arm64_cpuinfo() {
  if is_arm64; then
    "$@"
    return
  fi
  write_cpuinfo
  (
    export -f own_buildah
    export cache
    exec unshare --mount --propagation private bash -c 'mount --bind "$0" /proc/cpuinfo && "$@"' "$cache/cpuinfo" "$@"
  )
}

has_image() {
  case $engine in
    buildah) own_buildah inspect --type image "$1" >/dev/null 2>&1 ;;
    *) "$engine" image inspect "$1" >/dev/null 2>&1 ;;
  esac
}

# A folder as an image of one layer.
import_image() {
  local root=$1 name=$2 working
  local pack=(tar --sort=name --mtime=@0 --numeric-owner -C "$root" -c .)
  case $engine in
    docker) "${pack[@]}" | docker import --platform linux/arm64 - "$name" >/dev/null ;;
    podman) "${pack[@]}" | podman import --arch arm64 --os linux - "$name" >/dev/null ;;
    buildah)
      "${pack[@]}" >"$cache/tmp/base.tar"
      working=$(own_buildah from --arch arm64 scratch)
      own_buildah add -q "$working" "$cache/tmp/base.tar" / >/dev/null
      own_buildah config --arch arm64 --os linux "$working"
      own_buildah commit -q --rm "$working" "$name" >/dev/null
      rm -f "$cache/tmp/base.tar"
      ;;
  esac
}

# What earlier builds left in buildah's store; whatever is in use stays.
forget_old_images() {
  [ "$engine" = buildah ] || return 0
  local working
  for working in $(own_buildah containers --format '{{.ContainerName}}' | sed -n '/^doorkeep-run-/p'); do
    own_buildah rm "$working" >/dev/null 2>&1 || true
  done
  own_buildah rmi --prune >/dev/null 2>&1 || true
}

# build_image CONTEXT BASE TARGET NAME
build_image() {
  local context=$1 base=$2 target=$3 name=$4
  local words=(--platform linux/arm64 --target "$target" -t "$name" -f "$project/Dockerfile.arm64")
  [ -z "$base" ] || words+=(--build-arg "BASE_IMAGE=$base")
  case $engine in
    docker) DOCKER_BUILDKIT=1 docker build "${words[@]}" "$context" ;;
    # In the OCI format there is no health check.
    podman) podman build --format docker "${words[@]}" "$context" ;;
    buildah)
      with_arm64_cpuinfo own_buildah bud --format docker --layers --timestamp 0 --pull-never "${words[@]}" "$context"
      ;;
  esac >&2
}
