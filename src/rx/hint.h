/* SPDX-License-Identifier: Apache-2.0 */
/* Do the peers of a link agree on the virtio-net header? The first frames
 * tell. */
#ifndef FDL_RX_HINT_H
#define FDL_RX_HINT_H

#include "io/io.h"
#include "log.h"

/* All zero: nothing is asked. */
struct hint {
	unsigned left;		/* frames that are still looked at */
	unsigned other;		/* that made sense under another header only, */
	unsigned hdr_len;	/* of so many bytes, in a row */
};

/* Ask the first frames. */
void hint_open(struct hint *hint);

/*
 * Look at a frame as it came. Once some of them make sense only under another
 * header than io's, a warning names that, and the asking ends. So it does with
 * the first one that makes sense as it is.
 */
void hint_look(struct hint *hint, const struct io *io, bool ethernet,
	       const struct io_frame *frame, const struct log *log);

#endif
