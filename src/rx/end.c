/* SPDX-License-Identifier: Apache-2.0 */
#include "rx/end.h"

#include "kind/kind.h"
#include "wait/ready.h"

void rx_end(struct rx *rx, int result, const char *text)
{
	if (!rx->io->lasts) {
		rx_end_for_good(rx, result, text);
		return;
	}
	shared_error(rx->shared, text);
	rx->fallen = result;
}

void rx_end_for_good(struct rx *rx, int result, const char *text)
{
	shared_error(rx->shared, text);
	if (rx->io->kind->takes_after_end)
		atomic_store_explicit(&rx->io->life, IO_OVER,
				      memory_order_relaxed);
	atomic_store_explicit(&rx->ended, result, memory_order_release);
}

int rx_tell_end(struct rx *rx)
{
	int r = atomic_load_explicit(&rx->ended, memory_order_relaxed);

	if (r)
		ready_end(rx->ready);
	return r;
}

void rx_renew(struct rx *rx)
{
	rx->fallen = 0;
	rx->doubt = false;
	if (rx->ops->renew)
		rx->ops->renew(rx->io);
	if (rx->io->kind->header == HEADER_AGREED)
		hint_open(&rx->hint);
}
