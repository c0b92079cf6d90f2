#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A wire outlives what is at its ends, in its sandbox: a device of each kind is
# deleted and made again, here and in another network namespace; a peer ends and
# comes back.
set -eu
# A macvtap has a file, which is made here.
if [ -z "${OWN_MOUNTS-}" ] && [ "${FDLINK_TEST_USER-}" != 1 ] &&
	unshare -m true 2>/dev/null; then
	OWN_MOUNTS=1 exec unshare -m bash "$0" "$@"
fi
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
sandbox=${FDLINK_TEST_SANDBOX-}
frames=$(dirname "$0")/frames.py

start_wire() {
	: >"$tmp/wire"
	# shellcheck disable=SC2086 # an option, or none
	"$fdlink" connect "$@" $sandbox >"$tmp/wire" 2>&1 &
	wire=$!
	wait_for grep -q '^fdlink connect: up' "$tmp/wire"
}

end_wire() {
	local pid children

	children=$(pgrep -P $wire || :)
	kill $wire
	wait_for ended $wire
	wait $wire || fail "$what: exit status $?: $(cat "$tmp/wire")"
	! grep '^fdlink: ' "$tmp/wire" || fail "$what: it complains"
	for pid in $children; do
		wait_for eval "! [ -e /proc/$pid ] || ended $pid"
	done
}

# carrier 0|1 DEVICE: it has come to that
carrier() {
	wait_for eval "[ \$(ip link show $2 | grep -c LOWER_UP) = $1 ]"
}

# Numbered frames get from a0 to DEVICE, which COMMAND... sees.
# carries DEVICE COMMAND...
carries() {
	: >"$tmp/frames"
	"${@:2}" python3 "$frames" count "$1" >"$tmp/frames" 2>&1 &
	counter=$!
	wait_for grep -q ready "$tmp/frames"
	python3 "$frames" numbers a0
	wait_for ended $counter
	wait $counter || fail "$what: $(cat "$tmp/frames")"
	grep -q '^\[[0-9]' "$tmp/frames" || fail "$what: nothing comes"
}

fds() {
	# shellcheck disable=SC2012 # numbers
	ls "/proc/$wire/fd" | wc -l
}

# What the process of the wire has: no capability, and a filter. The one that
# opens devices has two capabilities, and a filter.
confined() {
	local pid caps

	[ -z "$sandbox" ] || return 0
	! "$fdlink" --version | grep -q -e libcap-ng -e libseccomp || return 0
	for pid in $wire $(pgrep -P $wire || :); do
		caps=0000000000000000
		[ "$pid" = $wire ] || caps=0000000000003000
		grep -q "^CapEff:	$caps$" "/proc/$pid/status" ||
			fail "$what: $(grep Cap "/proc/$pid/status")"
		grep -q '^Seccomp:	2$' "/proc/$pid/status" ||
			fail "$what: no filter"
	done
	[ "$(pgrep -cP $wire || :)" = "$1" ] || fail "$what: not $1 processes"
}

# NAME LOCATOR MAKE REMOVE DEVICE COMMAND...: the far end of the link, and how
# to see it
comes_back() {
	local what="$1" locator=$2 make=$3 remove=$4 device=$5 before round

	shift 5
	$make
	start_wire tap:a0 "$locator"
	ip link set a0 up
	carrier 1 a0
	carries "$device" "$@"
	confined 1
	before=$(fds)
	for round in 1 2; do
		$remove
		carrier 0 a0
		$make
		carrier 1 a0
		carries "$device" "$@"
	done
	[ "$(fds)" -le $((before + 2)) ] || fail "$what: fds stay open"
	# It still sees what becomes of the device.
	"$@" ip link set "$device" down
	carrier 0 a0
	end_wire
	$remove
	echo "$what: passed, $round times"
}

make_tap() { ip tuntap add dev b0 mode tap; ip link set b0 up; }
make_veth() {
	ip link add b0 type veth peer name c0
	ip link set b0 up
	ip link set c0 up
}
remove_b0() { ip link del b0; }
make_tap_there() { in_peer_call make_tap; }
make_veth_there() { in_peer_call make_veth; }
remove_b0_there() { in_peer ip link del b0; }

# What udev does: its file is there when the device is.
make_macvtap() {
	local number node

	ip link add d0 type veth peer name c0
	ip link set c0 up
	ip link set d0 up
	ip link add b0 link d0 type macvtap mode bridge
	ip link set b0 up promisc on
	number=$(cat /sys/class/net/b0/ifindex)
	IFS=: read -r -a node <"/sys/class/net/b0/tap$number/dev"
	mknod "/dev/tap$number" c "${node[@]}"
}
remove_macvtap() {
	rm -f /dev/tap*
	ip link del d0
}
own_devices() {
	mkdir "$tmp/dev"
	mount --make-rprivate / && mount -t sysfs none /sys &&
		mount -t tmpfs none "$tmp/dev" &&
		cp -a /dev/null /dev/zero /dev/urandom /dev/net "$tmp/dev" &&
		mount --move "$tmp/dev" /dev
}

# TCP: a machine that is gone is missed.
is_kept_alive() {
	[[ $locator != stream:127* ]] ||
		ss -Htno state established | grep -q keepalive
}

# An end that two programs have, each for a time.
peer_returns() {
	local what="$1" locator=$2 far=$3

	start_wire tap:a0 "$locator"
	ip link set a0 up
	[ "$1" = udp ] || carrier 0 a0
	confined 0
	for _ in 1 2; do
		: >"$tmp/far"	# it tells of the one before
		"$fdlink" connect tap:e0 "$far" --no-sandbox >"$tmp/far" 2>&1 &
		other=$!
		wait_for grep -q '^fdlink connect: up' "$tmp/far"
		ip link set e0 up
		carrier 1 e0
		[ "$1" != unixgram ] || python3 "$frames" numbers e0
		carrier 1 a0
		carries e0 env
		wait_for is_kept_alive
		kill $other
		wait_for ended $other
		wait $other || fail "$what: $(cat "$tmp/far")"
		[ "$1" = udp ] || carrier 0 a0
	done
	end_wire
	echo "$what: passed"
}

echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
make_peer
there=netns=/proc/$peer/ns/net
comes_back tap tap:b0,reconnect make_tap remove_b0 b0 env
comes_back veth packet:b0,reconnect make_veth remove_b0 c0 env
comes_back "tap elsewhere" "tap:b0,reconnect,$there" make_tap_there \
	remove_b0_there b0 in_peer
comes_back "veth elsewhere" "packet:b0,$there,reconnect" make_veth_there \
	remove_b0_there c0 in_peer
if [ -n "${OWN_MOUNTS-}" ] && own_devices 2>/dev/null; then
	comes_back macvtap macvtap:b0,reconnect make_macvtap remove_macvtap c0 env
else
	echo "macvtap: skipped: no mounts of its own"
fi
peer_returns udp udp:127.0.0.1:5001,local=127.0.0.1:5000,reconnect \
	udp:127.0.0.1:5000,local=127.0.0.1:5001
for kind in seqpacket stream; do
	peer_returns $kind "$kind:$tmp/link,reconnect" "$kind:$tmp/link,listen"
	peer_returns $kind "$kind:$tmp/link,listen,reconnect" "$kind:$tmp/link"
	peer_returns $kind "$kind:@fdlink-$$,reconnect" "$kind:@fdlink-$$,listen"
done
peer_returns stream stream:127.0.0.1:5000,reconnect stream:127.0.0.1:5000,listen
