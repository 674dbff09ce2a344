#!/bin/bash
# Runs inside the virtual machine, as a service of its systemd: an installer makes doorkeep a service, and what the unit
# promises is tried. One line for each check; the last line says how many failed.
exec >/dev/console 2>&1
export PATH=/opt/doorkeep/scripts:/usr/sbin:/usr/bin:/sbin:/bin
data=/var/lib/doorkeep
failed=0
say() { echo "systemd: $*"; }
check() {
  local name=$1 said
  shift
  if said=$("$@" 2>&1); then say "ok: $name: ${said//$'\n'/; }"; else
    say "FAILED: $name: ${said//$'\n'/; }"
    failed=$((failed + 1))
  fi
}
property() { systemctl show -P "$1" doorkeep; }
# Within $1 seconds this is so: the rest.
within() {
  local left=$1
  shift
  until "$@"; do
    left=$((left - 1))
    [ $left -gt 0 ] || return 1
    sleep 1
  done
}
install_it() { doorkeep install --user door --set relay.chip=/dev/gpiochip0 --set relay.line=5 "$@" -- --files /faces --loop --fps 1; }
as_door() { setpriv --reuid door --regid door --init-groups env DOORKEEP_DATA_DIR=$data doorkeep "$@"; }

dry_run() {
  local before after
  before=$(find /etc /var -xdev -newer /init -type f | sort | cksum)
  install_it --dry-run | grep -c '^would be done'
  after=$(find /etc /var -xdev -newer /init -type f | sort | cksum)
  [ "$before" = "$after" ] && ! id door 2>/dev/null
}
installed() {
  install_it | cut -c1-60 || return
  [ "$(property ActiveState) $(property SubState) $(property NRestarts)" = 'active running 0' ]
}
at_work() {
  local pid
  pid=$(property MainPID)
  echo "$(property Type), watchdog $(property WatchdogUSec), $(($(property MemoryCurrent) >> 20)) MiB"
  grep -E '^(NoNewPrivs|Seccomp|CapEff|Uid)' "/proc/$pid/status" | tr '\t' ' '
  [ "$(stat -c %U "/proc/$pid")" = door ] && grep -q '^NoNewPrivs:.1' "/proc/$pid/status" &&
    grep -q '^Seccomp:.2' "/proc/$pid/status" && grep -q '^CapEff:.0*$' "/proc/$pid/status"
}
answers() { as_door health; }
# Of every visitor a line with its date: emulated, a decision may well come too late to open.
visitors() { journalctl -u doorkeep -o cat | grep -m 1 '^20[0-9-]*T'; }
recognises() { within 20 visitors; }
keys_locked() { ! journalctl -u doorkeep -o cat | grep 'keys-unprotected'; }
holds_relay() { within 10 grep -q doorkeep-relay /sys/kernel/debug/gpio && grep doorkeep-relay /sys/kernel/debug/gpio; }
# Beside the agent, with its user's rights; somebody else's are refused the chip.
doctor() {
  local at='--set relay.chip=/dev/gpiochip0 --set relay.line=5' own other
  own=$(as_door doctor $at | grep -A 1 ' relay ')
  other=$(setpriv --reuid 65534 --regid 65534 --clear-groups doorkeep doctor --data-dir /run/nobody $at | grep -A 1 ' relay ')
  echo "$own"
  echo "$other"
  [[ $own == *'held by an agent'* && $other == *'Permission denied'*'group'* ]] && holds_relay >/dev/null
}
programme() {
  as_door ueip on --accept-policy "$(ls /opt/doorkeep/agent/consent/policies/*.txt | sed 's/.*\///; s/\.txt//')" --allow-volatile &&
    within 10 [ -f $data/ueip/records.db ] && as_door ueip off --yes | tail -n 1
}
confined() {
  local pid
  pid=$(property MainPID)
  # What the process itself would see and may do.
  nsenter -t "$pid" -m -r sh -c 'touch /etc/was-here /var/was-here' && return 1
  nsenter -t "$pid" -m -r touch $data/was-here && rm $data/was-here || return 1
  [ -z "$(nsenter -t "$pid" -m -r find /root /home -mindepth 1)" ] || return 1
  echo 'a read-only system, no homes'
}
hangs() {
  local pid
  mkdir -p /run/systemd/system/doorkeep.service.d
  printf '[Service]\nWatchdogSec=6\nTimeoutAbortSec=4\n' >/run/systemd/system/doorkeep.service.d/quick.conf
  systemctl daemon-reload
  systemctl restart doorkeep
  pid=$(property MainPID)
  sleep 15
  [ "$(property MainPID)" = "$pid" ] || { echo 'it was killed though it is well'; return 1; }
  kill -STOP "$pid"
  within 60 sh -c "[ \"\$(systemctl show -P NRestarts doorkeep)\" = 1 ]" && within 60 systemctl -q is-active doorkeep &&
    echo "after $(property NRestarts) restart: $(journalctl -u doorkeep -o cat | grep -m 1 -i 'watchdog timeout')"
}
again() {
  local said
  said=$(install_it | grep '^done: /\|^already so')
  echo "$said" | cut -c1-60
  ! echo "$said" | grep -q '^done: /'
}
stops() {
  systemctl stop doorkeep
  echo "$(property Result), status $(property ExecMainStatus)"
  [ "$(property Result)" = success ] && ! grep doorkeep-relay /sys/kernel/debug/gpio && ! journalctl -u doorkeep -o cat | grep relay-restarted
}

mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
check 'a dry run shows everything and changes nothing' dry_run
check 'an installation ends with a door that is served' installed
check 'the service is confined as its unit says' at_work
check 'it sees a system that it cannot change' confined
check 'it answers at its control socket' answers
check 'its keys are locked' keys_locked
check 'it holds the line of the relay' holds_relay
check 'doctor says who holds it, and lets it be' doctor
check 'it examines what its camera shows' recognises
check 'the improvement programme works within the same confines' programme
check 'a main thread that hangs is killed and started again, one that works is not' hangs
check 'done again, nothing is written' again
check 'it stops when it is told to' stops
[ $failed = 0 ] && say 'ALL WELL' || { say "$failed FAILED"; journalctl -u doorkeep -o cat | tail -n 40; }
systemctl poweroff -ff
