/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that is written to while it is taken over. */
#include <errno.h>
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
static int map_amid_writes(int fd, size_t len, void *to);
static int file_or_refusal(void);

#define os_move_map move_amid_writes
#define os_map_over map_amid_writes
#define os_memory_file file_or_refusal
#include "io/takeover.c"
#undef os_move_map
#undef os_map_over
#undef os_memory_file

enum { SIZE = 1 << 16, WORDS = SIZE / sizeof(uint64_t) };

/* The second of two blocks. */
static uint64_t *owned;
static int no_move, no_file, no_map;

static void write_behind_the_copy(void)
{
	owned[1] = 11;
	owned[2] = 12;
	owned[WORDS - 1] = 13;
}

static void write_behind_the_move(void)
{
	owned[2] = 22;
	owned[3] = 23;
}

static int move_amid_writes(void *from, size_t len, void *to)
{
	int err;

	if (no_move)
		return no_move;
	write_behind_the_copy();
	err = os_move_map(from, len, to);
	write_behind_the_move();
	return err;
}

static int map_amid_writes(int fd, size_t len, void *to)
{
	int err;

	write_behind_the_copy();
	err = no_map ? no_map : os_map_over(fd, len, to);
	write_behind_the_move();
	return err;
}

static int file_or_refusal(void)
{
	return no_file ? no_file : os_memory_file();
}

/* Returns the other mapping of it. */
static uint64_t *make(int *fd)
{
	uint64_t *mem, *alias;
	unsigned i;

	*fd = memfd_create("block", MFD_CLOEXEC);
	assert_true(*fd >= 0);
	assert_int_equal(ftruncate(*fd, 2 * SIZE), 0);
	mem = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	alias = mmap(NULL, 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, *fd,
		     0);
	assert_true(mem != MAP_FAILED && alias != MAP_FAILED);
	owned = mem + WORDS;
	for (i = 0; i < WORDS; i++)
		owned[i] = i;
	return alias + WORDS;
}

static void free_all(uint64_t *alias, int fd)
{
	munmap(alias - WORDS, 2 * SIZE);
	munmap(owned - WORDS, 2 * SIZE);
	close(fd);
}

/* With all of its own gone again. */
static void take_over(int fd)
{
	struct takeover t;

	assert_int_equal(takeover_open(&t, fd, 2, SIZE), 0);
	takeover_begin(&t);
	takeover_block(&t, (uint8_t *)(owned - WORDS), 1);
	takeover_close(&t);
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

static void expect_kept(int move, int file)
{
	uint64_t *alias;
	int fd;

	no_move = move;
	no_file = file;
	no_map = 0;
	alias = make(&fd);
	take_over(fd);
	expect_all_writes();
	/* It is nobody else's any more. */
	alias[5] = 55;
	assert_int_equal(owned[5], 5);
	free_all(alias, fd);
}

static void what_is_written_meanwhile_is_kept(void **state)
{
	(void)state;
	expect_kept(0, 0);
}

/* It takes a file then. */
static void where_nothing_is_moved_it_is_taken_over_too(void **state)
{
	(void)state;
	expect_kept(-ENOMEM, 0);
}

static void expect_the_same(int file, int map)
{
	uint64_t *alias;
	int fd;

	no_move = -ENOMEM;
	no_file = file;
	no_map = map;
	alias = make(&fd);
	take_over(fd);
	alias[5] = 55;
	assert_int_equal(owned[5], 55);
	free_all(alias, fd);
}

static void without_a_file_all_stays(void **state)
{
	(void)state;
	expect_the_same(-EMFILE, 0);
	expect_the_same(0, -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_meanwhile_is_kept),
		cmocka_unit_test(where_nothing_is_moved_it_is_taken_over_too),
		cmocka_unit_test(without_a_file_all_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
