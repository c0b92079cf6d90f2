#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# An attached endpoint without traffic makes no system call in 5 seconds.
#
# idle.sh PROGRAM
set -eu

if ! command -v strace >/dev/null; then
	echo "skipped: no strace"
	exit 77
fi
tmp=$(mktemp -d "${TMPDIR:-/tmp}/fdlink-test.XXXXXX")
program=
cleanup() {
	[ -z "$program" ] || kill "$program" 2>/dev/null || :
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

"$1" >"$tmp/out" &
program=$!
# Up, with all threads of it asleep.
asleep() {
	grep -q attached "$tmp/out" &&
		! grep -h ^State: /proc/"$program"/task/*/status | grep -qv '(sleeping)'
}
until asleep; do
	if [ $SECONDS -ge 30 ]; then
		echo "$1 does not come to rest" >&2
		exit 1
	fi
	sleep 0.05
done
status=0
timeout -s INT 5 strace -f -p "$program" -o "$tmp/trace" 2>"$tmp/err" ||
	status=$?
if [ $status != 124 ] && [ $status != 130 ]; then
	echo "skipped: strace cannot trace here: $(cat "$tmp/err")"
	exit 77
fi
# Both threads were seen, each in the call that it sleeps in and no other.
if [ "$(wc -l <"$tmp/trace")" != 2 ] ||
	[ "$(grep -cE '(poll|pause|restart_syscall)\(.*<(unfinished|detached) ' \
		"$tmp/trace")" != 2 ]; then
	sed 's/^/	/' "$tmp/trace" >&2
	exit 1
fi
