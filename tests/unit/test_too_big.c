/* SPDX-License-Identifier: Apache-2.0 */
/* Whom the wire answers that a packet is too long, and what it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fdlink/fdlink.h>
#include <fdlink/offload.h>

#include "too_big.h"

enum {
	LINK = 18,		/* with a VLAN tag */
	LEN = 2000,		/* of the packet behind it */
	MTU = 1400,
};

static const uint8_t link_header[LINK] = {
	2, 0, 0, 0, 0, 0xb, 2, 0, 0, 0, 0, 0xa, 0x81, 0, 0, 7, 0x08, 0,
};

struct given {
	uint8_t bytes[LINK + LEN];
	struct fdl_packet pkt;
	uint8_t *ip, *payload;
};

static void give(struct given *g, unsigned protocol)
{
	memset(g, 0, sizeof(*g));
	memcpy(g->bytes, link_header, LINK);
	g->bytes[16] = (uint8_t)(protocol >> 8);
	g->bytes[17] = (uint8_t)protocol;
	g->ip = g->bytes + LINK;
	g->pkt = (struct fdl_packet){
		.data = g->bytes,
		.len = LINK + LEN,
		.link_len = LINK,
		.protocol = (uint16_t)protocol,
	};
}

/* Make the checksum of the IPv4 header right. */
static void seal(struct given *g)
{
	uint16_t sum;

	memset(g->ip + 10, 0, 2);
	sum = (uint16_t)~fdl_checksum_sum(g->ip, (g->ip[0] & 0xf) * 4U, 0);
	memcpy(g->ip + 10, &sum, sizeof(sum));
}

/* UDP that must not be fragmented. */
static void give4(struct given *g)
{
	static const uint8_t header[20] = {
		0x45, 0, LEN >> 8, LEN & 0xff, 0, 1, 0x40, 0, 64, 17,
		0,    0, 192,	   0,	       2, 1, 192,  0, 2,  2,
	};

	give(g, 0x0800);
	memcpy(g->ip, header, sizeof(header));
	seal(g);
	g->payload = g->ip + sizeof(header);
}

static void give6(struct given *g)
{
	static const uint8_t header[8] = {
		0x60, 0, 0, 0, (LEN - 40) >> 8, (LEN - 40) & 0xff, 17, 64,
	};

	give(g, 0x86dd);
	memcpy(g->ip, header, sizeof(header));
	g->ip[8] = 0xfd;
	g->ip[23] = 1;
	g->ip[24] = 0xfd;
	g->ip[39] = 2;
	g->payload = g->ip + 40;
}

static size_t answered(struct given *g)
{
	uint8_t answer[TOO_BIG_ROOM];

	if (g->pkt.protocol == 0x0800)
		seal(g);
	assert_true(too_big(&g->pkt, MTU));
	return too_big_answer(&g->pkt, MTU, answer);
}

/* Swapped, and with the same tag. */
static void expect_link_header(const uint8_t *answer)
{
	assert_memory_equal(answer, link_header + 6, 6);
	assert_memory_equal(answer + 6, link_header, 6);
	assert_memory_equal(answer + 12, link_header + 12, 4);
}

static void ipv4_is_answered(void **state)
{
	uint8_t answer[TOO_BIG_ROOM], *ip = answer + LINK, *icmp = ip + 20;
	struct given g;
	size_t len;

	(void)state;
	give4(&g);
	len = too_big_answer(&g.pkt, MTU, answer);
	assert_int_equal(len, LINK + 576);
	expect_link_header(answer);
	assert_memory_equal(ip + 12, g.ip + 16, 4);
	assert_memory_equal(ip + 16, g.ip + 12, 4);
	assert_int_equal(ip[2] << 8 | ip[3], 576);
	assert_int_equal(fdl_checksum_sum(ip, 20, 0), 0xffff);
	assert_int_equal(icmp[0], 3);
	assert_int_equal(icmp[1], 4);
	assert_int_equal(icmp[6] << 8 | icmp[7], MTU);
	assert_int_equal(fdl_checksum_sum(icmp, 576 - 20, 0), 0xffff);
	assert_memory_equal(icmp + 8, g.ip, 576 - 28);
}

static void ipv6_is_answered(void **state)
{
	static const uint8_t length[4] = { 1240 >> 8, 1240 & 0xff, 0, 58 };
	uint8_t answer[TOO_BIG_ROOM], *ip = answer + LINK, *icmp = ip + 40;
	struct given g;

	(void)state;
	give6(&g);
	assert_int_equal(too_big_answer(&g.pkt, MTU, answer), LINK + 1280);
	expect_link_header(answer);
	assert_memory_equal(ip + 8, g.ip + 24, 16);
	assert_memory_equal(ip + 24, g.ip + 8, 16);
	assert_int_equal(icmp[0], 2);
	assert_int_equal(icmp[6] << 8 | icmp[7], MTU);
	/* The pseudo-header has the addresses, the length and the number. */
	assert_int_equal(fdl_checksum_sum(ip + 8, 1280 - 8,
					  fdl_checksum_sum(length, 4, 0)),
			 0xffff);
	assert_memory_equal(icmp + 8, g.ip, 1280 - 48);
}

/* A super-packet is as long as its segments. */
static void segments_are_what_counts(void **state)
{
	struct given g;

	(void)state;
	give4(&g);
	g.pkt.off.gso = FDL_GSO_TCPV4;
	g.pkt.off.hdr_len = LINK + 40;
	g.pkt.off.gso_size = MTU - 40;
	assert_false(too_big(&g.pkt, MTU));
	g.pkt.off.gso_size++;
	assert_true(too_big(&g.pkt, MTU));
}

