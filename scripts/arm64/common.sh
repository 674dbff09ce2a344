# Sourced by the scripts beside it. Everything made for arm64 lies under .cache/arm64 and can be deleted.
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
here=$project/scripts/arm64
cache=${DOORKEEP_CACHE:-$project/.cache}/arm64
# What the kernels are written for; with qemu's preset ("max") other code would run than on the device.
export QEMU_CPU=${QEMU_CPU:-cortex-a72}
mkdir -p "$cache"

say() { echo "arm64: $*" >&2; }
fail() {
  say "$*"
  exit 1
}

# Installs Debian packages that are missing; says which, and why it can't.
need_packages() {
  local missing=() name
  for name in "$@"; do
    dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
  done
  [ ${#missing[@]} -eq 0 ] && return
  [ "$(id -u)" = 0 ] || fail "these Debian packages are missing, and only root can install them: ${missing[*]}"
  say "installing ${missing[*]}"
  local apt=(apt-get -o DPkg::Lock::Timeout=300 -qq)
  "${apt[@]}" update >/dev/null || fail 'apt-get update failed'
  DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "these Debian packages cannot be installed: ${missing[*]}"
}

# One script at a time makes something in the cache, in the folder `making`; what is whole is moved to its place by
# `publish`. What a killed one left half-made goes first: a child of it that still works holds the lock.
take_turn() {
  local lock
  exec {lock}>"$cache/lock"
  flock -n "$lock" || {
    say 'waiting for another run that is making something in the same cache'
    flock "$lock"
  }
  rm -rf "$cache"/making.*
  making=$(mktemp -d "$cache/making.XXXXXX")
  trap 'rm -rf "$making"' EXIT
}

# Takes things out of the cache at once, and then deletes them: nobody finds half of one.
discard() {
  local path
  for path in "$@"; do
    [ ! -e "$path" ] || mv -T "$path" "$(mktemp -d "$making/gone.XXXXXX")/it"
  done
  rm -rf "$making"/gone.*
}

# publish FROM TO
publish() {
  discard "$2"
  mv -T "$1" "$2"
}

is_arm64() { [ "$(uname -m)" = aarch64 ]; }

# Digest of files and words: names what was made from them.
digest_of() { { for path in "$@"; do [ -f "$path" ] && cat "$path" || echo "$path"; done; } | sha256sum | cut -c1-16; }

# A private apt for arm64 packages of the machine's own Debian, which it verifies as always and does not install:
# sets `debs` (the folder they come to) and `apt_arm64` (to be given a command). $1: an empty folder to work in.
prepare_apt_arm64() {
  local work=$1 release mirrors
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  mkdir -p "$work"/{state/lists/partial,cache/archives/partial} "$work"/etc/{apt.conf.d,preferences.d,sources.list.d,trusted.gpg.d}
  : >"$work/status"
  # The machine's own Debian sources, for the other architecture.
  mirrors=$({ cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null || true; } |
    sed -nE 's/^URIs: *//p; s/^deb +(\[[^]]*\] +)?([^ ]+).*/\2/p' | grep -E '/debian/?$' | sort -u | head -n 1)
  [ -n "$mirrors" ] || fail 'no Debian source found in /etc/apt'
  echo "deb [arch=arm64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirrors $release main" >"$work/etc/sources.list"
  debs=$work/cache/archives
  apt_arm64=(apt-get -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::Etc="$work/etc" -o Dir::State="$work/state"
    -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o APT::Get::Download-Only=true
    -o Acquire::Languages=none -o APT::Sandbox::User=root -o Debug::NoLocking=1)
  "${apt_arm64[@]}" -qq update >&2
}
