/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tunnel, a packet to a datagram, with the kernel giving and taking many in
 * one call on both sides. At each end, with the other one's address:
 *
 *	vpn tun:tun0,mtu=1400 192.0.2.2 & ip link set tun0 up
 */
#include <arpa/inet.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <fdlink/offload.h>
#include <fdlink/open.h>

enum { RUN = 64, MAX_BYTES = 65507 };

/* A real one encrypts here, and says who it is. */
static void scramble(uint8_t *bytes, size_t len)
{
	while (len--)
		*bytes++ ^= 0x55;
}

/* Send datagrams of size bytes, the last one perhaps of fewer. */
static void send_run(int udp, uint8_t *bytes, size_t len, int size)
{
	scramble(bytes, len);
	if (setsockopt(udp, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)) ||
	    (len && send(udp, bytes, len, 0) < 0))
		perror("vpn: send");
}

/* Cut a packet, and send what it is cut into. */
static void to_peer(int udp, const struct fdl_packet *pkt)
{
	struct iovec iov = { pkt->data, pkt->len };
	size_t len, used = 0, size = 0;
	uint8_t buf[MAX_BYTES];
	struct fdl_segmenter s;

	if (fdl_segment_start(&s, &iov, 1, 0, &pkt->off, 0))
		return;
	while ((len = fdl_segment_len(&s)) > 0 && len <= sizeof(buf)) {
		if (used + len > MAX_BYTES || used == size * RUN) {
			send_run(udp, buf, used, (int)size);
			used = 0;
		}
		size = used ? size : len;
		fdl_segment_next(&s, buf + used, len, NULL);
		used += len;
	}
	send_run(udp, buf, used, (int)size);
}

/* Merge datagrams of size bytes, and write what they are merged into. */
static void to_stack(struct fdl_queue *q, uint8_t *at, int n, int size)
{
	struct fdl_coalesce_packet pkt[2 * RUN] = { 0 };
	struct iovec in[2 * RUN], iov[2 * RUN + 2];
	struct fdl_coalescer c;
	struct fdl_coalesced out;
	int i;

	fdl_coalesce_init(&c, FDL_COALESCE_TCP | FDL_COALESCE_UDP, 0, 0);
	for (i = 0; n > 0 && i < 2 * RUN; i++, at += size, n -= size) {
		in[i] = (struct iovec){ at, (size_t)(n < size ? n : size) };
		scramble(at, in[i].iov_len);
		pkt[i].iov = &in[i];
		pkt[i].cnt = 1;
		fdl_coalesce_add(&c, &pkt[i]);
	}
	while (fdl_coalesce_next(&c, &out))
		fdl_write(q, iov, fdl_coalesced_gather(&out, iov, i + 2),
			  &out.off);
}

static void from_peer(int udp, struct fdl_queue *q)
{
	uint64_t control[8];
	uint8_t buf[65536];
	struct iovec iov = { buf, sizeof(buf) };
	struct msghdr msg = { NULL, 0, &iov, 1, control, sizeof(control), 0 };
	int n = (int)recvmsg(udp, &msg, MSG_DONTWAIT), size = n;

	if (n > 0 && CMSG_FIRSTHDR(&msg)) /* UDP_GRO */
		memcpy(&size, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(size));
	to_stack(q, buf, n, size);
}

int main(int argc, char **argv)
{
	struct fdl_options options = { .size = sizeof(options),
				       .flags = FDL_RX_CSUM | FDL_RX_GSO |
						FDL_RX_USO };
	struct sockaddr_in to = { AF_INET, htons(4500), { 0 }, { 0 } };
	int n = 0, on = 1, udp = socket(AF_INET, SOCK_DGRAM, 0);
	struct pollfd p[2] = { { udp, POLLIN, 0 }, { -1, POLLIN, 0 } };
	struct fdl_endpoint *ep;
	struct fdl_packet *pkt;

	if (argc != 3 || bind(udp, (struct sockaddr *)&to, sizeof(to)) ||
	    !inet_aton(argv[2], &to.sin_addr) ||
	    connect(udp, (struct sockaddr *)&to, sizeof(to)) ||
	    setsockopt(udp, SOL_UDP, UDP_GRO, &on, sizeof(on)) ||
	    fdl_open(&ep, argv[1], &options) < 0)
		return perror("vpn TUN PEER"), 2;
	p[1].fd = fdl_fd(ep);
	while (n >= 0 && poll(p, 2, -1) > 0) {
		from_peer(udp, fdl_get_queue(ep, 0));
		n = fdl_recv(fdl_get_queue(ep, 0), &pkt, 1);
		if (n > 0)
			to_peer(udp, pkt);
		fdl_release(&pkt, n);
	}
	fdl_endpoint_free(ep);
	return 1;
}
