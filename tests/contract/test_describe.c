/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a packet: its link header, its protocol, whom it is for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "contract.h"
#include "flows.h"

/* Of UDP over IPv4. */
static uint32_t hash_of_next(struct link *l, unsigned flow)
{
	struct fdl_packet *pkt;
	uint32_t hash;

	flows_put(l->peer, flow, 0, true);
	l->rx_offered++;
	expect_packets(l, &pkt, 1);
	hash = pkt->hash;
	fdl_release(&pkt, 1);
	return hash;
}

/* Several flows may have one hash, all of them do not. */
static void a_ring_has_the_kernels_hash(struct link *l)
{
	const bool ring = fdl_get_mode(l->ep) == FDL_MODE_PACKET_MMAP;
	const uint32_t first = hash_of_next(l, 1);
	unsigned flow, others = 0;

	assert_int_equal(first != 0, ring);
	assert_int_equal(hash_of_next(l, 1), first);
	for (flow = 2; flow < FLOWS; flow++)
		others += hash_of_next(l, flow) != first;
	assert_int_equal(others > 0, ring);
}

/* The fields say what the bytes are. */
static void a_packet_is_described(struct link *l)
{
	const bool ethernet = l->kind->traits & LINK_ETHERNET;
	struct fdl_packet *pkt;

	link_feed(l, 100, 7);
	expect_packets(l, &pkt, 1);
	assert_int_equal(pkt->protocol, 0x0800);
	assert_int_equal(pkt->link_len, ethernet ? 14 : 0);
	assert_int_equal(pkt->type, FDL_TO_HOST);
	assert_int_equal(pkt->off.csum, FDL_CSUM_NONE);
	assert_int_equal(pkt->off.gso, FDL_GSO_NONE);
	assert_null(pkt->user);
	assert_true(pkt->room >= 38);
	fdl_release(&pkt, 1);
}

static void the_protocol_is_told_by_the_ip_version(struct link *l)
{
	const uint8_t v6[40] = { 0x60 }, v4[1] = { 0x40 };
	struct fdl_packet *v[2];

	link_feed_bytes(l, v6, sizeof(v6));
	link_feed_bytes(l, v4, sizeof(v4));
	expect_packets(l, v, 2);
	assert_int_equal(v[0]->protocol, 0x86dd);
	assert_int_equal(v[1]->protocol, 0x0800);
	assert_int_equal(v[1]->len, 1);
	assert_int_equal(v[0]->link_len, 0);
	fdl_release(v, 2);
}

static void feed_type(struct link *l, uint16_t type)
{
	uint8_t frame[60];

	frame_make(l, false, frame, sizeof(frame), 0);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	link_feed_bytes(l, frame, sizeof(frame));
}

static void any_ethertype_is_delivered_with_its_protocol(struct link *l)
{
	static const uint16_t fed[] = { 0x0806, 0x86dd, 0x88cc, 0xffff,
					0x0600, 0x05dc, 0x0026 };
	static const uint16_t want[] = { 0x0806, 0x86dd, 0x88cc, 0xffff,
					 0x0600, 4,	 4 };
	struct fdl_packet *pkt;
	size_t i;

	for (i = 0; i < COUNT_OF(fed); i++) {
		feed_type(l, fed[i]);
		expect_packets(l, &pkt, 1);
		assert_int_equal(pkt->protocol, want[i]);
		assert_int_equal(pkt->link_len, 14);
		assert_int_equal(pkt->len, 60);
		fdl_release(&pkt, 1);
	}
}

/* Frames with 0 to 3 tags: the third is payload of the second. */
static void vlan_tags_are_part_of_the_link_header(struct link *l)
{
	static const uint8_t link_lens[] = { 14, 18, 22, 22 };
	static const uint16_t protocols[] = { 0x0800, 0x0800, 0x0800, 0x8100 };
	struct fdl_packet *pkt;
	uint8_t frame[80];
	unsigned tags, i;

	for (tags = 0; tags < 4; tags++) {
		frame_make(l, false, frame, sizeof(frame), 0);
		for (i = 0; i < tags; i++) {
			static const uint8_t tag[] = { 0x81, 0x00, 0x00, 0x05 };

			memcpy(frame + 12 + 4 * i, tag, 4);
		}
		if (tags > 1)
			memcpy(frame + 12, "\x88\xa8", 2);
		memcpy(frame + 12 + 4 * tags, "\x08\x00", 2);
		link_feed_bytes(l, frame, sizeof(frame));
		expect_packets(l, &pkt, 1);
		assert_int_equal(pkt->link_len, link_lens[tags]);
		assert_int_equal(pkt->protocol, protocols[tags]);
		assert_int_equal(pkt->len, sizeof(frame));
		assert_memory_equal(pkt->data, frame, sizeof(frame));
		fdl_release(&pkt, 1);
	}
}

