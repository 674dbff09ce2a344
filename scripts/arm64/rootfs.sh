#!/bin/bash
# A Debian root for arm64, unpacked from signed packages without running anything of them. Prints its folder.
. "$(dirname "$0")/common.sh"
packages=(libc6 libstdc++6 libgcc-s1 dash coreutils base-files "$@")
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
root=$cache/rootfs-$(digest_of "$release" "${packages[@]}" "$0")
if [ ! -e "$root/.whole" ]; then
  rm -rf "$root"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/{state/lists/partial,cache/archives/partial} "$work"/etc/{apt.conf.d,preferences.d,sources.list.d,trusted.gpg.d} "$root"
  : >"$work/status"
  # The machine's own Debian sources, for the other architecture.
  mirrors=$({ cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null || true; } |
    sed -nE 's/^URIs: *//p; s/^deb +(\[[^]]*\] +)?([^ ]+).*/\2/p' | grep -E '/debian/?$' | sort -u | head -n 1)
  [ -n "$mirrors" ] || fail 'no Debian source found in /etc/apt'
  echo "deb [arch=arm64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirrors $release main" >"$work/etc/sources.list"
  options=(-o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::Etc="$work/etc" -o Dir::State="$work/state"
    -o Dir::State::status="$work/status" -o Dir::Cache="$work/cache" -o APT::Get::Download-Only=true
    -o Acquire::Languages=none -o APT::Sandbox::User=root -o Debug::NoLocking=1)
  apt-get "${options[@]}" -qq update >&2
  apt-get "${options[@]}" -qq -y --no-install-recommends install "${packages[@]}" >&2
  for package in "$work"/cache/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
  for folder in bin sbin lib; do
    if [ -d "$root/$folder" ] && [ ! -L "$root/$folder" ]; then
      mkdir -p "$root/usr/$folder"
      cp -a "$root/$folder/." "$root/usr/$folder/"
      rm -rf "${root:?}/$folder"
    fi
    mkdir -p "$root/usr/$folder"
    ln -sfn "usr/$folder" "$root/$folder"
  done
  mkdir -p "$root"/{proc,sys,dev,tmp,root,run,data,usr/local/bin,var/lib/doorkeep,opt/doorkeep}
  # Texts and character sets that no program of ours reads; licences stay.
  rm -rf "$root"/usr/share/{locale,man,info,menu,lintian} "$root"/usr/lib/*/gconv
  find "$root/usr/share/doc" -type f ! -name copyright -delete
  ln -sfn dash "$root/usr/bin/sh"
  chmod 1777 "$root/tmp"
  printf 'root:x:0:0:root:/root:/bin/sh\ndoorkeep:x:10001:10001::/var/lib/doorkeep:/bin/sh\n' >"$root/etc/passwd"
  printf 'root:x:0:\ndoorkeep:x:10001:\n' >"$root/etc/group"
  chown 10001:10001 "$root/var/lib/doorkeep" 2>/dev/null || true
  touch "$root/.whole"
fi
say "root: $(du -sm "$root" | cut -f1) MB"
echo "$root"
