/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "run_bed.h"

/* Add a packet with so many bytes of payload. */
static int put(struct fdl_run *run, unsigned payload)
{
	struct fdl_segmenter s;
	struct shape shape = tcp;
	struct iovec iov;

	shape.payload = payload;
	start(&s, &iov, super, build(super, &shape), &shape, 0);
	return fdl_segment_run(&s, run);
}

static void packets_share_a_run(void **state)
{
	struct fdl_run run = empty_run(16, 16);
	int i;

	(void)state;
	for (i = 0; i < 64; i++)
		assert_int_equal(put(&run, 48), 0);
	assert_int_equal(run.size, 100 + 32);
	assert_int_equal(run.count, 64);
	assert_int_equal(run.len, 64 * 132);
	assert_int_equal(put(&run, 48), 1);
	assert_int_equal(run.len, 64 * 132);
	run.len = 0;
	assert_int_equal(put(&run, 48), 0);
	assert_int_equal(run.count, 1);
}

static void only_the_last_is_shorter(void **state)
{
	struct fdl_run run = empty_run(16, 16);

	(void)state;
	assert_int_equal(put(&run, 1000), 0);
	assert_int_equal(put(&run, 1001), 1);
	assert_int_equal(put(&run, 1000), 0);
	assert_int_equal(put(&run, 1), 0);
	assert_int_equal(run.count, 3);
	assert_int_equal(put(&run, 1), 1);
	assert_int_equal(put(&run, 1000), 1);
	assert_int_equal(run.count, 3);
	assert_int_equal(run.size, 1000 + 52 + 32);
	assert_int_equal(run.len, 2 * run.size + 1 + 52 + 32);
}

/* As a cipher pads that works in blocks. */
static void the_last_may_be_made_longer(void **state)
{
	struct fdl_run run = empty_run(16, 20);

	(void)state;
	assert_int_equal(put(&run, 1000), 0);
	assert_int_equal(put(&run, 7), 0);
	run.len += 9;
	assert_int_equal(put(&run, 7), 1);
	fdl_coalesce_init(&batch, FDL_COALESCE_TCP, 0, 0);
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 2), 2);
	assert_true(fdl_coalesce_next(&batch, &out));
	assert_int_equal(out.len, 52 + 1000);
	assert_true(fdl_coalesce_next(&batch, &out));
	assert_int_equal(out.len, 52 + 7);
}

static void a_run_has_its_limits(void **state)
{
	struct fdl_run run = empty_run(1000, 500);

	(void)state;
	/* of the kernel */
	assert_int_equal(put(&run, 65507 - 1500 - 52 + 1), -EMSGSIZE);
	assert_int_equal(run.len, 0);
	assert_int_equal(put(&run, 65507 - 1500 - 52), 0);
	assert_int_equal(run.len, 65507);
	assert_int_equal(put(&run, 1), 1);
	/* of the buffer */
	run = empty_run(0, 0);
	run.room = 2 * 1052 + 99;
	assert_int_equal(put(&run, 1000), 0);
	assert_int_equal(put(&run, 1000), 0);
	assert_int_equal(put(&run, 1000), 1);
	assert_int_equal(put(&run, 100 - 52), 1);
	assert_int_equal(put(&run, 99 - 52), 0);
	assert_int_equal(run.len, run.room);
	run.len = 0;
	run.room = 1051;
	assert_int_equal(put(&run, 1000), -EMSGSIZE);
	run.room = 0;
	assert_int_equal(put(&run, 0), -EMSGSIZE);
	/* of what 16 bits can say */
	run = empty_run(65535, 65535);
	assert_int_equal(put(&run, 1000), -EMSGSIZE);
	is_untouched(buf, sizeof(buf));
}

/* A run of three segments of 1000 bytes, and one of 100. */
static struct fdl_run run_of_four(void)
{
	struct fdl_run run = empty_run(16, 16);
	struct fdl_segmenter s;
	struct shape shape = tcp;
	struct iovec iov;

	shape.payload = 3100;
	start(&s, &iov, super, build(super, &shape), &shape, 1000);
	assert_int_equal(fdl_segment_run(&s, &run), 0);
	assert_int_equal(run.count, 4);
	fdl_coalesce_init(&batch, FDL_COALESCE_TCP | FDL_COALESCE_UDP, 0, 0);
	return run;
}

/* Of how many packets each is that comes out, in decimals. */
static int counts(void)
{
	int n = 0;

	while (fdl_coalesce_next(&batch, &out))
		n = n * 10 + out.count;
	return n;
}

static uint8_t *packet_of(const struct fdl_run *run, int i)
{
	return run->buf + (uint32_t)i * run->size + run->head;
}

