/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "packets.h"
#include "proto/parse.h"

static void every_shape_is_found(void **state)
{
	struct rng r = seeded("parse");
	uint8_t f[600];
	struct parsed p;
	int i;

	(void)state;
	for (i = 0; i < 5000; i++) {
		struct shape s = random_shape(&r);
		unsigned l4 = s.link_len + 20 + (s.version == 6 ? 20 : 0);
		size_t len;

		if (s.version == 4)
			s.ip_opts = 4 * rnd(&r, 11);
		s.payload = rnd(&r, 200);
		len = build(f, &s);
		assert_int_equal(
			parse_frame(f, len, len + rnd(&r, 20), s.link_len, &p),
			0);
		assert_int_equal(p.version, s.version);
		assert_int_equal(p.proto, s.proto);
		assert_int_equal(p.l3, s.link_len);
		assert_int_equal(p.l4, l4 + s.ip_opts);
		assert_int_equal(p.payload, shape_hdr_len(&s));
		assert_int_equal(p.end, len);
		assert_false(p.fragment || p.routed);
	}
}

/* Cut short anywhere, or only in part at hand: never good, never past it. */
static void every_cut_is_noticed(void **state)
{
	struct rng r = seeded("cut");
	struct parsed p;
	uint8_t f[300];
	int i;

	(void)state;
	for (i = 0; i < 300; i++) {
		struct shape s = random_shape(&r);
		uint8_t *exact;
		size_t len, n;

		s.payload = 5;
		len = build(f, &s);
		for (n = 0; n < len; n++) {
			exact = malloc(n ? n : 1);
			memcpy(exact, f, n);
			assert_int_not_equal(
				parse_frame(exact, n, n, s.link_len, &p), 0);
			assert_int_equal(p.proto, 0);
			assert_int_not_equal(
				flow_hash(exact, n, s.link_len, &p), 0);
			assert_int_equal(
				parse_frame(exact, n, len, s.link_len, &p),
				n < shape_hdr_len(&s) ? FDL_REFUSE_HEADERS : 0);
			free(exact);
		}
	}
}

/* An IPv6 packet whose headers are given as they follow each other. */
static size_t build_chain(uint8_t *f, const uint8_t *chain, size_t n)
{
	struct shape s = { .version = 6, .proto = 17, .payload = 4, .ttl = 1 };
	size_t len = build(f, &s);

	memmove(f + 40 + n, f + 40, len - 40);
	memcpy(f + 40, chain, n);
	put16(f + 4, (unsigned)(len + n - 40));
	return len + n;
}

static void extension_headers(void **state)
{
	uint8_t hop[] = { 43, 0, 1, 4, 0, 0, 0, 0,	/* then routing */
			  60, 0, 4, 0, 0, 0, 0, 0,	/* then destination */
			  17, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	uint8_t f[200];
	struct parsed p;
	size_t len = build_chain(f, hop, sizeof(hop));

	(void)state;
	f[6] = 0;
	assert_int_equal(parse_frame(f, len, len, 0, &p), 0);
	assert_int_equal(p.l4, 40 + sizeof(hop));
	assert_false(p.routed);
	f[40 + 8 + 3] = 1;
	assert_int_equal(parse_frame(f, len, len, 0, &p), 0);
	assert_true(p.routed);
	f[40 + 17] = 200;
	assert_int_equal(parse_frame(f, len, len, 0, &p), FDL_REFUSE_SHORT);
	f[40 + 8] = 51;
	assert_int_equal(parse_frame(f, len, len, 0, &p), FDL_REFUSE_TRANSPORT);
	f[40 + 8] = 44;
	assert_int_equal(parse_frame(f, len, len, 0, &p), FDL_REFUSE_FRAGMENT);
	assert_true(p.fragment);
	assert_int_equal(p.version, 6);
	assert_int_equal(p.proto, 0);
}

static void impossible_lengths(void **state)
{
	struct shape s = { .version = 4, .proto = 6, .payload = 9, .ttl = 1 };
	uint8_t f[200], g[200];
	struct parsed p;
	size_t len = build(f, &s), i;
	static const struct {
		unsigned at;
		uint8_t value;
		enum fdl_refusal why;
	} cases[] = {
		{ 0, 0x44, FDL_REFUSE_IP },
		{ 0, 0x4f, FDL_REFUSE_IP },
		{ 0, 0x65, FDL_REFUSE_SHORT },
		{ 0, 0x55, FDL_REFUSE_NOT_IP },
		{ 2, 1, FDL_REFUSE_IP },
		{ 3, 50, FDL_REFUSE_IP },
		{ 3, 39, FDL_REFUSE_SHORT },
		{ 3, 19, FDL_REFUSE_IP },
		{ 6, 0x20, FDL_REFUSE_FRAGMENT },
		{ 7, 0x01, FDL_REFUSE_FRAGMENT },
		{ 9, 1, FDL_REFUSE_TRANSPORT },
		{ 9, 17, FDL_REFUSE_TRANSPORT },
		{ 32, 0x40, FDL_REFUSE_TRANSPORT },
		{ 32, 0x80, FDL_REFUSE_SHORT },
	};

	(void)state;
	put16(f + 24, 200);		/* a UDP length, too long */
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(g, f, len);
		g[cases[i].at] = cases[i].value;
		assert_int_equal(parse_frame(g, len, len, 0, &p), cases[i].why);
		assert_int_equal(p.proto, 0);
	}
}

