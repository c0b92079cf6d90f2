/* SPDX-License-Identifier: Apache-2.0 */
/* What an errno means on which kind of link. */
#ifndef FDL_KIND_VERDICT_H
#define FDL_KIND_VERDICT_H

#include "counters.h"

enum action {
	LATER,		/* nothing now, or no room now */
	AGAIN,		/* count it (unless COUNTERS), and repeat the call */
	DROP,		/* count it: this packet can never go; on receive, the
			 * kernel has thrown it away as it was read */
	RETRY,		/* on send: DROP, after one other try, as the peer may
			 * be there again, or the error be an older packet's */
	END,		/* the queue has ended, with result */
};

/* A row of a table, whose last one has the errno 0 and stands for all that no
 * row names. */
struct verdict {
	int err;		/* the errno, positive */
	enum action action;
	enum counter
		counter;  /* AGAIN, DROP, RETRY; on send also LATER and END, for
				 * who drops the packet then */
	int result;		/* END: negative errno; on send also what
				 * fdl_write returns */
	const char *text;	/* a sentence for fdl_last_error, or NULL */
};

/*
 * own are the rows of the kind, or NULL: they count before those that hold on all
 * kinds. err is negative. An errno that no row names: on receive AGAIN without a
 * counter, on send DROP under TX_DROP_OTHER.
 */
const struct verdict *verdict_on_receive(const struct verdict *own, int err);
const struct verdict *verdict_on_send(const struct verdict *own, int err);

/* Sentences that several kinds say. */
extern const char verdict_gone[];	/* the device is gone */
extern const char verdict_down[];	/* a packet was dropped: link down */
extern const char verdict_closed[];	/* the peer closed the link */
extern const char verdict_no_peer[];	/* a packet was dropped: no peer */

#endif
