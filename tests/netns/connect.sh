#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Two kernels talk over a chain of two wires, and one link in the middle:
#
#	a0 - fdlink connect - a link of each kind - fdlink connect - b0
#
# connect.sh [MIB]: so many MiB each way, IPv4 and IPv6 (64).
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
# shellcheck source=../lib/chain.sh
. "$(dirname "$0")/../lib/chain.sh"
size=$((${1:-64} << 20))

# LOG A B [OPTION]...
# shellcheck disable=SC2086 # an option, or none
start_wire() {
	local log=$tmp/$1

	shift
	# What an earlier one said is not taken for this one's.
	: >"$log"
	"$fdlink" connect "$@" $FDLINK_TEST_SANDBOX >"$log" 2>&1 &
	wires+=($!)
}

# up LOG
up() {
	wait_for grep -q '^fdlink connect: up' "$tmp/$1"
}

# A chain ends from either end: those that a peer left have ended by themselves.
end_wires() {
	local pid

	kill "${wires[@]}" 2>/dev/null || :
	for pid in "${wires[@]}"; do
		wait_for ended "$pid"
		wait "$pid" || fail "$what: exit status $?"
	done
	wires=()
}

# counter LOG NAME COLUMN: of A, 2, or of B, 3.
counter() {
	awk -v name="$2" -v at="$3" '$1 == name { n = $at } END { print n }' \
		"$tmp/$1"
}

# Each packet that came in went out, was on the wire at the end, or is counted;
# both ways.
accounted() {
	local log=$1 way from to in out

	for way in "2 3" "3 2"; do
		read -r from to <<<"$way"
		in=$(awk -v from="$from" -v to="$to" '/^A is/ { sum = 0 }
			/^(rx_packets|wire_duplicated) / { sum += $from }
			/^wire_signals / { sum += $to }
			END { print sum }' "$tmp/$log")
		# Of what was cut, the segments are counted there.
		out=$(awk -v from="$from" -v to="$to" '/^A is/ { sum = 0 }
			/^tx_(packets|drop_|gso_cut)/ { sum += $to }
			/^tx_segments/ { sum -= $to }
			/^wire_(lost|drop_.*|held) / { sum += $from }
			END { print sum }' "$tmp/$log")
		[ "$in" = "$out" ] ||
			fail "$what: $log: $in packets came, $out are told of"
	done
}

# KIND MTU A B: offload of the link in the middle, on either side
traffic() {
	local what="$1, MTU $2, offload $3 and $4"
	local one=packet:m0 two=packet:m1
	local far="tap:b0,netns=/proc/$peer/ns/net"

	case $1 in
	tap)
		one=tap:m0,offload=$3
		two=packet:m0 ;;
	seqpacket | unixgram | stream)
		one=$1:$tmp/link,listen,mtu=$2,offload=$3
		two=$1:$tmp/link,mtu=$2,offload=$4 ;;
	esac
	make_ends "$2"
	make_middle "$1" "$2"
	start_wire one tap:a0,offload="$3" "$one"
	[[ $one != *listen* ]] || wait_for test -S "$tmp/link"
	start_wire two "$far",offload="$4" "$two"
	up two
	talk "$what" "$2"
	end_wires
	! grep -E '(rx_drop_vnet_hdr|tx_drop_offload) .*[1-9]' "$tmp"/one \
		"$tmp"/two || fail "$what: refused"
	accounted one
	accounted two
	remove_devices
	echo "$what: passed"
}

every_kind() {
	local kind

	for kind in tap packet seqpacket unixgram stream; do
		traffic $kind 1500 on on
		traffic $kind 9000 off off
	done
	traffic tap 1280 off on
	traffic packet 1280 on off
}

# Its MTU is larger than that of any endpoint; the other end takes it over.
loopback() {
	local what="the loopback device"

	ip link set lo up
	start_wire one packet:lo null:
	up one
	ip link set lo mtu 65530
	says 'MTU of 65530 at both ends'
	ip link set lo mtu 65536
	says 'MTU of 65535 at both ends'
	end_wires
	ip link set lo down
}

# What two TUNs carry, and how it is told.
plain_ip() {
	local what="two TUNs"

	start_wire one tun:a0 "tun:b0,netns=/proc/$peer/ns/net"
	up one
	echo 0 >/proc/sys/net/ipv6/conf/a0/disable_ipv6
	ip address add fd00::1/64 dev a0 nodad
	ip link set dev a0 up
	in_peer bash -c 'echo 0 >/proc/sys/net/ipv6/conf/b0/disable_ipv6
		ip address add fd00::2/64 dev b0 nodad
		ip link set dev b0 up'
	wait_for ping -n -q -c 1 -W 1 fd00::2
	kill -USR1 "${wires[0]}"
	wait_for grep -q 'tx_coalesced' "$tmp/one"
	[ "$(counter one tx_packets 3)" -gt 0 ] || fail "$what: $(cat "$tmp/one")"
	end_wires
	accounted one
}

