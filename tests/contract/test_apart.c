/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A UDP socket that hands out several datagrams as one message (UDP_GRO): each
 * frame comes by itself, as it was sent, whoever has switched that on and
 * whenever; also with a virtio-net header before each.
 */
#include <errno.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "contract.h"
#include "message.h"

enum {
	LEN = 300,		/* of a frame */
	LAST = 100,		/* of the last one of a message */
	FRAMES = 12,		/* in a message */
	MANY = 60,
	POOL = 8,
};

static void set(int fd, int option, int value)
{
	assert_int_equal(setsockopt(fd, SOL_UDP, option, &value, sizeof(value)),
			 0);
}

/* n of them, all of unit bytes but the last, by one send: the loopback device
 * does not cut what was sent so. */
static void feed_merged(struct link *l, const void *bytes, size_t len,
			unsigned unit, unsigned n)
{
	set(l->peer, UDP_SEGMENT, (int)unit);
	assert_int_equal(send(l->peer, bytes, len, 0), (ssize_t)len);
	set(l->peer, UDP_SEGMENT, 0);
	l->rx_offered += n;
}

static void feed(struct link *l, unsigned from, unsigned n)
{
	uint8_t bytes[MANY * LEN];
	unsigned i;

	for (i = 0; i < n; i++)
		frame_make(l, false, bytes + i * LEN, i + 1 < n ? LEN : LAST,
			   from + i);
	feed_merged(l, bytes, (n - 1) * LEN + LAST, LEN, n);
}

static void expect(struct link *l, unsigned from, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		expect_received(l, i + 1 < n ? LEN : LAST, from + i);
}

static void merged_frames_come_one_by_one(struct link *l)
{
	set(l->fd, UDP_GRO, 1);
	feed(l, 1, FRAMES);
	link_feed(l, LEN, 90);
	feed(l, 100, 2);
	expect(l, 1, FRAMES);
	expect_received(l, LEN, 90);
	expect(l, 100, 2);
	expect_quiet(l);
}

static void merging_may_begin_and_end(struct link *l)
{
	feed(l, 1, FRAMES);
	expect(l, 1, FRAMES);
	set(l->fd, UDP_GRO, 1);
	feed(l, 20, FRAMES);
	expect(l, 20, FRAMES);
	set(l->fd, UDP_GRO, 0);
	feed(l, 40, FRAMES);
	expect(l, 40, FRAMES);
	expect_quiet(l);
}

static unsigned take(struct link *l, struct fdl_packet *v[], int n,
		     unsigned seq)
{
	int i;

	for (i = 0; i < n; i++, seq++)
		expect_frame(l, v[i], seq < MANY ? LEN : LAST, seq);
	fdl_release(v, n);
	return seq;
}

/* The rest comes when there is room again, and the fd tells. */
static void a_small_pool_gets_all_of_them(struct link *l)
{
	struct fdl_packet *v[POOL];
	unsigned seq = 1, starved = 0;
	int n = 0, r;

	set(l->fd, UDP_GRO, 1);
	feed(l, 1, MANY);
	while (seq <= MANY) {
		assert_int_equal(fdl_queue_poll(l->q, WAIT_MS), FDL_READABLE);
		while ((r = fdl_recv(l->q, v + n, POOL - n)) > 0)
			n += r;
		starved += r == -ENOBUFS;
		seq = take(l, v, n, seq);
		n = 0;
	}
	assert_true(starved > 0);
	assert_int_equal(fdl_recv(l->q, v, 1), 0);
	expect_quiet(l);
}

static void nothing_is_left_behind(struct link *l)
{
	struct fdl_packet *pkt;

	set(l->fd, UDP_GRO, 1);
	feed(l, 1, FRAMES);
	expect_packets(l, &pkt, 1);
	expect_frame(l, pkt, LEN, 1);
	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	fdl_release(&pkt, 1);
}

static void a_header_is_before_each(struct link *l)
{
	const struct shape s = { .link_len = 14,
				 .version = 4,
				 .proto = 17,
				 .payload = 200,
				 .ttl = 64,
				 .partial = true };
	uint8_t bytes[FRAMES * 512];
	static struct message m;
	struct fdl_packet *pkt;
	unsigned i, unit;

	set(l->fd, UDP_GRO, 1);
	make_message(&m, &s, 0);
	unit = (unsigned)(HDR_LEN + m.len);
	for (i = 0; i < FRAMES; i++)
		memcpy(bytes + i * unit, &m, unit);
	feed_merged(l, bytes, FRAMES * unit, unit, FRAMES);
	for (i = 0; i < FRAMES; i++) {
		expect_packets(l, &pkt, 1);
		assert_int_equal(pkt->len, m.len);
		expect_checksum(pkt, &s, false);
		fdl_release(&pkt, 1);
	}
	expect_quiet(l);
}

static const struct expectation table[] = {
	{ .name = "merged frames come one by one",
	  .test = merged_frames_come_one_by_one,
	  .needs = LINK_LOSSY },
	{ .name = "merging may begin and end",
	  .test = merging_may_begin_and_end,
	  .needs = LINK_LOSSY },
	{ .name = "a small pool gets all of them",
	  .test = a_small_pool_gets_all_of_them,
	  .needs = LINK_LOSSY,
	  .opts = { .pool = POOL, .batch = 4 } },
	{ .name = "nothing is left behind",
	  .test = nothing_is_left_behind,
	  .needs = LINK_LOSSY },
	{ .name = "a header is before each",
	  .test = a_header_is_before_each,
	  .needs = LINK_LOSSY | LINK_ETHERNET,
	  .opts = { .flags = FDL_VNET_HDR } },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("apart", argv, table, COUNT_OF(table));
}
