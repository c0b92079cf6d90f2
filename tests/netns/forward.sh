#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# examples/forward.c between two TAPs. It knows nothing of offloads, and the
# kernels at its two ends still give and get super-packets: forward.sh FORWARD
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
forward=$1
size=$((16 << 20))
pids=

end_all() {
	local pid

	for pid in $pids; do
		kill "$pid" 2>/dev/null || :
	done
	cleanup
}
trap end_all EXIT

make_peer
"$forward" tap:f0 tap:f1 2>"$tmp/forward" &
pids=$!
wait_for ip link set f1 netns "$peer"
ip address add 10.0.0.1/24 dev f0
ip link set f0 up
in_peer ip address add 10.0.0.2/24 dev f1
in_peer ip link set f1 up
wait_for ping -n -q -c 1 -W 1 10.0.0.2

head -c $size /dev/urandom >"$tmp/file"
nsenter -t "$peer" -n python3 -c '
import hashlib, socket
s = socket.create_server(("10.0.0.2", 9))
print("listening", flush=True)
c, sum = s.accept()[0], hashlib.sha256()
while data := c.recv(1 << 20):
    sum.update(data)
print(sum.hexdigest())' >"$tmp/sum" &
pids="$pids $!"
wait_for grep -q listening "$tmp/sum"
# shellcheck disable=SC2016 # for the inner shell to expand
timeout 90 bash -c 'cat "$1" >/dev/tcp/10.0.0.2/9' - "$tmp/file" ||
	fail "the forwarder did not take the file: $(cat "$tmp/forward")"
wait_for grep -q "$(sha256sum <"$tmp/file" | cut -d ' ' -f 1)" "$tmp/sum"

# WHAT FIELD DEVICE COMMAND: few packets by the field of /proc/net/dev, where
# COMMAND runs what it is given.
# shellcheck disable=SC2016 # for awk to expand
few() {
	local packets

	packets=$("${@:4}" awk -v dev="$3:" -v field="$2" \
		'$1 == dev { print $field }' /proc/net/dev)
	echo "$1: $packets packets"
	[ "$packets" -lt $((size / 1400 / 2)) ] ||
		fail "$1: $packets packets for $size bytes"
}
few "from one kernel" 11 f0 env
few "to the other" 3 f1 in_peer
no_csum_errors env
no_csum_errors in_peer
