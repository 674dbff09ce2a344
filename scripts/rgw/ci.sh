#!/bin/bash
# The agent against a real object store: Ceph's S3 gateway from Debian's packages, in a folder that is gone
# afterwards. As root. Fails where they cannot be installed: what was not tried must not pass unseen.
set -uo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/node_modules/.bin:$PATH"
packages=(radosgw ceph-mon ceph-osd ceph-common)

if [ "${SKIP_RGW:-}" = 1 ]; then
  echo 'left out: SKIP_RGW=1'
  exit 0
fi
cannot() {
  echo "radosgw cannot be installed from Debian's packages: $*; set SKIP_RGW=1 to leave this out" >&2
  exit 1
}
[ "$(id -u)" = 0 ] || cannot 'only root can, and can start it'

missing=()
for name in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
done
if [ ${#missing[@]} -gt 0 ]; then
  started=$SECONDS
  command -v apt-get >/dev/null || cannot 'there is no apt-get'
  apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
  said=$("${apt[@]}" update 2>&1) || cannot "$(tail -n 1 <<<"$said")"
  said=$(DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "${missing[@]}" 2>&1) ||
    cannot "$(tail -n 1 <<<"$said")"
  echo "installed ${missing[*]}: $((SECONDS - started)) s"
fi

# No proxy of the machine's stands between here and here.
exec env -u http_proxy -u https_proxy -u HTTP_PROXY -u HTTPS_PROXY -u ALL_PROXY -u all_proxy \
  timeout --foreground --kill-after=20 240 node scripts/rgw/check.ts
