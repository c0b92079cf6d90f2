/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "recut.h"
#include "run_bed.h"

static uint32_t datagram_len(const struct fdl_run *run, int i)
{
	const uint32_t left = run->len - (uint32_t)i * run->size;

	return left < run->size ? left : run->size;
}

/* The run is one that the kernel takes, and has the next segments of s. */
static void holds(const struct fdl_run *run, struct fdl_segmenter *s)
{
	static uint8_t want[ROOM];
	const uint8_t *at = run->buf;
	uint32_t n;
	int i;

	assert_true(run->count >= 1 && run->count <= 64);
	assert_true(run->len <= 65507 && run->len <= run->room);
	assert_true(run->len > (run->count - 1u) * run->size);
	assert_true(run->len <= (uint32_t)run->count * run->size);
	for (i = 0; i < run->count; i++, at += n) {
		n = datagram_len(run, i);
		assert_int_equal(fdl_segment_next(s, want, sizeof(want), NULL),
				 n - run->head - run->tail);
		is_untouched(at, run->head);
		assert_memory_equal(at + run->head, want,
				    n - run->head - run->tail);
		is_untouched(at + n - run->tail, run->tail);
	}
	is_untouched(run->buf + run->len, ROOM - run->len);
}

/* Take the batch out, cut what comes out again, and compare with the segments
 * of s. Returns how many packets came out. */
static int comes_back(struct fdl_segmenter *s, const struct shape *shape)
{
	static uint8_t merged[ROOM], want[ROOM], got[ROOM];
	struct iovec iov = { merged, 0 };
	struct fdl_segmenter again;
	size_t len;
	int n = 0;

	for (; fdl_coalesce_next(&batch, &out); n++) {
		fdl_coalesced_copy(&out, merged, sizeof(merged));
		iov.iov_len = out.len;
		assert_int_equal(fdl_segment_start(&again, &iov, 1,
						   shape->link_len, &out.off,
						   0),
				 FDL_REFUSE_NONE);
		while ((len = fdl_segment_len(&again))) {
			fdl_segment_next(&again, got, len, NULL);
			assert_int_equal(
				fdl_segment_next(s, want, sizeof(want), NULL),
				len);
			assert_true(
				recut_is(want, got, len, shape->link_len, 0));
			assert_true(checksums_right(got, len, shape));
		}
	}
	return n;
}

static void there_and_back(struct rng *r)
{
	struct shape shape = random_shape(r);
	struct fdl_run run = empty_run((uint16_t)rnd(r, 64),
				       (uint16_t)rnd(r, 64));
	struct fdl_segmenter s, cut, back;
	struct iovec iov[3];
	const unsigned mss = 8 + rnd(r, 2000);
	unsigned max = 65535 - 22 - 256;
	int full, runs = 0;
	size_t len;

	shape.link_len = rnd(r, 2) ? 0 : shape.link_len;
	shape.df = true;
	if (shape.proto == 17 && max > mss * 128)
		max = mss * 128;
	shape.payload = mss + 1 + rnd(r, max - mss);
	run.link_len = shape.link_len ? 14 : 0;
	run.csum = rnd(r, 2) ? FDL_CSUM_VALID : FDL_CSUM_NONE;
	len = build(super, &shape);
	start(&s, &iov[0], super, len, &shape, mss);
	start(&cut, &iov[1], super, len, &shape, mss);
	start(&back, &iov[2], super, len, &shape, mss);
	do {
		full = fdl_segment_run(&s, &run);
		assert_true(full == 0 || full == 1);
		holds(&run, &cut);
		fdl_coalesce_init(&batch, FDL_COALESCE_TCP | FDL_COALESCE_UDP,
				  0, 0);
		assert_int_equal(
			fdl_coalesce_run(&batch, &run, NULL, packets, MAX),
			run.count);
		assert_int_equal(comes_back(&back, &shape), 1);
		run.len = 0;
		memset(buf, UNTOUCHED, sizeof(buf));
		runs++;
	} while (full);
	assert_int_equal(fdl_segment_len(&s), 0);
	assert_int_equal(fdl_segment_len(&cut), 0);
	assert_int_equal(fdl_segment_len(&back), 0);
	assert_true(shape.payload / mss < 64 || runs > 1);
}

static void each_byte_comes_back(void **state)
{
	struct rng r = seeded("run");
	int i;

	(void)state;
	for (i = 0; i < 300; i++)
		there_and_back(&r);
}

static void runs_share_a_batch(void **state)
{
	static struct fdl_run_packet more[64];
	static uint8_t first[ROOM];
	struct fdl_run run = empty_run(0, 0), before;
	struct fdl_segmenter s, whole;
	struct shape shape = tcp;
	struct iovec iov[2];
	size_t len;

	(void)state;
	shape.payload = 65 * 100;
	len = build(super, &shape);
	start(&s, &iov[0], super, len, &shape, 100);
	start(&whole, &iov[1], super, len, &shape, 100);
	fdl_coalesce_init(&batch, FDL_COALESCE_TCP, 0, 0);
	assert_int_equal(fdl_segment_run(&s, &run), 1);
	memcpy(first, buf, run.len);
	before = run;
	before.buf = first;
	run.len = 0;
	assert_int_equal(fdl_segment_run(&s, &run), 0);
	assert_int_equal(fdl_coalesce_run(&batch, &before, NULL, more, 64), 64);
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 64), 1);
	assert_int_equal(comes_back(&whole, &shape), 1);
	assert_int_equal(out.count, 65);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_comes_back),
		cmocka_unit_test(runs_share_a_batch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
