/* SPDX-License-Identifier: Apache-2.0 */
/* Checksums that need more than the usual sum, and those that are vouched
 * for. */
#include <errno.h>

#include "message.h"

static struct message message;

/* A UDP checksum of 0 would say that there is none. */
static void a_checksum_that_comes_to_zero_is_ffff(struct link *l)
{
	struct shape shapes[MAX_SHAPES], *s = &shapes[2];
	uint8_t *udp = message.frame;
	struct fdl_packet *pkt;

	all_shapes(l, shapes);
	s->payload = 2;
	make_message(&message, s, 0);
	udp += message.hdr.csum_start;
	put16(udp + 8, 0);
	put16(udp + 8, (uint16_t)~ref_sum(udp, 10, 0));
	feed_message(l, &message);
	expect_packets(l, &pkt, 1);
	assert_int_equal(get16(pkt->data + message.hdr.csum_start + 6), 0xffff);
	fdl_release(&pkt, 1);
}

/* The CRC of nothing but zeros behind the header is known. */
static void make_sctp(struct link *l, struct shape *s)
{
	struct shape shapes[MAX_SHAPES];
	unsigned l4;

	all_shapes(l, shapes);
	*s = shapes[2];
	s->ip_opts = 0;
	s->version = 4;
	s->payload = 32 - 8;
	make_message(&message, s, 0);
	message.hdr.csum_offset = 8;
	l4 = message.hdr.csum_start;
	message.frame[s->link_len + 9] = 132;
	put16(message.frame + s->link_len + 10, 0);
	put16(message.frame + s->link_len + 10,
	      (uint16_t)~ref_sum(message.frame + s->link_len, 20, 0));
	memset(message.frame + l4, 0, 32);
}

/* A partial checksum is what a kernel takes for it, which it is not. */
static void sctp_never_stays_undone(struct link *l)
{
	static const uint8_t crc[] = { 0xaa, 0x36, 0x91, 0x8a };
	struct fdl_offload off = { .csum = FDL_CSUM_PARTIAL, .csum_offset = 8 };
	struct fdl_packet *pkt;
	struct fdl_stats st;
	struct iovec iov;
	struct shape s;

	make_sctp(l, &s);
	off.csum_start = message.hdr.csum_start;
	feed_message(l, &message);
	expect_packets(l, &pkt, 1);
	assert_int_equal(pkt->off.csum, FDL_CSUM_VALID);
	assert_memory_equal(pkt->data + off.csum_start + 8, crc, 4);
	iov = (struct iovec){ pkt->data, pkt->len };
	assert_int_equal(fdl_write(l->q, &iov, 1, &off), -EINVAL);
	l->tx_offered++;
	link_stats(l, &st);
	assert_int_equal(st.tx_drop_offload, 1);
	fdl_release(&pkt, 1);
}

static void what_is_vouched_for_is_handed_on(struct link *l)
{
	struct shape shapes[MAX_SHAPES];
	struct fdl_packet *v[2];
	unsigned i;

	all_shapes(l, shapes);
	shapes[0].partial = false;
	make_message(&message, &shapes[0], 0);
	feed_message(l, &message);
	message.hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID;
	feed_message(l, &message);
	expect_packets(l, v, 2);
	for (i = 0; i < 2; i++) {
		assert_int_equal(v[i]->len, message.len);
		assert_memory_equal(v[i]->data, message.frame, message.len);
	}
	assert_int_equal(v[0]->off.csum, FDL_CSUM_NONE);
	assert_int_equal(v[1]->off.csum, FDL_CSUM_VALID);
	fdl_release(v, 2);
}

/* flags of the endpoint; and FDL_VNET_HDR always. */
#define ROW(text, function, has)                                        \
	{                                                               \
		.name = (text), .test = (function), .needs = LINK_UNIX, \
		.opts.flags = FDL_VNET_HDR | (has)                      \
	}

static const struct expectation table[] = {
	ROW("a checksum that comes to zero is ffff",
	    a_checksum_that_comes_to_zero_is_ffff, 0),
	ROW("the checksum of SCTP is completed", sctp_never_stays_undone, 0),
	ROW("the checksum of SCTP is never handed on", sctp_never_stays_undone,
	    FDL_RX_CSUM),
	ROW("what is vouched for is handed on",
	    what_is_vouched_for_is_handed_on, 0),
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("rx_checksum", argv, table, COUNT_OF(table));
}
