/* SPDX-License-Identifier: Apache-2.0 */
#include "absence.h"

#include <errno.h>
#include <sys/socket.h>

#include "kind/kind.h"
#include "kind/life.h"
#include "kind/sender.h"
#include "os.h"
#include "rx/end.h"

enum {
	FIRST_PAUSE_MS = 10,
	LAST_PAUSE_MS = 1000,
	/* How often a peer is looked for that may end unnoticed. */
	LOOK_MS = 1000,
};

static void change_life(struct fdl_queue *q)
{
	atomic_fetch_add(&q->io.life, 1);
	atomic_fetch_add_explicit(&q->watch.changes, 1, memory_order_relaxed);
}

/* 0: it stops. What cannot be set is not to tell of its former time for
 * ever. */
static void set_timer(struct fdl_queue *q, unsigned us)
{
	if (os_timerfd_set(q->absence.timer, us))
		ready_await(&q->ready, -1);
}

static void try_after(struct fdl_queue *q, unsigned ms)
{
	q->absence.due = os_now_ms() + ms;
	set_timer(q, ms ? ms * 1000 : 1);
}

static void try_later(struct fdl_queue *q)
{
	struct absence *a = &q->absence;

	ready_await(&q->ready, a->timer);
	try_after(q, a->pause_ms);
	a->pause_ms = a->pause_ms * 2 < LAST_PAUSE_MS ? a->pause_ms * 2 :
							LAST_PAUSE_MS;
}

/* The listener, or the fd, is readable when somebody comes. */
static void wait_for_visit(struct fdl_queue *q)
{
	struct absence *a = &q->absence;

	set_timer(q, 0);
	a->due = 0;
	if (a->life->listener >= 0 && ready_await(&q->ready, a->life->listener))
		try_later(q);
}

/* Let the peer see that nobody reads any more. */
static void let_go(struct fdl_queue *q)
{
	const struct kind *kind = q->io.kind;

	watch_rest(&q->watch);
	if (kind->keeps_fd)
		return;
	ready_disarm(&q->ready);
	if (kind->socket && !kind->device)
		os_shutdown(q->io.fd, SHUT_RDWR);
}

void absence_begin(struct fdl_queue *q)
{
	struct absence *a = &q->absence;

	if (!io_is_away(q->io.life))
		change_life(q);
	atomic_store(&q->io.rung, false);
	a->now = true;
	a->pause_ms = FIRST_PAUSE_MS;
	let_go(q);
	q->rx.fallen = 0;
	/* What a stream holds is the former peer's, and is not delivered. */
	ready_more(&q->ready, false);
	ready_await(&q->ready, a->timer);
	try_after(q, 0);
}

/* The new device has the header that was set up at the start. Others may have
 * changed the header of the former device. */
static void reframe(struct fdl_queue *q)
{
	const struct io_framing now = { .vnet_hdr_len = q->io.vnet_hdr_len,
					.order = q->io.order };

	if (!atomic_load(&q->shared->reframed))
		return;
	q->rx.reframed = io_pack(&now);
	atomic_store(&q->shared->reframed, q->rx.reframed);
}

/* batch: as life_settle says. */
static void follow_device(struct fdl_queue *q, unsigned batch)
{
	const struct kind *kind = q->io.kind;
	int err;

	if (!kind->device)
		return;
	if (kind->follow)
		reframe(q);
	err = shared_replace_device(q->shared, q->io.fd, &q->info, batch);
	watch_replace(&q->watch, &q->info, err);
	if (kind->set_carrier)
		shared_switch_carrier(q->shared, q->io.fd, 0);
}

static int take_place(struct fdl_queue *q, int fd, struct io_group *group)
{
	int err;

	if (fd == q->io.fd)
		err = ready_rearm(&q->ready);
	else
		err = queue_replace(q, fd, group);
	if (err && fd != q->io.fd)
		life_return(q->absence.life, q->index, fd, err);
	if (!err)
		follow_device(q,
			      life_settle(q->absence.life, q->index, q->io.fd));
	return err;
}

void absence_expect(struct fdl_queue *q)
{
	if (q->io.bell >= 0)
		try_after(q, LOOK_MS);
	else
		set_timer(q, 0);
}

static void come_back(struct fdl_queue *q)
{
	struct absence *a = &q->absence;

	rx_renew(&q->rx);
	a->now = false;
	ready_await(&q->ready, a->timer);
	absence_expect(q);
	change_life(q);
}

void absence_look(struct fdl_queue *q)
{
	struct absence *a = &q->absence;

	if (a->now || q->io.bell < 0 || os_now_ms() < a->due)
		return;
	if (sender_is_there(a->life, q->io.fd))
		absence_expect(q);
	else
		absence_begin(q);
}

/* accept(2) says so of a socket that does not listen. */
static void note_shut_listener(struct fdl_queue *q, int err)
{
	if (err == -EINVAL && q->absence.life->listener >= 0)
		rx_end_for_good(
			&q->rx, -ESHUTDOWN,
			"another holder has shut the listening socket down");
}

static int meet(struct fdl_queue *q)
{
	struct life *life = q->absence.life;
	struct io_group *group;
	const int fd = life_meet(life, q->index, q->io.fd, &group);

	if (life->strangers) {
		count(&q->counters, RX_DROP_STRANGER, life->strangers);
		life->strangers = 0;
	}
	if (fd >= 0)
		return take_place(q, fd, group);
	note_shut_listener(q, fd);
	return fd;
}

bool absence_end(struct fdl_queue *q)
{
	struct absence *a = &q->absence;
	int err;

	if (os_now_ms() < a->due && !q->io.kind->keeps_fd)
		return false;
	err = meet(q);
	if (!err)
		come_back(q);
	else if (err == -EAGAIN)
		wait_for_visit(q);
	else
		try_later(q);
	return !err;
}

void absence_start(struct fdl_queue *q)
{
	absence_begin(q);
	absence_end(q);
	atomic_store(&q->watch.changes, 0);
}
