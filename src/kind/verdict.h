/* SPDX-License-Identifier: Apache-2.0 */
/* What an errno means on which kind of link. */
#ifndef FDL_KIND_VERDICT_H
#define FDL_KIND_VERDICT_H

#include <stdbool.h>

#include "counters.h"

enum action {
	LATER,		/* nothing now, or no room now */
	AGAIN,		/* count it (unless COUNTERS), and repeat the call */
	DROP,		/* count it: this packet can never go; on receive, the
			 * kernel has thrown it away as it was read */
	RETRY,		/* on send: DROP, after one other try, as the socket may
			 * have had the error before this packet */
	RECONNECT,	/* on send: DROP, after one other try if the peer, who
			 * is gone, has come back */
	END,		/* the queue has ended, with result */
};

/* A row of a table. The last row has the errno 0, and stands for all errnos
 * that no row names. */
struct verdict {
	int err;		/* the errno, positive */
	enum action action;
	enum counter counter;	/* AGAIN, and all that drop; on send also LATER
				 * and END, for who drops the packet then */
	int result;		/* END: negative errno; on send also what
				 * fdl_write returns */
	const char *text;	/* a sentence for fdl_last_error, or NULL */
};

/*
 * Returns the verdict on err, which is negative. own are the rows of the kind,
 * or NULL; they count before those that hold on all kinds. An errno that no row
 * names is AGAIN without a counter on receive. On send it is RETRY under
 * TX_DROP_OTHER, because it may have nothing to do with this packet.
 */
const struct verdict *verdict_on_receive(const struct verdict *own, int err);
const struct verdict *verdict_on_send(const struct verdict *own, int err);

/* Whether a send has lost this packet, and only this one. */
static inline bool verdict_drops(const struct verdict *v)
{
	return v->action == DROP || v->action == RETRY ||
	       v->action == RECONNECT;
}

/* DROP, for packets sent while a link that lasts has no peer, or no device. */
extern const struct verdict verdict_peer_away, verdict_device_away;

/* Sentences that several kinds say. */
extern const char verdict_gone[];	/* the device is gone */
extern const char verdict_down[];	/* a packet was dropped: link down */
extern const char verdict_closed[];	/* the peer closed the link */
extern const char verdict_no_peer[];	/* a packet was dropped: no peer */
extern const char verdict_unread[];	/* a packet whose offload the
					 * virtio-net header cannot express */

#endif