# start_frames expect|count
start_frames() {
	# What an earlier one said is not taken for this one's.
	: >"$tmp/frames"
	in_peer python3 "$frames" "$1" b0 >"$tmp/frames" 2>&1 &
	frames_pid=$!
	wait_for grep -q ready "$tmp/frames"
}

# Frames that a bridge would keep: any protocol, groups that end at the next
# station, tags in tags.
transparent() {
	local what="frames of any kind"

	make_ends 1500
	start_wire one tap:a0 "tap:b0,netns=/proc/$peer/ns/net"
	up one
	start_frames expect
	python3 "$frames" send a0
	wait_for ended $frames_pid
	wait $frames_pid || fail "$what: $(cat "$tmp/frames")"
	end_wires
	accounted one
	remove_devices
}

# The same packets are lost each time, both ways of their own.
lossy() {
	local what="a wire that is not in order" lost=

	for _ in 1 2; do
		# Nobody has an address there, and says so.
		ip tuntap add dev a0 mode tap
		ip link set dev a0 up
		in_peer ip tuntap add dev b0 mode tap
		in_peer ip link set dev b0 up
		start_wire one tap:a0 "tap:b0,netns=/proc/$peer/ns/net" \
			--loss 50,0 --duplicate 0,100 --delay 1ms --seed 7
		up one
		start_frames count
		python3 "$frames" numbers a0
		wait_for ended $frames_pid
		wait $frames_pid || fail "$what: $(cat "$tmp/frames")"
		end_wires
		remove_devices
		[ -z "$lost" ] || [ "$lost" = "$(cat "$tmp/frames")" ] ||
			fail "$what: other packets: $lost, $(cat "$tmp/frames")"
		lost=$(cat "$tmp/frames")
	done
	[ "$(counter one wire_lost 2)" -gt 0 ] || fail "$what: none lost"
	[ "$(counter one wire_lost 3)" = 0 ] || fail "$what: lost from B"
}

# says TEXT: the wire, on standard error
says() {
	wait_for grep -q "$1" "$tmp/one"
}

# MTUs that differ are told of, at the start and as they change. Who sends what
# is too long is told so only where that is asked for.
unequal_mtus() {
	local what="MTUs that differ" ip

	make_ends 9000
	in_peer ip link set b0 mtu 1400
	start_wire one tap:a0 "tap:b0,netns=/proc/$peer/ns/net" --mtu-signal
	up one
	says "b0.* MTU of 1400 and tap:a0 one of 9000"
	wait_for ping -n -q -c 1 -W 1 192.0.2.2
	ping -n -c 1 -W 1 -M "do" -s 3000 192.0.2.2 >"$tmp/ping" || :
	grep -q "mtu = 1400" "$tmp/ping" || fail "$what: $(cat "$tmp/ping")"
	for ip in 192.0.2.2 fd00::2; do
		timeout 60 python3 "$ends" tcp $ip "$tmp/file" ||
			fail "$what: with $ip"
	done
	in_peer ip link set b0 mtu 1300
	says "b0.* MTU of 1300 and"
	ip link set a0 mtu 1300
	says "MTU of 1300 at both ends now"
	ip link set a0 mtu 1280
	says "a0 has an MTU of 1280 and"
	end_wires
	[ "$(counter one wire_drop_too_long 2)" -gt 0 ] ||
		fail "$what: nothing was too long"
	[ "$(counter one wire_signals 2)" -gt 0 ] || fail "$what: no answer"
	[ "$(counter one wire_signals 3)" = 0 ] || fail "$what: from B"
	accounted one
	remove_devices
	make_ends 9000
	in_peer ip link set b0 mtu 1400
	start_wire one tap:a0 "tap:b0,netns=/proc/$peer/ns/net"
	up one
	wait_for ping -n -q -c 1 -W 1 192.0.2.2
	ping -n -c 1 -W 1 -M "do" -s 3000 192.0.2.2 >"$tmp/ping" || :
	! grep -q "mtu =" "$tmp/ping" || fail "$what: the wire is not silent"
	end_wires
	accounted one
	remove_devices
}

