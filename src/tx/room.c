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
	DOUBT_MS = 100,
	DOUBT_TRIES = 64,
	PICKY_MS = 1000,
};

static const struct verdict refused = {
	.action = DROP,
	.counter = TX_DROP_REFUSED,
	.result = -ENOBUFS,
	.text = "a packet was dropped: it was refused again and again, though "
		"the fd has room (a rule of tc or nft, or the peer's MTU)",
};

/* How long one call is ready to wait. */
struct patience {
	int64_t until;		/* 0: it has not begun */
	unsigned nap_us;	/* how long to sleep if POLLOUT is wrong */
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
 * Wait for room, after err. POLLOUT means nothing for the queue of a device
 * that is full, nor for a datagram socket whose peer is not connected back. So
 * if POLLOUT tells of room and there is none, and after every errno except
 * EAGAIN, sleep, longer each time. Returns false when the time is up.
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

/* Whether POLLOUT, on an fd where it can be believed, tells of room. */
static bool says_room(const struct tx *tx)
{
	struct pollfd room = { .fd = tx->io->fd, .events = POLLOUT };

	return os_poll(&room, 1, 0) > 0 && room.revents == POLLOUT;
}

/*
 * Whether the next frame was refused so often that it is not for lack of room.
 * A rule of tc or nft, or a peer with a smaller MTU, drops a frame for ever,
 * and the kernel says ENOBUFS as if a queue were full. Tries within one
 * millisecond count as one, because a caller who asks in a loop gives a full
 * queue no time.
 */
static bool is_hopeless(struct tx *tx, struct tx_doubt *d,
			const struct verdict *why)
{
	int64_t now;

	if (why->result == -EAGAIN || tx->part.iov_len || !says_room(tx)) {
		d->why = NULL;
		return false;
	}
	now = os_now_ms();
	if (d->why != why)
		*d = (struct tx_doubt){ .why = why, .since_ms = now };
	if (now != d->last_ms)
		d->tries++;
	d->last_ms = now;
	return d->tries >= DOUBT_TRIES || now - d->since_ms >= DOUBT_MS;
}

/* Of no frames there may be no array. */
static struct frames after(struct frames l, int n)
{
	if (!n)
		return l;
	if (l.v)
		l.v += n;
	else
		l.f += n;
	return l;
}

static void drop_all(struct tx *tx, const struct verdict *why, struct frames l,
		     int n)
{
	struct iovec iov;
	int i;

	for (i = 0; i < n; i++)
		tx_drop(tx, why, frame_at(l, i, &iov).weight);
}

/* Drop the rest of a super-packet that is being cut, else the first frame of l.
 * Returns how many frames of l that were. */
static int drop_next(struct tx *tx, const struct verdict *why, struct frames l)
{
	if (tx->cutting) {
		bridge_lose(tx, why);
		return 0;
	}
	drop_all(tx, why, l, 1);
	return 1;
}

/*
 * Some devices refuse some frames for ever. Each such frame would hold up the
 * frames behind it for a long time. So on a device that is known to do this,
 * try the frames behind. If one goes, the device has room, and those before it
 * were refused for what they are: drop them. Returns how many frames of l are
 * gone.
 */
static int overtake(struct tx *tx, struct frames l, int n,
		    const struct verdict *first)
{
	const struct verdict *why;
	int i;

	if (first->result == -EAGAIN || tx->part.iov_len || tx->cutting ||
	    os_now_ms() >= tx->picky_until_ms || !says_room(tx))
		return 0;
	for (i = 1; i < n; i++) {
		if (tx_put(tx, after(l, i), 1, &why) < 1)
			continue;
		drop_all(tx, &refused, l, i);
		return i + 1;
	}
	return 0;
}

/* Drop frames that are refused for ever. Returns how many frames of l are gone,
 * or -1: there may be room for the first one later. */
static int lose_refused(struct tx *tx, struct frames l, int n,
			const struct verdict *why)
{
	int k = overtake(tx, l, n, why);

	if (!k && !is_hopeless(tx, &tx->doubt, why))
		return -1;
	tx->picky_until_ms = os_now_ms() + PICKY_MS;
	return k ? k : drop_next(tx, &refused, l);
}

int tx_keep_rest(struct tx *tx, struct frames l, int n, int k,
		 const struct verdict **why)
{
	int gone = k, lost;

	while (*why && (*why)->action == LATER) {
		if (gone > 0)
			tx->doubt.why = NULL;
		lost = lose_refused(tx, after(l, k), n - k, *why);
		if (lost < 0)
			return k;
		k += lost;
		tx->doubt.why = NULL;
		gone = tx_put(tx, after(l, k), n - k, why);
		k += gone;
	}
	tx->doubt.why = NULL;
	return k;
}

/*
 * The time is up. Returns whether the frames behind the next one have no chance
 * either: a full socket takes no frame, and the rest that an earlier fdl_send
 * left goes before all others.
 */
static bool all_are_stuck(const struct tx *tx, const struct verdict *why, int k)
{
	return why->result == -EAGAIN || tx->part.iov_len ||
	       (tx->cutting && k == 0);
}

int tx_put_rest(struct tx *tx, struct frames l, int n, int k,
		const struct verdict **why)
{
	const bool waits = tx->shared->opts.tx_wait_ms > 0;
	struct patience p = { .nap_us = FIRST_NAP_US };
	struct tx_doubt doubt = { .why = NULL };
	int gone;

	for (;;) {
		if (waits && is_hopeless(tx, &doubt, *why)) {
			k += drop_next(tx, &refused, after(l, k));
			doubt.why = NULL;
		} else if (!wait_for_room(tx, &p, (*why)->result)) {
			if (all_are_stuck(tx, *why, k))
				break;
			k += drop_next(tx, *why, after(l, k));
			doubt.why = NULL;
		}
		gone = tx_put(tx, after(l, k), n - k, why);
		k += gone;
		if (!*why || (*why)->action == END)
			return k;
		if (gone == 0)
			continue;
		p = (struct patience){ .until = p.until,
				       .nap_us = FIRST_NAP_US };
		doubt.why = NULL;
	}
	drop_all(tx, *why, after(l, k), n - k);
	/* If k is 0, the rest is that of an earlier fdl_send, and stays. */
	if (k > 0)
		bridge_lose(tx, *why);
	*why = NULL;
	return n;
}

/* Whether POLLOUT tells of room where there was none. */
static bool lies(const struct tx *tx)
{
	return tx->stalled != -EAGAIN || says_room(tx);
}

/* Longer each time. */
static int look_later(struct tx *tx)
{
	tx->stalled = 0;
	if (!tx->pause_us)
		tx->pause_us = FIRST_PAUSE_US;
	else if (tx->pause_us < LAST_PAUSE_US)
		tx->pause_us *= 2;
	return ready_pause(tx->ready, tx->pause_us);
}

static int want_room(struct tx *tx)
{
	/* After POLLOUT was told, another try must come before it is asked for
	 * again. */
	if (!tx->stalled)
		return ready_want_write(tx->ready, true);
	if (!lies(tx)) {
		ready_want_write(tx->ready, false);
		return ready_want_write(tx->ready, true);
	}
	return look_later(tx);
}

/* Where nothing can tell of room, a timer that is there already helps. */
int tx_want_room(struct tx *tx)
{
	int err = want_room(tx);

	if (err)
		err = look_later(tx);
	if (err == -EMFILE || err == -ENFILE)
		shared_error(tx->shared, "there is no descriptor to be had "
					 "that tells of room: raise "
					 "RLIMIT_NOFILE, or fs.file-max");
	return err;
}
