/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answer every IPv4 ping on a TUN, from a poll loop of our own.
 *
 *	ip tuntap add tun0 mode tun; ip addr add 192.0.2.1/24 dev tun0
 *	ip link set tun0 up; echo_poll tun:tun0 & ping 192.0.2.2
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <fdlink/open.h>

static void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "%s\n", msg);
}

/* Turn an echo request into its reply, in place. False: it is none. */
static bool answer(struct fdl_packet *pkt)
{
	uint8_t *ip = pkt->data, *icmp, swap[4];
	uint32_t hlen, sum;

	if (pkt->link_len || pkt->protocol != 0x0800 || pkt->len < 20)
		return false;
	hlen = (ip[0] & 15) * 4U;
	icmp = ip + hlen;
	/* ICMP, the first or only fragment, an echo request */
	if (pkt->len < hlen + 8 || ip[9] != 1 || (ip[6] & 0x1f) || ip[7] ||
	    icmp[0] != 8)
		return false;
	memcpy(swap, ip + 12, 4);
	memcpy(ip + 12, ip + 16, 4);
	memcpy(ip + 16, swap, 4);
	icmp[0] = 0;
	/* The checksum grows by what the type has lost (RFC 1624). */
	sum = (uint32_t)(icmp[2] << 8 | icmp[3]) + 0x0800;
	sum = (sum & 0xffff) + (sum >> 16);
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	return true;
}

int main(int argc, char **argv)
{
	struct fdl_options options = { .size = sizeof(options), .log = say };
	struct pollfd pfd = { .events = POLLIN };
	struct fdl_packet *v[32];
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	int i, n;

	if (argc != 2)
		return fprintf(stderr, "usage: echo_poll LOCATOR\n"), 2;
	if (fdl_open(&ep, argv[1], &options) < 0)
		return 1;
	q = fdl_get_queue(ep, 0);
	pfd.fd = fdl_fd(ep);
	while ((n = fdl_recv(q, v, 32)) >= 0 || n == -ENOBUFS) {
		for (i = 0; i < n; i++) {
			/* What is sent is gone, also from v[i]. */
			if (!answer(v[i]) || fdl_send(q, &v[i], 1) < 1)
				fdl_release(&v[i], 1);
		}
		if (n < 32 && poll(&pfd, 1, -1) < 0 && errno != EINTR)
			break;
	}
	fprintf(stderr, "%s has ended: %s\n", argv[1], strerror(-n));
	fdl_endpoint_free(ep);
	return 1;
}
