/* SPDX-License-Identifier: Apache-2.0 */
#include "meet_bed.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "../unit/packets.h"
#include "usage.h"

enum {
	FRAME = 100,
	PREFIX = 4,
	PORT = 5017,
};

const char *const sort_names[SORTS] = { "seqpacket", "stream", "tcp",
					"datagram" };

struct bed *bed_of(void **state, enum sort sort)
{
	struct bed *bed = *state;

	bed->sort = sort;
	return bed;
}

int bed_set_up(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_non_null(bed);
	strcpy(bed->dir, "/tmp/fdlink-meet-XXXXXX");
	assert_non_null(mkdtemp(bed->dir));
	bed->listener = bed->peer = -1;
	bed->fds = usage_entries("/proc/self/fd");
	*state = bed;
	return 0;
}

int bed_tear_down(void **state)
{
	struct bed *bed = *state;
	char command[128];

	peer_die(bed);
	fdl_endpoint_free(bed->ep);
	assert_int_equal(usage_entries("/proc/self/fd"), bed->fds);
	snprintf(command, sizeof(command), "rm -rf %s", bed->dir);
	assert_int_equal(system(command), 0);
	free(bed);
	return 0;
}

static int type_of(const struct bed *bed)
{
	switch (bed->sort) {
	case SEQPACKET:
		return SOCK_SEQPACKET;
	case DATAGRAM:
		return SOCK_DGRAM;
	default:
		return SOCK_STREAM;
	}
}

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_un path;
		struct sockaddr_in inet;
	};
	socklen_t len;
};

static struct address address_of(const struct bed *bed, const char *name)
{
	struct address a = { .len = sizeof(a.path) };

	if (bed->sort == TCP) {
		a.inet.sin_family = AF_INET;
		a.inet.sin_port = htons(PORT);
		a.inet.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		a.len = sizeof(a.inet);
		return a;
	}
	a.path.sun_family = AF_UNIX;
	snprintf(a.path.sun_path, sizeof(a.path.sun_path), "%.40s/%.20s",
		 bed->dir, name);
	return a;
}

static void open_link(struct bed *bed, const char *options, bool connects)
{
	const struct fdl_options opts = { .size = sizeof(opts) };
	static const char *const kinds[] = { "seqpacket", "stream", "stream",
					     "unixgram" };
	char locator[300], name[80], local[80] = "";

	if (bed->sort == DATAGRAM && connects)
		snprintf(local, sizeof(local), ",local=%s/own", bed->dir);
	snprintf(name, sizeof(name), "%s/link", bed->dir);
	if (bed->sort == TCP)
		snprintf(name, sizeof(name), "127.0.0.1:%d", PORT);
	snprintf(locator, sizeof(locator), "%s:%s%s%s", kinds[bed->sort], name,
		 local, options);
	assert_int_equal(fdl_open(&bed->ep, locator, &opts), 0);
	bed->q = fdl_get_queue(bed->ep, 0);
}

void bed_listen(struct bed *bed, const char *options)
{
	open_link(bed, options, false);
}

void bed_connect(struct bed *bed, const char *options)
{
	open_link(bed, options, true);
}

