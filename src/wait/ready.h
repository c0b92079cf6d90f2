/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a queue has something: its pollable fd. It is an epoll set of the data
 * fd (while there is a free packet to read into), of the pool's refill eventfd,
 * and of a second duplicate of the data fd for writability. The two sides of
 * the queue own different registrations, so they need no lock.
 *
 * A socket also wakes those who watch it for each packet that is sent. So the
 * data fd is in the set only once somebody was shown the set; before that, the
 * queue's own wait looks at the data fd directly.
 */
#ifndef FDL_READY_H
#define FDL_READY_H

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct waker;

struct ready {
	int epfd;
	int wake;		/* eventfd, beside the set: only waits see it */
	int stop;		/* the same, of attach's reader alone */
	int also;		/* another, of ready_share's; -1: none */
	int data;		/* what is received from; not owned */
	int sends;		/* the queue's fd; not owned */
	int refill;		/* the pool's; not owned */
	int more;		/* eventfd; -1 where nothing is ever left
				 * over */
	int link;		/* the link watch's; not owned; -1: none */
	int visit;		/* ready_await's; not owned; -1: none */
	_Atomic int room;	/* duplicate of sends, -1 until first wanted */
	bool stale;		/* send side: behind room is a former file */
	_Atomic int pause;	/* timerfd; -1 until POLLOUT was first set
				 * without room */
	bool edge;		/* data is watched for edges */
	pthread_mutex_t lock;	/* for data's place in the set */
	bool placed;		/* under the lock: data is in the set */
	_Atomic bool shown;	/* the set, to somebody; for good */
	bool armed;		/* receive side, under the lock: data is
				 * watched, in the set once that is shown */
	bool insists;		/* receive side: ready_insist was called */
	bool has_more;		/* receive side: more is raised */
	_Atomic bool ended;	/* receive side writes: ready_end was called */
	unsigned answered;	/* receive side: refill signals read */
	_Atomic bool want_write; /* send side writes: room, or with pausing */
	_Atomic bool pausing;	/* pause, is in the set */
};

/* ready_open() */
enum {
	READY_EDGE = 1 << 0,		/* watch data for edges */
	READY_LEFTOVERS = 1 << 1,	/* ready_more will be called */
};

/*
 * Open the set. data is the fd that tells of packets, sends the one that
 * packets are sent to: often the same. Errors: those of epoll_create1(2),
 * eventfd(2), epoll_ctl(2).
 */
int ready_open(struct ready *r, int data, int sends, int refill,
	       unsigned flags);
void ready_close(struct ready *r);

/* Put the data fd into the set, for somebody is about to look at the set. Any
 * thread. Errors: those of epoll_ctl(2); then nobody may look at it. */
int ready_show(struct ready *r);

/*
 * Receive side: wait for something. Returns 1: there is something; 0: the time
 * is up, or w ended the wait. The eventfd of w is r->wake, r->stop, or the one
 * of ready_share. A signal alone does not end the wait. Errors: those of
 * poll(2).
 */
int ready_wait(struct ready *r, const struct waker *w, int timeout_ms);

/* Let this eventfd, which is not owned, end a wait too. Before any wait. */
void ready_share(struct ready *r, int wake);

/* Receive side, with edge: forget the edges so far, because the caller looks at
 * the data after this. Returns whether the fd has an error pending. */
bool ready_settle(struct ready *r);

/* Receive side, with edge, after ready_settle: there is something after all.
 * What is left of it when the caller returns makes the set ready again. */
void ready_remind(struct ready *r);

/* Receive side: more: make the set ready, whatever the fd says. !more: no
 * longer. */
void ready_more(struct ready *r, bool more);

/* Receive side: make the set ready when fd is readable too, or no longer.
 * Errors: those of epoll_ctl(2). */
int ready_watch(struct ready *r, int fd);
void ready_unwatch(struct ready *r);

/* Receive side: be ready until ready_end. For a watched fd that is a netlink
 * socket. */
void ready_insist(struct ready *r);

/* Receive side: be ready when fd is readable, even if data is not watched. fd
 * takes the place of the fd of an earlier call; -1: watch none. The caller
 * takes it out before closing it. Errors: those of epoll_ctl(2). */
int ready_await(struct ready *r, int fd);

/* Receive side, while data is not watched: from now on data is another fd, or
 * has another file behind it. */
void ready_renew(struct ready *r, int data);

/* Send side: the file behind the queue's fd has been replaced. */
void ready_follow(struct ready *r);

/* Receive side: the pool is empty. Be quiet until a release. */
void ready_disarm(struct ready *r);

/* Receive side: there may be packets again. Watch the data fd. Errors: it
 * cannot be watched any more. */
int ready_rearm(struct ready *r);

/*
 * Receive side: note the releases that the pool has signalled, having been
 * asked so often. The signals come late: before the fd tells of one, the
 * packets may be taken and the pool be empty again. No system call is made if
 * none is due. Returns whether there were any.
 */
bool ready_note_refill(struct ready *r, unsigned asked);

/* Receive side: the queue has ended, and the caller was told. Be quiet for
 * good, whatever the send side asks for. May be repeated. */
void ready_end(struct ready *r);

/* Send side. Errors: -EMFILE, -ENFILE, -ENOMEM. */
int ready_want_write(struct ready *r, bool on);

/*
 * Send side: report room after so many microseconds. For an fd whose POLLOUT is
 * set though it has no room. Until ready_want_write ends it; may be repeated.
 * Errors: as above.
 */
int ready_pause(struct ready *r, unsigned us);

/*
 * Returns what the set is ready for now: FDL_READABLE, FDL_WRITABLE, or 0. Uses
 * up no edge: what it tells is told again until fdl_recv or fdl_send. there:
 * with edge, whether the data fd has something.
 */
int ready_state(const struct ready *r, bool there);

/* What to poll for room: the end of the pause, if there is one, else
 * POLLOUT. */
struct pollfd ready_room(const struct ready *r);

static inline bool ready_is_shown(const struct ready *r)
{
	return atomic_load_explicit(&r->shown, memory_order_acquire);
}

static inline bool ready_wants_write(const struct ready *r)
{
	return atomic_load_explicit(&r->want_write, memory_order_acquire);
}

#endif
