/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio-net header comes from a stranger: what it says and the packet does
 * not bear out is dropped and counted, whatever the stack takes, and the next
 * packet is delivered as ever.
 */
#include "message.h"
#include "sanitized.h"

enum {
	SUPER = 3 * MSS,
	/* Rounds per kind and mode, which are eight; one thread has no
	 * races. */
	GARBAGE = SANITIZED_THREAD ? 2000 : 12500,
	CROWD = 8,	 /* messages that are in the socket at a time */
};

static struct message message;

/* One way to contradict a good super-packet of TCP over IPv4 (udp: of UDP). */
struct lie {
	const char *name;
	bool udp;
	void (*tell)(struct message *m, unsigned l3);
};

static void type_of_ufo(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.gso_type = 3;
}

static void type_unknown(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.gso_type = 0x7f;
}

static void type_of_ip6(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6;
}

static void type_of_udp(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.gso_type = GSO_UDP_L4;
}

static void type_of_tcp(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
}

static void ecn_of_udp(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
}

static void size_0(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.gso_size = 0;
}

static void size_65535(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.gso_size = 65535;
}

static void size_1(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.gso_size = 1;
}

static void not_partial(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.flags = 0;
}

static void start_0(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.csum_start = 0;
}

static void start_in_ip(struct message *m, unsigned l3)
{
	m->hdr.csum_start = (uint16_t)(l3 + 10);
}

static void start_in_payload(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.csum_start = (uint16_t)(m->hdr.csum_start + 2);
}

static void start_at_the_end(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.csum_start = (uint16_t)m->len;
}

static void start_65535(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.csum_start = 65535;
}

static void offset_of_udp(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.csum_offset = 6;
}

static void offset_0(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.csum_offset = 0;
}

static void offset_at_the_end(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.csum_offset = (uint16_t)(m->len - m->hdr.csum_start - 1);
}

static void offset_65535(struct message *m, unsigned l3)
{
	(void)l3;
	m->hdr.csum_offset = 65535;
}

static void a_fragment(struct message *m, unsigned l3)
{
	m->frame[l3 + 6] |= 0x20;
}

static void another_protocol(struct message *m, unsigned l3)
{
	m->frame[l3 + 9] = 132;
}

static void ip_longer_than_the_frame(struct message *m, unsigned l3)
{
	put16(m->frame + l3 + 2, (unsigned)m->len - l3 + 1);
}

static void tcp_header_of_4_bytes(struct message *m, unsigned l3)
{
	m->frame[l3 + 20 + 12] = 0x10;
}

static void headers_alone(struct message *m, unsigned l3)
{
	m->len = l3 + 30;
}

static void udp_length_of_one_segment(struct message *m, unsigned l3)
{
	put16(m->frame + l3 + 20 + 4, 8 + MSS);
}

static const struct lie lies[] = {
	{ "UFO", false, type_of_ufo },
	{ "unknown type", false, type_unknown },
	{ "IPv6", false, type_of_ip6 },
	{ "UDP", false, type_of_udp },
	{ "TCP", true, type_of_tcp },
	{ "ECN of UDP", true, ecn_of_udp },
	{ "gso_size 0", false, size_0 },
	{ "gso_size 0", true, size_0 },
	{ "gso_size 65535", false, size_65535 },
	{ "gso_size 1", true, size_1 },
	{ "no partial checksum", true, not_partial },
	{ "csum_start 0", false, start_0 },
	{ "csum_start in the IP header", false, start_in_ip },
	{ "csum_start in the payload", false, start_in_payload },
	{ "csum_start at the end", false, start_at_the_end },
	{ "csum_start 65535", false, start_65535 },
	{ "csum_offset of UDP", false, offset_of_udp },
	{ "csum_offset 0", true, offset_0 },
	{ "csum_offset at the end", false, offset_at_the_end },
	{ "csum_offset 65535", false, offset_65535 },
	{ "fragment", false, a_fragment },
	{ "another protocol", false, another_protocol },
	{ "IP longer than the frame", false, ip_longer_than_the_frame },
	{ "TCP header of 4 bytes", false, tcp_header_of_4_bytes },
	{ "headers alone", false, headers_alone },
	{ "UDP length of one segment", true, udp_length_of_one_segment },
};

