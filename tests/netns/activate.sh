#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A host on a socket that systemd listens at for it: by name and by number, with
# the word "listen" or without. The first who connects or sends is its peer.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
command -v systemd-socket-activate >/dev/null ||
	skip "systemd-socket-activate is not installed: make deps does"
peer=$(dirname "$0")/activate.py

# TYPE LOCATOR
serve() {
	local what="--$1, $2" option=(--"$1")

	[ "$1" != stream ] || option=()
	rm -f "$tmp/socket"
	systemd-socket-activate "${option[@]}" --fdname=link -l "$tmp/socket" \
		"$fdlink" host "$2" --address 192.0.2.2/24 >"$tmp/host" 2>&1 &
	host=$!
	wait_for [ -S "$tmp/socket" ]
	PYTHONDONTWRITEBYTECODE=1 python3 "$peer" "$1" "$tmp/socket" ||
		fail "$what: the peer is not served"
	# The end of a connection is its end.
	[ "$1" != datagram ] || kill -INT "$host"
	end_of_host || fail "$what: exit status $?"
}

for type in datagram seqpacket stream; do
	serve $type fd:link
	serve $type fd:3
	serve $type fd:link,listen
done
