/* SPDX-License-Identifier: Apache-2.0 */
#include "io/spill.h"

#include <fdlink/fdlink.h>

#include "os.h"
#include "packet/pool.h"

enum {
	/*
	 * A second piece costs each message some nanoseconds. So after this
	 * many short messages in a row there is none, until a long one comes: a
	 * flow sends shorter super-packets before those of BIG TCP. A BIG one
	 * that comes without warning is lost, but only once: from then on there
	 * is always room.
	 */
	SHORT_ONES = 4096,
	LONG_ONE = 2048,	/* bytes; only super-packets are so long */
};

void spill_open(struct spill *spill, unsigned n, const struct fdl_options *opts)
{
	spill->n = n;
	spill->mem = opts->max_syscall_header_bytes ?
			     NULL :
			     os_map((size_t)n * SPILL_LEN);
	spill->left = spill->mem ? SHORT_ONES : 0;
}

void spill_close(struct spill *spill)
{
	if (spill->mem)
		os_unmap(spill->mem, (size_t)spill->n * SPILL_LEN);
}

bool spill_note(struct spill *spill, int n, size_t longest)
{
	const bool was = spill_is_on(spill);

	if (!spill->mem || spill->stays || (!was && longest < LONG_ONE))
		return false;
	spill->stays = longest > POOL_DATA_SIZE;
	spill->left = longest >= LONG_ONE ? SHORT_ONES : spill->left - n;
	return spill_is_on(spill) != was;
}

void spill_give(const struct spill *spill, struct io_frame *f, unsigned i)
{
	const size_t more = f->wire_len > f->pkt->len ?
				    f->wire_len - f->pkt->len :
				    0;

	f->rest.iov_base = spill->mem + (size_t)i * SPILL_LEN;
	f->rest.iov_len = more < SPILL_LEN ? more : SPILL_LEN;
}