/* Delivered as it is by every stack. */
static void feed_good(struct link *l, unsigned seq)
{
	struct shape shapes[MAX_SHAPES];

	all_shapes(l, shapes);
	shapes[0].partial = false;
	shapes[0].seq = seq;
	make_message(&message, &shapes[0], 0);
	feed_message(l, &message);
}

static void expect_good(struct link *l)
{
	struct fdl_packet *pkt;

	expect_packets(l, &pkt, 1);
	assert_int_equal(pkt->len, message.len);
	assert_memory_equal(pkt->data, message.frame, message.len);
	fdl_release(&pkt, 1);
	expect_quiet(l);
}

static void lies_are_counted(struct link *l)
{
	struct shape shapes[MAX_SHAPES], *s;
	struct fdl_stats st;
	unsigned i;

	all_shapes(l, shapes);
	for (i = 0; i < COUNT_OF(lies); i++) {
		s = &shapes[lies[i].udp ? 2 : 0];
		s->payload = SUPER;
		make_message(&message, s, MSS);
		lies[i].tell(&message, s->link_len);
		feed_message(l, &message);
		feed_good(l, i);
		expect_good(l);
		link_stats(l, &st);
		if (st.rx_drop_vnet_hdr != i + 1)
			fail_msg("%s: not dropped", lies[i].name);
	}
	assert_int_equal(st.rx_gso, 0);
	assert_int_equal(st.rx_packets, COUNT_OF(lies));
}

/* A partial checksum alone, of the same packets. */
static void lies_about_the_checksum_are_counted(struct link *l)
{
	static void (*const tell[])(struct message *, unsigned) = {
		start_0,       start_in_ip,	  start_at_the_end, start_65535,
		offset_of_udp, offset_at_the_end, offset_65535,
	};
	struct shape shapes[MAX_SHAPES];
	struct fdl_stats st;
	unsigned i;

	all_shapes(l, shapes);
	for (i = 0; i < COUNT_OF(tell); i++) {
		make_message(&message, &shapes[0], 0);
		tell[i](&message, shapes[0].link_len);
		feed_message(l, &message);
		feed_good(l, i);
		expect_good(l);
		link_stats(l, &st);
		assert_int_equal(st.rx_drop_vnet_hdr, i + 1);
	}
}

/* Where the header ends too early, or nothing follows it. */
static void headers_without_a_packet_are_counted(struct link *l)
{
	const uint8_t zeros[HDR_LEN] = { 0 };
	struct fdl_stats st;
	size_t len;

	for (len = 1; len < HDR_LEN; len++)
		link_feed_bytes(l, zeros, len);
	feed_good(l, 1);
	expect_good(l);
	link_feed_bytes(l, zeros, HDR_LEN);
	feed_good(l, 2);
	expect_good(l);
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_vnet_hdr, HDR_LEN - 1);
	assert_int_equal(st.rx_drop_empty, 1);
}

/* Any length of a good super-packet. */
static void cut_messages_do_no_harm(struct link *l)
{
	struct shape shapes[MAX_SHAPES];
	unsigned n = all_shapes(l, shapes), i;
	struct fdl_packet *v[CROWD];
	size_t len;
	int r;

	l->uncounted = true;
	for (i = 0; i < n; i++) {
		shapes[i].payload = 90;
		for (len = 0; len < shape_hdr_len(&shapes[i]) + 90; len++) {
			make_message(&message, &shapes[i], 40);
			message.len = len;
			feed_message(l, &message);
			while ((r = fdl_recv(l->q, v, CROWD)) > 0)
				fdl_release(v, r);
			assert_int_equal(r, 0);
		}
	}
	feed_good(l, 1);
	expect_good(l);
}

static void spoil(struct rng *r, struct message *m)
{
	uint8_t *hdr = (uint8_t *)&m->hdr;
	unsigned i;

	for (i = rnd(r, 3); i; i--)
		hdr[rnd(r, HDR_LEN)] ^= (uint8_t)(1 << rnd(r, 8));
	for (i = rnd(r, 3); i && m->len; i--)
		m->frame[rnd(r, m->len < 90 ? (uint32_t)m->len : 90)] ^=
			(uint8_t)(1 << rnd(r, 8));
	if (!rnd(r, 8))
		m->len = rnd(r, (uint32_t)m->len + 1);
}

