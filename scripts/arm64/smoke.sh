#!/bin/bash
# What the image promises besides its tests: its user, its read-only root, its health check, its end at SIGTERM.
. "$(dirname "$0")/common.sh"
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
[ "$(id -u)" != 0 ] || chown 10001:10001 "$data"
run() { "$here/run.sh" --data "$data" "$@"; }

run doctor --json >"$data/doctor" || true
grep -q '"name":"runtime","state":"ok"' "$data/doctor" || fail "the pinned Node does not run: $(cat "$data/doctor")"
grep -Eq '"name":"kernels","state":"ok","detail":"neon' "$data/doctor" || fail "no NEON kernels: $(grep kernels "$data/doctor")"
say 'the pinned Node runs, with NEON kernels'

status=0
run health 2>/dev/null || status=$?
[ $status = 71 ] || fail "where no agent is at work, the health check says $status and not 71"
owners=$(find "$data" -mindepth 1 ! -name doctor -printf '%U\n' | sort -u)
[ "$owners" = 10001 ] || fail "files of users $owners in the data volume, not of 10001 alone"
say 'it runs as user 10001, and without an agent it is not healthy'

writable=$(run --entrypoint sh -c 'for place in /opt/doorkeep /etc /usr /var/lib/doorkeep /tmp; do
  (: >$place/written) 2>/dev/null && echo $place
done; true' | tr '\n' ' ')
[ "$writable" = '/var/lib/doorkeep /tmp ' ] || fail "it can write in: $writable"
say 'nothing can be written but the data volume and /tmp'

# Not by the function: the signal is for the agent, and not for a shell that waits for it.
: >"$data/log"
"$here/run.sh" --data "$data" run --exec 'cat /dev/zero' --format grey --size 640x480 2>"$data/log" >/dev/null &
agent=$!
for ((second = 0; second < 300; second += 2)); do
  grep -q agent-started "$data/log" && break
  sleep 2
done
run health >/dev/null || fail 'an agent is at work, and the health check says otherwise'
kill -TERM $agent
status=0
wait $agent || status=$?
[ $status = 0 ] && grep -q agent-stopped "$data/log" || fail "at SIGTERM it ended with $status"
say "an agent at work is healthy, and ends in order at SIGTERM"
