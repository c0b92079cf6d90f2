/* SPDX-License-Identifier: Apache-2.0 */
/* Which checksums are believed of a packet in a tunnel that has two. */
#include "tunnelled_bed.h"

/* Returns how many of two packets are merged that leave a checksum to the
 * device, if bits of the second are changed. at counts from its start. */
static int damaged_left(enum tunnel_kind kind, enum wrap_left left, unsigned at,
			uint8_t bits)
{
	const struct tunnelled a = first_of(kind, 4, 4, 6);
	const struct tunnelled b = following(&a);
	int count;

	batch_begin(ALL);
	prepare(&a);
	add_left(&a, left);
	prepare(&b)[at] ^= bits;
	add_left(&b, left);
	count = batch_next();
	while (batch_next())
		;
	return count;
}

/* What is left to the device vouches for nothing else. */
static void the_other_sum_is_verified(void **state)
{
	const struct tunnelled t = first_of(VXLAN, 4, 4, 6);
	const unsigned l4 = wrap_l4(&t.w);
	const unsigned gre_payload = l4 + 8 + 20 + 32;
	const unsigned payload = wrap_len(&t.w) + shape_hdr_len(&t.in);

	(void)state;
	assert_int_equal(damaged_left(VXLAN, LEFT_INSIDE, payload, 0), 2);
	assert_int_equal(damaged_left(VXLAN, LEFT_INSIDE, l4 + 6, 1), 1);
	assert_int_equal(damaged_left(GRE_CSUM, LEFT_INSIDE, l4 + 5, 1), 1);
	assert_int_equal(damaged_left(VXLAN, LEFT_OUTSIDE, payload, 0), 2);
	assert_int_equal(damaged_left(VXLAN, LEFT_OUTSIDE, payload, 1), 1);
	assert_int_equal(damaged_left(GRE_CSUM, LEFT_OUTSIDE, gre_payload, 0),
			 2);
	assert_int_equal(damaged_left(GRE_CSUM, LEFT_OUTSIDE, gre_payload, 1),
			 1);
}

/* Returns how many of two packets are merged that leave the checksum at at, and
 * offset bytes behind that, to the device. */
static int left_at(const struct tunnelled *a, unsigned at, unsigned offset)
{
	const struct tunnelled b = following(a);
	const struct fdl_offload off = { .csum = FDL_CSUM_PARTIAL,
					 .csum_start = (uint16_t)at,
					 .csum_offset = (uint16_t)offset };
	const unsigned hdr_len = wrap_len(&a->w) + shape_hdr_len(&a->in);
	int count;

	batch_begin(ALL);
	prepare(a);
	batch_add_frame(batch.len[batch.n], 14, hdr_len, off, 1);
	prepare(&b);
	batch_add_frame(batch.len[batch.n], 14, hdr_len, off, 1);
	count = batch_next();
	while (batch_next())
		;
	return count;
}

/* What is left may be no checksum of a tunnel's headers at all. */
static void sums_of_other_headers(void **state)
{
	const struct tunnelled gre = first_of(GRE_CSUM, 4, 4, 6);
	const struct tunnelled key = first_of(GRE_KEY, 4, 4, 6);
	struct tunnelled t = first_of(VXLAN, 4, 4, 6);
	const unsigned l4 = wrap_l4(&t.w);

	(void)state;
	assert_int_equal(left_at(&t, l4, 6), 2);
	assert_int_equal(left_at(&gre, l4, 4), 2);
	assert_int_equal(left_at(&gre, l4, 6), 1);
	assert_int_equal(left_at(&key, l4, 4), 1);
	assert_int_equal(left_at(&t, l4 + 8, 6), 1);
	t.w.sum = false;
	assert_int_equal(left_at(&t, l4, 6), 1);
}

/* The wire vouches for one checksum, and there are two. */
static void one_that_is_vouched_for_is_not_the_inner_one(void **state)
{
	const struct fdl_offload valid = { .csum = FDL_CSUM_VALID };
	struct tunnelled t = first_of(VXLAN, 4, 4, 6);
	unsigned sum;
	int i;

	(void)state;
	for (sum = 0; sum < 2; sum++) {
		t.w.sum = sum;
		batch_begin(ALL);
		for (i = 0; i < 2; i++) {
			/* Payload that both sums cover. */
			prepare(&t)[wrap_len(&t.w) + shape_hdr_len(&t.in)] ^= 1;
			batch_add_frame(batch.len[batch.n], 14,
					wrap_len(&t.w) + shape_hdr_len(&t.in),
					valid, 1);
			t = following(&t);
		}
		assert_int_equal(batch_next(), sum ? 1 : 2);
		while (batch_next())
			;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_other_sum_is_verified),
		cmocka_unit_test(sums_of_other_headers),
		cmocka_unit_test(one_that_is_vouched_for_is_not_the_inner_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
