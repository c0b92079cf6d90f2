/* SPDX-License-Identifier: Apache-2.0 */
#include "wait/ready.h"

#include <errno.h>
#include <stdint.h>

#include <fdlink/fdlink.h>

#include "os.h"
#include "wait/wake.h"

enum {
	SET_SIZE = 6,	/* data, refill, more, link, visit, room */
};

static int control(const struct ready *r, int op, int fd, uint32_t events,
		   uint32_t tag)
{
	struct epoll_event ev = { .events = events, .data.u32 = tag };

	return os_epoll_ctl(r->epfd, op, fd, &ev);
}

static int watch(const struct ready *r, int fd, uint32_t events, uint32_t tag)
{
	return control(r, EPOLL_CTL_ADD, fd, events, tag);
}

static void unwatch(const struct ready *r, int fd)
{
	os_epoll_ctl(r->epfd, EPOLL_CTL_DEL, fd, NULL);
}

/* Under the lock. */
static int place_data(struct ready *r, bool in)
{
	uint32_t events = EPOLLIN | (r->edge ? (uint32_t)EPOLLET : 0);
	int err = 0;

	if (in == r->placed)
		return 0;
	if (in)
		err = watch(r, r->data, events, FDL_READABLE);
	else
		unwatch(r, r->data);
	if (!err)
		r->placed = in;
	return err;
}

static int arm(struct ready *r, bool on)
{
	int err;

	pthread_mutex_lock(&r->lock);
	err = place_data(r, on && ready_is_shown(r));
	if (!err)
		r->armed = on;
	pthread_mutex_unlock(&r->lock);
	return err;
}

int ready_show(struct ready *r)
{
	int err;

	if (ready_is_shown(r))
		return 0;
	pthread_mutex_lock(&r->lock);
	err = place_data(r, r->armed);
	if (!err)
		atomic_store_explicit(&r->shown, true, memory_order_release);
	pthread_mutex_unlock(&r->lock);
	return err;
}

static int fill_set(struct ready *r)
{
	int err;

	err = watch(r, r->refill, EPOLLIN, FDL_READABLE);
	if (!err)
		err = arm(r, true);
	/* Edges are seen by the set only. */
	return err || !r->edge ? err : ready_show(r);
}

static int open_more(struct ready *r)
{
	int err;

	r->more = os_eventfd();
	if (r->more < 0)
		return r->more;
	err = watch(r, r->more, EPOLLIN, FDL_READABLE);
	if (err)
		os_close(r->more);
	return err;
}

int ready_open(struct ready *r, int data, int sends, int refill, unsigned flags)
{
	int err;

	*r = (struct ready){ .data = data,
			     .sends = sends,
			     .refill = refill,
			     .room = -1,
			     .pause = -1,
			     .more = -1,
			     .also = -1,
			     .link = -1,
			     .visit = -1,
			     .edge = flags & READY_EDGE };
	r->epfd = os_epoll_create();
	if (r->epfd < 0)
		return r->epfd;
	r->wake = os_eventfd();
	err = r->wake;
	if (err < 0)
		goto close_set;
	r->stop = os_eventfd();
	err = r->stop;
	if (err < 0)
		goto close_wake;
	pthread_mutex_init(&r->lock, NULL);
	err = fill_set(r);
	if (!err && flags & READY_LEFTOVERS)
		err = open_more(r);
	if (err)
		goto close_stop;
	return 0;

close_stop:
	pthread_mutex_destroy(&r->lock);
	os_close(r->stop);
close_wake:
	os_close(r->wake);
close_set:
	os_close(r->epfd);
	return err;
}

void ready_close(struct ready *r)
{
	if (r->room >= 0)
		os_close(r->room);
	if (r->pause >= 0)
		os_close(r->pause);
	if (r->more >= 0)
		os_close(r->more);
	pthread_mutex_destroy(&r->lock);
	os_close(r->stop);
	os_close(r->wake);
	os_close(r->epfd);
}

bool ready_note_refill(struct ready *r, unsigned asked)
{
	unsigned n = r->answered == asked ? 0 : wake_drain(r->refill);

	r->answered += n;
	return n > 0;
}

void ready_more(struct ready *r, bool more)
{
	if (r->has_more == more)
		return;
	r->has_more = more;
	if (more)
		wake_raise(r->more);
	else
		wake_drain(r->more);
}

/* There is always room to send to the kernel. */
static uint32_t link_events(const struct ready *r)
{
	return EPOLLIN | (r->insists ? (uint32_t)EPOLLOUT : 0);
}

static int watch_link(struct ready *r)
{
	if (r->link < 0)
		return 0;
	return watch(r, r->link, link_events(r), FDL_READABLE);
}

static void unwatch_link(struct ready *r)
{
	if (r->link >= 0)
		unwatch(r, r->link);
}

int ready_watch(struct ready *r, int fd)
{
	int err;

	r->link = fd;
	err = watch_link(r);
	if (err)
		r->link = -1;
	return err;
}

void ready_unwatch(struct ready *r)
{
	unwatch_link(r);
	r->link = -1;
}

void ready_insist(struct ready *r)
{
	r->insists = true;
	/* Where it is not in the set, it will be so. */
	if (r->link >= 0)
		control(r, EPOLL_CTL_MOD, r->link, link_events(r),
			FDL_READABLE);
}

