/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of a link, and what feeds and drains them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

enum { BENCH_PREFIX = 4 };	/* bytes of a length */

static const char veth[] = "fdv0", veth_peer[] = "fdv1", tap[] = "fdt0";

void bench_die(const char *what, int err)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(err));
	exit(1);
}

void bench_room(int fd)
{
	static const struct {
		int forced, asked;
	} names[] = {
		{ SO_RCVBUFFORCE, SO_RCVBUF },
		{ SO_SNDBUFFORCE, SO_SNDBUF },
	};
	const int bytes = BENCH_BUFFER;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (setsockopt(fd, SOL_SOCKET, names[i].forced, &bytes,
			       sizeof(bytes)))
			setsockopt(fd, SOL_SOCKET, names[i].asked, &bytes,
				   sizeof(bytes));
	}
}

int bench_packet_socket(const char *name)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		bench_die("AF_PACKET", errno);
	bench_room(fd);
	if (bind(fd, (struct sockaddr *)&sll, sizeof(sll)))
		bench_die(name, errno);
	return fd;
}

/* Protocol 0: it sends only, and takes no copy of what arrives. */
int bench_send_socket(const char *name)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(name),
	};
	const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	if (fd < 0)
		bench_die("AF_PACKET", errno);
	bench_room(fd);
	if (bind(fd, (struct sockaddr *)&sll, sizeof(sll)))
		bench_die(name, errno);
	return fd;
}

void bench_set_up(const char *name)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_flags = IFF_UP };

	memcpy(ifr.ifr_name, name, strlen(name));
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		bench_die(name, errno);
	close(fd);
}

static int open_tap(int flags)
{
	const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	struct ifreq ifr = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI |
						  flags) };

	memcpy(ifr.ifr_name, tap, sizeof(tap));
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		bench_die("/dev/net/tun", errno);
	bench_set_up(tap);
	return fd;
}

static void open_pair(struct bench_link *link, int type)
{
	int fds[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, fds))
		bench_die("socketpair", errno);
	bench_room(fds[0]);
	bench_room(fds[1]);
	link->fd = fds[0];
	link->other = fds[1];
}

/* The side under test connects to it. */
static int open_listener(struct bench_link *link)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char *const text = name.sun_path + 1;
	const int len = snprintf(text, 32, "fdlink-bench-%d", (int)getpid());

	if (fd < 0 ||
	    bind(fd, (struct sockaddr *)&name,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			     (size_t)len)) ||
	    listen(fd, 1))
		bench_die("a stream socket", errno);
	snprintf(link->locator, sizeof(link->locator), "stream:@%.32s", text);
	return fd;
}

void bench_open(struct bench_link *link, const char *kind, bool without_fd)
{
	*link = (struct bench_link){ .kind = kind, .fd = -1, .socket = true };
	if (!strcmp(kind, "seqpacket")) {
		open_pair(link, SOCK_SEQPACKET);
	} else if (!strcmp(kind, "datagram")) {
		open_pair(link, SOCK_DGRAM);
	} else if (!strcmp(kind, "stream")) {
		link->other = open_listener(link);
	} else if (!strcmp(kind, "tap") || !strcmp(kind, "taphdr")) {
		link->name = tap;
		link->socket = false;
		link->hdr = kind[3] ? BENCH_VNET_HDR : 0;
		link->fd = open_tap(link->hdr ? IFF_VNET_HDR : 0);
		link->other = bench_send_socket(tap);
	} else if (!strcmp(kind, "veth")) {
		link->name = veth;
		snprintf(link->locator, sizeof(link->locator), "packet:%s",
			 veth);
		link->other = bench_send_socket(veth_peer);
		if (!without_fd)
			link->fd = bench_packet_socket(veth);
	} else {
		bench_die(kind, EINVAL);
	}
}

void bench_wait(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	while (poll(&p, 1, -1) < 0 && errno == EINTR)
		;
}

/* IPv4 and UDP behind the link header, so that flows have hashes. */
void bench_frame(uint8_t *frame, size_t size, unsigned flow)
{
	static const uint8_t start[] = {
		BENCH_ADDRESS,
		0x02,
		0,
		0,
		0,
		0,
		0x02,
		BENCH_ETHERTYPE >> 8,
		BENCH_ETHERTYPE & 0xff,
	};

	memset(frame, 0x5a, size);
	memcpy(frame, start, sizeof(start));
	frame[15] = (uint8_t)flow;
}

