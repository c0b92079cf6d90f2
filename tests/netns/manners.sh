#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What is printed and lost is told, and a host that is told to stop stops: what
# it waits for, what it was told by, and whoever reads what it prints. What one
# that was killed has left is in nobody's way.
set -eu
# What the caller ignores, as nohup(1) does, its children ignore, too.
[ "${FDLINK_TEST_SIGNALS-}" = default ] ||
	FDLINK_TEST_SIGNALS=default exec env --default-signal bash "$0" "$@"
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# The kernel does not believe in a new address within a second.
at='--address 192.0.2.2/24 --mac 02:00:00:00:00:02'

# STATUS WORDS: the end of a command, with one sentence on $tmp/err.
expect_end() {
	[ "$got" = "$1" ] ||
		fail "$what: status $got, not $1: $(cat "$tmp/err")"
	[ "$(wc -l <"$tmp/err")" = 1 ] ||
		fail "$what: not one line: $(cat "$tmp/err")"
	grep -qF -- "$2" "$tmp/err" ||
		fail "$what: no word of $2: $(cat "$tmp/err")"
}

# SIG_IGN or SIG_DFL, for SIGPIPE, and a command: its output is a pipe that
# nobody reads.
deaf=(python3 -c '
import os, signal, sys
r, w = os.pipe()
os.close(r)
os.dup2(w, 1)
signal.signal(signal.SIGPIPE, getattr(signal, sys.argv[1]))
os.execv(sys.argv[2], sys.argv[2:])')

ip tuntap add dev fdl0 mode tap
for what in -h --help --version 'info --help' 'host --help' 'connect --help' \
	'info tap:fdl0' 'info tap:fdl0 --json'; do
	got=0
	# shellcheck disable=SC2086 # several words
	"$fdlink" $what >/dev/full 2>"$tmp/err" || got=$?
	expect_end 1 'No space left on device'
	got=0
	# shellcheck disable=SC2086
	"$fdlink" $what >&- 2>"$tmp/err" || got=$?
	expect_end 1 'Bad file descriptor'
	got=0
	# shellcheck disable=SC2086
	"${deaf[@]}" SIG_IGN "$fdlink" $what 2>"$tmp/err" || got=$?
	expect_end 1 'Broken pipe'
	# shellcheck disable=SC2086
	"$fdlink" $what >"$tmp/out" 2>"$tmp/err" || fail "$what: status $?"
	[ ! -s "$tmp/err" ] || fail "$what: $(cat "$tmp/err")"
done

lost() {
	[ "$(grep -c 'standard output is lost' "$tmp/err")" = "$1" ]
}

# The host serves on, each report that is lost is told, and so is the end.
expect_service() {
	wait_for lost 1
	kill -USR1 "$host"
	wait_for lost 2
	ping -n -q -c 1 -W 30 192.0.2.2 >"$tmp/out" ||
		fail "$what: no answer: $(cat "$tmp/out")"
	kill "$host"
	got=0
	end_of_host || got=$?
	[ $got = 1 ] || fail "$what: exit status $got: $(cat "$tmp/err")"
	lost 3 || fail "$what: $(cat "$tmp/err")"
}

ask_patiently fdl0
ip address add 192.0.2.1/24 dev fdl0
ip link set fdl0 up
what='a full disk'
# shellcheck disable=SC2086 # $at is two words
"$fdlink" host tap:fdl0 $at >/dev/full 2>"$tmp/err" &
host=$!
expect_service
what='a reader that has gone'
# shellcheck disable=SC2086
"${deaf[@]}" SIG_DFL "$fdlink" host tap:fdl0 $at 2>"$tmp/err" &
host=$!
expect_service
# Else the link would be opened in the place of standard output.
what='a closed standard output'
# shellcheck disable=SC2086
"$fdlink" host tap:fdl0 $at <&- >&- 2>"$tmp/err" &
host=$!
wait_for lost 1
[ "$(readlink "/proc/$host/fd/1")" = /dev/null ] ||
	fail "fd 1 is $(readlink "/proc/$host/fd/1")"
expect_service

for signal in INT TERM HUP; do
	# shellcheck disable=SC2086
	start_host tap:fdl0 $at
	kill -$signal "$host"
	end_of_host || fail "SIG$signal: exit status $?"
	grep -q '^rx_packets' "$tmp/host" || fail "SIG$signal: no counters"
done
# Who asked for that is not hung up on. What an earlier host said is not taken
# for this one's.
: >"$tmp/host"
(
	trap '' HUP
	# shellcheck disable=SC2086
	exec "$fdlink" host tap:fdl0 $at >"$tmp/host" 2>&1
) &
host=$!
wait_for grep -q '^fdlink host: up' "$tmp/host"
kill -HUP "$host"
ping -n -q -c 1 -W 30 192.0.2.2 >"$tmp/out" || fail "SIGHUP was not ignored"
kill "$host"
end_of_host || fail "after SIGHUP: exit status $?"

# A wire carries on as well, and ends with a word on each thing that was lost.
ip tuntap add dev fdl1 mode tap
what='a wire to a full disk'
# shellcheck disable=SC2086 # an option, or none
"$fdlink" connect tap:fdl0 tap:fdl1 --stats 1 ${FDLINK_TEST_SANDBOX-} \
	>/dev/full 2>"$tmp/err" &
host=$!
wait_for lost 1
kill -HUP "$host"
got=0
end_of_host || got=$?
[ $got = 1 ] || fail "$what: exit status $got: $(cat "$tmp/err")"
lost 2 || fail "$what: $(cat "$tmp/err")"

# The signal may come before the wait as well as in it.
wait_for_peer() {
	local signal

	for signal in INT TERM HUP INT TERM HUP; do
		what="$1 $2: SIG$signal while waiting for a peer"
		"$fdlink" "$@" >"$tmp/out" 2>"$tmp/err" &
		host=$!
		wait_for test -S "$tmp/peer"
		# A report is not for one that has no link yet.
		kill -USR1 "$host"
		kill -$signal "$host"
		end_of_host || fail "$what: exit status $?"
		[ ! -s "$tmp/err" ] || fail "$what: $(cat "$tmp/err")"
		[ ! -s "$tmp/out" ] || fail "$what: $(cat "$tmp/out")"
		[ ! -e "$tmp/peer" ] || fail "$what: the path is left"
	done
}

for kind in seqpacket unixgram; do
	# shellcheck disable=SC2086
	wait_for_peer host "$kind:$tmp/peer,listen,wait" $at
	wait_for_peer connect tap:fdl0 "$kind:$tmp/peer,listen,wait"
done

# What a crash leaves is in nobody's way; who waits there is.
for kind in seqpacket unixgram; do
	for signal in KILL TERM; do
		# shellcheck disable=SC2086
		"$fdlink" host "$kind:$tmp/peer,listen" $at \
			>"$tmp/host" 2>&1 &
		host=$!
		wait_for grep -qF "$tmp/peer" /proc/net/unix
		what="$kind: a second host"
		got=0
		# shellcheck disable=SC2086
		"$fdlink" host "$kind:$tmp/peer,listen" $at \
			>"$tmp/out" 2>"$tmp/err" || got=$?
		expect_end 1 'stop who listens there'
		kill -$signal "$host"
		end_of_host || [ $signal = KILL ] ||
			fail "$kind: exit status $?: $(cat "$tmp/host")"
	done
	[ ! -e "$tmp/peer" ] || fail "$kind: the path is left"
done
