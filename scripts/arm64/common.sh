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

is_arm64() { [ "$(uname -m)" = aarch64 ]; }

# Digest of files and words: names what was made from them.
digest_of() { { for path in "$@"; do [ -f "$path" ] && cat "$path" || echo "$path"; done; } | sha256sum | cut -c1-16; }
