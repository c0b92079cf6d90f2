#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The commands of doc/overlays.md, taken from there, with a network namespace
# for each of two machines: overlays.sh DOCUMENT
set -eu
document=$(realpath "$1")
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

# The block of commands under <!-- NAME -->.
commands() {
	awk -v name="<!-- $1 -->" '$0 == name { on = 1; next }
		on && /^\t/ { print substr($0, 2); seen = 1 }
		on && seen && !/^\t/ { exit }' "$document"
}

# NAME [RUNNER]...: what the block starts in the background goes on.
run() {
	local name=$1

	shift
	commands "$name" >"$tmp/$name"
	[ -s "$tmp/$name" ] || fail "no block $name in $document"
	# shellcheck disable=SC2016 # for the inner shell to expand
	"$@" bash -eu -c '
		log=$1.log
		fdlink() {
			[ "$1" != connect ] || set -- "$@" $FDLINK_TEST_SANDBOX
			exec "$FDLINK_COMMAND" "$@" >>"$log" 2>&1
		}
		. "$1"
		jobs -p >"$1.pid"
		wait' - "$tmp/$name" &
}

# NUMBER
# shellcheck disable=SC2016 # for the inner shell to expand
machine='
ip address add "10.9.0.$1/24" dev eth0
ip link set eth0 mtu 1500 up'

end_all() {
	cat "$tmp"/*.pid 2>/dev/null | xargs -r kill 2>/dev/null || :
	cleanup
}

export FDLINK_COMMAND=$fdlink FDLINK_TEST_SANDBOX=${FDLINK_TEST_SANDBOX-}
trap end_all EXIT
make_peer
ip link add eth0 type veth peer name other
ip link set other netns "$peer"
in_peer ip link set other name eth0
bash -eu -c "$machine" - 1
in_peer bash -eu -c "$machine" - 2
ip link add probe type vxlan id 1 dstport 4788 dev eth0 2>/dev/null ||
	skip "no VXLAN device"
ip link del probe

run "overlay 2" in_peer
wait_for in_peer ip link show dev vx0
run "overlay 1" env
wait_for grep -q '^fdlink host: up' "$tmp/overlay 1.log"
wait_for in_peer ping -n -q -c 1 -W 1 192.0.2.1
# It echoes what it is sent.
in_peer python3 -c '
import os, socket, threading
data = os.urandom(4 << 20)
s = socket.create_connection(("192.0.2.1", 7))
threading.Thread(target=lambda: (s.sendall(data),
                                 s.shutdown(socket.SHUT_WR))).start()
got = b"".join(iter(lambda: s.recv(1 << 16), b""))
assert got == data, len(got)'
echo "a stack over VXLAN: passed"

run "wire 1" env
run "wire 2" in_peer
for n in 1 2; do
	wait_for grep -q '^fdlink connect: up' "$tmp/wire $n.log"
done
ip address add 198.51.100.1/24 dev vm0
ip link set vm0 up
in_peer ip address add 198.51.100.2/24 dev vm0
in_peer ip link set vm0 up
wait_for ping -n -q -c 1 -W 1 198.51.100.2
no_csum_errors env
no_csum_errors in_peer
echo "a wire over VXLAN: passed"
