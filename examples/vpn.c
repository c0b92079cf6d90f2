/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tunnel over UDP, a packet to a datagram, with the kernel giving and taking
 * many in one call on both sides. At each end, with the other one's address:
 *
 *	vpn tun:tun0,mtu=1400 192.0.2.2 & ip link set tun0 up
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <fdlink/open.h>
#include <fdlink/run.h>

enum { BATCH = 32, DATAGRAMS = 128, HEAD = 16, TAIL = 16 };

static void say(void *ctx, int level, const char *msg)
{
	(void)ctx;
	(void)level;
	fprintf(stderr, "vpn: %s\n", msg);
}

/* Say once why the peer is not reached; 0: it is. */
static void tell(int why)
{
	static int last;

	if (why && why != last)
		fprintf(stderr, "vpn: the peer is not reached: %s\n",
			strerror(why));
	last = why;
}

/* A real one encrypts here, with a nonce in the header and a tag behind. */
static void cipher(uint8_t *at, size_t len)
{
	uint64_t word;

	for (; len >= sizeof(word); len -= sizeof(word), at += sizeof(word)) {
		memcpy(&word, at, sizeof(word));
		word ^= 0x5555555555555555;
		memcpy(at, &word, sizeof(word));
	}
	while (len--)
		*at++ ^= 0x55;
}

/* Returns the bytes of packet i of a run, which lie at *at. */
static size_t packet(const struct fdl_run *run, uint32_t i, uint8_t **at)
{
	const uint32_t begin = i * run->size, left = run->len - begin;
	const uint32_t len = left < run->size ? left : run->size;

	*at = run->buf + begin + HEAD;
	return len > HEAD + TAIL ? len - HEAD - TAIL : 0;
}

