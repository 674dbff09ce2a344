#!/bin/bash
# Debian packages for arm64, without what they depend on, unpacked and not installed. Prints the folder. The
# kernel's own package stands for the one that it leads to: linux-image-arm64.
. "$(dirname "$0")/../arm64/common.sh"
whole=$cache/packages-$(digest_of "$(. /etc/os-release && echo "$VERSION_CODENAME")" "$@" "$0")
take_turn
if [ ! -e "$whole" ]; then
  folder=$making/packages
  work=$making/apt
  mkdir "$folder"
  prepare_apt_arm64 "$work"
  names=()
  for name in "$@"; do
    case $name in
      linux-image-*) names+=("$(apt-cache "${apt_arm64[@]:1}" depends "$name" | sed -n 's/^ *Depends: \(linux-image-.*\)/\1/p')") ;;
      *) names+=("$name") ;;
    esac
  done
  (cd "$work" && "${apt_arm64[@]}" -qq download "${names[@]}" >&2)
  for package in "$work"/*.deb; do dpkg-deb -x "$package" "$folder"; done
  publish "$folder" "$whole"
fi
echo "$whole"