static int peer_socket(const struct bed *bed)
{
	int fd = socket(bed->sort == TCP ? AF_INET : AF_UNIX,
			type_of(bed) | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	return fd;
}

static void bind_to(const struct bed *bed, int fd, const char *name)
{
	const struct address own = address_of(bed, name);
	const int on = 1;

	if (bed->sort == TCP)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	else
		unlink(own.path.sun_path);
	assert_int_equal(bind(fd, &own.any, own.len), 0);
}

void meet_connect(struct bed *bed, bool other)
{
	const struct address to = address_of(bed, "link");
	char name[20];

	bed->peer = peer_socket(bed);
	bed->named += other;
	snprintf(name, sizeof(name), "peer%u", bed->named);
	if (bed->sort == DATAGRAM)
		bind_to(bed, bed->peer, name);
	assert_int_equal(connect(bed->peer, &to.any, to.len), 0);
}

void peer_listen(struct bed *bed)
{
	int fd = peer_socket(bed);

	bind_to(bed, fd, "link");
	if (bed->sort == DATAGRAM) {
		bed->peer = fd;
		return;
	}
	assert_int_equal(listen(fd, 1), 0);
	bed->listener = fd;
}

void peer_accept(struct bed *bed)
{
	if (bed->sort == DATAGRAM)
		return;
	bed->peer = accept4(bed->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(bed->peer >= 0);
}

void peer_die(struct bed *bed)
{
	if (bed->listener >= 0)
		close(bed->listener);
	if (bed->peer >= 0)
		close(bed->peer);
	bed->listener = bed->peer = -1;
}

static void make(uint8_t *frame, unsigned number)
{
	memset(frame, 0x45, FRAME);
	memcpy(frame + FRAME - sizeof(number), &number, sizeof(number));
}

static bool is_stream(const struct bed *bed)
{
	return type_of(bed) == SOCK_STREAM;
}

void peer_send(struct bed *bed, unsigned number)
{
	uint8_t bytes[PREFIX + FRAME] = { 0, 0, 0, FRAME };
	const struct address to = address_of(bed, "own");
	const size_t skip = is_stream(bed) ? 0 : PREFIX;
	struct address own = to;

	/* Where the endpoint connects. */
	if (getpeername(bed->peer, &own.any, &own.len))
		assert_int_equal(connect(bed->peer, &to.any, to.len), 0);
	make(bytes + PREFIX, number);
	assert_int_equal(send(bed->peer, bytes + skip, sizeof(bytes) - skip,
			      MSG_NOSIGNAL),
			 sizeof(bytes) - skip);
}

void peer_send_super(struct bed *bed, unsigned segments)
{
	struct {
		struct virtio_net_hdr hdr;
		uint8_t frame[2000];
	} message = { .hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
			       .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
			       .gso_size = 500,
			       .csum_start = 20,
			       .csum_offset = 16 } };
	const struct shape shape = { .version = 4,
				     .proto = 6,
				     .payload = segments * 500,
				     .ttl = 64,
				     .flags = 0x10,
				     .partial = true };
	const size_t len = sizeof(message.hdr) + build(message.frame, &shape);

	assert_int_equal(send(bed->peer, &message, len, 0), len);
}

void peer_expect(struct bed *bed, unsigned number)
{
	uint8_t bytes[PREFIX + FRAME] = { 0, 0, 0, FRAME }, want[FRAME];
	struct pollfd in = { .fd = bed->peer, .events = POLLIN };
	const size_t skip = is_stream(bed) ? 0 : PREFIX;

	assert_int_equal(poll(&in, 1, WAIT_MS), 1);
	assert_int_equal(recv(bed->peer, bytes + skip, sizeof(bytes) - skip,
			      is_stream(bed) ? MSG_WAITALL : 0),
			 sizeof(bytes) - skip);
	assert_int_equal(bytes[PREFIX - 1], FRAME);
	make(want, number);
	assert_memory_equal(bytes + PREFIX, want, FRAME);
}

int bed_write(struct bed *bed, unsigned number)
{
	uint8_t frame[FRAME];
	const struct iovec iov = { frame, FRAME };

	make(frame, number);
	return fdl_write(bed->q, &iov, 1, NULL);
}

void bed_expect(struct bed *bed, unsigned number)
{
	struct pollfd in = { .fd = fdl_fd(bed->ep), .events = POLLIN };
	struct fdl_packet *pkt;
	uint8_t want[FRAME];
	int n;

	while (!(n = fdl_recv(bed->q, &pkt, 1)))
		assert_int_equal(poll(&in, 1, WAIT_MS), 1);
	assert_int_equal(n, 1);
	make(want, number);
	assert_int_equal(pkt->len, FRAME);
	assert_memory_equal(pkt->data, want, FRAME);
	fdl_release(&pkt, 1);
}

void bed_await_carrier(struct bed *bed, bool on)
{
	struct pollfd in = { .fd = fdl_queue_fd(bed->q), .events = POLLIN };
	struct fdl_packet *pkt;

	while (bed_link(bed).carrier != on) {
		assert_int_equal(poll(&in, 1, WAIT_MS), 1);
		assert_int_equal(fdl_recv(bed->q, &pkt, 1), 0);
	}
}

struct fdl_link bed_link(const struct bed *bed)
{
	struct fdl_link link;

	assert_int_equal(fdl_link_state(bed->ep, &link, sizeof(link)), 0);
	return link;
}

struct fdl_stats bed_stats(const struct bed *bed)
{
	struct fdl_stats stats;

	fdl_get_stats(bed->ep, &stats, sizeof(stats));
	return stats;
}