static int transmit(int udp, struct iovec iov, uint16_t size)
{
	union {
		struct cmsghdr hdr;
		uint8_t bytes[CMSG_SPACE(sizeof(size))];
	} control = { .hdr = { .cmsg_level = SOL_UDP,
			       .cmsg_type = UDP_SEGMENT,
			       .cmsg_len = CMSG_LEN(sizeof(size)) } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (iov.iov_len > size) {
		memcpy(CMSG_DATA(&control.hdr), &size, sizeof(size));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	if (sendmsg(udp, &msg, 0) >= 0)
		return 0;
	/* Of an ICMP message about an earlier one: this one did not go. */
	return sendmsg(udp, &msg, 0) < 0 ? errno : 0;
}

/* What does not go is lost, as packets are. */
static void send_run(int udp, struct fdl_run *run)
{
	struct iovec iov;
	uint8_t *at;
	uint32_t i;
	size_t len;
	int why;

	if (!run->len)
		return;
	for (i = 0; i < run->count; i++) {
		len = packet(run, i, &at);
		memset(at - HEAD, 1, HEAD);
		cipher(at, len);
		memset(at + len, 2, TAIL);
	}
	iov = (struct iovec){ run->buf, run->len };
	why = transmit(udp, iov, run->size);
	/* The path's MTU is less than the size, or its device cannot. */
	if (why == EINVAL || why == EMSGSIZE || why == EIO)
		for (i = 0; i < run->len; i += run->size) {
			iov.iov_base = run->buf + i;
			iov.iov_len = packet(run, i / run->size, &at) + HEAD +
				      TAIL;
			why = transmit(udp, iov, run->size);
		}
	if (why)
		tell(why);
	run->len = 0;
}

static void to_peer(int udp, struct fdl_packet *v[], int n)
{
	static uint8_t buf[FDL_RUN_BYTES];
	struct fdl_run run = {
		.buf = buf, .room = sizeof(buf), .head = HEAD, .tail = TAIL
	};
	struct fdl_segmenter s;
	struct iovec iov;
	int i;

	for (i = 0; i < n; i++) {
		iov = (struct iovec){ v[i]->data, v[i]->len };
		if (fdl_segment_start(&s, &iov, 1, 0, &v[i]->off, 0))
			continue;
		while (fdl_segment_run(&s, &run) == 1)
			send_run(udp, &run);
	}
	send_run(udp, &run);
}

/* Returns whether there was anything. */
static bool from_peer(int udp, struct fdl_queue *q)
{
	static struct fdl_run_packet v[DATAGRAMS];
	static struct fdl_coalescer batch;
	static struct fdl_coalesced out;
	static uint8_t buf[65536];
	struct fdl_run run = { .buf = buf, .head = HEAD, .tail = TAIL };
	struct iovec in = { buf, sizeof(buf) }, iov[DATAGRAMS + 2];
	union {
		struct cmsghdr hdr;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = { .msg_iov = &in,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	const ssize_t n = recvmsg(udp, &msg, MSG_DONTWAIT);
	const struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	uint16_t lens[DATAGRAMS];
	uint32_t i;
	uint8_t *at;
	int size = 0;

	if (n < 0 && errno == EAGAIN)
		return false;
	tell(n < 0 ? errno : 0);
	if (n <= 0)
		return true;
	if (c && c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
		memcpy(&size, CMSG_DATA(c), sizeof(size));
	run.len = (uint32_t)n;
	run.size = (uint16_t)(size ? size : n);
	for (i = 0; i < DATAGRAMS && i * run.size < run.len; i++) {
		lens[i] = (uint16_t)packet(&run, i, &at);
		cipher(at, lens[i]);
		/* A real one asks here whether the tag is right, and whether
		 * the peer may have this address. */
		if (at[lens[i]] != 2)
			lens[i] = 0;
	}
	fdl_coalesce_init(&batch, FDL_COALESCE_TCP | FDL_COALESCE_UDP, 0, 0);
	fdl_coalesce_run(&batch, &run, lens, v, DATAGRAMS);
	while (fdl_coalesce_next(&batch, &out))
		fdl_write(q, iov,
			  fdl_coalesced_gather(&out, iov, DATAGRAMS + 2),
			  &out.off);
	return true;
}

/* A super-packet takes the room of many packets at once. */
static void have_room(int udp)
{
	const int room = 8 << 20;

	if (setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) ||
	    setsockopt(udp, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room))) {
		setsockopt(udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
		setsockopt(udp, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
		say(NULL, 0,
		    "without privileges, the buffers are as short as "
		    "net.core.rmem_max and net.core.wmem_max say");
	}
}

/* Returns a socket between port 4500 here and there, or -1. */
static int reach(const char *peer)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_PASSIVE,
				  .ai_socktype = SOCK_DGRAM },
			*there, *here;
	const int on = 1;
	int udp;

	if (getaddrinfo(peer, "4500", &hints, &there))
		return fprintf(stderr, "vpn: %s is no IP address\n", peer), -1;
	hints.ai_family = there->ai_family;
	if (getaddrinfo(NULL, "4500", &hints, &here))
		return -1;
	udp = socket(here->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(udp, here->ai_addr, here->ai_addrlen) ||
	    connect(udp, there->ai_addr, there->ai_addrlen) ||
	    setsockopt(udp, SOL_UDP, UDP_GRO, &on, sizeof(on)))
		return fprintf(stderr, "vpn: port 4500 to %s: %s\n", peer,
			       strerror(errno)),
		       -1;
	have_room(udp);
	return udp;
}

int main(int argc, char **argv)
{
	struct fdl_options options = { .size = sizeof(options),
				       .flags = FDL_RX_CSUM | FDL_RX_GSO |
						FDL_RX_USO,
				       .log = say };
	struct pollfd p[2] = { { -1, POLLIN, 0 }, { -1, POLLIN, 0 } };
	struct fdl_packet *v[BATCH];
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	int i, udp, n = 0;

	if (argc != 3)
		return fprintf(stderr, "usage: vpn TUN PEER-ADDRESS\n"), 2;
	udp = reach(argv[2]);
	if (udp < 0)
		return 1;
	if (fdl_open(&ep, argv[1], &options) < 0)
		return 1;
	p[0].fd = udp;
	p[1].fd = fdl_fd(ep);
	q = fdl_get_queue(ep, 0);
	while ((n >= 0 || n == -ENOBUFS) && poll(p, 2, -1) > 0) {
		for (i = 0; i < BATCH && from_peer(udp, q); i++)
			;
		n = fdl_recv(q, v, BATCH);
		if (n > 0) {
			to_peer(udp, v, n);
			fdl_release(v, n);
		}
	}
	fdl_endpoint_free(ep);
	return 1;
}
