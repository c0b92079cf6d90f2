/* SPDX-License-Identifier: Apache-2.0 */
/* A partial checksum that no header tells of is found by its packet alone, and
 * no whole one is taken for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "packets.h"
#include "rx/untold.h"

enum {
	ROUNDS = 200000,
	MAX_PAYLOAD = 64,
};

static uint8_t frame[512];

static struct fdl_packet packet_of(const struct shape *s, size_t len)
{
	return (struct fdl_packet){
		.data = frame,
		.len = (uint32_t)len,
		.link_len = (uint8_t)s->link_len,
		.protocol = s->version == 4 ? 0x0800 : 0x86dd,
	};
}

static struct shape some_shape(struct rng *r, bool partial)
{
	struct shape s = random_shape(r);

	if (s.version == 4 && !rnd(r, 4))
		s.ip_opts = 8;
	s.payload = rnd(r, MAX_PAYLOAD);
	s.partial = partial;
	return s;
}

static void partial_ones_are_found(void **state)
{
	struct rng r = seeded("partial");
	struct fdl_offload off, right;
	struct fdl_packet pkt;
	struct shape s;
	size_t pad;
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		s = some_shape(&r, true);
		pkt = packet_of(&s, build(frame, &s));
		/* Once in 65536 packets it is whole as well. */
		if (checksums_right(frame, pkt.len, &s))
			continue;
		/* Bytes behind the IP packet change nothing. */
		pad = rnd(&r, 2) * 18;
		memset(frame + pkt.len, 0xa5, pad);
		pkt.len += (uint32_t)pad;
		assert_true(untold_is_partial(&pkt, &off));
		right = shape_offload(&s, 0);
		assert_true(same_offload(&off, &right));
	}
}

static void whole_ones_are_none(void **state)
{
	struct rng r = seeded("whole");
	struct fdl_offload off;
	struct fdl_packet pkt;
	struct shape s;
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		s = some_shape(&r, false);
		pkt = packet_of(&s, build(frame, &s));
		assert_false(untold_is_partial(&pkt, &off));
	}
}

/* Choose the first word of the payload so that the whole checksum is the sum of
 * the pseudo-header. Returns the frame's length. */
static size_t build_alike(const struct shape *s)
{
	const unsigned l4 = s->link_len + shape_l3_len(s);
	const size_t len = build(frame, s);
	uint8_t *word = frame + shape_hdr_len(s);
	uint8_t *check = frame + l4 + (s->proto == 6 ? 16 : 6);
	const uint16_t pseudo = ref_pseudo(frame + s->link_len, s->version,
					   s->proto, (unsigned)len - l4);
	uint16_t sum;

	put16(word, 0);
	put16(check, 0);
	sum = ref_sum(frame + l4, len - l4, pseudo);
	put16(word,
	      ref_sum(NULL, 0, (uint32_t)(uint16_t)~pseudo + (uint16_t)~sum));
	put16(check, pseudo);
	return len;
}

static void whole_ones_that_look_partial_are_none(void **state)
{
	struct rng r = seeded("alike");
	struct fdl_offload off;
	struct fdl_packet pkt;
	struct shape s;
	int i;

	(void)state;
	for (i = 0; i < ROUNDS / 10; i++) {
		s = some_shape(&r, false);
		s.payload += 2;
		pkt = packet_of(&s, build_alike(&s));
		assert_true(checksums_right(frame, pkt.len, &s));
		assert_false(untold_is_partial(&pkt, &off));
	}
}

/* Whatever the bytes and however few: none is read that is not there, and what
 * is no packet of TCP or UDP has no checksum. */
static void rubbish_is_none(void **state)
{
	struct rng r = seeded("rubbish");
	struct fdl_offload off;
	struct fdl_packet pkt;
	uint8_t *copy;
	struct shape s;
	int i;

	(void)state;
	for (i = 0; i < ROUNDS / 10; i++) {
		s = some_shape(&r, true);
		pkt = packet_of(&s, build(frame, &s));
		pkt.len = s.link_len + rnd(&r, shape_hdr_len(&s) - s.link_len);
		copy = malloc(pkt.len ? pkt.len : 1);
		assert_non_null(copy);
		memcpy(copy, frame, pkt.len);
		pkt.data = copy;
		assert_false(untold_is_partial(&pkt, &off));
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(partial_ones_are_found),
		cmocka_unit_test(whole_ones_are_none),
		cmocka_unit_test(whole_ones_that_look_partial_are_none),
		cmocka_unit_test(rubbish_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
