/* SPDX-License-Identifier: Apache-2.0 */
#include "io/takeover.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>

#include "os.h"

static uint8_t *spare_at(const struct takeover *t, unsigned i)
{
	return t->spare + i * t->size;
}

int takeover_open(struct takeover *t, int fd, unsigned blocks, size_t size)
{
	*t = (struct takeover){ .fd = fd, .blocks = blocks, .size = size };
	t->spare = os_map((blocks + (size_t)1) * size);
	return t->spare ? 0 : -ENOMEM;
}

void takeover_begin(struct takeover *t)
{
	void *alias;

	if (!os_map_fd(t->fd, t->blocks * t->size, &alias))
		t->alias = alias;
}

void takeover_close(struct takeover *t)
{
	os_unmap(spare_at(t, t->used),
		 (t->blocks + (size_t)1 - t->used) * t->size);
	if (t->alias)
		os_unmap(t->alias, t->blocks * t->size);
}

/* Words that another thread wrote between the copy and the move are in alias
 * only. Copy them, except those that were written again since. */
static void catch_up(uint8_t *mem, const uint8_t *copied, const uint8_t *alias,
		     size_t size)
{
	_Atomic uint64_t *const now = (void *)mem;
	const uint64_t *const before = (const void *)copied;
	const uint64_t *const late = (const void *)alias;
	size_t i, n = size / sizeof(*late);
	uint64_t was;

	for (i = 0; i < n; i++) {
		was = before[i];
		if (late[i] != was)
			atomic_compare_exchange_strong(&now[i], &was, late[i]);
	}
}

static int write_whole(int fd, const uint8_t *bytes, size_t len)
{
	ssize_t r;

	for (; len; bytes += r, len -= (size_t)r) {
		r = os_write(fd, bytes, len);
		if (r <= 0)
			return r ? (int)r : -ENOSPC;
	}
	return 0;
}

/* Mapping over a block needs no further mapping. Moving needs some for a moment
 * (mremap_to, mm/mremap.c), and a process may have used up its mappings. */
static int put_file(uint8_t *mem, const uint8_t *bytes, size_t size)
{
	int err, fd = os_memory_file();

	if (fd < 0)
		return fd;
	err = write_whole(fd, bytes, size);
	if (!err)
		err = os_map_over(fd, size, mem);
	os_close(fd);
	return err;
}

static int put_copy(struct takeover *t, uint8_t *mem, const uint8_t *bytes)
{
	uint8_t *const copy = spare_at(t, t->used);
	int err;

	memcpy(copy, bytes, t->size);
	err = os_move_map(copy, t->size, mem);
	if (err)
		return put_file(mem, bytes, t->size);
	t->used++;
	return 0;
}

void takeover_block(struct takeover *t, uint8_t *mem, unsigned i)
{
	uint8_t *const copied = spare_at(t, t->blocks);
	const size_t at = i * t->size;

	memcpy(copied, mem + at, t->size);
	if (!put_copy(t, mem + at, copied) && t->alias)
		catch_up(mem + at, copied, t->alias + at, t->size);
}
