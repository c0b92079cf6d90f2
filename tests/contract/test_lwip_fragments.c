/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP sees no fragments that make it read beyond a packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../unit/packets.h"
#include "lwip_check_bed.h"

static void fragments_are_not_empty(void **state)
{
	const struct side s = side_of(state);
	struct frame f;

	frame_fragment4(&f, UNKNOWN, 1, 0, MORE, 8);
	frame_expect(&s, &f, true);
	frame_fragment4(&f, UNKNOWN, 1, 8, LAST, 1);
	frame_expect(&s, &f, true);
	frame_fragment4(&f, UNKNOWN, 2, 0, MORE, 0);
	frame_expect(&s, &f, false);
	frame_fragment4(&f, UNKNOWN, 2, 8, LAST, 0);
	frame_expect(&s, &f, false);
	frame_fragment6(&f, UDP, 2, 8, LAST, 0);
	frame_expect(&s, &f, false);
}

static void a_first_fragment_of_ip6_is_long(void **state)
{
	const struct side s = side_of(state);
	struct frame f;

	frame_fragment6(&f, UDP, 1, 0, MORE, 64);
	frame_expect(&s, &f, true);
	frame_fragment6(&f, UDP, 2, 0, MORE, 56);
	frame_expect(&s, &f, false);
}

/* A SYN in two fragments that do not say so. The last byte of its header is an
 * option without a length. */
static void say_in_fragments(const struct side *s, unsigned hdr_len,
			     unsigned len, unsigned cut)
{
	const bool in_first = cut == hdr_len;
	static unsigned id = 100;
	uint8_t whole[64];
	struct frame f;

	memset(whole, 0, sizeof(whole));
	frame_begin4(&f, TCP, len);
	frame_put_syn(whole, hdr_len);
	whole[hdr_len - 1] = 2;
	frame_end_syn(&f, whole, len);
	memcpy(frame_fragment4(&f, UDP, ++id, cut, LAST, len - cut),
	       whole + cut, len - cut);
	frame_expect(s, &f, in_first);
	frame_put_syn(frame_fragment4(&f, TCP, id, 0, MORE, 64), 60);
	frame_expect(s, &f, true);
	memcpy(frame_fragment4(&f, UDP, id, 0, MORE, cut), whole, cut);
	frame_expect(s, &f, !in_first);
}

/*
 * lwIP takes the protocol from a fragment that it then refuses, as it overlaps
 * another, and the bytes from the one behind.
 */
static void a_header_of_tcp_ends_with_no_fragment(void **state)
{
	const struct side s = side_of(state);

	say_in_fragments(&s, 60, 60, 24);
	say_in_fragments(&s, 60, 60, 56);
	say_in_fragments(&s, 40, 64, 40);
}

/* As a link of 68 bytes has them. */
static void short_fragments_of_other_protocols_pass(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	unsigned len;

	memset(frame_fragment4(&f, UDP, 6, 0, MORE, 48), 0xee, 48);
	frame_expect(&s, &f, true);
	for (len = 1; len <= 24; len++) {
		memset(frame_fragment4(&f, UDP, 7, 48, LAST, len), 0xee, len);
		frame_expect(&s, &f, len % 4 || 48 + len > 60);
		memset(frame_fragment4(&f, UDP, 7, 48, LAST, len), 0, len);
		frame_expect(&s, &f, true);
	}
}

static void a_header_of_tcp_is_in_the_first_fragment(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	unsigned i;
	uint8_t *tcp;

	for (i = 0; i < 2; i++) {
		tcp = i ? frame_fragment6(&f, TCP, 8, 0, MORE, 64) :
			  frame_fragment4(&f, TCP, 8, 0, MORE, 64);
		frame_put_syn(tcp, 60);
		frame_expect(&s, &f, true);
		tcp[59] = 2;
		frame_expect(&s, &f, false);
		tcp[12] = 0x40;
		frame_expect(&s, &f, false);
	}
	frame_put_syn(frame_fragment4(&f, TCP, 9, 0, MORE, 48), 60);
	frame_expect(&s, &f, false);
	frame_put_syn(frame_fragment4(&f, TCP, 9, 0, MORE, 48), 44);
	frame_expect(&s, &f, true);
}

