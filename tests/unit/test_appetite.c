/* SPDX-License-Identifier: Apache-2.0 */
/* How often a mode that reads packets one by one asks for a second one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/io.h"
#include "rx/appetite.h"

enum {
	ROOM = 64,		/* of the caller */
	PINGS = 1000,
	SHORT = 64,
	LONG = 20000,
};

static const struct io_ops one_by_one = { .one_by_one = true };

struct bed {
	struct shared shared;
	struct rx rx;
};

static void open_bed(struct bed *b)
{
	*b = (struct bed){ .shared.opts.batch = ROOM };
	b->rx.shared = &b->shared;
	b->rx.ops = &one_by_one;
}

/* There are so many packets, of len bytes. Returns how many were asked for. */
static int call(struct bed *b, int there, size_t len)
{
	const int asked = appetite_now(&b->rx, ROOM);
	const int got = asked < there ? asked : there;

	b->rx.frame[got - 1].wire_len = len;
	appetite_note(&b->rx, ROOM, got, true);
	return asked;
}

/* Of calls that find one packet each. */
static unsigned calls_in_vain(struct bed *b, unsigned calls)
{
	unsigned vain = 0;

	while (calls-- > 0)
		vain += call(b, 1, SHORT) > 1;
	return vain;
}

static void packets_alone_are_seldom_asked_for_company(void **state)
{
	struct bed b;

	(void)state;
	open_bed(&b);
	assert_in_range(calls_in_vain(&b, PINGS), 1, PINGS / 40);
	/* It goes on for ever. */
	assert_in_range(calls_in_vain(&b, PINGS), PINGS / 65, PINGS / 40);
}

static void company_is_found_in_the_end(void **state)
{
	struct bed b;
	int i = 0;

	(void)state;
	open_bed(&b);
	calls_in_vain(&b, PINGS);
	while (call(&b, ROOM, SHORT) == 1)
		assert_in_range(++i, 1, ROOM);
	assert_int_equal(call(&b, ROOM, SHORT), ROOM);
}

/* More of them in one call would not stay in the cache. */
static void of_long_frames_a_few_are_asked_for(void **state)
{
	struct bed b;

	(void)state;
	open_bed(&b);
	assert_int_equal(call(&b, ROOM, LONG), ROOM);
	assert_in_range(call(&b, ROOM, SHORT), 2, ROOM / 4);
	assert_int_equal(call(&b, ROOM, SHORT), ROOM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_alone_are_seldom_asked_for_company),
		cmocka_unit_test(company_is_found_in_the_end),
		cmocka_unit_test(of_long_frames_a_few_are_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