static void what_may_be_fragmented_goes_on(void **state)
{
	struct given g;

	(void)state;
	give4(&g);
	g.ip[6] = 0;
	assert_false(too_big(&g.pkt, MTU));
	give4(&g);
	assert_false(too_big(&g.pkt, LEN));
	give(&g, 0x88b5);
	assert_false(too_big(&g.pkt, MTU));
}

/* An Ethernet frame may be longer than its packet. */
static void bytes_behind_the_packet_do_not_count(void **state)
{
	struct given g;

	(void)state;
	give4(&g);
	g.ip[2] = MTU >> 8;
	g.ip[3] = MTU & 0xff;
	seal(&g);
	assert_false(too_big(&g.pkt, MTU));
	assert_true(too_big(&g.pkt, MTU - 1));
	give6(&g);
	g.ip[4] = (MTU - 40) >> 8;
	g.ip[5] = (MTU - 40) & 0xff;
	assert_false(too_big(&g.pkt, MTU));
	assert_true(too_big(&g.pkt, MTU - 1));
	/* The length of a jumbogram stands elsewhere. */
	give6(&g);
	memset(g.ip + 4, 0, 3);
	assert_true(too_big(&g.pkt, MTU));
	g.ip[6] = 17;
	assert_false(too_big(&g.pkt, MTU));
}

static void what_is_damaged_goes_on(void **state)
{
	struct given g;

	(void)state;
	give4(&g);
	g.ip[8]--;		/* and the checksum is as it was */
	assert_false(too_big(&g.pkt, MTU));
	give4(&g);
	g.pkt.len--;		/* cut short */
	assert_false(too_big(&g.pkt, MTU));
	give4(&g);
	g.ip[0] = 0x44;
	seal(&g);
	assert_false(too_big(&g.pkt, MTU));
	give4(&g);
	g.ip[0] = 0x4f;		/* a header longer than the packet */
	g.ip[2] = 0;
	g.ip[3] = 59;
	seal(&g);
	assert_false(too_big(&g.pkt, MTU));
	assert_false(too_big(&g.pkt, 58));
	give6(&g);
	g.pkt.len--;
	assert_false(too_big(&g.pkt, MTU));
}

static void ipv4_is_not_answered(void **state)
{
	static const uint8_t errors[] = { 3, 4, 5, 11, 12 };
	struct given g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(errors); i++) {
		give4(&g);
		g.ip[9] = 1;
		g.payload[0] = errors[i];
		assert_int_equal(answered(&g), 0);
	}
	g.payload[0] = 8;	/* an echo request is no error */
	assert_true(answered(&g) > 0);
	give4(&g);
	g.ip[7] = 1;		/* a later fragment */
	assert_int_equal(answered(&g), 0);
	give4(&g);
	g.ip[6] |= 0x20;	/* the first one */
	assert_true(answered(&g) > 0);
	give4(&g);
	g.ip[16] = 224;
	assert_int_equal(answered(&g), 0);
	give4(&g);
	memset(g.ip + 12, 0, 4);
	assert_int_equal(answered(&g), 0);
	give4(&g);
	g.bytes[0] = 1;		/* to a group of stations */
	assert_int_equal(answered(&g), 0);
	give4(&g);
	g.ip[0] = 0x4f;		/* with options, and shorter than these */
	g.pkt.len = LINK + 62;
	assert_int_equal(
		too_big_answer(&g.pkt, 61, (uint8_t[TOO_BIG_ROOM]){ 0 }), 0);
}

static void ipv6_is_not_answered(void **state)
{
	static const uint8_t errors[] = { 1, 2, 3, 4, 127, 137 };
	struct given g;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(errors); i++) {
		give6(&g);
		g.ip[6] = 60;	/* destination options, and ICMPv6 */
		g.payload[0] = 58;
		g.payload[8] = errors[i];
		assert_int_equal(answered(&g), 0);
	}
	g.payload[8] = 128;
	assert_true(answered(&g) > 0);
	give6(&g);
	g.ip[6] = 44;		/* fragments */
	g.payload[0] = 17;
	g.payload[3] = 1;
	assert_true(answered(&g) > 0);
	g.payload[3] = 8;
	assert_int_equal(answered(&g), 0);
	give6(&g);
	g.ip[24] = 0xff;
	assert_int_equal(answered(&g), 0);
	give6(&g);
	g.ip[6] = 0;		/* options that lead past the end */
	g.payload[1] = 0xff;
	assert_int_equal(answered(&g), 0);
	/* Who hears of less than 1280 goes on as before. */
	give6(&g);
	assert_int_equal(
		too_big_answer(&g.pkt, 1279, (uint8_t[TOO_BIG_ROOM]){ 0 }), 0);
}

static void answers_are_few(void **state)
{
	struct too_big_budget budget = { 0 };
	const uint64_t start = UINT64_C(1) << 40;
	unsigned n = 0, ms;

	(void)state;
	for (ms = 0; ms < 1000; ms++)
		n += too_big_afford(&budget, start + ms * UINT64_C(1000000));
	assert_in_range(n, 100, 110);
	for (n = 0; too_big_afford(&budget, start * 2); n++)
		;
	assert_in_range(n, 1, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_is_answered),
		cmocka_unit_test(ipv6_is_answered),
		cmocka_unit_test(segments_are_what_counts),
		cmocka_unit_test(what_may_be_fragmented_goes_on),
		cmocka_unit_test(bytes_behind_the_packet_do_not_count),
		cmocka_unit_test(what_is_damaged_goes_on),
		cmocka_unit_test(ipv4_is_not_answered),
		cmocka_unit_test(ipv6_is_not_answered),
		cmocka_unit_test(answers_are_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