int ready_await(struct ready *r, int fd)
{
	int err = 0;

	if (fd == r->visit)
		return 0;
	if (r->visit >= 0)
		unwatch(r, r->visit);
	r->visit = fd;
	if (fd >= 0)
		err = watch(r, fd, EPOLLIN, FDL_READABLE);
	if (err)
		r->visit = -1;
	return err;
}

void ready_renew(struct ready *r, int data)
{
	r->insists = false;
	pthread_mutex_lock(&r->lock);
	r->data = data;
	pthread_mutex_unlock(&r->lock);
}

bool ready_settle(struct ready *r)
{
	struct epoll_event ev[SET_SIZE];
	bool error = false;
	int i, n;

	n = os_epoll_wait(r->epfd, ev, SET_SIZE, 0);
	for (i = 0; i < n; i++)
		if (ev[i].events & EPOLLERR)
			error = true;
	return error;
}

void ready_remind(struct ready *r)
{
	/* As it is changed the kernel looks anew. */
	control(r, EPOLL_CTL_MOD, r->data, EPOLLIN | (uint32_t)EPOLLET,
		FDL_READABLE);
}

void ready_disarm(struct ready *r)
{
	/* Masking is not enough: epoll reports errors and hang-ups always. */
	if (!r->armed)
		return;
	arm(r, false);
	unwatch_link(r);
}

int ready_rearm(struct ready *r)
{
	int err;

	if (r->armed)
		return 0;
	err = arm(r, true);
	return err ? err : watch_link(r);
}

void ready_end(struct ready *r)
{
	if (r->ended)
		return;
	r->ended = true;
	ready_disarm(r);
	ready_await(r, -1);
	unwatch(r, r->refill);
	if (r->room >= 0)
		unwatch(r, r->room);
	if (r->pause >= 0)
		unwatch(r, r->pause);
}

struct pollfd ready_room(const struct ready *r)
{
	if (!ready_wants_write(r))
		return (struct pollfd){ .fd = -1 };
	if (atomic_load_explicit(&r->pausing, memory_order_relaxed))
		return (struct pollfd){ .fd = r->pause, .events = POLLIN };
	return (struct pollfd){ .fd = r->room, .events = POLLOUT };
}

/* fd is the first of its kind in the set. */
static int begin(struct ready *r, _Atomic int *place, int fd)
{
	if (fd < 0)
		return fd;
	*place = fd;
	wake_call(r->wake);
	wake_call(r->stop);
	if (r->also >= 0)
		wake_call(r->also);
	return 0;
}

/* Before the set tells of room: who is woken by that asks whether it was
 * wanted. */
static void note_wanted(struct ready *r, bool wanted, bool pausing)
{
	atomic_store_explicit(&r->pausing, pausing, memory_order_relaxed);
	atomic_store_explicit(&r->want_write, wanted, memory_order_release);
}

/*
 * Put into the set what tells of room. The other side may end the queue at the
 * same time: it writes that and then takes out what there is, here it is put in
 * and then that looked at.
 */
static int watch_room(struct ready *r, int fd, uint32_t events, bool pausing)
{
	int err;

	note_wanted(r, true, pausing);
	err = watch(r, fd, events, FDL_WRITABLE);
	if (!err && !r->ended)
		return 0;
	if (!err)
		unwatch(r, fd);
	note_wanted(r, false, false);
	return err;
}

/* Behind room is the queue's file of now. dup2(2) says EBADF of a number that
 * RLIMIT_NOFILE no longer permits. */
static int renew_room(struct ready *r)
{
	int err = os_dup_to(r->sends, r->room);

	r->stale = err < 0;
	if (err == -EBADF)
		return -EMFILE;
	return err < 0 ? err : 0;
}

static int want(struct ready *r)
{
	int err = 0;

	if (r->room < 0)
		err = begin(r, &r->room, os_dup(r->sends));
	else if (r->stale)
		err = renew_room(r);
	return err ? err : watch_room(r, r->room, EPOLLOUT, false);
}

int ready_want_write(struct ready *r, bool on)
{
	if (on == atomic_load_explicit(&r->want_write, memory_order_relaxed))
		return 0;
	if (on)
		return r->ended ? 0 : want(r);
	unwatch(r, ready_room(r).fd);
	note_wanted(r, false, false);
	return 0;
}

/* Nobody needs to know of room in the former file any more. */
void ready_follow(struct ready *r)
{
	const bool watched = ready_wants_write(r) &&
			     !atomic_load_explicit(&r->pausing,
						   memory_order_relaxed);

	if (r->room < 0)
		return;
	if (watched)
		unwatch(r, r->room);
	renew_room(r);
	/* If that failed: of a file whose life is over the set tells at once,
	 * and whoever is told tries and asks again. */
	if (watched)
		watch_room(r, r->room, EPOLLOUT, false);
}

int ready_pause(struct ready *r, unsigned us)
{
	int err = 0;

	if (r->ended)
		return 0;
	if (r->pause < 0)
		err = begin(r, &r->pause, os_timerfd());
	if (!err)
		err = os_timerfd_set(r->pause, us);
	if (err || atomic_load_explicit(&r->pausing, memory_order_relaxed))
		return err;
	if (ready_wants_write(r))
		unwatch(r, r->room);
	return watch_room(r, r->pause, EPOLLIN, true);
}
