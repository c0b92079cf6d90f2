/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdl_set_gro: merged is only what the link that packets are bound for takes
 * whole, and is cut into what came. All else is delivered as it came. Over unix
 * sockets.
 */
#include "message.h"

#include <fdlink/offload.h>
#include <fdlink/open.h>

#include "../unit/tunnels.h"

enum {
	PACKETS = 4,
	PAYLOAD = 100,

	TCP = FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4 | FDL_OFFLOAD_TSO6,
	USO = FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6,
	TUNNEL = FDL_OFFLOAD_TUNNEL | FDL_OFFLOAD_TUNNEL_CSUM,
};

/* What a flow is. */
enum sort {
	PLAIN_TCP,
	PLAIN_UDP,
	IN_VXLAN,
	IN_GENEVE,
	IN_GRE,
	IN_IP,
	SORTS,
};

/* What comes of it. */
enum fate {
	APART,
	MERGED,		/* as packets outside a tunnel are: VXLAN as
			 * datagrams */
	INSIDE,		/* as what lies in the tunnel */
};

static struct message fed[PACKETS];

static void make_plain(unsigned i, enum sort sort, struct shape in,
		       unsigned link_len)
{
	in.link_len = link_len;
	if (sort == PLAIN_UDP)
		in.proto = 17;
	make_message(&fed[i], &in, 0);
}

static void make_tunnelled(unsigned i, enum sort sort, struct shape in,
			   unsigned link_len)
{
	static const enum tunnel_kind kinds[SORTS] = {
		[IN_VXLAN] = VXLAN,
		[IN_GENEVE] = GENEVE,
		[IN_GRE] = GRE_KEY,
		[IN_IP] = IP_IN_IP,
	};
	const struct wrap w = { .kind = kinds[sort],
				.link_len = link_len,
				.version = 4,
				.id = 65534 + i,
				.sum = true };
	size_t len;

	in.link_len = wrap_has_eth(w.kind) ? 14 : 0;
	fed[i].hdr = (struct virtio_net_hdr){ 0 };
	len = build(fed[i].frame + wrap_len(&w), &in);
	fed[i].len = wrap(fed[i].frame, &w, &in, len, false);
}

static void feed(struct link *l, enum sort sort)
{
	const unsigned link_len = l->kind->traits & LINK_ETHERNET ? 14 : 0;
	struct shape in = { .version = 4,
			    .proto = 6,
			    .tcp_opts = 12,
			    .payload = PAYLOAD,
			    .id = 65535,
			    .ttl = 64,
			    .flags = 0x10,
			    .seq = 0xffffffc0,
			    .ack = 7 };
	unsigned i;

	for (i = 0; i < PACKETS; i++, in.id++, in.seq += PAYLOAD) {
		if (sort <= PLAIN_UDP)
			make_plain(i, sort, in, link_len);
		else
			make_tunnelled(i, sort, in, link_len);
		feed_message(l, &fed[i]);
	}
}

static int receive(struct link *l, struct fdl_packet *v[PACKETS])
{
	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	return fdl_recv(l->q, v, PACKETS);
}

static void expect_cut_again(const struct fdl_packet *pkt)
{
	const struct iovec iov = { pkt->data, pkt->len };
	static uint8_t cut[2000];
	struct fdl_segmenter s;
	int i, len;

	assert_int_equal(
		fdl_segment_start(&s, &iov, 1, pkt->link_len, &pkt->off, 0), 0);
	for (i = 0; i < PACKETS; i++) {
		len = fdl_segment_next(&s, cut, sizeof(cut), NULL);
		assert_int_equal(len, fed[i].len);
		assert_memory_equal(cut, fed[i].frame, fed[i].len);
	}
	assert_int_equal(fdl_segment_len(&s), 0);
}

static void expect(struct link *l, enum sort sort, enum fate fate)
{
	struct fdl_packet *v[PACKETS];
	int i, n;

	feed(l, sort);
	n = receive(l, v);
	assert_int_equal(n, fate == APART ? PACKETS : 1);
	for (i = 0; i < n && fate == APART; i++) {
		assert_int_equal(v[i]->len, fed[i].len);
		assert_memory_equal(v[i]->data, fed[i].frame, fed[i].len);
		assert_int_equal(v[i]->off.gso, FDL_GSO_NONE);
	}
	if (fate != APART) {
		assert_int_equal(fdl_offload_tunnel(&v[0]->off) != 0,
				 fate == INSIDE);
		expect_cut_again(v[0]);
	}
	fdl_release(v, n);
	expect_quiet(l);
}

static void what_a_link_takes_is_merged(struct link *l)
{
	static const struct {
		uint32_t offloads;
		enum fate fate[SORTS];
	} cases[] = {
		{ 0, { APART } },
		{ FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4, { APART } },
		{ TCP, { MERGED } },
		{ TCP | FDL_OFFLOAD_TUNNEL, { MERGED } },
		{ TCP | USO, { MERGED, MERGED, MERGED, MERGED } },
		{ TCP | TUNNEL, { MERGED, APART, INSIDE, INSIDE } },
		{ TCP | USO | TUNNEL, { MERGED, MERGED, INSIDE, INSIDE } },
		/* As without the call. */
		{ UINT32_MAX,
		  { MERGED, MERGED, INSIDE, INSIDE, INSIDE, INSIDE } },
	};
	struct fdl_stats st;
	unsigned i, sort, merged = 0;

	for (i = 0; i < COUNT_OF(cases); i++) {
		fdl_set_gro(l->ep, cases[i].offloads);
		for (sort = 0; sort < SORTS; sort++) {
			expect(l, sort, cases[i].fate[sort]);
			merged += cases[i].fate[sort] != APART;
		}
	}
	link_stats(l, &st);
	assert_int_equal(st.rx_gro_merged, merged * (PACKETS - 1));
	assert_int_equal(st.rx_gso, 0);
	assert_int_equal(st.rx_gso_cut, 0);
	l->rx_offered -= st.rx_gro_merged;
}

static void nothing_is_merged_unasked(struct link *l)
{
	fdl_set_gro(l->ep, UINT32_MAX);
	expect(l, PLAIN_TCP, APART);
}

#define ROW(text, function, has)                                        \
	{                                                               \
		.name = (text), .test = (function), .needs = LINK_UNIX, \
		.opts.flags = FDL_VNET_HDR | RX_ALL | FDL_RX_TUNNEL | (has) \
	}

static const struct expectation table[] = {
	ROW("what a link takes is merged", what_a_link_takes_is_merged,
	    FDL_GRO),
	ROW("nothing is merged unasked", nothing_is_merged_unasked, 0),
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("gro_bound", argv, table, COUNT_OF(table));
}
