/* SPDX-License-Identifier: Apache-2.0 */
/* The call of a queue's own receive side. */
#include <errno.h>

#include "absence.h"
#include "kind/verdict.h"
#include "queue.h"
#include "rx/end.h"
#include "rx/receive.h"
#include "rx/vain.h"
#include "wait/ready.h"
#include "wait/watch.h"

/*
 * There was nothing to receive: is the device still there? If it is gone,
 * receive what came before that was known, and then end the queue. As
 * rx_receive().
 */
static int look_at_link(struct fdl_queue *q, struct fdl_packet *v[], int n,
			enum rx_rest *rest)
{
	int total = 0;

	if (watch_look(&q->watch))
		total = rx_receive(&q->rx, v, n, rest);
	if (total == 0 && *rest == RX_DRY && watch_is_over(&q->watch)) {
		rx_end(&q->rx, -ENODEV, verdict_gone);
		*rest = RX_ENDED;
	}
	return total;
}

/* Everything that was received is handed out. Now the queue ends, or waits for
 * the next life of the link. What the device dropped at last may be told only
 * now: the fd told the end itself. */
static int tell_end(struct fdl_queue *q)
{
	int r;

	if (q->rx.fallen) {
		watch_look_back(&q->watch);
		absence_begin(q);
	}
	r = rx_tell_end(&q->rx);
	if (r)
		watch_look_back(&q->watch);
	return r;
}

/* Whether there is anybody to receive from. */
static bool has_peer(struct fdl_queue *q)
{
	if (absence_is_told(q))
		absence_begin(q);
	return !absence_is_now(q) || absence_end(q);
}

/* A socket that was shut down never has a peer again. */
static int find_nothing(struct fdl_queue *q)
{
	if (vain_note(&q->rx))
		rx_end_for_good(&q->rx, -ESHUTDOWN,
				"another holder has shut the socket down");
	absence_look(q);
	return tell_end(q);
}

static int receive(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	struct rx *rx = &q->rx;
	enum rx_rest rest;
	int total, r;

	if (!rx_has_leftovers(rx)) {
		r = tell_end(q);
		if (r)
			return r;
		if (!has_peer(q))
			return find_nothing(q);
	}
	total = rx_receive(rx, v, n, &rest);
	if (total == 0 && rest == RX_DRY)
		total = look_at_link(q, v, n, &rest);
	if (total > 0 || rest != RX_DRY)
		vain_forget(rx);
	ready_more(&q->ready, rx_has_more(rx) && rest != RX_STARVED);
	if (total > 0)
		return total;
	if (rest == RX_STARVED)
		return -ENOBUFS;
	return rest == RX_DRY ? find_nothing(q) : tell_end(q);
}

int fdl_recv(struct fdl_queue *q, struct fdl_packet *v[], int n)
{
	int r;

	if (n < 0)
		return -EINVAL;
	if (!turn_begin(&q->turn))
		return -EBUSY;
	r = receive(q, v, n);
	turn_end(&q->turn);
	return r;
}
