/* SPDX-License-Identifier: Apache-2.0 */
#include "rx/appetite.h"

enum {
	/*
	 * A super-packet of LONG_FRAME bytes is followed by others like it. A
	 * core's cache has room for LONG_BATCH of them. More of them in one
	 * call would push the first ones out before anybody has looked at them,
	 * which costs a bulk stream a third more CPU.
	 */
	LONG_FRAME = 16 << 10,
	LONG_BATCH = 8,
	/*
	 * Some modes need a system call to look for a second packet. After
	 * ALONE calls in a row that found one short packet, they look less and
	 * less often, and at last in one call of ALONE_LOOK. The caller's next
	 * poll tells if there is more.
	 */
	ALONE = 4,
	ALONE_LOOK = 64,	/* a power of two */
};

static bool looks_for_company(unsigned alone)
{
	return alone < ALONE || alone % ALONE_LOOK == 0 ||
	       (alone < ALONE_LOOK && (alone & (alone - 1)) == 0);
}

int appetite_now(const struct rx *rx, int n)
{
	const int batch = (int)rx->shared->opts.batch;
	int max = rx->long_frames ? LONG_BATCH : IO_MAX_BATCH;

	if (!looks_for_company(rx->alone))
		max = 1;
	if (max > batch)
		max = batch;
	return n < max ? n : max;
}

/* A call with room for one packet does not show whether there was a second. */
static void note_company(struct rx *rx, int n, int got, bool first)
{
	if (!rx->ops->one_by_one || n == 1)
		return;
	rx->alone = first && got == 1 && !rx->long_frames ? rx->alone + 1 : 0;
}

void appetite_note(struct rx *rx, int n, int got, bool first)
{
	rx->long_frames = rx->frame[got - 1].wire_len >= LONG_FRAME;
	note_company(rx, n, got, first);
}

bool appetite_is_sated(const struct rx *rx)
{
	return rx->long_frames || rx->alone >= ALONE;
}
