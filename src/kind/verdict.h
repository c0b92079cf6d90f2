/* SPDX-License-Identifier: Apache-2.0 */
/* What an errno means on which kind of fd. */
#ifndef FDL_IO_VERDICT_H
#define FDL_IO_VERDICT_H

#include <fdlink/open.h>

#include "counters.h"

enum action {
	LATER,		/* nothing now, or no room now */
	AGAIN,		/* count it (unless COUNTERS), and repeat the call */
	DROP,		/* count it: this packet can never go */
	END,		/* the queue has ended, with result */
};

struct verdict {
	unsigned kinds;		/* a bit 1 << enum fdl_kind each */
	int err;		/* the errno, positive */
	enum action action;
	enum counter counter;	/* AGAIN, DROP; on send also LATER and END, for
				 * who drops the packet then */
	int result;		/* END: negative errno; on send also what
				 * fdl_write returns */
	const char *text;	/* a sentence for fdl_last_error, or NULL */
};

/*
 * err is negative. An errno that no row names: on receive AGAIN without a
 * counter, on send DROP under TX_DROP_OTHER.
 */
const struct verdict *verdict_on_receive(enum fdl_kind kind, int err);
const struct verdict *verdict_on_send(enum fdl_kind kind, int err);

#endif
