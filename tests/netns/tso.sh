#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Segmentation offload of lwIP's is right, and no worse than none, whatever the
# wire does:
#
#	kernel  10.0.N.1, fd00:N::1
#	   |
#	  kN    a TAP
#	   |
#	fdlink connect	which loses, duplicates, delays, reorders
#	   |
#	  wN    a veth and an AF_PACKET socket at either end; traced
#	  hN
#	   |
#	fdlink host  10.0.N.2, fd00:N::2
#
# tso.sh [compare SEEDS]: goodput with and without. TRACE is the tracer.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
here=$(dirname "$0")
trace=$(realpath "${TRACE:-build/tests/netns/trace}" 2>/dev/null) ||
	trace=missing
[ -x "$trace" ] || skip "no tracer: \$TRACE is not set right"

# N MTU
make_links() {
	ip link add "h$1" mtu "$2" type veth peer name "w$1" mtu "$2"
	ip link set "h$1" up
	# The kernel would answer there for its address, past the wire.
	ip link set "w$1" up arp off
	ip tuntap add dev "k$1" mode tap
	# As long as the wire is slow, nothing may be lost but by it.
	ip link set "k$1" mtu "$2" txqueuelen 10000
	ask_patiently "k$1"
	ip address add "10.0.$1.1/24" dev "k$1"
	ip address add "fd00:$1::1/64" dev "k$1" nodad
	ip link set "k$1" up
}

# N
start_trace() {
	"$trace" "w$1" >"$tmp/trace$1" 2>"$tmp/tracer$1" &
	tracers+=($!)
	wait_for grep -q 'trace: up' "$tmp/tracer$1"
}

# N STACK OPTION...: of the wire
# shellcheck disable=SC2086 # an option, or none
start_pair() {
	local n=$1 stack=$2

	shift 2
	"$fdlink" connect "packet:w$n" "tap:k$n" "$@" \
		${FDLINK_TEST_SANDBOX-} >"$tmp/wire$n" 2>&1 &
	wires+=($!)
	"$fdlink" host "packet:h$n" --offload "$stack" \
		--address "10.0.$n.2/24" --address "fd00:$n::2/64" \
		>"$tmp/host$n" 2>&1 &
	hosts+=($!)
	wait_for grep -q '^fdlink connect: up' "$tmp/wire$n"
	wait_for grep -q '^fdlink host: up' "$tmp/host$n"
}

end_pairs() {
	local pid n

	for pid in "${hosts[@]}" "${wires[@]}"; do
		kill "$pid" || fail "it has ended: $(cat "$tmp"/host[0-9]* \
			"$tmp"/wire[0-9]*)"
	done
	for pid in "${hosts[@]}"; do
		wait "$pid" || fail "the host's exit status $?"
	done
	for pid in "${wires[@]}"; do
		wait "$pid" || fail "the wire's exit status $?"
	done
	hosts=() wires=()
	for n in "$tmp"/host[0-9]*; do
		n=${n##*host}
		ip link del "k$n"
		ip link del "h$n"
		rm "$tmp/host$n" "$tmp/wire$n"
	done
}

end_trace() {
	local pid=${tracers[0]}

	kill "$pid"
	wait "$pid" || fail "$1: $(cat "$tmp"/tracer[0-9]*)"
	tracers=()
}

# NAME FAMILY MTU WIRE PEER TRACE: the options or words of each of these
tso() {
	local name="$1, IPv$2, MTU $3" mtu=$3 to

	number=$((number + 1))
	to=10.0.$number.2
	[ "$2" = 4 ] || to=fd00:$number::2
	make_links $number "$mtu"
	start_trace $number
	# shellcheck disable=SC2086 # options
	start_pair $number tso $4
	# shellcheck disable=SC2086
	timeout 100 python3 "$here/tso_peer.py" $5 "$to" >"$tmp/seconds" ||
		fail "$name: not as it was sent"
	end_trace "$name"
	# shellcheck disable=SC2086
	python3 "$here/tso_trace.py" "$tmp/trace$number" "$mtu" $6 ||
		fail "$name: wrong on the wire"
	no_csum_errors env
	end_pairs
	echo "$name: $(cat "$tmp/seconds") s"
}

# Who is no TCP is none of it.
others() {
	local to

	number=$((number + 1))
	make_links $number 1500
	start_pair "$number" tso
	for to in "10.0.$number.2" "fd00:$number::2"; do
		wait_for ping -n -q -c 1 -W 1 "$to"
		ping -n -q -c 2 -i 0.02 -W 10 -s 4000 "$to" >"$tmp/ping" ||
			fail "no answer of 4000 bytes from $to"
		python3 - "$to" <<'END' || fail "no datagrams from $to"
import os, socket, sys

s = socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET,
                  socket.SOCK_DGRAM)
s.settimeout(30)
s.connect((sys.argv[1], 7))
for size in 1452, 1472, 4001, 20000:
    sent = os.urandom(size)
    s.send(sent)
    assert s.recv(65536) == sent, size
END
	done
	end_pairs
	echo "datagrams: passed"
}

