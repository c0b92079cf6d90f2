/* SPDX-License-Identifier: Apache-2.0 */
/* ENOBUFS that passes, and ENOBUFS that never does: a frame costs at most
 * itself, and a full queue is waited for. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tx_bed.h"

enum { FRAMES = 10, LEN = 100, FORBIDDEN = 3, SEGMENTS = 8, MSS = 1000 };

static struct bed bed;
static uint8_t bytes[FRAMES][LEN];
static struct iovec piece[FRAMES];
static struct frame frame[FRAMES];
static const struct frames all = { .f = frame };

static void set_up(uint32_t tx_wait_ms)
{
	unsigned i;

	for (i = 0; i < FRAMES; i++) {
		memset(bytes[i], (int)i, LEN);
		piece[i] = (struct iovec){ bytes[i], LEN };
		frame[i] = (struct frame){ .iov = &piece[i],
					   .cnt = 1,
					   .weight = 1 };
	}
	bed.shared.opts = (struct fdl_options){ .flags = FDL_ETHERNET,
						.tx_wait_ms = tx_wait_ms };
	bed_open(&bed, FDL_KIND_PACKET, 0);
}

static int forbid_one(const uint8_t *f, size_t len)
{
	return len == LEN && f[0] == FORBIDDEN ? ENOBUFS : 0;
}

/* Full for 80 ms each time that it took a frame: a slow device. */
static int64_t room_at_ms;

static int slow(const uint8_t *f, size_t len)
{
	(void)f;
	(void)len;
	if (wire.now_ms < room_at_ms)
		return ENOBUFS;
	room_at_ms = wire.now_ms + 80;
	return 0;
}

static int keep(int k)
{
	const struct verdict *why;

	return tx_put_keeping(&bed.tx, (struct frames){ .f = frame + k },
			      FRAMES - k, &why);
}

/* Returns how many tries it took till something went. */
static unsigned try_until(int *k, int64_t step_ms)
{
	unsigned tries = 0;
	int gone = 0;

	while (gone == 0) {
		assert_true(++tries < 1000);
		wire.now_ms += step_ms;
		gone = keep(*k);
	}
	*k += gone;
	return tries;
}

static void one_that_never_goes_is_given_up(int64_t step_ms, unsigned tries)
{
	int k;

	set_up(0);
	wire.refuses = forbid_one;
	k = keep(0);
	assert_int_equal(k, FORBIDDEN);
	/* What is behind it goes in the same call. */
	assert_int_equal(try_until(&k, step_ms), tries);
	assert_int_equal(k, FRAMES);
	assert_int_equal(wire.n, FRAMES - 1);
	assert_int_equal(wire.took[FORBIDDEN].bytes[0], FORBIDDEN + 1);
	assert_int_equal(bed_count(&bed, TX_DROP_REFUSED), 1);
	assert_int_equal(bed_count(&bed, TX_DROP_NO_ROOM), 0);
	assert_int_equal(bed.tx.refused, -ENOBUFS);
	assert_non_null(atomic_load(&bed.shared.last_error));
	bed_close(&bed);
}

static void after_100_ms_or_64_tries(void **state)
{
	(void)state;
	one_that_never_goes_is_given_up(10, 10);
	one_that_never_goes_is_given_up(1000, 1);
	one_that_never_goes_is_given_up(1, 63);
}

/* Of three that are forbidden only the first one takes its time. */
static int forbid_every_third(const uint8_t *f, size_t len)
{
	(void)len;
	return f[0] % 3 == 2 ? ENOBUFS : 0;
}

