/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer's virtio-net header leaves undone is done, or handed on as the
 * stack has asked for it. Over unix sockets, where the test writes the header.
 */
#include <errno.h>

#include "message.h"
#include "usage.h"

enum {
	SUPER = 45 * MSS + 7, /* bytes of payload */
	SEGMENTS = 46,
	POOL = 8,
	FREED_CUTTING = 100,
};

static struct message message;

/* The i-th of the segments of size bytes that message was cut into. */
static void expect_segment(const struct fdl_packet *pkt, const struct shape *s,
			   unsigned size, unsigned i, bool partial)
{
	const unsigned hdr_len = shape_hdr_len(s), at = i * size;
	const unsigned left = s->payload - at;

	assert_int_equal(pkt->len, hdr_len + (left < size ? left : size));
	assert_memory_equal(pkt->data, message.frame, s->link_len);
	assert_memory_equal(pkt->data + hdr_len, message.frame + hdr_len + at,
			    pkt->len - hdr_len);
	assert_int_equal(pkt->off.gso, FDL_GSO_NONE);
	assert_int_equal(pkt->off.gso_size, 0);
	expect_lengths(pkt, s);
	expect_checksum(pkt, s, partial);
	if (s->proto == 6)
		assert_int_equal(
			get32(pkt->data + s->link_len + shape_l3_len(s) + 4),
			s->seq + at);
}

static bool takes_partial(const struct link *l)
{
	return fdl_capabilities(l->ep) & FDL_CAP_RX_CSUM;
}

/* One super-packet in, cut; asked for n at a time. */
static void expect_cut(struct link *l, const struct shape *s, int n)
{
	struct fdl_packet *v[SEGMENTS];
	unsigned i = 0;
	int k, r;

	make_message(&message, s, MSS);
	feed_message(l, &message);
	while (i < SEGMENTS) {
		assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
		assert_true(fd_readable(fdl_fd(l->ep), 0));
		r = fdl_recv(l->q, v, n);
		assert_in_range(r, 1, n);
		for (k = 0; k < r; k++)
			expect_segment(v[k], s, MSS, i++, takes_partial(l));
		fdl_release(v, r);
	}
	l->rx_offered += SEGMENTS - 1;
	expect_quiet(l);
}

static void a_partial_checksum_is_completed(struct link *l)
{
	struct shape shapes[MAX_SHAPES];
	struct fdl_packet *pkt;
	unsigned n = all_shapes(l, shapes), i;

	for (i = 0; i < n; i++) {
		make_message(&message, &shapes[i], 0);
		feed_message(l, &message);
		expect_packets(l, &pkt, 1);
		expect_segment(pkt, &shapes[i], 1001, 0, takes_partial(l));
		fdl_release(&pkt, 1);
	}
	expect_quiet(l);
}

static void super_packets_are_cut(struct link *l)
{
	struct shape shapes[MAX_SHAPES];
	unsigned n = all_shapes(l, shapes), i;
	struct fdl_stats st;

	for (i = 0; i < n; i++) {
		shapes[i].payload = SUPER;
		expect_cut(l, &shapes[i], SEGMENTS);
		expect_cut(l, &shapes[i], 1);
		expect_cut(l, &shapes[i], 7);
	}
	link_stats(l, &st);
	assert_int_equal(st.rx_gso, 3 * n);
	assert_int_equal(st.rx_gso_cut, 3 * n);
	assert_int_equal(st.rx_packets, 3 * n * SEGMENTS);
	assert_int_equal(st.rx_drop_vnet_hdr, 0);
}

/* Of TCP: a stack that has declared nothing has no room for more. */
static void segments_beyond_the_mtu_are_cut_smaller(struct link *l)
{
	struct shape shapes[MAX_SHAPES];
	unsigned n = all_shapes(l, shapes), i, at, size;
	struct fdl_packet *pkt;

	for (i = 0; i < n; i++) {
		if (shapes[i].proto != 6)
			continue;
		shapes[i].payload = 20000;
		size = 1500 + shapes[i].link_len - shape_hdr_len(&shapes[i]);
		make_message(&message, &shapes[i], 8960);
		feed_message(l, &message);
		for (at = 0; at * size < 20000; at++) {
			expect_packets(l, &pkt, 1);
			expect_segment(pkt, &shapes[i], size, at, false);
			fdl_release(&pkt, 1);
		}
		l->rx_offered += at - 1;
		expect_quiet(l);
	}
}

/* The contract has their checksums partial, whatever came. */
static void super_packets_with_whole_checksums_are_cut(struct link *l)
{
	struct shape shapes[MAX_SHAPES];

	all_shapes(l, shapes);
	shapes[0].payload = SUPER;
	shapes[0].partial = false;
	make_message(&message, &shapes[0], MSS);
	expect_cut(l, &shapes[0], SEGMENTS);
}

