/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fdlink/offload.h>

enum {
	IP_LEN = 20,
	LEN = IP_LEN + 8 + 1000,
	REQUEST = 8,
	REPLY = 0,
};

static int sock;

static void die(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void put_sum(uint8_t *at, const uint8_t *bytes, size_t len)
{
	const uint16_t sum = (uint16_t)~fdl_checksum_sum(bytes, len, 0);

	memcpy(at, &sum, sizeof(sum));
}

static void make_request(uint8_t *p)
{
	static const uint8_t start[IP_LEN + 8] = {
		0x45,	    [2] = LEN >> 8,
		LEN & 0xff, [8] = 64,
		1,	    [12] = 192,
		0,	    2,
		1,	    192,
		0,	    2,
		2,	    REQUEST,
	};

	memset(p, 0x5a, LEN);
	memcpy(p, start, sizeof(start));
	put_sum(p + 10, p, IP_LEN);
	put_sum(p + IP_LEN + 2, p + IP_LEN, LEN - IP_LEN);
}

int peer_open(void)
{
	uint8_t request[LEN];
	int sv[2];

	make_request(request);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sv) ||
	    send(sv[0], request, LEN, 0) != LEN)
		die("no socket");
	sock = sv[0];
	return sv[1];
}

bool peer_replied(int timeout_ms)
{
	struct pollfd pfd = { .fd = sock, .events = POLLIN };
	uint8_t reply[LEN + 1], expected[LEN];

	if (poll(&pfd, 1, timeout_ms) < 1)
		return false;
	make_request(expected);
	if (recv(sock, reply, sizeof(reply), 0) != LEN)
		die("a reply of another length");
	if (reply[IP_LEN] != REPLY ||
	    memcmp(reply + IP_LEN + 4, expected + IP_LEN + 4,
		   LEN - IP_LEN - 4) ||
	    fdl_checksum_sum(reply + IP_LEN, LEN - IP_LEN, 0) != 0xffff)
		die("no reply, or a wrong one");
	return true;
}