# Each example of --help, with the devices and addresses that it speaks of.
examples() {
	local what example n=0

	ip address add 192.0.2.1/32 dev lo
	ip address add 192.0.2.2/32 dev lo
	in_peer ip link add veth0 type veth peer name veth1
	while read -r example; do
		what="the example $example"
		example=${example//,netns=lab/,netns=\/proc\/$peer\/ns\/net}
		# shellcheck disable=SC2086 # its words
		start_wire one ${example//\/tmp\//$tmp/}
		up one
		end_wires
		n=$((n + 1))
	done < <("$fdlink" connect --help | sed -n 's/^  fdlink connect //p')
	[ $n = 5 ] || fail "$n examples"
	in_peer ip link del veth0
	ip address del 192.0.2.1/32 dev lo
	ip address del 192.0.2.2/32 dev lo
}

# carrier 0|1 [in_peer] DEVICE: it has come to that
carrier() {
	local want=$1

	shift
	# shellcheck disable=SC2016 # for the inner shell to expand
	wait_for "${@:1:$#-1}" bash -c \
		'[ "$(ip link show "$1" | grep -c LOWER_UP)" = "$2" ]' - \
		"${*: -1}" "$want"
}

# Where one end goes down, the other end has no carrier.
carriers() {
	local what="the carrier"

	make_ends 1500
	start_wire one tap:a0 "tap:b0,netns=/proc/$peer/ns/net"
	up one
	in_peer ip link set b0 down
	carrier 0 a0
	in_peer ip link set b0 up
	carrier 1 a0
	ip link set a0 down
	carrier 0 in_peer b0
	ip link set a0 up
	carrier 1 in_peer b0
	wait_for ping -n -q -c 1 -W 1 192.0.2.2
	end_wires
	accounted one
	make_middle packet 1500
	start_wire one tap:a0 packet:m0
	up one
	carrier 1 a0
	ip link set m1 down
	carrier 0 a0
	ip link set m1 up
	carrier 1 a0
	end_wires
	# An end that is down at the start is as one that goes down. A TAP that
	# nobody has opened yet has no carrier, either.
	ip link set m1 down
	start_wire one tap:a0 packet:m0
	up one
	carrier 0 a0
	end_wires
	start_wire one tap:a0 "stream:$tmp/none,listen" --stats 1
	up one
	carrier 0 a0
	wait_for grep -q 'A up, B down$' "$tmp/one"
	end_wires
	remove_devices
}

# A TAP that moves out of the sandbox's sight while it is down counts as up.
moved() {
	start_wire one tap:a0 tap:b0
	up one
	carrier 0 a0
	ip link set b0 netns "$peer"
	set_up_device a0 1500 1 192.0.2 fd00
	in_peer_call set_up_device b0 1500 2 192.0.2 fd00
	carrier 1 a0
	wait_for ping -n -q -c 1 -W 1 192.0.2.2
	end_wires
}

# STATUS TEXT ARGUMENT...
refused() {
	local status=0 expected=$1 text=$2

	shift 2
	timeout 20 "$fdlink" connect "$@" >"$tmp/refused" 2>&1 || status=$?
	[ "$status" = "$expected" ] || text="status $expected"
	grep -q "$text" "$tmp/refused" ||
		fail "connect $*: status $status: $(cat "$tmp/refused")"
}

refusals() {
	refused 2 "of one medium" tap:x0 tun:x1
	refused 2 "needs two links" tap:x0
	refused 2 "x2 is one more" tap:x0 tap:x1 tap:x2
	refused 2 "leave out --ip" tap:x0 tap:x1 --ip
	refused 2 "loss 101" tap:x0 tap:x1 --loss 101
	refused 2 "delay 5" tap:x0 tap:x1 --delay 5
	refused 2 "rate 0" tap:x0 tap:x1 --rate 0
	refused 1 "nowhere" packet:nowhere tap:x1
	refused 0 "Examples" --help
}

as_json() {
	local what="JSON"

	start_wire one tap:a0 "tap:b0,netns=/proc/$peer/ns/net" --json \
		--stats 1
	wait_for grep -q a_to_b "$tmp/one"
	end_wires
	python3 -c '
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert lines[0]["a_to_b"]["dropped"] == 0
assert lines[0]["up"] == {"a": False, "b": False}, lines[0]
assert lines[-1]["a"]["locator"] == "tap:a0"
assert lines[-1]["b"]["tx_packets"] == lines[-1]["a"]["rx_packets"]
' "$tmp/one" || fail "$what: $(cat "$tmp/one")"
}

# get PATH [OPTION]...
get() {
	curl -sS --max-time 20 --unix-socket "$tmp/control" "${@:2}" \
		"http://localhost$1"
}

# Frames that come while the cable is pulled are dropped, and counted.
unplug() {
	ip link set a0 up
	in_peer ip link set b0 up
	get /link -X PUT -d '{"carrier": false}' | grep -q '"carrier": false' ||
		fail "$what: the cable cannot be pulled"
	carrier 0 a0
	carrier 0 in_peer b0
	python3 "$frames" numbers a0 || :
	get /link -X PUT -d ' { "carrier" :true } ' |
		grep -q '{"carrier": true' || fail "$what: nor plugged in"
	carrier 1 a0
	carrier 1 in_peer b0
	start_frames count
	python3 "$frames" numbers a0
	wait_for ended $frames_pid
	wait $frames_pid || fail "$what: $(cat "$tmp/frames")"
}

# What an earlier wire left behind.
leave_behind() {
	python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$1"
}

# How many of the wires have not ended.
left() {
	local pid n=0

	for pid in "${wires[@]}"; do
		ended "$pid" || n=$((n + 1))
	done
	[ $n = "$1" ]
}

# Of several wires that take one file over at once, one has it.
contended() {
	local i

	leave_behind "$tmp/control"
	for i in 1 2 3 4 5 6; do
		start_wire "one$i" "tap:a$i" "tap:b$i" --control "$tmp/control"
	done
	wait_for left 1
	wait_for get /link
	[ "$(cat "$tmp"/one? | grep -c "another program has it")" = 5 ] ||
		fail "$what: $(cat "$tmp"/one?)"
	kill "${wires[@]}" 2>/dev/null || :
	wait_for left 0
	wires=()
}

control() {
	local what="the control socket"

	contended
	leave_behind "$tmp/control"
	start_wire one tap:a0 "tap:b0,netns=/proc/$peer/ns/net" \
		--control "$tmp/control"
	up one
	refused 1 "another program has it" tap:x0 tap:x1 \
		--control "$tmp/control"
	[ "$(stat -c %a "$tmp/control")" = 600 ] || fail "$what: its mode"
	get /stats.json | python3 -c '
import json, sys
stats = json.load(sys.stdin)
assert stats["a"]["locator"] == "tap:a0" and "rx_packets" in stats["b"]' ||
		fail "$what: /stats.json"
	get /link | python3 -c '
import json, sys
link = json.load(sys.stdin)
assert link["a"]["device"]["name"] == "a0"
assert link["a"]["device"]["up"] is False' || fail "$what: /link"
	get /metrics >"$tmp/metrics"
	[ "$(tail -n 1 "$tmp/metrics")" = "# EOF" ] || fail "$what: /metrics"
	grep -q '^fdlink_tx_packets_total{end="a",locator="tap:a0"} 0$' \
		"$tmp/metrics" || fail "$what: $(head -n 5 "$tmp/metrics")"
	get /nothing | grep -q /stats.json || fail "$what: 404"
	get /stats.json -X PUT | grep -q GET || fail "$what: PUT"
	get /link -X PUT -d '{"carrier": no}' | grep -q true ||
		fail "$what: a PUT that means nothing"
	get /link -X PUT -d "$(printf '{"carrier": %1000s true}' '')" |
		grep -q true || fail "$what: a PUT that is too long"
	printf '{"carrier": false}\0' | get /link -X PUT --data-binary @- |
		grep -q '^put ' || fail "$what: a PUT with a NUL behind it"
	unplug
	# Clients that say nothing keep nobody out for long.
	python3 -c 'import socket, sys, time
path, clients = sys.argv[1], []
for _ in range(100):
    s = socket.socket(socket.AF_UNIX)
    s.setblocking(False)
    try:
        s.connect(path)
    except OSError:
        break
    clients.append(s)
print("silent", flush=True)
time.sleep(1000)' "$tmp/control" >"$tmp/idle" &
	idle=$!
	wait_for grep -q silent "$tmp/idle"
	wait_for get /link
	kill $idle
	end_wires
	[ ! -e "$tmp/control" ] || fail "$what: its file stays"
}

FDLINK_TEST_SANDBOX=${FDLINK_TEST_SANDBOX-}
frames=$(dirname "$0")/frames.py
wires=()
refusals
start_chain
examples
as_json
! "$fdlink" --version | grep -q libmicrohttpd && control
loopback
plain_ip
transparent
lossy
unequal_mtus
carriers
moved
every_kind
