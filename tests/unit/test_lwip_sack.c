/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer of lwIP's reports to have, and what it may not make of us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fdl_lwip_sack.h"
#include "packets.h"

/* So that everything wraps around. */
enum { SPAN = 512, ROUNDS = 2000 };
static const uint32_t base = UINT32_MAX - SPAN / 2;

static struct fdl_lwip_range range(uint32_t left, uint32_t right)
{
	return (struct fdl_lwip_range){ base + left, base + right };
}

/* The same, byte by byte. */
struct model {
	bool has[SPAN];
};

static uint32_t model_add(struct model *m, uint32_t left, uint32_t right)
{
	uint32_t i, news = 0;

	for (i = left; i < right; i++) {
		news += !m->has[i];
		m->has[i] = true;
	}
	return news;
}

static void compare(const struct fdl_lwip_sack *s, const struct model *m)
{
	struct fdl_lwip_range hole = range(0, SPAN);
	uint32_t i, first = 0, end;

	for (i = 0; i < SPAN; i++)
		assert_int_equal(fdl_lwip_sack_bytes(s, range(i, i + 1)),
				 m->has[i]);
	while (first < SPAN && m->has[first])
		first++;
	for (end = first; end < SPAN && !m->has[end];)
		end++;
	assert_int_equal(fdl_lwip_sack_hole(s, &hole), first < SPAN);
	if (first < SPAN) {
		assert_int_equal(hole.left, base + first);
		assert_int_equal(hole.right, base + end);
	}
	for (i = 1; i < s->n; i++)
		assert_true((int32_t)(s->range[i].left -
				      s->range[i - 1].right) > 0);
}

static void it_has_what_was_reported(void **state)
{
	struct fdl_lwip_sack s;
	struct rng r = seeded("lwip_sack");
	struct model m;
	uint32_t left, right;
	int round, i;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		memset(&s, 0, sizeof(s));
		memset(&m, 0, sizeof(m));
		for (i = 0; i < 20; i++) {
			left = rnd(&r, SPAN - 1);
			right = left + 1 + rnd(&r, 40);
			if (right > SPAN)
				right = SPAN;
			assert_int_equal(
				fdl_lwip_sack_add(&s, range(left, right)),
				model_add(&m, left, right));
			if (i % 8 == 7) {
				fdl_lwip_sack_trim(&s, base + left);
				memset(m.has, 0, left * sizeof(m.has[0]));
			}
		}
		compare(&s, &m);
	}
}

/* The lower ones stay: they are repaired first. */
static void it_has_a_bound(void **state)
{
	struct fdl_lwip_sack s = { 0 };
	uint32_t i;

	(void)state;
	for (i = SPAN / 2; i--;)
		fdl_lwip_sack_add(&s, range(2 * i, 2 * i + 1));
	assert_int_equal(s.n, FDL_LWIP_SACK_RANGES);
	for (i = 0; i < FDL_LWIP_SACK_RANGES; i++)
		assert_int_equal(s.range[i].left, base + 2 * i);
	fdl_lwip_sack_add(&s, range(SPAN, SPAN + 1));
	assert_int_equal(s.range[s.n - 1].left, base + 2 * (i - 1));
}

static void much_above_means_lost(void **state)
{
	struct fdl_lwip_sack s = { 0 };

	(void)state;
	assert_int_equal(fdl_lwip_sack_above(&s, 0, base), base);
	fdl_lwip_sack_add(&s, range(10, 20));
	fdl_lwip_sack_add(&s, range(40, 50));
	assert_int_equal(fdl_lwip_sack_above(&s, 9, base), base + 40);
	assert_int_equal(fdl_lwip_sack_above(&s, 10, base), base + 10);
	assert_int_equal(fdl_lwip_sack_above(&s, 20, base), base);
}

static void options_are_read(void **state)
{
	static const uint8_t good[] = { 1, 1, 8,  10, 0, 0, 0, 0, 0, 0, 0,
					0, 5, 10, 0,  0, 0, 1, 0, 0, 0, 2 };
	struct fdl_lwip_range block[FDL_LWIP_SACK_BLOCKS];

	(void)state;
	assert_int_equal(fdl_lwip_sack_read(good, sizeof(good), block), 1);
	assert_int_equal(block[0].left, 1);
	assert_int_equal(block[0].right, 2);
}

/* Whatever the bytes are: in memory of just that length, for a sanitizer. */
static void options_may_be_anything(void **state)
{
	struct fdl_lwip_range block[FDL_LWIP_SACK_BLOCKS];
	struct rng r = seeded("lwip_sack");
	uint8_t *options;
	unsigned len, i;
	int round;

	(void)state;
	for (round = 0; round < ROUNDS * 10; round++) {
		len = 1 + rnd(&r, 40);
		options = malloc(len);
		assert_non_null(options);
		for (i = 0; i < len; i++)
			options[i] = (uint8_t)rnd(&r, rnd(&r, 3) ? 12 : 256);
		assert_in_range(fdl_lwip_sack_read(options, len, block), 0,
				FDL_LWIP_SACK_BLOCKS);
		free(options);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_what_was_reported),
		cmocka_unit_test(it_has_a_bound),
		cmocka_unit_test(much_above_means_lost),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(options_may_be_anything),
	};

	return cmocka_run_group_tests_name("lwip sack", tests, NULL, NULL);
}
