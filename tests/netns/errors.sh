#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# As a new user tries it: each mistake gets one sentence that names the thing,
# and exit status 2 for usage or 1 for a failure.
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"

# STATUS WORD COMMAND...: the sentence has to have the word in it.
expect() {
	local status=$1 word=$2 got=0

	shift 2
	timeout 60 "$fdlink" "$@" >"$tmp/out" 2>"$tmp/err" || got=$?
	[ "$got" = "$status" ] ||
		fail "'$*' gave status $got, not $status: $(cat "$tmp/err")"
	[ -s "$tmp/err" ] || fail "'$*' said nothing"
	grep -qF -- "$word" "$tmp/err" ||
		fail "'$*' did not speak of $word: $(cat "$tmp/err")"
	[ ! -s "$tmp/out" ] || fail "'$*' wrote to stdout"
}

# WORDS ARGUMENT...: to a host on a TAP that is not made, in one sentence.
refuse() {
	local words=$1

	shift
	expect 2 "$words" host tap:fdl9 "$@"
	[ "$(wc -l <"$tmp/err")" = 1 ] ||
		fail "'$*' is more than one line: $(cat "$tmp/err")"
	[ ! -e /sys/class/net/fdl9 ] || fail "'$*' made a device"
}

at='--address 192.0.2.2/24'
# shellcheck disable=SC2086 # $at is two words
{
	expect 2 bogus bogus
	expect 2 LOCATOR host
	expect 2 nokind host nokind:x $at
	expect 2 'tap:NAME' host tap $at
	expect 2 192.0.2.2/24 host tap:fdl0 --address 192.0.2.2
	expect 2 fd00::2/64 host tap:fdl0 --address fd00::2
	expect 2 192.0.2.2/33 host tap:fdl0 --address 192.0.2.2/33
	expect 2 zz:zz host tap:fdl0 $at --mac zz:zz
	expect 2 70000 host tap:fdl0,mtu=70000 $at
	expect 2 67 host tap:fdl0,mtu=67 $at
	expect 2 color host tap:fdl0,color=red $at
	expect 1 nope0 info packet:nope0
	expect 1 nope0 info tap:nope0
	expect 1 /nowhere/x host unixgram:/nowhere/x $at
	expect 1 99 host fd:99 $at
	expect 2 fe80:: connect null: 'stream:[fe80::1]:80'
	expect 2 fe80:: connect null: 'udp:[fe80::1]:80'

	# What is wrong is named, and not the word beside it.
	refuse '-address is no option' -address 192.0.2.2/24
	refuse 'write --address' -address 192.0.2.2/24
	refuse 'write --address' -address=192.0.2.2/24
	refuse 'write --ip' $at -ip
	refuse '-x is no option' $at -x
	refuse '-xyz is no option' $at -xyz
	refuse '--gates=way is no option' --gates=way $at
	refuse '--ip=1: that option takes no value' $at --ip=1
	refuse '--mac needs a value' $at --mac
	refuse '--mac needs a value' --mac $at
	refuse '--mac= needs a value' $at --mac=
	refuse 'and more is one more' more $at
	expect 2 'write --json' info -json tap:fdl9
	expect 2 '--json=1: that option takes no value' info --json=1 tap:fdl9
	expect 2 'and more is one more' info tap:fdl9 more
	expect 2 'needs a LOCATOR' info
	expect 2 '--delay -1ms: give a value' connect null: null: --delay -1ms
	expect 2 '--loss -5: give a value' connect null: null: --loss=-5
	expect 2 '--seed -7: give a number' connect null: null: --seed -7
	expect 2 '--seed needs a value' connect null: null: --seed --json
	expect 2 'is no network namespace' connect null: \
		tap:x,netns=/proc/self/ns/uts
	expect 2 '--json is no option' --json info tap:fdl9

	for what in 0.0.0.0/0=0.0.0.0/8 0.1.2.3/8=0.0.0.0/8 127.0.0.1/8=loopback \
		224.0.0.1/24=multicast 239.255.255.255/24=multicast \
		240.0.0.1/24=reserved 255.255.255.255/32=broadcast \
		192.0.2.0/24=network 192.0.2.255/24=broadcast \
		192.0.2.4/30=network 192.0.2.7/30=broadcast \
		10.0.0.0/8=network 10.255.255.255/8=broadcast \
		::/64=unspecified ::1/64=loopback ff02::1/64=multicast \
		::ffff:192.0.2.2/64=IPv4 ::192.0.2.2/64=IPv4 \
		fd00::/64=router; do
		refuse "--address ${what%=*}" --address "${what%=*}"
		refuse "${what#*=}" --address "${what%=*}"
	done
	refuse '192.0.2.2/24 is there twice' $at $at
	refuse '192.0.2.2/16 is there twice' $at --address 192.0.2.2/16
	refuse 'fd00::2/64 is there twice' --address fd00::2/64 \
		--address fd00::3/64 --address fd00::2/64
	refuse 'fd00:0::2/64 is there twice' --address fd00::2/64 \
		--address fd00:0::2/64
	refuse 'leave it out' --address fe80::ff:fe00:1/64 \
		--mac 02:00:00:00:00:01

	refuse '192.0.2.2 is the host itself' $at --gateway 192.0.2.2
	refuse 'fd00::3 is the host itself' --gateway fd00::3 \
		--address fd00::2/64 --address fd00::3/64
	refuse 'fe80::ff:fe00:1 is the host itself' --address fd00::2/64 \
		--gateway fe80::ff:fe00:1 --mac 02:00:00:00:00:01
	refuse 'there is no IPv6 --address' $at --gateway fd00::1
	refuse 'there is no IPv6 --address' $at --gateway fe80::1
	refuse 'there is no IPv4 --address' --address fd00::2/64 \
		--gateway 192.0.2.1
	refuse '192.0.2.0 is the address of its network' $at \
		--gateway 192.0.2.0
	refuse '192.0.2.255 is the broadcast' $at --gateway 192.0.2.255
	refuse 'fd00:: is any router' --address fd00::2/64 --gateway fd00::
	refuse '127.0.0.1 is a loopback' $at --gateway 127.0.0.1
	refuse 'ff02::2 is a multicast' $at --gateway ff02::2
	refuse '0.0.0.0 is in' $at --gateway 0.0.0.0
	refuse '198.51.100.1 is in the network of no' $at \
		--gateway 198.51.100.1
	refuse '192.0.2.3: there is 192.0.2.1' $at --gateway 192.0.2.1 \
		--gateway 192.0.2.3
	refuse '192.0.2.1: there is 192.0.2.1' $at --gateway 192.0.2.1 \
		--gateway 192.0.2.1

	# IPv6 needs 1280, known before a peer is waited for, or by the device.
	expect 2 1279 host tap:fdl9,mtu=1279 --address fd00::2/64
	expect 2 fd00::2/64 host "seqpacket:$tmp/mtu,listen,mtu=1000" $at \
		--address fd00::2/64
	ip tuntap add dev fdl8 mode tap
	ip link set fdl8 mtu 1279
	expect 2 1279 host tap:fdl8 $at --address fd00::2/64
	expect 2 1279 host packet:fdl8 --address fd00::2/64
}

