/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fdlink/offload.h>

enum { PREFIX = 4 };

uint64_t device_drops(const char *dev, bool transmit)
{
	/* Behind the colon: bytes, packets, errors, drops, ... of receiving,
	 * eight in all, and the same of transmitting. */
	const int column = transmit ? 11 : 3;
	unsigned long long v[16] = { 0 };
	char line[512], *at;
	FILE *f = fopen("/proc/thread-self/net/dev", "re");
	int i;

	while (f && fgets(line, sizeof(line), f)) {
		at = strchr(line, ':');
		if (!at || strncmp(line + strspn(line, " "), dev, strlen(dev)))
			continue;
		for (i = 0, at++; i < 16; i++)
			v[i] = strtoull(at, &at, 10);
		break;
	}
	if (f)
		fclose(f);
	return v[column];
}

/* Frames of a message each. */
bool feed_message(struct soak *s, const uint8_t *frame, size_t len)
{
	return link_try_feed(&s->l, frame, len);
}

ssize_t collect_message(struct soak *s, uint8_t *buf, size_t size)
{
	return link_collect(&s->l, buf, size, 0);
}

/* Behind a virtio-net header, which of rubbish tells of an offload that it does
 * not have. */
bool feed_with_header(struct soak *s, const uint8_t *frame, size_t len)
{
	static uint8_t message[FDL_VNET_HDR_LEN + FRAME_MOST];
	const bool good = len > sizeof(link_local) &&
			  !memcmp(frame, link_local, sizeof(link_local));

	memset(message, 0, FDL_VNET_HDR_LEN);
	if (!good && len)
		message[1] = frame[len - 1];
	memcpy(message + FDL_VNET_HDR_LEN, frame, len);
	return link_try_feed(&s->l, message, FDL_VNET_HDR_LEN + len);
}

ssize_t collect_with_header(struct soak *s, uint8_t *buf, size_t size)
{
	ssize_t n = link_collect(&s->l, buf, size, 0);

	if (n < 0)
		return n;
	if (n < FDL_VNET_HDR_LEN) {
		soak_wrong(s, "the peer got %zd bytes, which is no header", n);
		return -EIO;
	}
	n -= FDL_VNET_HDR_LEN;
	memmove(buf, buf + FDL_VNET_HDR_LEN, (size_t)n);
	return n;
}

/* A veth whose other end does not take a frame counts it, and newer kernels say
 * ENOBUFS as well. */
bool feed_veth(struct soak *s, const uint8_t *frame, size_t len)
{
	return send(s->l.peer, frame, len, MSG_DONTWAIT) >= 0 ||
	       errno == ENOBUFS;
}

uint64_t ahead_at_veth(const struct soak *s)
{
	return device_drops(s->l.peer_dev, true);
}

/* The kernel forgets what it has told. */
uint64_t behind_at_packet(struct soak *s)
{
	struct tpacket_stats st = { 0 };
	socklen_t len = sizeof(st);

	getsockopt(s->l.peer, SOL_PACKET, PACKET_STATISTICS, &st, &len);
	return s->lost_behind += st.tp_drops;
}

uint64_t behind_at_macvtap(struct soak *s)
{
	return behind_at_packet(s) + device_drops("fdb", true);
}

uint64_t behind_at_udp(struct soak *s)
{
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	getsockopt(s->l.peer, SOL_SOCKET, SO_MEMINFO, info, &len);
	return info[SK_MEMINFO_DROPS];
}

/* Waits until all of it is written: half a frame would be the next one's. */
static bool write_all(struct soak *s, const void *bytes, size_t len, int flags)
{
	struct pollfd p = { .fd = s->l.peer, .events = POLLOUT };
	const uint8_t *at = bytes;
	ssize_t r;

	while (len) {
		r = send(s->l.peer, at, len, flags | MSG_NOSIGNAL);
		if (r < 0 && (errno != EAGAIN || at == bytes))
			return false;
		if (r < 0)
			poll(&p, 1, 10);
		at += r > 0 ? r : 0;
		len -= r > 0 ? (size_t)r : 0;
	}
	return true;
}

bool feed_stream(struct soak *s, const uint8_t *frame, size_t len)
{
	static uint8_t message[PREFIX + FRAME_MOST];
	const uint32_t prefix = htonl((uint32_t)len);

	memcpy(message, &prefix, PREFIX);
	memcpy(message + PREFIX, frame, len);
	return len <= 65535 &&
	       write_all(s, message, PREFIX + len, MSG_DONTWAIT);
}

static bool read_all(int fd, void *buf, size_t len)
{
	return recv(fd, buf, len, MSG_WAITALL) == (ssize_t)len;
}

ssize_t collect_stream(struct soak *s, uint8_t *buf, size_t size)
{
	struct pollfd p = { .fd = s->l.peer, .events = POLLIN };
	uint32_t prefix;

	if (poll(&p, 1, 0) < 1 || !(p.revents & POLLIN))
		return -EAGAIN;
	if (!read_all(s->l.peer, &prefix, PREFIX) || ntohl(prefix) > size ||
	    !read_all(s->l.peer, buf, ntohl(prefix))) {
		soak_wrong(s, "the peer got a frame without an end");
		return -EIO;
	}
	return (ssize_t)ntohl(prefix);
}

void peer_reopen(struct soak *s, int netns)
{
	const int home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	behind_at_packet(s);
	close(s->l.peer);
	if (setns(netns, CLONE_NEWNET))
		abort();
	s->l.peer = link_packet_socket(s->l.dev);
	if (s->l.peer < 0 || setns(home, CLONE_NEWNET))
		abort();
	close(home);
}
