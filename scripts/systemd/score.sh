#!/bin/bash
# The unit that `doorkeep install` writes, as systemd itself judges it, without starting anything: no line of it may be
# unknown or wrong, and its exposure (`systemd-analyze security`) at most what docs/operations.md says. Seconds; run.sh
# tries the service at work. Where there is no systemd and none can be installed it is left out, and says so.
. "$(dirname "$0")/../arm64/common.sh"
# In tenths, as systemd counts it here.
most=22
fail() {
  echo "systemd: $*" >&2
  exit 1
}
left_out() {
  echo "systemd: the unit is LEFT OUT: $*" >&2
  exit 0
}
command -v systemd-analyze >/dev/null || (need_packages systemd) || left_out 'no systemd-analyze here, and apt cannot bring it'
version=$(systemd-analyze --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
[ "${version:-0}" -ge 250 ] || left_out "systemd ${version:-of no version} cannot judge a unit that is not installed"
unit_folder=$(for folder in /usr/lib/systemd/system /lib/systemd/system; do [ ! -d $folder ] || { echo $folder && break; }; done)
[ -n "$unit_folder" ] || left_out 'systemd is here without its own units'

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
judge() {
  local name=$1 root=$work/$1 unit exposure
  shift
  unit=$root/etc/systemd/system/doorkeep.service
  # A system on which it would be started: systemd's own units, and the program.
  mkdir -p "$root/usr/lib/systemd" "$root/opt/doorkeep/scripts"
  cp -r "$unit_folder" "$root/usr/lib/systemd/"
  cp "$project/scripts/doorkeep" "$root/opt/doorkeep/scripts/"
  "$project/scripts/doorkeep" install --prefix "$root" --program /opt/doorkeep/scripts/doorkeep "$@" >/dev/null ||
    fail "doorkeep install has failed ($name)"
  systemd-analyze --no-pager --root="$root" verify "$unit" || fail "the unit is at fault ($name)"
  exposure=$(systemd-analyze --no-pager security --offline=true --threshold=$most "$unit") || {
    echo "$exposure" >&2
    fail "the unit is more exposed than $((most / 10)).$((most % 10)) of 10 ($name)"
  }
  echo "systemd: $name: without fault; $(echo "$exposure" | sed -n 's/.*\(Overall exposure level\) for [^:]*: \([0-9.]*\).*/\1 \2/p') of 10"
}
judge camera -- --v4l2 /dev/video0
judge camera-and-relay --set relay.chip=/dev/gpiochip0 --set relay.line=5 -- --v4l2 /dev/video0
judge program --device /dev/video0 -- --exec 'ffmpeg -f v4l2 -i /dev/video0 -f rawvideo -'
