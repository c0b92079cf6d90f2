#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# As a new user tries it: each mistake gets one sentence that names the thing,
# and exit status 2 for usage or 1 for a failure.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

# STATUS WORD COMMAND...: the sentence has to have the word in it.
expect() {
	local status=$1 word=$2 got=0

	shift 2
	timeout 60 "$fdlink" "$@" >"$tmp/out" 2>"$tmp/err" || got=$?
	[ "$got" = "$status" ] ||
		fail "'$*' gave status $got, not $status: $(cat "$tmp/err")"
	[ -s "$tmp/err" ] || fail "'$*' said nothing"
	grep -qF -- "$word" "$tmp/err" ||
		fail "'$*' did not speak of $word: $(cat "$tmp/err")"
	[ ! -s "$tmp/out" ] || fail "'$*' wrote to stdout"
}

at='--address 192.0.2.2/24'
# shellcheck disable=SC2086 # $at is two words
{
	expect 2 bogus bogus
	expect 2 LOCATOR host
	expect 2 nokind host nokind:x $at
	expect 2 'tap:NAME' host tap $at
	expect 2 192.0.2.2 host tap:fdl0 --address 192.0.2.2
	expect 2 192.0.2.2/33 host tap:fdl0 --address 192.0.2.2/33
	expect 2 zz:zz host tap:fdl0 $at --mac zz:zz
	expect 2 70000 host tap:fdl0,mtu=70000 $at
	expect 2 67 host tap:fdl0,mtu=67 $at
	expect 2 color host tap:fdl0,color=red $at
	expect 1 nope0 info packet:nope0
	expect 1 nope0 info tap:nope0
	expect 1 /nowhere/x host unixgram:/nowhere/x $at
	expect 1 99 host fd:99 $at
}

ip tuntap add dev fdl0 mode tap
start_host tap:fdl0 --address 192.0.2.2/24
# shellcheck disable=SC2086
expect 1 busy host tap:fdl0 $at
kill "$host"
end_of_host || fail "SIGTERM gave exit status $?"

# Who waits for a peer can be stopped, and leaves nothing that is in the way.
for kind in seqpacket unixgram; do
	"$fdlink" host "$kind:$tmp/peer,listen" --address 192.0.2.2/24 \
		>"$tmp/out" 2>&1 &
	waiting=$!
	wait_for test -S "$tmp/peer"
	wait_for grep -q '^State:.*sleeping' "/proc/$waiting/status"
	kill -USR1 "$waiting"
	kill "$waiting"
	status=0
	wait "$waiting" || status=$?
	[ $status = 0 ] || fail "$kind: SIGTERM while waiting: status $status"
	[ ! -e "$tmp/peer" ] || fail "$kind: its path is left behind"
done

# Nobody's user may not open the device, and is told the way out.
if [ "$(id -u)" = 0 ] && [ -z "${FDLINK_TEST_USER-}" ] &&
	setpriv --reuid=65534 --clear-groups true 2>/dev/null; then
	cp "$fdlink" "$tmp/fdlink"
	chmod 755 "$tmp"
	status=0
	setpriv --reuid=65534 --clear-groups --inh-caps=-all \
		"$tmp/fdlink" host tap:fdl1 --address 192.0.2.2/24 \
		2>"$tmp/err" >&2 || status=$?
	[ $status = 1 ] || fail "without permission: exit status $status"
	grep -q fdl1 "$tmp/err" || fail "no word of fdl1: $(cat "$tmp/err")"
fi