static void make_garbage(struct rng *r, const struct link *l)
{
	struct shape shapes[MAX_SHAPES], *s;
	unsigned i;

	s = &shapes[rnd(r, all_shapes(l, shapes))];
	s->partial = rnd(r, 8);
	s->payload = rnd(r, rnd(r, 100) ? 3000 : 60000);
	make_message(&message, s, rnd(r, 4) ? 1 + rnd(r, 1500) : 0);
	spoil(r, &message);
	if (rnd(r, 16))
		return;
	for (i = 0; i < HDR_LEN + 100; i++)
		((uint8_t *)&message)[i] = (uint8_t)rnd(r, 256);
}

/* Touches every byte, for the sanitizer to see. */
static void look_at(const struct link *l, const struct fdl_packet *pkt)
{
	assert_in_range(ref_sum(pkt->data, pkt->len, 0), 0, 0xffff);
	if (l->ep && !(fdl_capabilities(l->ep) & FDL_CAP_RX_CSUM)) {
		assert_int_not_equal(pkt->off.csum, FDL_CSUM_PARTIAL);
		assert_int_equal(pkt->off.gso, FDL_GSO_NONE);
	}
	if (pkt->off.csum == FDL_CSUM_PARTIAL)
		assert_true(pkt->off.csum_start + pkt->off.csum_offset + 2u <=
			    pkt->len);
	if (pkt->off.gso) {
		assert_int_equal(pkt->off.csum, FDL_CSUM_PARTIAL);
		assert_true(pkt->off.hdr_len + pkt->off.gso_size < pkt->len);
	}
}

/* A call that meets rubbish only may return before it has read all. */
static unsigned take_all(struct link *l, struct rng *r)
{
	struct fdl_packet *v[64];
	unsigned total = 0;
	int n, i;

	do {
		n = fdl_recv(l->q, v, 1 + (int)rnd(r, 64));
		assert_in_range(n, 0, 64);
		for (i = 0; i < n; i++)
			look_at(l, v[i]);
		fdl_release(v, n);
		total += (unsigned)n;
	} while (n > 0 || fd_readable(fdl_queue_fd(l->q), 0));
	return total;
}

static void garbage_does_no_harm(struct link *l)
{
	struct rng r = seeded("garbage");
	unsigned i, k, total = 0;
	struct fdl_stats st;

	l->uncounted = true;
	for (i = 0; i < GARBAGE; i += CROWD) {
		for (k = 0; k < CROWD; k++) {
			make_garbage(&r, l);
			link_try_feed(l, &message, HDR_LEN + message.len);
		}
		total += take_all(l, &r);
	}
	link_stats(l, &st);
	assert_int_equal(st.rx_packets, total);
	assert_in_range(st.rx_drop_vnet_hdr, GARBAGE / 20, GARBAGE);
	assert_in_range(st.rx_gso, GARBAGE / 20, GARBAGE);
	feed_good(l, 1);
	expect_good(l);
}

#define ROW(text, function, has)                                        \
	{                                                               \
		.name = (text), .test = (function), .needs = LINK_UNIX, \
		.opts.flags = FDL_VNET_HDR | (has)                      \
	}

static const struct expectation table[] = {
	ROW("lies are counted", lies_are_counted, 0),
	ROW("lies are counted where all is taken", lies_are_counted,
	    RX_ALL | FDL_GRO),
	ROW("lies about the checksum are counted",
	    lies_about_the_checksum_are_counted, 0),
	ROW("lies about the checksum are counted where it is taken",
	    lies_about_the_checksum_are_counted, FDL_RX_CSUM),
	ROW("headers without a packet are counted",
	    headers_without_a_packet_are_counted, 0),
	ROW("cut messages do no harm", cut_messages_do_no_harm, 0),
	ROW("cut messages do no harm where all is taken",
	    cut_messages_do_no_harm, RX_ALL | FDL_GRO),
	ROW("garbage does no harm", garbage_does_no_harm, 0),
	ROW("garbage does no harm where checksums are taken",
	    garbage_does_no_harm, FDL_RX_CSUM),
	ROW("garbage does no harm where all is taken", garbage_does_no_harm,
	    RX_ALL | FDL_GRO),
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("rx_refuse", argv, table, COUNT_OF(table));
}