static void feed_to(struct link *l, const char *mac)
{
	uint8_t frame[60];

	frame_make(l, false, frame, sizeof(frame), 0);
	memcpy(frame, mac, 6);
	link_feed_bytes(l, frame, sizeof(frame));
}

static void expect_types(struct link *l)
{
	static const struct {
		const char *mac;
		uint8_t type;
	} t[] = {
		{ "\x02\x00\x00\x00\x00\x01", FDL_TO_HOST },
		{ "\xff\xff\xff\xff\xff\xff", FDL_BROADCAST },
		{ "\x01\x00\x5e\x00\x00\x01", FDL_MULTICAST },
		{ "\x33\x33\x00\x00\x00\x01", FDL_MULTICAST },
		{ "\x02\x00\x00\x00\x00\x77", FDL_OTHERHOST },
		{ "\x02\x00\x00\x00\x00\x00", FDL_OTHERHOST },
	};
	struct fdl_packet *pkt;
	size_t i;

	for (i = 0; i < COUNT_OF(t); i++) {
		feed_to(l, t[i].mac);
		expect_packets(l, &pkt, 1);
		assert_int_equal(pkt->type, t[i].type);
		assert_memory_equal(pkt->data, t[i].mac, 6);
		fdl_release(&pkt, 1);
	}
}

static void a_packet_has_the_type_of_its_address(struct link *l)
{
	expect_types(l);
}

static void the_kernel_says_whom_a_packet_is_for(struct link *l)
{
	const struct fdl_options opts = {
		.size = sizeof(opts),
		.mode = fdl_get_mode(l->ep),
	};
	char locator[64];

	snprintf(locator, sizeof(locator), "packet:%s", l->dev);
	assert_int_equal(fdl_endpoint_free(l->ep), 0);
	l->ep = NULL;
	assert_int_equal(l->kind->traits & LINK_OPENED ?
				 fdl_open(&l->ep, locator, &opts) :
				 fdl_endpoint_new(&l->ep, &l->fd, 1, &opts),
			 0);
	l->q = fdl_get_queue(l->ep, 0);
	expect_types(l);
}

static void frames_for_others_are_dropped_on_request(struct link *l)
{
	struct fdl_packet *v[3];
	struct fdl_stats st;

	feed_to(l, "\x02\x00\x00\x00\x00\x77");
	feed_to(l, "\xff\xff\xff\xff\xff\xff");
	feed_to(l, "\x02\x00\x00\x00\x00\x78");
	feed_to(l, "\x01\x00\x5e\x00\x00\x01");
	feed_to(l, "\x02\x00\x00\x00\x00\x01");
	expect_packets(l, v, 3);
	assert_int_equal(v[0]->type, FDL_BROADCAST);
	assert_int_equal(v[1]->type, FDL_MULTICAST);
	assert_int_equal(v[2]->type, FDL_TO_HOST);
	fdl_release(v, 3);
	expect_quiet(l);
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_otherhost, 2);
}

static const struct expectation table[] = {
	{ .name = "a packet is described", .test = a_packet_is_described },
	{ .name = "a ring has the kernel's hash",
	  .test = a_ring_has_the_kernels_hash,
	  .needs = LINK_OUTGOING },
	{ .name = "the protocol is told by the IP version",
	  .test = the_protocol_is_told_by_the_ip_version,
	  .needs = LINK_IP },
	{ .name = "any ethertype is delivered with its protocol",
	  .test = any_ethertype_is_delivered_with_its_protocol,
	  .needs = LINK_ETHERNET },
	/* The kernel takes tags off before an AF_PACKET socket sees them. */
	{ .name = "VLAN tags are part of the link header",
	  .test = vlan_tags_are_part_of_the_link_header,
	  .needs = LINK_TAGS },
	{ .name = "a packet has the type of its address",
	  .test = a_packet_has_the_type_of_its_address,
	  .needs = LINK_ETHERNET },
	{ .name = "without an address of ours the kernel says to whom it is",
	  .test = the_kernel_says_whom_a_packet_is_for,
	  .needs = LINK_KERNEL_MAC },
	{ .name = "frames for others are dropped on request",
	  .test = frames_for_others_are_dropped_on_request,
	  .needs = LINK_ETHERNET,
	  .opts.flags = FDL_DROP_OTHERHOST },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("describe", argv, table, COUNT_OF(table));
}