# The smallest networks have neither, and what looks like one is none.
for small in 192.0.2.0/31 192.0.2.255/31 192.0.2.0/32 192.0.2.255/32 \
	192.0.2.1/30 192.0.3.0/23 192.0.2.255/23; do
	start_host tap:fdl7 --address "$small"
	kill "$host"
	end_of_host || fail "$small: SIGTERM gave exit status $?"
done
start_host tap:fdl8 --address 192.0.2.2/24
kill "$host"
end_of_host || fail "an MTU of 1279 without IPv6: exit status $?"

# Nor is the other one of two taken for the broadcast address.
start_host tap:fdl7 --address 192.0.2.0/31
ask_patiently fdl7
ip address add 192.0.2.1/31 dev fdl7
ip link set fdl7 up
ping -n -q -c 3 -i 0.02 -W 30 192.0.2.0 >"$tmp/out" ||
	fail "the upper one of two is not answered: $(cat "$tmp/out")"
kill "$host"
end_of_host || fail "SIGTERM gave exit status $?"

ip tuntap add dev fdl0 mode tap
start_host tap:fdl0 --address 192.0.2.2/24
# shellcheck disable=SC2086
expect 1 busy host tap:fdl0 $at
kill "$host"
end_of_host || fail "SIGTERM gave exit status $?"

