/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is written to while it is taken over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "os.h"

static int move_amid_writes(void *from, size_t len, void *to);

#define os_move_map move_amid_writes
#include "io/takeover.c"
#undef os_move_map

enum { SIZE = 1 << 16, WORDS = SIZE / sizeof(uint64_t) };

static uint64_t *owned;
static int refusal;

/* The owner writes behind the copy, and behind the move. */
static int move_amid_writes(void *from, size_t len, void *to)
{
	int err;

	owned[1] = 11;
	owned[2] = 12;
	owned[WORDS - 1] = 13;
	err = refusal ? refusal : os_move_map(from, len, to);
	owned[2] = 22;
	owned[3] = 23;
	return err;
}

/* Returns the other mapping of it. */
static uint64_t *make(int *fd)
{
	void *alias;
	unsigned i;

	*fd = memfd_create("block", MFD_CLOEXEC);
	assert_true(*fd >= 0);
	assert_int_equal(ftruncate(*fd, SIZE), 0);
	owned = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	alias = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	assert_true(owned != MAP_FAILED && alias != MAP_FAILED);
	for (i = 0; i < WORDS; i++)
		owned[i] = i;
	return alias;
}

static void expect_all_writes(void)
{
	unsigned i;

	assert_int_equal(owned[1], 11);
	assert_int_equal(owned[2], 22);
	assert_int_equal(owned[3], 23);
	assert_int_equal(owned[WORDS - 1], 13);
	for (i = 4; i < WORDS - 1; i++)
		assert_int_equal(owned[i], i);
}

static void what_is_written_meanwhile_is_kept(void **state)
{
	uint64_t *alias;
	int fd;

	(void)state;
	refusal = 0;
	alias = make(&fd);
	takeover((uint8_t *)owned, (const uint8_t *)alias, SIZE);
	expect_all_writes();
	/* It is nobody else's any more. */
	alias[5] = 55;
	assert_int_equal(owned[5], 5);
	munmap(alias, SIZE);
	munmap(owned, SIZE);
	close(fd);
}

static void without_a_move_all_stays(void **state)
{
	uint64_t *alias;
	int fd;

	(void)state;
	refusal = -12;
	alias = make(&fd);
	takeover((uint8_t *)owned, (const uint8_t *)alias, SIZE);
	expect_all_writes();
	assert_memory_equal(alias, owned, SIZE);
	munmap(alias, SIZE);
	munmap(owned, SIZE);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_meanwhile_is_kept),
		cmocka_unit_test(without_a_move_all_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