static uint32_t hash_of(const struct shape *s, bool reverse, bool fragment)
{
	uint8_t f[300], tmp[16];
	uint8_t *ip = f + s->link_len, *tp = ip + shape_l3_len(s);
	const unsigned at = s->version == 4 ? 12 : 8;
	const unsigned n = s->version == 4 ? 4 : 16;
	size_t len = build(f, s);
	struct parsed p;

	if (reverse) {
		memcpy(tmp, ip + at, n);
		memcpy(ip + at, ip + at + n, n);
		memcpy(ip + at + n, tmp, n);
		memcpy(tmp, tp, 2);
		memcpy(tp, tp + 2, 2);
		memcpy(tp + 2, tmp, 2);
	}
	if (fragment)
		ip[6] |= 0x20;
	parse_frame(f, len, len, s->link_len, &p);
	return flow_hash(f, len, s->link_len, &p);
}

static void flows(void **state)
{
	struct rng r = seeded("flow");
	unsigned used[8] = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 4000; i++) {
		struct shape s = random_shape(&r), t;
		uint32_t h;

		s.payload = 10;
		s.flow = (unsigned)i;		/* as many as there are */
		h = hash_of(&s, false, false);
		assert_int_not_equal(h, 0);
		assert_int_equal(h, hash_of(&s, true, false));
		t = s;
		t.seq++;
		t.ttl++;
		t.link_len = 14;
		assert_int_equal(h, hash_of(&t, false, false));
		t.flow = s.flow + 7;		/* another port */
		assert_int_not_equal(h, hash_of(&t, false, false));
		if (s.version == 4)
			assert_int_equal(hash_of(&s, false, true),
					 hash_of(&t, true, true));
		used[h % 8]++;
	}
	for (i = 0; i < 8; i++)
		assert_in_range(used[i], 300, 700);
}

static void what_is_no_ip_has_a_hash_too(void **state)
{
	uint8_t arp[42] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 8, 6 };
	struct parsed p;

	(void)state;
	assert_int_equal(parse_frame(arp, 42, 42, 14, &p), FDL_REFUSE_NOT_IP);
	assert_int_equal(p.version, 0);
	assert_int_not_equal(flow_hash(arp, 42, 14, &p), 0);
	assert_int_equal(parse_frame(arp, 0, 0, 0, &p), FDL_REFUSE_SHORT);
	assert_int_not_equal(flow_hash(arp, 0, 0, &p), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_is_found),
		cmocka_unit_test(every_cut_is_noticed),
		cmocka_unit_test(extension_headers),
		cmocka_unit_test(impossible_lengths),
		cmocka_unit_test(flows),
		cmocka_unit_test(what_is_no_ip_has_a_hash_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
