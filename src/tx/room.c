/* SPDX-License-Identifier: Apache-2.0 */
#include "tx/room.h"

#include <errno.h>
#include <poll.h>

#include "os.h"
#include "tx/bridge.h"
#include "tx/message.h"
#include "wait/ready.h"

enum {
	FIRST_NAP_US = 50,
	LAST_NAP_US = 8000,
	FIRST_PAUSE_US = 1000,
	LAST_PAUSE_US = 16000,
};

/* One call's patience. */
struct patience {
	int64_t until;		/* 0: it has not begun */
	unsigned nap_us;	/* what to sleep if POLLOUT lies */
	bool told;		/* POLLOUT told of room before this try */
};

static int wait_begin(struct patience *p, uint32_t ms)
{
	const int64_t now = os_now_ms();

	if (!p->until)
		p->until = now + ms;
	return now < p->until ? (int)(p->until - now) : 0;
}

/*
 * Wait for room, after err. POLLOUT means nothing for a full device queue, nor
 * for a datagram socket whose peer is not connected back: where it tells of
 * room and there is none, and after all but EAGAIN, a growing nap is taken.
 * Returns false when the time is up.
 */
static bool wait_for_room(struct tx *tx, struct patience *p, int err)
{
	struct pollfd room = { .fd = tx->io->fd, .events = POLLOUT };
	const uint32_t ms = tx->shared->opts.tx_wait_ms;
	int left;

	if (!ms)
		return false;
	left = wait_begin(p, ms);
	if (left == 0)
		return false;
	if (err == -EAGAIN && !p->told) {
		p->told = os_poll(&room, 1, left) > 0;
		return true;
	}
	p->told = false;
	os_nap(p->nap_us);
	if (p->nap_us < LAST_NAP_US)
		p->nap_us *= 2;
	return true;
}

static void drop_all(struct tx *tx, const struct verdict *why, struct frames l,
		     int n)
{
	struct iovec iov;
	int i;

	for (i = 0; i < n; i++)
		tx_drop(tx, why, frame_at(l, i, &iov).weight);
}

static struct frames after(struct frames l, int n)
{
	if (l.v)
		l.v += n;
	else
		l.f += n;
	return l;
}

int tx_put_rest(struct tx *tx, struct frames l, int n, int k,
		const struct verdict **why)
{
	struct patience p = { .nap_us = FIRST_NAP_US };
	int gone;

	while (wait_for_room(tx, &p, (*why)->result)) {
		gone = tx_put(tx, after(l, k), n - k, why);
		k += gone;
		if (!*why || (*why)->action == END)
			return k;
		if (gone > 0)
			p = (struct patience){ .until = p.until,
					       .nap_us = FIRST_NAP_US };
	}
	drop_all(tx, *why, after(l, k), n - k);
	/* Not that of an earlier fdl_send, behind which all wait. */
	if (k > 0)
		bridge_lose(tx, *why);
	*why = NULL;
	return n;
}

/* Does POLLOUT tell of room where there was none? */
static bool lies(const struct tx *tx)
{
	struct pollfd room = { .fd = tx->io->fd, .events = POLLOUT };

	if (tx->stalled != -EAGAIN)
		return true;
	return os_poll(&room, 1, 0) > 0 && room.revents == POLLOUT;
}

int tx_want_room(struct tx *tx)
{

	/* What was told is told again only after another try. */
	if (!tx->stalled)
		return ready_want_write(tx->ready, true);
	if (!lies(tx)) {
		ready_want_write(tx->ready, false);
		return ready_want_write(tx->ready, true);
	}
	tx->stalled = 0;
	if (!tx->pause_us)
		tx->pause_us = FIRST_PAUSE_US;
	else if (tx->pause_us < LAST_PAUSE_US)
		tx->pause_us *= 2;
	return ready_pause(tx->ready, tx->pause_us);
}