static void expect_whole(struct link *l, const struct shape *s, unsigned size)
{
	const struct fdl_offload want = shape_offload(s, size);
	struct fdl_packet *pkt;

	expect_packets(l, &pkt, 1);
	assert_int_equal(pkt->len, message.len);
	assert_memory_equal(pkt->data, message.frame, message.len);
	assert_int_equal(pkt->off.csum, want.csum);
	assert_int_equal(pkt->off.gso, want.gso);
	assert_int_equal(pkt->off.ecn, want.ecn);
	assert_int_equal(pkt->off.gso_size, want.gso_size);
	assert_int_equal(pkt->off.hdr_len, want.hdr_len);
	assert_int_equal(pkt->off.csum_start, want.csum_start);
	assert_int_equal(pkt->off.csum_offset, want.csum_offset);
	expect_lengths(pkt, s);
	fdl_release(&pkt, 1);
}

static void each_kind_is_cut_or_whole(struct link *l, bool tcp, bool udp)
{
	struct shape shapes[MAX_SHAPES];
	unsigned n = all_shapes(l, shapes), i, cut = 0;
	struct fdl_stats st;

	for (i = 0; i < n; i++) {
		shapes[i].payload = SUPER;
		if (shapes[i].proto == 6 ? !tcp : !udp) {
			expect_cut(l, &shapes[i], SEGMENTS);
			cut++;
			continue;
		}
		make_message(&message, &shapes[i], MSS);
		feed_message(l, &message);
		expect_whole(l, &shapes[i], MSS);
	}
	link_stats(l, &st);
	assert_int_equal(st.rx_gso, n);
	assert_int_equal(st.rx_gso_cut, cut);
}

static void all_super_packets_are_whole(struct link *l)
{
	each_kind_is_cut_or_whole(l, true, true);
}

static void those_of_tcp_are_whole(struct link *l)
{
	each_kind_is_cut_or_whole(l, true, false);
}

static void those_of_udp_are_whole(struct link *l)
{
	each_kind_is_cut_or_whole(l, false, true);
}

/* One segment holds it all: the announcement comes to nothing. */
static void a_super_packet_of_one_segment_is_none(struct link *l)
{
	struct shape shapes[MAX_SHAPES];
	struct fdl_stats st;

	all_shapes(l, shapes);
	make_message(&message, &shapes[0], 1001);
	feed_message(l, &message);
	expect_whole(l, &shapes[0], 0);
	link_stats(l, &st);
	assert_int_equal(st.rx_gso, 0);
}

/* A pool that is smaller than the super-packet: nothing is lost or spins. */
static void an_empty_pool_interrupts_the_cutting(struct link *l)
{
	struct fdl_packet *v[SEGMENTS + 1];
	struct shape shapes[MAX_SHAPES];
	int got = 0, out = 0, i, r;

	all_shapes(l, shapes);
	shapes[0].payload = SUPER;
	make_message(&message, &shapes[0], MSS);
	feed_message(l, &message);
	for (;;) {
		while ((r = fdl_recv(l->q, v + got, SEGMENTS + 1 - got)) > 0)
			got += r;
		for (i = out; i < got; i++)
			expect_segment(v[i], &shapes[0], MSS, (unsigned)i,
				       false);
		if (r == 0)
			break;
		assert_int_equal(r, -ENOBUFS);
		assert_in_range(got - out, 1, POOL - 1);
		assert_false(fd_readable(fdl_queue_fd(l->q), 0));
		assert_false(fd_readable(fdl_fd(l->ep), 0));
		fdl_release(v + out, 1);
		assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
		out++;
	}
	assert_int_equal(got, SEGMENTS);
	fdl_release(v + out, got - out);
	l->rx_offered += SEGMENTS - 1;
	expect_quiet(l);
}

/* What is left over is handed out, and no more was asked for: what comes next
 * must wake. */
static void what_comes_after_an_empty_pool_is_seen(struct link *l)
{
	struct fdl_packet *v[SEGMENTS + 1];
	struct shape shapes[MAX_SHAPES];
	int held = 0, r, round;

	all_shapes(l, shapes);
	for (round = 0; round < 2; round++) {
		shapes[0].payload = 10 * MSS;
		make_message(&message, &shapes[0], MSS);
		feed_message(l, &message);
		l->rx_offered += 9;
		shapes[0].payload = 7;
		make_message(&message, &shapes[0], 0);
		feed_message(l, &message);
		while ((r = fdl_recv(l->q, v + held, SEGMENTS - held)) > 0)
			held += r;
		assert_int_equal(r, -ENOBUFS);
		fdl_release(v, held);
		while (held < 11) {
			r = fdl_recv(l->q, v, 1);
			assert_int_equal(r, 1);
			fdl_release(v, 1);
			held++;
		}
		feed_message(l, &message);
		assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
		expect_packets(l, v, 1);
		fdl_release(v, 1);
		expect_quiet(l);
		held = 0;
	}
}

