#!/bin/bash
# A Debian root for arm64, unpacked from signed packages without running anything of them. Prints its folder.
. "$(dirname "$0")/common.sh"
packages=(libc6 libstdc++6 libgcc-s1 dash coreutils base-files "$@")
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
whole=$cache/rootfs-$(digest_of "$release" "${packages[@]}" "$0")
take_turn
if [ ! -e "$whole" ]; then
  root=$making/root
  mkdir "$root"
  prepare_apt_arm64 "$making/apt"
  "${apt_arm64[@]}" -qq -y --no-install-recommends install "${packages[@]}" >&2
  for package in "$debs"/*.deb; do dpkg-deb -x "$package" "$root"; done
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
  publish "$root" "$whole"
fi
say "root: $(du -sm "$whole" | cut -f1) MB"
echo "$whole"
