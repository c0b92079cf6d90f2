/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FDL_GRO: the segments that one fdl_recv finds are one packet for the stack,
 * and what may not be merged is delivered as it came. Over unix sockets.
 */
#include "message.h"

enum {
	SEGMENTS = 10,
	LAST = 100, /* bytes of payload in the last segment */
	PAYLOAD = (SEGMENTS - 1) * MSS + LAST,
	MAX = 64, /* packets asked for at a time */
};

static struct message whole, segment;

static struct shape tcp4(const struct link *l)
{
	struct shape shapes[MAX_SHAPES];

	all_shapes(l, shapes);
	shapes[0].payload = PAYLOAD;
	return shapes[0];
}

/* The i-th segment of the super-packet whole, of shape s. */
static void make_segment(const struct shape *s, unsigned i)
{
	const unsigned hdr_len = shape_hdr_len(s);
	const unsigned l4 = s->link_len + shape_l3_len(s);
	const unsigned check = l4 + (s->proto == 6 ? 16 : 6);
	struct shape t = *s;
	unsigned len;

	t.payload = s->payload - i * MSS < MSS ? s->payload - i * MSS : MSS;
	t.seq += i * MSS;
	t.id += i;
	make_message(&segment, &t, 0);
	memcpy(segment.frame + hdr_len, whole.frame + hdr_len + i * MSS,
	       t.payload);
	if (s->partial)
		return;
	len = (unsigned)segment.len - l4;
	put16(segment.frame + check, 0);
	put16(segment.frame + check,
	      (uint16_t)~ref_sum(segment.frame + l4, len,
				 ref_pseudo(segment.frame + s->link_len,
					    s->version, s->proto, len)));
}

static void feed_segments(struct link *l, const struct shape *s)
{
	unsigned i;

	make_message(&whole, s, MSS);
	for (i = 0; i * MSS < s->payload; i++) {
		make_segment(s, i);
		feed_message(l, &segment);
	}
}

/* The bytes from..to of whole's payload. */
static void expect_part(const struct fdl_packet *pkt, const struct shape *s,
			unsigned from, unsigned to)
{
	const unsigned hdr_len = shape_hdr_len(s);

	assert_int_equal(pkt->len, hdr_len + to - from);
	assert_memory_equal(pkt->data + hdr_len, whole.frame + hdr_len + from,
			    to - from);
	expect_lengths(pkt, s);
	if (s->proto == 6)
		assert_int_equal(
			get32(pkt->data + s->link_len + shape_l3_len(s) + 4),
			s->seq + from);
}

/* Of several segments. */
static void expect_merged(const struct fdl_packet *pkt, const struct shape *s,
			  unsigned from, unsigned to)
{
	struct shape t = *s;
	struct fdl_offload want;

	t.partial = true;
	want = shape_offload(&t, MSS);
	expect_part(pkt, s, from, to);
	expect_checksum(pkt, s, true);
	assert_int_equal(pkt->off.gso, want.gso);
	assert_int_equal(pkt->off.gso_size, MSS);
	assert_int_equal(pkt->off.hdr_len, want.hdr_len);
}

static void expect_single(const struct fdl_packet *pkt, const struct shape *s,
			  unsigned i)
{
	const unsigned to = (i + 1) * MSS;

	expect_part(pkt, s, i * MSS, to < s->payload ? to : s->payload);
	assert_int_equal(pkt->off.gso, FDL_GSO_NONE);
}

static int receive(struct link *l, struct fdl_packet *v[])
{
	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	return fdl_recv(l->q, v, MAX);
}

static void expect_one(struct link *l, const struct shape *s)
{
	struct fdl_packet *v[MAX];

	feed_segments(l, s);
	l->rx_offered -= SEGMENTS - 1;
	assert_int_equal(receive(l, v), 1);
	expect_merged(v[0], s, 0, PAYLOAD);
	fdl_release(v, 1);
	expect_quiet(l);
}

