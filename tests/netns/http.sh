#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# The status page, as people's clients ask for it, and as nobody should:
#
#	kernel  192.0.2.1 --- fdl0, a TAP --- fdlink host  192.0.2.2
set -eu
# shellcheck source=../lib/netns.sh
. "$(dirname "$0")/../lib/netns.sh"
url=http://192.0.2.2

command -v curl >/dev/null || skip "no curl"
command -v python3 >/dev/null || skip "no python3"

# expect STATUS CURL_ARGUMENT...: and its body is in $tmp/body, head in
# $tmp/head
expect() {
	local status=$1 got

	shift
	got=$(curl -s -m 60 -o "$tmp/body" -D "$tmp/head" -w '%{http_code}' \
		"$@") || fail "curl $*: exit status $?"
	[ "$got" = "$status" ] || fail "curl $*: $got, not $status"
}

ip tuntap add dev fdl0 mode tap
ask_patiently fdl0
ip address add 192.0.2.1/24 dev fdl0
ip link set fdl0 up
start_host tap:fdl0 --address 192.0.2.2/24
wait_for ping -n -q -c 1 -W 1 192.0.2.2

expect 200 $url/
grep -q '192.0.2.2' "$tmp/body" || fail "a page without the address"
expect 200 --http1.0 $url/stats.json
expect 200 --path-as-is "$url//stats.json?x=y"
expect 200 -x $url:80 http://example.net/stats.json
expect 200 -X GET -d body $url/
expect 200 -X GET -H 'Transfer-Encoding: chunked' -d body $url/
expect 200 -X GET -H 'Expect: 100-continue' -d body $url/
grep -q '^HTTP/1.1 100 ' "$tmp/head" || fail "100 was not said"
expect 404 $url/nothing

expect 200 -I $url/stats.json
[ ! -s "$tmp/body" ] || cmp -s "$tmp/head" "$tmp/body" ||
	fail "HEAD has a body"
length=$(tr -d '\r' <"$tmp/head" | awk '/^Content-Length:/ { print $2 }')
[ "$length" -gt 100 ] || fail "HEAD says $length bytes"

expect 405 -X DELETE $url/
grep -q '^Allow: GET, HEAD' "$tmp/head" || fail "405 without Allow"
expect 405 -d body $url/

# What is too long, and the answer to it can be read while that is being sent.
printf 'a%.0s' {1..20000} >"$tmp/long"
head -c 20000000 /dev/zero >"$tmp/large"
expect 414 "$url/$(cat "$tmp/long")"
expect 431 -H "X: $(cat "$tmp/long")" $url/
expect 413 -X GET -H Expect: --data-binary "@$tmp/large" $url/
expect 413 -X GET --data-binary "@$tmp/large" $url/
expect 413 -X GET -H Expect: -H 'Transfer-Encoding: chunked' \
	--data-binary "@$tmp/large" $url/

# One connection for several, for who asks for it.
connects=$(curl -s -m 60 -H 'Connection: keep-alive' -o /dev/null \
	-o /dev/null -o /dev/null -w '%{num_connects}\n' $url/ \
	$url/stats.json $url/nothing | paste -sd+)
[ $((connects)) = 1 ] || fail "$connects connections for three requests"

# Who does not can come again from the same port.
for _ in 1 2 3 4 5; do
	expect 200 --local-port 20000 $url/
done

python3 "$(dirname "$0")/http_raw.py" 192.0.2.2 ||
	fail "not what a client may rely on"

kill "$host"
end_of_host || fail "exit status $? of the host"