/* The packets behind it wait, and the peer's end too. */
static void the_end_waits_for_the_last_segment(struct link *l)
{
	struct shape shapes[MAX_SHAPES];
	struct fdl_packet *pkt;
	unsigned i;

	all_shapes(l, shapes);
	shapes[0].payload = SUPER;
	make_message(&message, &shapes[0], MSS);
	feed_message(l, &message);
	link_hang_up(l);
	for (i = 0; i < SEGMENTS; i++) {
		assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 1);
		expect_segment(pkt, &shapes[0], MSS, i, false);
		fdl_release(&pkt, 1);
	}
	l->rx_offered += SEGMENTS - 1;
	assert_int_equal(expect_end(l), -ESHUTDOWN);
}

static void free_while_it_cuts(struct link *l, enum fdl_mode mode)
{
	const struct fdl_options opts = { .flags = FDL_VNET_HDR };
	struct shape shapes[MAX_SHAPES];
	struct fdl_packet *v[3];
	unsigned i;

	assert_int_equal(link_endpoint(l, mode, &opts), 0);
	all_shapes(l, shapes);
	shapes[0].payload = SUPER;
	make_message(&message, &shapes[0], MSS);
	feed_message(l, &message);
	feed_message(l, &message);
	expect_packets(l, v, 3);
	assert_int_equal(fdl_endpoint_free(l->ep), 0);
	l->ep = NULL;
	for (i = 0; i < 3; i++)
		expect_segment(v[i], &shapes[0], MSS, i, false);
	fdl_release(v, 3);
}

static void an_endpoint_is_freed_while_it_cuts(struct link *l)
{
	const enum fdl_mode mode = fdl_get_mode(l->ep);
	unsigned fds = 0, maps = 0, i;

	fdl_endpoint_free(l->ep);
	for (i = 0; i < FREED_CUTTING; i++) {
		free_while_it_cuts(l, mode);
		if (i != FREED_CUTTING / 10)
			continue;
		fds = usage_entries("/proc/self/fd");
		maps = usage_maps();
	}
	assert_int_equal(usage_entries("/proc/self/fd"), fds);
	assert_in_range(usage_maps(), 1, maps + 4);
}

/* flags of the endpoint; and FDL_VNET_HDR always. */
#define ROW(text, function, has)                                        \
	{                                                               \
		.name = (text), .test = (function), .needs = LINK_UNIX, \
		.opts.flags = FDL_VNET_HDR | (has)                      \
	}

static const struct expectation table[] = {
	ROW("a partial checksum is completed", a_partial_checksum_is_completed,
	    0),
	ROW("a partial checksum is handed on", a_partial_checksum_is_completed,
	    FDL_RX_CSUM),
	ROW("super-packets are cut", super_packets_are_cut, 0),
	ROW("super-packets are cut, their checksums left partial",
	    super_packets_are_cut, FDL_RX_CSUM),
	ROW("segments beyond the MTU are cut smaller",
	    segments_beyond_the_mtu_are_cut_smaller, 0),
	ROW("super-packets with whole checksums are cut",
	    super_packets_with_whole_checksums_are_cut, RX_ALL),
	ROW("all super-packets are whole", all_super_packets_are_whole, RX_ALL),
	ROW("those of TCP are whole", those_of_tcp_are_whole,
	    FDL_RX_CSUM | FDL_RX_GSO),
	ROW("those of UDP are whole", those_of_udp_are_whole,
	    FDL_RX_CSUM | FDL_RX_USO),
	ROW("a super-packet is whole where segments are merged",
	    all_super_packets_are_whole, RX_ALL | FDL_GRO),
	ROW("a super-packet of one segment is none",
	    a_super_packet_of_one_segment_is_none, RX_ALL),
	{ .name = "an empty pool interrupts the cutting",
	  .needs = LINK_UNIX,
	  .test = an_empty_pool_interrupts_the_cutting,
	  .opts = { .flags = FDL_VNET_HDR, .pool = POOL } },
	{ .name = "what comes after an empty pool is seen",
	  .test = what_comes_after_an_empty_pool_is_seen,
	  .needs = LINK_UNIX,
	  .opts = { .flags = FDL_VNET_HDR, .pool = POOL } },
	{ .name = "the end waits for the last segment",
	  .needs = LINK_EOF,
	  .test = the_end_waits_for_the_last_segment,
	  .opts.flags = FDL_VNET_HDR },
	ROW("an endpoint is freed while it cuts",
	    an_endpoint_is_freed_while_it_cuts, 0),
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("rx_offload", argv, table, COUNT_OF(table));
}
