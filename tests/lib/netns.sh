# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
#
# For the scripts of tests/netns: sourced first, with the script's arguments. A
# network namespace of the script's own, waits, and a clean end.

fdlink=$(realpath "${FDLINK:-build/cli/fdlink}" 2>/dev/null) || fdlink=missing

skip() {
	echo "skipped: $*"
	exit 77
}

fail() {
	echo "$0: $*" >&2
	[ ! -s "${tmp:-/}/host" ] || sed 's/^/	fdlink: /' "$tmp/host" >&2
	exit 1
}

# A namespace is of use if a TAP can be made in it. With FDLINK_TEST_USER=1 it
# is one without privileges outside, for root as well.
enter_namespace() {
	local how

	[ "${FDLINK_TEST_INSIDE-}" != 1 ] || return 0
	for how in -n -Urn; do
		[ "$how${FDLINK_TEST_USER-}" != -n1 ] || continue
		unshare $how ip tuntap add dev fdl0 mode tap 2>/dev/null ||
			continue
		# shellcheck disable=SC2093 # the loop is left by it
		FDLINK_TEST_INSIDE=1 exec unshare $how bash "$0" "$@"
	done
	skip "no network namespace with a TAP in it (/dev/net/tun)"
}

# What has to become true, within two minutes.
wait_for() {
	local end=$((SECONDS + 120))

	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || fail "timeout: $*"
		sleep 0.05
	done
}

start_host() {
	# What an earlier one said is not taken for this one's.
	: >"$tmp/host"
	"$fdlink" host "$@" >"$tmp/host" 2>&1 &
	host=$!
	wait_for grep -q '^fdlink host: up' "$tmp/host"
}

# The exit status it ends with, within two minutes.
end_of_host() {
	local status=0

	wait_for ended "$host"
	wait "$host" || status=$?
	host=
	return $status
}

# Zombies have ended, too.
ended() {
	! grep -q '^State:[^ZX]*$' "/proc/$1/status"
}

# $relay_pid is a relay, or nothing, and what it said is in $tmp/relay. Between
# two links that end it has ended by itself.
end_relay() {
	[ -n "$relay_pid" ] || return 0
	kill "$relay_pid" 2>/dev/null || :
	wait_for ended "$relay_pid"
	wait "$relay_pid" || fail "$what: the relay's exit status $?"
	relay_pid=
	! grep -E '(rx_drop_vnet_hdr|tx_drop_offload) *[1-9]' "$tmp/relay" ||
		fail "$what: the relay refused"
}

# Who is at the other end of DEV may be kept waiting by the machine: longer than
# the 3 seconds after which the kernel takes it for not there.
# ask_patiently DEV
ask_patiently() {
	ip ntable change name arp_cache dev "$1" mcast_probes 60
	ip ntable change name ndisc_cache dev "$1" mcast_probes 60
}

# The address NETWORK.NUMBER and NETWORK6::NUMBER.
# set_up_device DEVICE MTU NUMBER NETWORK NETWORK6
set_up_device() {
	echo 0 >"/proc/sys/net/ipv6/conf/$1/disable_ipv6"
	ask_patiently "$1"
	ip link set "$1" mtu "$2" up
	ip address add "$4.$3/24" dev "$1"
	ip address add "$5::$3/64" dev "$1" nodad
}

# A namespace beside this one: $peer is a process in it.
make_peer() {
	unshare -n sleep 10000 &
	peer=$!
	# Until then what is meant for it would stay here.
	wait_for elsewhere "$peer"
	nsenter -t "$peer" -n ip link set lo up
}

elsewhere() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

in_peer() {
	nsenter -t "$peer" -n "$@"
}

# A function of the script's: FUNCTION [ARGUMENT]...
in_peer_call() {
	in_peer bash -euc "$(declare -f); \"\$@\"" - "$@"
}

# env or in_peer: what the kernel there found wrong.
no_csum_errors() {
	local count

	count=$("$@" nstat -az TcpInCsumErrors UdpInCsumErrors Udp6InCsumErrors |
		awk '/InCsumErrors/ { n += $2 } END { print n + 0 }')
	[ "$count" = 0 ] || fail "$count bad checksums"
}

# The kernel's TCP echo, here, on port 7.
serve_echo() {
	python3 -c '
import socket, threading

def echo(conn):
    with conn:
        while data := conn.recv(1 << 18):
            conn.sendall(data)

s = socket.create_server(("::", 7), family=socket.AF_INET6,
                         dualstack_ipv6=True)
print("up", flush=True)
while True:
    threading.Thread(target=echo, args=(s.accept()[0],), daemon=True).start()
' >"$tmp/server" &
	wait_for grep -q up "$tmp/server"
}

# Nothing that is in the background stays.
cleanup() {
	local pid

	for pid in $(jobs -pr); do
		kill "$pid" 2>/dev/null || :
	done
	[ -z "${host-}" ] || wait "$host" || :
	rm -rf "$tmp"
}

enter_namespace "$@"
[ -x "$fdlink" ] || skip "no fdlink command: \$FDLINK is not set right"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/fdlink-test.XXXXXX")
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
ip link set lo up
