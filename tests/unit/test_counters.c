/* SPDX-License-Identifier: Apache-2.0 */
/* Each counter has one number, one name and one field, and they belong
 * together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/fdlink.h>

#include "endpoint.h"

#define ROW(number, field) \
	{ number, #number, #field, offsetof(struct fdl_stats, field) },
static const struct {
	enum counter number;
	const char *word, *field;
	size_t offset;
} rows[] = { EACH_COUNTER(ROW) };

static uint64_t at(const struct fdl_stats *st, size_t offset)
{
	return *(const uint64_t *)(const void *)((const char *)st + offset);
}

static void names_are_the_fields(void **state)
{
	struct fdl_stats st;
	unsigned i;

	(void)state;
	for (i = 0; i < COUNTERS; i++)
		((uint64_t *)&st)[i] = i + 1000;
	for (i = 0; i < COUNTERS; i++) {
		assert_int_equal(strcasecmp(rows[i].word, rows[i].field), 0);
		assert_string_equal(fdl_stats_name(i), rows[i].field);
		assert_int_equal(fdl_stats_value(&st, i),
				 at(&st, rows[i].offset));
	}
	assert_null(fdl_stats_name(COUNTERS));
}

/* What the library counts under a number is read from that field. */
static void numbers_are_the_fields(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_stats st;
	int fds[2];
	unsigned i;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(fdl_endpoint_new(&ep, fds, 1, NULL), 0);
	for (i = 0; i < COUNTERS; i++)
		count(&ep->queues[0].counters, rows[i].number, i + 1000);
	assert_int_equal(fdl_get_stats(ep, &st, sizeof(st)), 0);
	for (i = 0; i < COUNTERS; i++)
		assert_int_equal(at(&st, rows[i].offset), i + 1000);
	assert_int_equal(fdl_endpoint_free(ep), 0);
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_the_fields),
		cmocka_unit_test(numbers_are_the_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