static void later_ones_are_overtaken(void **state)
{
	int k;

	(void)state;
	set_up(0);
	wire.refuses = forbid_every_third;
	k = keep(0);
	assert_int_equal(k, 2);
	assert_int_equal(try_until(&k, 10), 10);
	assert_int_equal(k, FRAMES);
	assert_int_equal(wire.n, FRAMES - FRAMES / 3);
	assert_int_equal(bed_count(&bed, TX_DROP_REFUSED), FRAMES / 3);
	/* Full is another matter. */
	wire.refuses = slow;
	room_at_ms = wire.now_ms + 50;
	assert_int_equal(keep(0), 0);
	wire.now_ms = room_at_ms;
	assert_int_equal(keep(0), 1);
	bed_close(&bed);
}

static void a_loop_gives_a_queue_no_time(void **state)
{
	int i;

	(void)state;
	set_up(0);
	wire.refuses = slow;
	room_at_ms = wire.now_ms + 50;
	for (i = 0; i < 10000; i++)
		assert_int_equal(keep(0), 0);
	wire.now_ms = room_at_ms;
	assert_int_equal(keep(0), 1);
	assert_int_equal(bed_count(&bed, TX_DROP_REFUSED), 0);
	bed_close(&bed);
}

static int no_memory(const uint8_t *f, size_t len)
{
	(void)f;
	(void)len;
	return wire.now_ms / 60 % 2 ? ENOMEM : ENOBUFS;
}

static void another_reason_is_another_beginning(void **state)
{
	unsigned i;

	(void)state;
	set_up(0);
	wire.refuses = no_memory;
	for (i = 0; i < 100; i++, wire.now_ms += 30)
		assert_int_equal(keep(0), 0);
	bed_close(&bed);
}

static void a_full_fd_is_no_refusal(void **state)
{
	unsigned i;

	(void)state;
	set_up(0);
	wire.full = true;
	for (i = 0; i < 200; i++, wire.now_ms += 10)
		assert_int_equal(keep(0), 0);
	wire.full = false;
	assert_int_equal(keep(0), FRAMES);
	assert_int_equal(wire.n, FRAMES);
	bed_close(&bed);
}

static void a_slow_device_is_waited_for(void **state)
{
	const struct verdict *why;

	(void)state;
	set_up(3000);
	wire.refuses = slow;
	room_at_ms = 0;
	assert_int_equal(tx_put_all(&bed.tx, all, FRAMES, &why), FRAMES);
	assert_null(why);
	assert_int_equal(wire.n, FRAMES);
	assert_int_equal(bed.tx.refused, 0);
	bed_close(&bed);
}

static void a_write_does_not_wait_all_its_time(void **state)
{
	const struct verdict *why;

	(void)state;
	set_up(3000);
	wire.refuses = forbid_one;
	assert_int_equal(tx_put_all(&bed.tx, all, FRAMES, &why), FRAMES);
	assert_true(wire.now_ms < 200);
	assert_int_equal(wire.n, FRAMES - 1);
	assert_int_equal(bed_count(&bed, TX_DROP_REFUSED), 1);
	bed_close(&bed);
}

static void a_batch_loses_one_without_waiting(void **state)
{
	const struct verdict *why;

	(void)state;
	set_up(0);
	wire.refuses = forbid_one;
	assert_int_equal(tx_put_all(&bed.tx, all, FRAMES, &why), FRAMES);
	assert_null(why);
	assert_int_equal(wire.now_ms, 1);
	assert_int_equal(wire.n, FRAMES - 1);
	assert_int_equal(bed_count(&bed, TX_DROP_NO_ROOM), 1);
	bed_close(&bed);
}

static void a_batch_in_too_little_time_loses_one(void **state)
{
	const struct verdict *why;

	(void)state;
	set_up(20);
	wire.refuses = forbid_one;
	assert_int_equal(tx_put_all(&bed.tx, all, FRAMES, &why), FRAMES);
	assert_int_equal(wire.n, FRAMES - 1);
	assert_int_equal(bed_count(&bed, TX_DROP_NO_ROOM), 1);
	bed_close(&bed);
}