# A peer that closes is the end of the link, and no failure.
python3 - "$fdlink" <<'PY' || fail "a peer that closes: exit status $?"
import socket, subprocess, sys
ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
n = theirs.fileno()
host = subprocess.Popen([sys.argv[1], 'host', 'fd:%d' % n, '--ip', '--address',
                         '192.0.2.2/24'], pass_fds=[n],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
theirs.close()
ours.close()
sys.exit(host.wait(60))
PY

# A peer that sends no frames behind their lengths is told of as such.
# shellcheck disable=SC2086 # an option, or none
python3 - "$fdlink" "$tmp" ${FDLINK_TEST_SANDBOX-} <<'PY' ||
import socket, subprocess, sys
path = sys.argv[2] + '/stream'
for what in (['connect', *sys.argv[3:], 'null:'],
             ['host', '--address', '192.0.2.2/24']):
    wire = subprocess.Popen([sys.argv[1], *what, 'stream:%s,listen' % path],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        assert b'up' in wire.stdout.readline()
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(path)
            peer.sendall(b'GET / HTTP/1.1\r\n')
            said = wire.communicate(timeout=60)[1]
    finally:
        wire.kill()
    assert wire.returncode == 1, said
    assert b'longer than any' in said and path.encode() in said, said
PY
	fail "what is no stream of frames"

# What is said of an end while the wire carries names it.
# shellcheck disable=SC2086 # an option, or none
python3 - "$fdlink" "$tmp" ${FDLINK_TEST_SANDBOX-} <<'PY' ||
import socket, subprocess, sys
end = 'seqpacket:%s/headers,listen,offload=on' % sys.argv[2]
wire = subprocess.Popen([sys.argv[1], 'connect', *sys.argv[3:],
                         'seqpacket:%s/other,listen' % sys.argv[2], end],
                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
ip = bytes.fromhex('45000024000000004011 b6c5 c0000201 c0000202'
                   .replace(' ', ''))
try:
    assert b'up' in wire.stdout.readline()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.connect(sys.argv[2] + '/headers')
        for _ in range(20):
            peer.send(bytes.fromhex('020000000001020000000002' '0800') + ip +
                      bytes.fromhex('0007000700100000') + bytes(8))
        said = wire.stderr.readline().decode()
    wire.terminate()
    wire.communicate(timeout=60)
finally:
    wire.kill()
assert said.startswith('fdlink: %s: ' % end) and 'offload=off' in said, said
PY
	fail "an end is not named"

# Where /proc is missing, what needs it says so.
if unshare -m mount -t tmpfs none /proc 2>/dev/null; then
	# shellcheck disable=SC2016 # $1 is that of the inner shell
	unshare -m sh -c 'mount -t tmpfs none /proc && exec "$1" info \
		seqpacket:/nowhere/x' sh "$fdlink" >"$tmp/out" 2>"$tmp/err" &&
		fail "a socket was found without /proc"
	grep -q 'mount /proc' "$tmp/err" || fail "no /proc: $(cat "$tmp/err")"
fi

# ARGUMENT...: with no room for one more file at $tmp/full.
expect_full() {
	# shellcheck disable=SC2016 # of the inner shell
	unshare -m sh -c 'mount -t tmpfs -o nr_inodes=1 none "$1" &&
		shift && exec timeout 60 "$@"' sh "$tmp/full" "$fdlink" "$@" \
		>"$tmp/out" 2>"$tmp/err" && fail "'$*' in a full file system"
	grep -q 'free some space' "$tmp/err" || fail "'$*': $(cat "$tmp/err")"
}

mkdir "$tmp/full"
if unshare -m mount -t tmpfs none "$tmp/full" 2>/dev/null; then
	expect_full connect "seqpacket:$tmp/full/x,listen" null:
	"$fdlink" --version | grep -q libmicrohttpd ||
		expect_full connect null: null: --control "$tmp/full/x"
fi

# Nobody's user may not open the device, and is told the way out.
if [ "$(id -u)" = 0 ] && [ -z "${FDLINK_TEST_USER-}" ] &&
	setpriv --reuid=65534 --clear-groups true 2>/dev/null; then
	cp "$fdlink" "$tmp/fdlink"
	chmod 755 "$tmp"
	status=0

	# WORDS LOCATOR: cannot be had, and one sentence says so.
	deny() {
		status=0
		setpriv --reuid=65534 --clear-groups --inh-caps=-all \
			timeout 60 "$tmp/fdlink" connect null: "$2" \
			2>"$tmp/err" >&2 || status=$?
		[ $status = 1 ] || fail "$2: status $status: $(cat "$tmp/err")"
		[ "$(wc -l <"$tmp/err")" = 1 ] ||
			fail "$2: not one line: $(cat "$tmp/err")"
		grep -qF -- "$1" "$tmp/err" ||
			fail "$2: no word of $1: $(cat "$tmp/err")"
	}
	deny 'user UID' tap:fdl1
	[ "$(stat -c %a /dev/net/tun)" = 666 ] ||
		deny 'chmod a+rw /dev/net/tun' tap:fdl1
	deny 'no such interface' packet:nope0
	deny 'run as root' tap:fdl1,netns=/proc/1/ns/net
	python3 - "$tmp" <<'PY'
import os, socket, sys
for kind in 'STREAM', 'SEQPACKET', 'DGRAM':
    path = '%s/of-root-%s' % (sys.argv[1], kind)
    s = socket.socket(socket.AF_UNIX, getattr(socket, 'SOCK_' + kind))
    s.bind(path)
    os.chmod(path, 0o600)
PY
	for kind in stream=STREAM seqpacket=SEQPACKET unixgram=DGRAM; do
		deny 'run as that user' "${kind%=*}:$tmp/of-root-${kind#*=}"
		deny 'give another path' "${kind%=*}:$tmp/of-root-STREAM/x"
		deny 'directory that you may write to' \
			"${kind%=*}:$tmp/mine,listen"
	done
	ip link set lo up
	deny 'choose another port' stream:127.0.0.1:80,listen
	deny 'choose another port' udp:127.0.0.1:5000,local=127.0.0.1:80
	deny 'broadcast address' udp:127.255.255.255:5000
fi
