/* SPDX-License-Identifier: Apache-2.0 */
/* The framing of a device that others may change. */
#ifndef FDL_RX_FRAMING_H
#define FDL_RX_FRAMING_H

#include "rx/rx.h"

/* This, of io_pack, is what the fd passes from now on. */
void framing_set(struct rx *rx, uint32_t word);

enum framing {
	FRAMING_HOLDS,
	FRAMING_FOLLOWED,	/* it is another, and frame[0..got) are counted
				 * and released */
	FRAMING_LOST,		/* likewise, and it is none that is ours */
};

/* Before a read: take over what another queue has found. */
static inline void framing_take_over(struct rx *rx)
{
	const uint32_t word = atomic_load_explicit(&rx->shared->reframed,
						   memory_order_relaxed);

	if (word != rx->reframed)
		framing_set(rx, word);
}

/* A packet could not be read (EFAULT), perhaps because others made the header
 * too short to describe tunnels. If so, turn tunnels off. Returns whether it
 * was so. */
bool framing_cure(struct rx *rx);

/* frame[0..got) came. Is the framing what they were read by? The device is
 * asked only when something is odd. */
enum framing framing_check(struct rx *rx, int got);

/* There is no header, and yet a checksum was partial: have the device leave no
 * work to its reader. */
void framing_bare(struct rx *rx);

/* Another holder of the socket has switched off what set_up switched on: switch
 * it on again. Frames that came meanwhile are marked (io_frame.odd). */
void framing_mend(struct rx *rx);

/* Another holder may have bound the socket to another device: bind it back. */
void framing_rebind(struct rx *rx);

/* The same when some of frame[0..got) are marked as strays. The mark is taken
 * off where it says nothing. */
void framing_strays(struct rx *rx, int got);

#endif