static void expect_all(struct link *l, const struct shape *s)
{
	struct fdl_packet *v[MAX];
	unsigned i;

	feed_segments(l, s);
	assert_int_equal(receive(l, v), SEGMENTS);
	for (i = 0; i < SEGMENTS; i++)
		expect_single(v[i], s, i);
	fdl_release(v, SEGMENTS);
	expect_quiet(l);
}

/* All kinds of packets, each with its checksum whole and partial. */
static void merge_kinds(struct link *l, bool tcp, bool udp)
{
	struct shape shapes[MAX_SHAPES], *s;
	unsigned n = all_shapes(l, shapes), i, merged = 0;
	struct fdl_stats st;

	for (i = 0; i < 2 * n; i++) {
		s = &shapes[i / 2];
		s->payload = PAYLOAD;
		s->partial = i % 2;
		if (!(s->proto == 6 ? tcp : udp) ||
		    (s->version == 4 && s->ip_opts)) {
			expect_all(l, s);
			continue;
		}
		expect_one(l, s);
		merged += SEGMENTS - 1;
	}
	link_stats(l, &st);
	assert_int_equal(st.rx_gro_merged, merged);
	assert_int_equal(st.rx_packets + merged, 2 * n * SEGMENTS);
	assert_int_equal(st.rx_gso, 0);
}

static void segments_are_merged(struct link *l)
{
	merge_kinds(l, true, true);
}

static void those_of_tcp_are_merged(struct link *l)
{
	merge_kinds(l, true, false);
}

static void those_of_udp_are_merged(struct link *l)
{
	merge_kinds(l, false, true);
}

static void nothing_is_merged(struct link *l)
{
	merge_kinds(l, false, false);
}

/* One that is damaged is the stack's to find out, and no part of another. */
static void a_damaged_segment_stays_alone(struct link *l)
{
	struct shape s = tcp4(l);
	struct fdl_packet *v[MAX];
	unsigned i;

	s.partial = false;
	make_message(&whole, &s, MSS);
	for (i = 0; i < SEGMENTS; i++) {
		make_segment(&s, i);
		if (i == 4)
			segment.frame[segment.len - 1] ^= 1;
		feed_message(l, &segment);
	}
	whole.frame[shape_hdr_len(&s) + 5 * MSS - 1] ^= 1;
	assert_int_equal(receive(l, v), 3);
	expect_merged(v[0], &s, 0, 4 * MSS);
	expect_single(v[1], &s, 4);
	assert_int_equal(v[1]->off.csum, FDL_CSUM_NONE);
	expect_merged(v[2], &s, 5 * MSS, PAYLOAD);
	fdl_release(v, 3);
	l->rx_offered -= 3 + 4;
}

static void flows_are_told_apart(struct link *l)
{
	struct shape a = tcp4(l), b = a;
	struct fdl_packet *v[MAX];
	unsigned i;

	b.flow = a.flow + 7; /* another port, the same address */
	make_message(&whole, &a, MSS);
	for (i = 0; i < SEGMENTS; i++) {
		make_segment(&a, i);
		feed_message(l, &segment);
		make_segment(&b, i);
		feed_message(l, &segment);
	}
	assert_int_equal(receive(l, v), 2);
	expect_merged(v[0], &a, 0, PAYLOAD);
	expect_merged(v[1], &b, 0, PAYLOAD);
	assert_int_equal(get16(v[1]->data + a.link_len + 20), 1000 + b.flow);
	fdl_release(v, 2);
	l->rx_offered -= 2 * (SEGMENTS - 1);
}

/* Its window is one call: it does not wait for more. */
static void one_at_a_time_is_not_merged(struct link *l)
{
	struct shape s = tcp4(l);
	struct fdl_packet *pkt;
	unsigned i;

	feed_segments(l, &s);
	for (i = 0; i < SEGMENTS; i++) {
		assert_true(fd_readable(fdl_queue_fd(l->q), 0));
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 1);
		expect_single(pkt, &s, i);
		fdl_release(&pkt, 1);
	}
	expect_quiet(l);
}

