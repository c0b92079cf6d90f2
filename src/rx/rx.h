/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receive side of a queue, as its stages share it: receive, split, judge,
 * cut, merge. Callers pass in all that it works with; it knows neither the
 * queue nor the send side.
 */
#ifndef FDL_RX_H
#define FDL_RX_H

#include <stdatomic.h>
#include <stdbool.h>

#include <fdlink/fdlink.h>
#include <fdlink/offload.h>

#include "counters.h"
#include "io/io.h"
#include "rx/hint.h"
#include "shared.h"

struct gro;
struct ready;

struct rx {
	struct shared *shared;
	const struct io_ops *ops;
	struct io *io;
	struct ready *ready;
	struct counters *counters;
	_Atomic int ended;		/* 0, or what fdl_recv returns for good;
					 * written here, read by any thread */
	int fallen;			/* with io.lasts, in the place of ended:
					 * why this life ends; 0: it does not */
	_Atomic uint64_t ghosts;	/* so many of RX_DROP_MALFORMED are also
					 * among the kernel's drops */

	/* frame[gap..have) have empty packets to read into; the mode has not
	 * seen those of frame[0..fresh) yet. */
	int gap, have, fresh;
	struct hint hint;
	uint32_t reframed;		/* as of shared, when io was set */
	bool doubt;			/* a header contradicted its packet */
	uint16_t protocol;		/* of Ethernet, not one of the usual, in
					 * a frame that was asked about: it was
					 * right; 0: there was none */
	int64_t ask_at;			/* not before, as os_now_ms() */
	int64_t filter_at;		/* as ask_at, for curtailed_is_so */
	bool filtered;			/* as it was then */
	bool long_frames;		/* the last step ended with one */
	unsigned vain;			/* calls in a row that found nothing */
	int64_t vain_at;		/* as ask_at, for vain_note */
	unsigned shut;			/* times that the socket was found to be
					 * shut down */
	unsigned alone;			/* packets in a row that came alone */
	struct io_frame frame[IO_MAX_BATCH];

	/* Received and not handed out yet, in this order: the super-packet that
	 * is being cut; the message that is being split; frame[next..filled),
	 * which lie before gap. */
	int next, filled;
	struct fdl_packet *super;	/* NULL: nothing is being cut */
	struct fdl_packet *bundle;	/* NULL: nothing is being split */
	struct iovec bundle_bytes;	/* what is left of it */
	unsigned unit;
	struct iovec super_bytes;
	struct fdl_segmenter segmenter;
	struct gro *gro;		/* with FDL_GRO, else NULL */
};

#endif