static void strangers_are_left_out(void **state)
{
	static const struct {
		int at;
		uint8_t value;
	} damage[] = {
		{ 0, 0x00 },		/* of no version */
		{ 0, 0x55 },
		{ 0, 0x44 },		/* a header of 16 bytes */
		{ 2, 0x04 },		/* longer: 1053 bytes */
	};
	struct fdl_run run;
	unsigned i;

	(void)state;
	for (i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
		run = run_of_four();
		packet_of(&run, 1)[damage[i].at] = damage[i].value;
		if (damage[i].at == 2)
			packet_of(&run, 1)[3] = 0x1d;
		assert_int_equal(
			fdl_coalesce_run(&batch, &run, NULL, packets, 4), 3);
		assert_int_equal(counts(), 12);
	}
	/* shorter than its own header */
	run = run_of_four();
	packet_of(&run, 1)[2] = 0;
	packet_of(&run, 1)[3] = 19;
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 4), 3);
	/* a wrong sum is passed on, and not merged */
	run = run_of_four();
	packet_of(&run, 1)[100]++;
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 4), 4);
	assert_int_equal(counts(), 112);
	/* but where the peer answers for it */
	run = run_of_four();
	run.csum = FDL_CSUM_VALID;
	packet_of(&run, 1)[100]++;
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 4), 4);
	assert_int_equal(counts(), 4);
	/* Nobody says "partial" about a packet of a stranger. */
	run = run_of_four();
	run.csum = FDL_CSUM_PARTIAL;
	packet_of(&run, 1)[100]++;
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 4), 4);
	assert_int_equal(counts(), 112);
}

static void what_decrypting_left_is_taken(void **state)
{
	uint16_t lens[] = { 1052, 0, 65535, 51 };
	struct fdl_run run = run_of_four();

	(void)state;
	/* the second is forged, the last is cut off */
	assert_int_equal(fdl_coalesce_run(&batch, &run, lens, packets, 4), 2);
	assert_int_equal(counts(), 11);
	lens[1] = 1052;
	lens[3] = 152;
	run = run_of_four();
	assert_int_equal(fdl_coalesce_run(&batch, &run, lens, packets, 4), 4);
	assert_int_equal(counts(), 4);
}

static void any_length_is_safe(void **state)
{
	struct fdl_run run;
	uint32_t len;

	(void)state;
	/* the last datagram is cut off anywhere */
	for (len = 0; len < 4 * 1084; len++) {
		run = run_of_four();
		run.buf = malloc(len ? len : 1);
		assert_non_null(run.buf);
		run.len = len < run.len ? len : run.len;
		memcpy(run.buf, buf, run.len);
		assert_in_range(
			fdl_coalesce_run(&batch, &run, NULL, packets, 4),
			run.len / run.size, 4);
		counts();
		free(run.buf);
	}
	run = run_of_four();
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 3),
			 -EMSGSIZE);
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, -1),
			 -EMSGSIZE);
	assert_int_equal(counts(), 0);
	run.len = 0;
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 0), 0);
	/* no UDP_GRO */
	run = run_of_four();
	run.len = run.size;
	run.size = 0;
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 1), 1);
	assert_int_equal(counts(), 1);
	run.len = 0;
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 1), 0);
	/* nothing but the caller's own bytes */
	run = run_of_four();
	run.head = run.size;
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 4), 0);
	run.head = 65535;
	run.tail = 65535;
	assert_int_equal(fdl_coalesce_run(&batch, &run, NULL, packets, 4), 0);
}

/* Each frame has the link header that it has. */
static void frames_have_tags_or_not(void **state)
{
	struct fdl_run run;
	struct shape shape = tcp;
	int i;

	(void)state;
	for (i = 0; i < 3; i++) {
		run = empty_run(4, 4);
		shape.link_len = 14 + 4 * (unsigned)i;
		shape.payload = 100;
		shape.partial = false;
		run.len = 8 + (uint32_t)build(buf + 4, &shape);
		run.link_len = 14;
		fdl_coalesce_init(&batch, FDL_COALESCE_TCP, 0, 0);
		assert_int_equal(
			fdl_coalesce_run(&batch, &run, NULL, packets, 1), 1);
		assert_int_equal(packets[0].packet.link_len, shape.link_len);
		assert_true(fdl_coalesce_next(&batch, &out));
		assert_int_equal(out.len, run.len - 8);
		run.len = 8 + shape.link_len - 1;
		assert_int_equal(
			fdl_coalesce_run(&batch, &run, NULL, packets, 1), 0);
	}
}

/* The last datagram of all that a length can tell begins close to its end. */
static void the_longest_run_has_an_end(void **state)
{
	const int n = 65539;
	struct fdl_run run = { .buf = super, .len = UINT32_MAX, .size = 65534 };
	struct fdl_run_packet *v;
	uint16_t *lens;

	(void)state;
	if (sizeof(size_t) == sizeof(uint32_t))
		skip();
	v = calloc((size_t)n, sizeof(*v));
	lens = calloc((size_t)n, sizeof(*lens));
	assert_non_null(v);
	assert_non_null(lens);
	fdl_coalesce_init(&batch, FDL_COALESCE_TCP, 0, 0);
	assert_int_equal(fdl_coalesce_run(&batch, &run, lens, v, n - 1),
			 -EMSGSIZE);
	assert_int_equal(fdl_coalesce_run(&batch, &run, lens, v, n), 0);
	free(lens);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_share_a_run),
		cmocka_unit_test(only_the_last_is_shorter),
		cmocka_unit_test(the_last_may_be_made_longer),
		cmocka_unit_test(a_run_has_its_limits),
		cmocka_unit_test(strangers_are_left_out),
		cmocka_unit_test(what_decrypting_left_is_taken),
		cmocka_unit_test(any_length_is_safe),
		cmocka_unit_test(the_longest_run_has_an_end),
		cmocka_unit_test(frames_have_tags_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