static void fill_messages(struct mmsghdr *msgs, struct iovec *iov,
			  uint8_t (*frames)[BENCH_FRAME], size_t size)
{
	unsigned i;

	for (i = 0; i < BENCH_BATCH; i++) {
		bench_frame(frames[i], size, i);
		iov[i] = (struct iovec){ frames[i], size };
		msgs[i] = (struct mmsghdr){
			.msg_hdr = { .msg_iov = iov + i, .msg_iovlen = 1 },
		};
	}
}

static _Noreturn void feed_all(const struct bench_link *link, size_t size,
			       struct bench_shared *shared)
{
	static uint8_t frames[BENCH_BATCH][BENCH_FRAME];
	struct mmsghdr msgs[BENCH_BATCH];
	struct iovec iov[BENCH_BATCH];
	int n;

	fill_messages(msgs, iov, frames, size);
	for (;;) {
		n = sendmmsg(link->other, msgs, BENCH_BATCH, 0);
		if (n > 0)
			shared->offered += (unsigned)n;
		else if (errno != ENOBUFS && errno != EAGAIN)
			exit(errno == EPIPE ? 0 : 1);
	}
}

static int accept_side(const struct bench_link *link)
{
	const int fd = accept(link->other, NULL, NULL);

	if (fd < 0)
		bench_die("accept", errno);
	bench_room(fd);
	return fd;
}

/* Each frame behind its length. */
static _Noreturn void feed_stream(const struct bench_link *link, size_t size,
				  struct bench_shared *shared)
{
	static uint8_t bytes[BENCH_BATCH * (BENCH_PREFIX + BENCH_FRAME)];
	const uint32_t len = htonl((uint32_t)size);
	const int fd = accept_side(link);
	uint8_t *at = bytes;
	unsigned i;

	for (i = 0; i < BENCH_BATCH; i++) {
		memcpy(at, &len, BENCH_PREFIX);
		bench_frame(at + BENCH_PREFIX, size, i);
		at += BENCH_PREFIX + size;
	}
	while (send(fd, bytes, (size_t)(at - bytes), MSG_NOSIGNAL) ==
	       at - bytes)
		shared->offered += BENCH_BATCH;
	exit(errno == EPIPE ? 0 : 1);
}

static _Noreturn void feed_paced(const struct bench_link *link, size_t size,
				 unsigned rate, struct bench_shared *shared)
{
	uint64_t next = bench_ns(CLOCK_MONOTONIC), now;
	const uint64_t gap = 1000000000 / rate;
	uint8_t frame[BENCH_FRAME];

	bench_frame(frame, size, 0);
	for (;;) {
		next += gap;
		do {
			now = bench_ns(CLOCK_MONOTONIC);
		} while (now < next);
		memcpy(frame + 16, &now, sizeof(now));
		if (send(link->other, frame, size, MSG_NOSIGNAL) > 0)
			shared->offered++;
	}
}

void bench_feed(const struct bench_link *link, size_t size, unsigned rate,
		struct bench_shared *shared)
{
	if (!strcmp(link->kind, "stream"))
		feed_stream(link, size, shared);
	if (rate)
		feed_paced(link, size, rate, shared);
	feed_all(link, size, shared);
}

static _Noreturn void drain_stream(const struct bench_link *link)
{
	static uint8_t bytes[1 << 18];
	const int fd = accept_side(link);

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
	exit(0);
}

void bench_drain(const struct bench_link *link)
{
	static uint8_t frames[BENCH_BATCH][BENCH_FRAME];
	struct mmsghdr msgs[BENCH_BATCH];
	struct iovec iov[BENCH_BATCH];

	if (!strcmp(link->kind, "stream"))
		drain_stream(link);
	fill_messages(msgs, iov, frames, BENCH_FRAME);
	while (recvmmsg(link->other, msgs, BENCH_BATCH, MSG_WAITFORONE, NULL) >
	       0)
		;
	exit(0);
}