cases() {
	# lwIP's initial window: 4 segments, at most 4380 bytes, at least 2.
	tso "perfect" 4 1500 "" bytes=20000000 syn=1460
	tso "perfect" 6 1500 "" bytes=20000000 syn=1440
	tso "perfect" 4 9000 "" bytes=20000000 syn=8960
	tso "perfect" 6 1280 "" bytes=20000000 syn=1220
	tso "both ways" 4 1500 "--delay 1ms" echo=4000000 ""
	tso "slow" 4 1500 "--delay 25ms" bytes=400000 first=4380
	tso "slow" 6 1500 "--delay 25ms" bytes=400000 first=4320
	tso "slow, MSS 536" 4 1500 "--delay 25ms" "bytes=400000 mss=536" \
		first=2144
	tso "lossy" 4 1500 "--loss 1 --delay 2ms" bytes=200000 ""
	tso "lossy" 6 9000 "--loss 1 --delay 2ms" bytes=1500000 ""
	tso "very lossy" 4 1500 "--loss 15 --delay 20ms" \
		"streams=4 bytes=100000" losses=1
	tso "late" 4 1500 "--reorder 2 --late 3ms --delay 1ms" bytes=1000000 ""
	tso "double" 6 1500 "--duplicate 2" bytes=4000000 ""
	tso "all at once" 4 1500 \
		"--loss 0.5 --reorder 1 --late 3ms --duplicate 1 --delay 2ms" \
		echo=200000 ""
	tso "a small window" 4 1500 "" "rcvbuf=4096 bytes=1000000" ""
	tso "a small window" 6 1500 "--delay 1ms" "rcvbuf=20000 bytes=2000000" ""
	tso "a window that closes" 4 1500 "" "pause=300 bytes=20000000" ""
	tso "a small window that closes" 4 1500 "" \
		"pause=300 rcvbuf=8192 bytes=300000" ""
	tso "many MSS" 4 1500 "--delay 1ms" \
		"mss=88,300,536,1000,1219,1460 streams=12 bytes=300000" ""
	tso "many MSS, lossy" 4 1500 "--reorder 0.5 --late 3ms --loss 0.2" \
		"mss=88,300,536,1000,1219,1460 streams=6 bytes=100000" ""
	tso "ends, lossy" 4 1500 "--loss 5 --delay 2ms" \
		"page=1 mss=88 streams=20" ""
	tso "many streams" 6 1500 "--delay 2ms" "streams=50 bytes=300000" ""
	others
}

# STACK WIRE BYTES: the sum of the seconds over all seeds
seconds() {
	local stack=$1 words=$2 bytes=$3 n peers=() first=$((number + 1))

	for ((n = 0; n < seeds; n++)); do
		number=$((number + 1))
		make_links $number 1500
		# shellcheck disable=SC2086 # words
		start_pair $number "$stack" $words --seed $number
	done
	for ((n = first; n <= number; n++)); do
		timeout 150 python3 "$here/tso_peer.py" "bytes=$bytes" \
			"10.0.$n.2" >"$tmp/seconds$n" &
		peers+=($!)
	done
	for n in "${peers[@]}"; do
		wait "$n" || fail "$stack, $words: not as it was sent"
	done
	end_pairs
	sum=$(cat "$tmp"/seconds[0-9]* | awk '{ n += $1 } END { print n }')
	rm "$tmp"/seconds[0-9]*
}

# The dice of few seeds are far apart; a stall is farther.
compare() {
	local words bytes with without

	for words in "--loss 1 --delay 5ms:300000" "--loss 5 --delay 5ms:50000" \
		"--reorder 2 --late 3ms --delay 5ms:400000"; do
		bytes=${words#*:}
		words=${words%:*}
		seconds tso "$words" "$bytes"
		with=$sum
		number=0
		seconds on "$words" "$bytes"
		without=$sum
		number=0
		echo "$words: $with s with, $without s without"
		awk "BEGIN { exit !($with < 2.5 * $without + 5) }" ||
			fail "$words: takes $with s, without it $without s"
	done
}

number=0 hosts=() wires=() tracers=()
if [ "${1-}" = compare ]; then
	seeds=$2
	compare
else
	cases
fi