static void a_full_socket_is_not_asked_for_each(void **state)
{
	const struct verdict *why;

	(void)state;
	set_up(0);
	wire.slots = 4;
	assert_int_equal(tx_put_all(&bed.tx, all, FRAMES, &why), FRAMES);
	assert_true(wire.asked <= 6);
	assert_int_equal(bed_count(&bed, TX_DROP_NO_ROOM), FRAMES - 4);
	bed_close(&bed);
}

static bool forbidden;

static int forbid_long(const uint8_t *f, size_t len)
{
	(void)f;
	return forbidden && len > LEN ? ENOBUFS : 0;
}

/* Two segments of it went, and the rest is kept. */
static void leave_a_rest(void)
{
	static uint8_t buf[SEGMENTS * MSS + 100];
	const struct shape s = { .link_len = 14,
				 .version = 4,
				 .proto = 6,
				 .payload = SEGMENTS * MSS,
				 .ttl = 9,
				 .flags = 0x10,
				 .partial = true };
	const struct fdl_offload off = shape_offload(&s, MSS);
	const struct iovec iov = { buf, build(buf, &s) };
	const struct frame f = {
		.iov = &iov, .cnt = 1, .weight = 1, .off = &off
	};
	const struct verdict *why;

	wire.slots = 2;
	assert_int_equal(
		tx_put_keeping(&bed.tx, (struct frames){ .f = &f }, 1, &why),
		1);
	assert_non_null(why);
	wire.slots = 0;
	wire.refuses = forbid_long;
	forbidden = true;
}

static void a_rest_that_never_goes_is_given_up(void **state)
{
	int k = 0;

	(void)state;
	set_up(0);
	leave_a_rest();
	assert_true(try_until(&k, 10) > 1);
	assert_int_equal(k, FRAMES);
	assert_int_equal(bed_count(&bed, TX_DROP_REFUSED), SEGMENTS - 2);
	assert_int_equal(bed_count(&bed, TX_SEGMENTS), SEGMENTS);
	bed_close(&bed);
}

/* Who drops for lack of room drops what is his, and nothing of a sender's who
 * does not. */
static void the_rest_of_another_stays(void **state)
{
	const struct verdict *why;

	(void)state;
	set_up(0);
	leave_a_rest();
	assert_int_equal(tx_put_all(&bed.tx, all, FRAMES, &why), FRAMES);
	assert_int_equal(bed_count(&bed, TX_DROP_NO_ROOM), FRAMES);
	assert_int_equal(bed_count(&bed, TX_DROP_REFUSED), 0);
	forbidden = false;
	assert_int_equal(keep(0), FRAMES);
	assert_int_equal(wire.n, SEGMENTS + FRAMES);
	bed_close(&bed);
}

static void the_rest_of_another_is_given_up_by_who_waits(void **state)
{
	const struct verdict *why;

	(void)state;
	set_up(3000);
	leave_a_rest();
	assert_int_equal(tx_put_all(&bed.tx, all, FRAMES, &why), FRAMES);
	assert_true(wire.now_ms < 200);
	assert_int_equal(wire.n, 2 + FRAMES);
	assert_int_equal(bed_count(&bed, TX_DROP_REFUSED), SEGMENTS - 2);
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_100_ms_or_64_tries),
		cmocka_unit_test(later_ones_are_overtaken),
		cmocka_unit_test(a_loop_gives_a_queue_no_time),
		cmocka_unit_test(another_reason_is_another_beginning),
		cmocka_unit_test(a_full_fd_is_no_refusal),
		cmocka_unit_test(a_slow_device_is_waited_for),
		cmocka_unit_test(a_write_does_not_wait_all_its_time),
		cmocka_unit_test(a_batch_loses_one_without_waiting),
		cmocka_unit_test(a_batch_in_too_little_time_loses_one),
		cmocka_unit_test(a_full_socket_is_not_asked_for_each),
		cmocka_unit_test(a_rest_that_never_goes_is_given_up),
		cmocka_unit_test(the_rest_of_another_stays),
		cmocka_unit_test(the_rest_of_another_is_given_up_by_who_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
