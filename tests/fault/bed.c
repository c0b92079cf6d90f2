/* SPDX-License-Identifier: Apache-2.0 */
#include "bed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fdlink/open.h>

#include "contract.h"

enum {
	PREFIX = 4,		/* before each frame of a stream */
	HELLO = 4,		/* bytes, of vfkit: said again to a peer who has
				 * come back; no frame is as short */
};

bool bed_is_stream(const struct bed *b)
{
	return !strncmp(b->kind->name, "stream", 6);
}

static const struct link_kind *base_of(const struct bed_kind *kind)
{
	const struct link_kind *base = link_kinds;

	while (strcmp(base->name, kind->base))
		base++;
	return base;
}

int bed_make(struct bed *b, const struct bed_kind *kind)
{
	int err;

	unsigned i;

	*b = (struct bed){ .kind = kind, .listener = -1 };
	for (i = 0; i < COUNT_OF(kind->refused) && kind->refused[i].err; i++)
		fault_refuse(kind->refused[i].what, kind->refused[i].on,
			     kind->refused[i].err);
	err = link_make(&b->link, base_of(kind), 0);
	if (err)
		return err;
	err = kind->make(b);
	/* As it is between two lives. */
	if (!err && kind->end)
		kind->end(b);
	if (!err && kind->locator && !*b->locator)
		snprintf(b->locator, sizeof(b->locator), kind->locator,
			 b->link.dev, b->path, b->local);
	return err;
}

void bed_free(struct bed *b)
{
	fault_refuse(FAULTS, ON_ANY, 0);
	if (b->listener >= 0)
		close(b->listener);
	link_free(&b->link);
	if (!*b->dir)
		return;
	unlink(b->path);
	unlink(b->local);
	rmdir(b->dir);
}

int bed_open(struct bed *b, struct fdl_endpoint **ep,
	     const struct fdl_options *opts)
{
	if (b->kind->locator)
		return fdl_open(ep, b->locator, opts);
	return fdl_endpoint_new(ep, &b->link.fd, 1, opts);
}

static void drain(int fd)
{
	uint8_t frame[FRAME_MAX];

	if (fd < 0)
		return;
	if (fcntl(fd, F_GETFL) & O_NONBLOCK)
		while (read(fd, frame, sizeof(frame)) > 0)
			;
	else
		while (recv(fd, frame, sizeof(frame), MSG_DONTWAIT) > 0)
			;
}

/* A TUN or TAP is read as it is: it takes no flag. */
static void drain_device(int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	drain(fd);
	fcntl(fd, F_SETFL, flags);
}

void bed_rest(struct bed *b)
{
	static const struct tpacket_req3 none;
	struct link *l = &b->link;

	if (b->kind->end)
		b->kind->end(b);
	if (l->fd >= 0 && l->kind->traits & LINK_TUNTAP)
		drain_device(l->fd);
	else
		drain(l->fd);
	/* That could not be done, perhaps. */
	if (fault_last() == FAULT_SETSOCKOPT)
		setsockopt(l->fd, SOL_PACKET, PACKET_RX_RING, &none,
			   sizeof(none));
	drain(l->peer);
	l->rx_offered = 0;
}

static void write_all(int fd, const uint8_t *bytes, size_t len)
{
	ssize_t r;

	for (; len; bytes += r, len -= (size_t)r) {
		r = send(fd, bytes, len, MSG_NOSIGNAL);
		if (r < 0)
			return;	/* the endpoint has ended */
	}
}

void bed_feed(struct bed *b)
{
	struct link *l = &b->link;
	const unsigned seq = (unsigned)l->rx_offered++;
	const size_t len = frame_len(seq);
	uint8_t buf[PREFIX + FRAME_MAX];
	const uint32_t prefix = htonl((uint32_t)len);

	frame_make(l, false, buf + PREFIX, len, seq);
	memcpy(buf, &prefix, PREFIX);
	if (bed_is_stream(b))
		write_all(l->peer, buf, PREFIX + len);
	else
		link_try_feed(l, buf + PREFIX, len);
}

/* Returns whether all of it came in time. */
static bool read_all(int fd, uint8_t *bytes, size_t len, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t r;

	for (; len; bytes += r, len -= (size_t)r) {
		if (poll(&p, 1, timeout_ms) < 1)
			return false;
		r = recv(fd, bytes, len, MSG_DONTWAIT);
		if (r <= 0)
			return false;
	}
	return true;
}

ssize_t bed_collect(struct bed *b, uint8_t *buf, size_t size, int timeout_ms)
{
	const int fd = b->link.peer;
	uint32_t prefix;
	ssize_t n;

	if (!bed_is_stream(b)) {
		do
			n = link_collect(&b->link, buf, size, timeout_ms);
		while (n == HELLO);
		return n;
	}
	if (!read_all(fd, (uint8_t *)&prefix, PREFIX, timeout_ms))
		return -EAGAIN;
	prefix = ntohl(prefix);
	if (prefix > size)
		return -EMSGSIZE;
	return read_all(fd, buf, prefix, WAIT_MS) ? (ssize_t)prefix : -EAGAIN;
}
