/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a device that is opened anew, and who takes which. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "kind/batch.h"
#include "kind/kind.h"

enum { QUEUES = 2 };

static const struct fanout fanout = { .how = FDL_FANOUT_HASH };
static int joined[QUEUES];
static unsigned joins;
static int failure;

static int open_files(const struct locator *loc, struct opened *opened,
		      const struct log *log)
{
	(void)log;
	if (failure)
		return failure;
	while (opened->n < loc->queues)
		opened->fd[opened->n++] = open("/dev/null", O_RDWR | O_CLOEXEC);
	opened->group = &fanout;
	return 0;
}

static int join(const int *fd, unsigned n, const struct fanout *how, bool muted,
		const char *name, const struct log *log)
{
	(void)name;
	(void)log;
	assert_int_equal(n, QUEUES);
	assert_ptr_equal(how, &fanout);
	assert_true(muted);
	joined[0] = fd[0];
	joined[1] = fd[1];
	joins++;
	return 0;
}

static const struct kind kind = { .open = open_files, .join = join };

struct bed {
	struct locator loc;
	struct log log;
	struct batch batch;
};

static void begin(struct bed *bed)
{
	*bed = (struct bed){ .loc = { .queues = QUEUES } };
	bed->batch = (struct batch){ .loc = &bed->loc,
				     .kind = &kind,
				     .log = &bed->log };
	joins = 0;
	failure = 0;
	assert_int_equal(batch_begin(&bed->batch), 0);
}

/* The queue has its file under a number of its own. */
static void take(struct bed *bed, unsigned queue, unsigned number)
{
	struct io_group *group;
	int fd = batch_take(&bed->batch, queue, &group);

	assert_true(fd >= 0);
	assert_null(group);
	assert_int_equal(bed->batch.number, number);
	close(fd);
}

static void each_queue_takes_its_file(void **state)
{
	struct bed bed;

	(void)state;
	begin(&bed);
	take(&bed, 1, 1);
	batch_settle(&bed.batch, 1, 101);
	assert_int_equal(joins, 0);
	take(&bed, 0, 1);
	batch_settle(&bed.batch, 0, 100);
	assert_int_equal(joins, 1);
	assert_int_equal(joined[0], 100);
	assert_int_equal(joined[1], 101);
	batch_end(&bed.batch);
}

/* Both queues have taken their files, and one does not have it in place yet. */
static void begin_with_one_late(struct bed *bed)
{
	begin(bed);
	take(bed, 0, 1);
	take(bed, 1, 1);
	batch_settle(&bed->batch, 1, 101);
}

/* The files of the second batch are those that are joined, 200 and 201, of
 * which 201 has been taken. */
static void end_with_the_second(struct bed *bed)
{
	batch_settle(&bed->batch, 1, 201);
	assert_int_equal(joins, 0);
	take(bed, 0, 2);
	batch_settle(&bed->batch, 0, 200);
	assert_int_equal(joins, 1);
	assert_int_equal(joined[0], 200);
	assert_int_equal(joined[1], 201);
	batch_end(&bed->batch);
}

/* The device goes again while one queue puts its file in place. That file is in
 * no batch any more. */
static void a_file_of_a_former_batch_joins_nothing(void **state)
{
	struct bed bed;

	(void)state;
	begin_with_one_late(&bed);
	take(&bed, 1, 2);
	batch_settle(&bed.batch, 0, 100);
	end_with_the_second(&bed);
}

/* There is no device when the queue has its file in place. */
static void a_file_without_a_batch_joins_nothing(void **state)
{
	struct io_group *group;
	struct bed bed;

	(void)state;
	begin_with_one_late(&bed);
	failure = -ENODEV;
	assert_int_equal(batch_take(&bed.batch, 1, &group), -ENODEV);
	batch_settle(&bed.batch, 0, 100);
	failure = 0;
	take(&bed, 1, 2);
	end_with_the_second(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_queue_takes_its_file),
		cmocka_unit_test(a_file_of_a_former_batch_joins_nothing),
		cmocka_unit_test(a_file_without_a_batch_joins_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