static void fragments_come_in_units(void **state)
{
	const struct side s = side_of(state);
	struct frame f;

	frame_fragment4(&f, UDP, 6, 80, MORE, 72);
	frame_expect(&s, &f, true);
	frame_fragment4(&f, UDP, 6, 160, MORE, 71);
	frame_expect(&s, &f, false);
	frame_fragment4(&f, UDP, 6, 160, LAST, 71);
	frame_expect(&s, &f, true);
	frame_fragment6(&f, UDP, 6, 160, MORE, 71);
	frame_expect(&s, &f, false);
}

static void fragments_make_no_more_than_a_packet(void **state)
{
	const struct side s = side_of(state);
	struct frame f;

	frame_fragment4(&f, UDP, 7, 65504, LAST, 11);
	frame_expect(&s, &f, true);
	frame_fragment4(&f, UDP, 8, 65504, LAST, 12);
	frame_expect(&s, &f, false);
	frame_fragment4(&f, UDP, 8, 65504, MORE, 16);
	frame_expect(&s, &f, false);
	frame_fragment6(&f, UDP, 7, 65488, LAST, 7);
	frame_expect(&s, &f, true);
	frame_fragment6(&f, UDP, 8, 65488, LAST, 8);
	frame_expect(&s, &f, false);
}

/* lwIP measures from the packet that came last to this one. */
static void a_fragment_has_no_fragments(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	uint8_t *inner;

	inner = frame_fragment6(&f, FRAGMENT, 9, 0, MORE, 64);
	inner[0] = UDP;
	put16(inner + 2, MORE);
	frame_expect(&s, &f, false);
	frame_fragment6(&f, FRAGMENT, 9, 64, LAST, 8);
	frame_expect(&s, &f, false);

	/* A fragment that is all, of one that is not. */
	inner = frame_fragment6(&f, FRAGMENT, 10, 0, LAST, 72);
	inner[0] = UDP;
	put16(inner + 2, MORE);
	frame_expect(&s, &f, false);
	put16(inner + 2, 0);
	put16(inner + 8 + 4, 64);
	frame_expect(&s, &f, true);
}

/* lwIP believes the fragment that comes first about what is in the other. */
static void a_later_fragment_names_no_options(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	uint8_t *first;

	frame_fragment6(&f, OPTIONS, 11, 64, LAST, 8);
	frame_expect(&s, &f, false);
	first = frame_fragment6(&f, UDP, 11, 0, MORE, 64);
	first[0] = NOTHING;
	first[1] = 7;
	first[63] = 30;
	frame_expect(&s, &f, true);
}

static void no_options_come_before_a_fragment(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	uint8_t *header;

	header = frame_begin6(&f, HOP_OPTIONS, 80);
	memcpy(header, "\x2c\0\x01\x04", 4);
	header[8] = UDP;
	put16(header + 10, MORE);
	frame_expect(&s, &f, false);
	put16(header + 10, 0);
	put16(header + 16 + 4, 64);
	frame_expect(&s, &f, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragments_are_not_empty),
		cmocka_unit_test(a_first_fragment_of_ip6_is_long),
		cmocka_unit_test(a_header_of_tcp_ends_with_no_fragment),
		cmocka_unit_test(short_fragments_of_other_protocols_pass),
		cmocka_unit_test(a_header_of_tcp_is_in_the_first_fragment),
		cmocka_unit_test(fragments_come_in_units),
		cmocka_unit_test(fragments_make_no_more_than_a_packet),
		cmocka_unit_test(a_fragment_has_no_fragments),
		cmocka_unit_test(a_later_fragment_names_no_options),
		cmocka_unit_test(no_options_come_before_a_fragment),
	};

	return cmocka_run_group_tests_name("lwip fragments", tests, bed_set_up,
					   bed_tear_down);
}
