#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A virtual machine of QEMU's with a network card for each way in which QEMU can
# be joined to a wire:
#
#	hN, 10.0.N.1 - fdlink connect - QEMU -netdev ... - ethN, 10.0.N.2
#
# Files get across each of them, both ways; then the machine is killed and
# started again while the wires stay.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
here=$(dirname "$(realpath "$0")")
kernel=${GUEST:-$here/../../.guest}
busybox=$(command -v busybox) || busybox=missing

command -v qemu-system-x86_64 >/dev/null ||
	skip "no qemu-system-x86_64: make check installs it"
[ -f "$kernel/vmlinuz" ] ||
	skip "no kernel for a guest in $kernel: scripts/guest-deps gets one"
if ! "$busybox" true 2>/dev/null || ldd "$busybox" >/dev/null 2>&1; then
	skip "no busybox that is linked statically (busybox-static)"
fi

legs=7
# Of each, how QEMU has it.
# shellcheck disable=SC2054 # the commas are QEMU's
netdevs=(
	dgram,local.type=unix,local.path=q0,remote.type=unix,remote.path=w0
	dgram,local.type=unix,local.path=q1,remote.type=unix,remote.path=w1
	stream,server=off,addr.type=unix,addr.path=w2
	stream,server=on,addr.type=unix,addr.path=q3
	tap,fd=3
	socket,udp=127.0.0.1:5050,localaddr=127.0.0.1:5051
	dgram,local.type=inet,local.host=127.0.0.1,local.port=5061,remote.type=inet,remote.host=127.0.0.1,remote.port=5060
)
# And the wire.
# shellcheck disable=SC2054 # and fdlink's
links=(
	unixgram:q0,listen,local=w0
	unixgram:q1,local=w1
	stream:w2,listen,reconnect
	stream:q3,reconnect
	packet:g4
	udp:127.0.0.1:5051,local=127.0.0.1:5050
	udp:127.0.0.1:5061,local=127.0.0.1:5060
)

# start_wire LEG
start_wire() {
	"$fdlink" connect "tap:h$1" "${links[$1]}" >>"wire$1" 2>&1 &
	wires[$1]=$!
}

start_guest() {
	local args=() leg

	for ((leg = 0; leg < legs; leg++)); do
		args+=(-netdev "${netdevs[leg]},id=n$leg"
			-device "virtio-net-pci,netdev=n$leg,romfile=,mac=02:00:00:00:00:0$leg")
	done
	: >serial
	python3 "$here/guest.py" tap g4 qemu-system-x86_64 -nodefaults \
		-no-user-config -display none -m 256 -accel tcg \
		-kernel "$kernel/vmlinuz" -initrd initramfs \
		-append "console=ttyS0 quiet panic=-1" -serial file:serial \
		"${args[@]}" >qemu 2>&1 &
	guest=$!
}

guest_is_up() {
	wait_for grep -q "^guest: up" serial
}

# exchange LEG FILE: it goes there, and the guest's own comes back.
exchange() {
	local at="http://10.0.$1.2" sum
	local get="curl -sS --fail --max-time 100"

	wait_for ping -n -q -c 1 -W 1 "10.0.$1.2"
	sum=$($get -H "Content-Type: application/octet-stream" \
		--data-binary "@$2" "$at/cgi-bin/sum") ||
		fail "leg $1, ${links[$1]}: nothing gets there"
	[ "$sum" = "$(sha256sum <"$2")" ] ||
		fail "leg $1, ${links[$1]}: another file came"
	[ "$2" = file ] || return 0
	$get "$at/file" >back || fail "leg $1, ${links[$1]}: nothing comes back"
	[ "$(sha256sum <back)" = "$($get "$at/sum")" ] ||
		fail "leg $1, ${links[$1]}: another file comes back"
}

end_all() {
	cd /
	[ ${#wires[@]} = 0 ] || kill "${wires[@]}" 2>/dev/null || :
	[ -z "$guest" ] || kill -KILL "$guest" 2>/dev/null || :
	cleanup
}

guest=
wires=()
trap end_all EXIT
cd "$tmp"
head -c 20M /dev/urandom >file
head -c 100K /dev/urandom >short
python3 "$here/guest.py" initramfs initramfs "$busybox" "$kernel" \
	"$here/guest-init"
for ((leg = 0; leg < legs; leg++)); do
	ip tuntap add dev h$leg mode tap
	ip address add 10.0.$leg.1/24 dev h$leg
	ip link set h$leg up
done
ip tuntap add dev g4 mode tap
ip link set g4 up

# A wire may come first, or second where QEMU can do without it.
for leg in 0 2 3 4 5 6; do
	start_wire $leg
done
wait_for test -S w2
start_guest
wait_for test -S q1
start_wire 1
guest_is_up
for ((leg = 0; leg < legs; leg++)); do
	exchange $leg file
	echo "leg $leg, ${links[leg]}: passed"
done

# The guest is gone without a word, and comes back.
{
	kill -KILL $guest
	wait $guest || :
} 2>/dev/null
start_guest
guest_is_up
for leg in 0 1 2 3 4 5 6; do
	exchange $leg short
done
kill "${wires[@]}"
for leg in "${!wires[@]}"; do
	wait_for ended "${wires[leg]}"
	wait "${wires[leg]}" || fail "leg $leg: exit status $?: $(cat "wire$leg")"
done
wires=()
