/* SPDX-License-Identifier: Apache-2.0 */
/* Packets with a virtio-net header before them, as a peer writes them. */
#ifndef TESTS_MESSAGE_H
#define TESTS_MESSAGE_H

#include <linux/virtio_net.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "../unit/packets.h"
#include "contract.h"

enum {
	GSO_UDP_L4 = 5, /* linux/virtio_net.h has it since 6.2 */
	HDR_LEN = sizeof(struct virtio_net_hdr),
	MSS = 1300,
	MAX_SHAPES = 18,
	RX_ALL = FDL_RX_CSUM | FDL_RX_GSO | FDL_RX_USO,
};

/* A packet with its header before it, as it goes into the socket. */
struct message {
	struct virtio_net_hdr hdr;
	uint8_t frame[66000];
	size_t len; /* of frame */
};

static inline void describe_message(struct virtio_net_hdr *hdr,
				    const struct shape *s, unsigned gso_size)
{
	*hdr = (struct virtio_net_hdr){ 0 };
	if (s->partial) {
		hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr->csum_start = (uint16_t)(s->link_len + shape_l3_len(s));
		hdr->csum_offset = s->proto == 6 ? 16 : 6;
	}
	if (!gso_size)
		return;
	hdr->gso_type = s->proto == 17	? GSO_UDP_L4 :
			s->version == 4 ? VIRTIO_NET_HDR_GSO_TCPV4 :
					  VIRTIO_NET_HDR_GSO_TCPV6;
	hdr->gso_size = (uint16_t)gso_size;
	hdr->hdr_len = 3; /* never believed */
}

static inline void make_message(struct message *m, const struct shape *s,
				unsigned gso_size)
{
	describe_message(&m->hdr, s, gso_size);
	m->len = build(m->frame, s);
}

static inline void feed_message(struct link *l, const struct message *m)
{
	link_feed_bytes(l, m, HDR_LEN + m->len);
}

/* Every kind of packet that an offload is for, on this kind of link. */
static inline unsigned all_shapes(const struct link *l, struct shape shapes[])
{
	static const unsigned link_lens[] = { 14, 18, 22 };
	const bool ethernet = l->kind->traits & LINK_ETHERNET;
	unsigned i, k, n = 0;

	for (i = 0; i < (ethernet ? 3 : 1); i++) {
		for (k = 0; k < 6; k++) {
			shapes[n] = (struct shape){
				.link_len = ethernet ? link_lens[i] : 0,
				.version = k % 2 ? 6 : 4,
				.proto = k / 2 % 2 ? 17 : 6,
				.ip_opts = k < 4  ? 0 :
					   k == 4 ? 4 :
						    8,
				.tcp_opts = 12,
				.payload = 1001,
				.id = 65530,
				.ttl = 64,
				.flags = 0x10,
				.seq = 0xffffff00,
				.flow = n,
				.fill = (uint8_t)n,
				.partial = true,
			};
			n++;
		}
	}
	return n;
}

static inline void expect_checksum(const struct fdl_packet *pkt,
				   const struct shape *s, bool partial)
{
	const unsigned l4 = s->link_len + shape_l3_len(s);
	const unsigned at = s->proto == 6 ? 16 : 6;
	const uint8_t *ip = pkt->data + s->link_len;

	if (!partial) {
		assert_int_equal(pkt->off.csum, FDL_CSUM_VALID);
		assert_true(checksums_right(pkt->data, pkt->len, s));
		return;
	}
	assert_int_equal(pkt->off.csum, FDL_CSUM_PARTIAL);
	assert_int_equal(pkt->off.csum_start, l4);
	assert_int_equal(pkt->off.csum_offset, at);
	assert_int_equal(get16(pkt->data + l4 + at),
			 ref_pseudo(ip, s->version, s->proto, pkt->len - l4));
	if (s->version == 4)
		assert_int_equal(ref_sum(ip, shape_l3_len(s), 0), 0xffff);
}

static inline void expect_lengths(const struct fdl_packet *pkt,
				  const struct shape *s)
{
	const unsigned len = pkt->len - s->link_len;
	const uint8_t *ip = pkt->data + s->link_len;

	assert_int_equal(pkt->link_len, s->link_len);
	assert_int_equal(pkt->protocol, s->version == 4 ? 0x0800 : 0x86dd);
	if (s->version == 4)
		assert_int_equal(get16(ip + 2), len);
	else
		assert_int_equal(get16(ip + 4) + 40, len);
	if (s->proto == 17)
		assert_int_equal(get16(ip + shape_l3_len(s) + 4),
				 len - shape_l3_len(s));
}

#endif