/* More than fits into one: the next begins. */
static void a_super_packet_has_an_end(struct link *l)
{
	struct shape s = tcp4(l);
	const unsigned most = (65535 - shape_hdr_len(&s)) / MSS;
	struct fdl_packet *v[MAX];
	unsigned i;

	s.payload = most * MSS;
	make_message(&whole, &s, MSS);
	s.payload += 10 * MSS;
	for (i = 0; i < most + 10; i++) {
		make_segment(&s, i < most ? i : i - most);
		if (i >= most) {
			put32(segment.frame + s.link_len + 24, s.seq + i * MSS);
			put16(segment.frame + s.link_len + 4, s.id + i);
			put16(segment.frame + s.link_len + 10, 0);
			put16(segment.frame + s.link_len + 10,
			      (uint16_t)~ref_sum(segment.frame + s.link_len, 20,
						 0));
		}
		feed_message(l, &segment);
	}
	assert_int_equal(receive(l, v), 2);
	assert_int_equal(v[0]->len + v[1]->len,
			 2 * shape_hdr_len(&s) + (most + 10) * MSS);
	assert_in_range(v[0]->len, 32 * MSS, 65535);
	fdl_release(v, 2);
	l->rx_offered -= most + 10 - 2;
}

/* Merging makes room for what was left over, which is not forgotten. */
static void merging_makes_room_for_leftovers(struct link *l)
{
	struct shape a = tcp4(l), b = a;
	struct fdl_packet *v[8];
	unsigned at = 0, others = 0, i;
	int n, k;

	a.partial = false; /* to be cut, and then merged again */
	make_message(&whole, &a, MSS);
	feed_message(l, &whole);
	b.flow = a.flow + 7;
	b.payload = 1;
	for (i = 0; i < 7; i++) {
		b.seq = i * 1000;
		make_message(&segment, &b, 0);
		feed_message(l, &segment);
	}
	while (at < PAYLOAD || others < 7) {
		assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
		n = fdl_recv(l->q, v, 8);
		for (k = 0; k < n; k++) {
			i = v[k]->len - shape_hdr_len(&a);
			if (i == 1) {
				assert_int_equal(
					get32(v[k]->data + b.link_len + 24),
					others++ * 1000);
				continue;
			}
			expect_part(v[k], &a, at, at + i);
			at += i;
		}
		fdl_release(v, n);
	}
	l->uncounted = true;
	expect_quiet(l);
}

#define ROW(text, function, has)                                        \
	{                                                               \
		.name = (text), .test = (function), .needs = LINK_UNIX, \
		.opts.flags = FDL_VNET_HDR | (has)                      \
	}

static const struct expectation table[] = {
	ROW("segments are merged", segments_are_merged, RX_ALL | FDL_GRO),
	ROW("those of TCP are merged", those_of_tcp_are_merged,
	    FDL_RX_CSUM | FDL_RX_GSO | FDL_GRO),
	ROW("those of UDP are merged", those_of_udp_are_merged,
	    FDL_RX_CSUM | FDL_RX_USO | FDL_GRO),
	ROW("nothing is merged unasked", nothing_is_merged, RX_ALL),
	ROW("a damaged segment stays alone", a_damaged_segment_stays_alone,
	    RX_ALL | FDL_GRO),
	ROW("flows are told apart", flows_are_told_apart, RX_ALL | FDL_GRO),
	ROW("one at a time is not merged", one_at_a_time_is_not_merged,
	    RX_ALL | FDL_GRO),
	{ .name = "a super-packet has an end",
	  .needs = LINK_UNIX,
	  .test = a_super_packet_has_an_end,
	  .opts = { .flags = FDL_VNET_HDR | RX_ALL | FDL_GRO, .batch = 64 } },
	ROW("merging makes room for leftovers",
	    merging_makes_room_for_leftovers, RX_ALL | FDL_GRO),
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("rx_gro", argv, table, COUNT_OF(table));
}
