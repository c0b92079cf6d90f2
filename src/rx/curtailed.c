/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever has an fd of a TAP may attach a filter to it, which may leave only
 * the start of each frame, and the reader is not told how long the frame was.
 * Its IP header tells. A whole packet may lie as well, and is none of our
 * business: so the device is asked whether there is a filter.
 */
#include "rx/curtailed.h"

#include "kind/kind.h"
#include "os.h"

enum {
	/* A peer may send such packets as often as it likes. */
	ASK_MS = 1,
};

bool curtailed_is_so(struct rx *rx)
{
	const int64_t now = os_now_ms();

	if (now < rx->filter_at)
		return rx->filtered;
	rx->filter_at = now + ASK_MS;
	rx->filtered = rx->io->kind->has_filter(rx->io->fd);
	return rx->filtered;
}
