/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A link that may be without its peer or its device: it is opened before there
 * is one, or it lasts when the peer or device goes. This struct, one for all
 * queues of an endpoint, keeps what is needed to find the next one.
 */
#ifndef FDL_KIND_LIFE_H
#define FDL_KIND_LIFE_H

#include <linux/filter.h>
#include <pthread.h>
#include <stdbool.h>

#include "fd/locator.h"
#include "fd/opened.h"
#include "kind/batch.h"
#include "kind/peer.h"
#include "log.h"
#include "os.h"

struct life {
	struct locator loc;
	char *path;	/* loc.name, if that is a path: whatever becomes of the
			 * current directory. NULL: the name as it is */
	struct sock_fprog program;	/* of loc.fanout, if it has one */
	const struct kind *kind;	/* of loc, or a special sort of it */
	bool lasts;		/* it outlives its peer, or its device */
	struct log log;

	/* Of connections. */
	int listener;		/* peers connect to it; not owned; -1: none */
	bool lent;		/* the listener is the caller's, and is left as
				 * it is */
	int calling;		/* a socket that is being connected; -1 */

	/* Of datagrams. */
	struct peer last;	/* the peer that was met last */
	struct os_file met;	/* its socket file, if it was greeted */
	unsigned strangers;	/* messages dropped, as they were not from the
				 * peer; the caller of life_meet counts them */
	bool told;		/* the log has a sentence on one of them, or on
				 * a connection that cannot be accepted */

	/* Of devices: only they have several queues. */
	pthread_mutex_t lock;
	struct batch batch;	/* under the lock */
};

/*
 * Keep what is needed to open loc again; opened is what was opened, and outside
 * opens devices (batch.h). Errors: -ENOMEM, those of open(2).
 */
int life_new(struct life **life, const struct locator *loc,
	     const struct kind *kind, const struct opened *opened,
	     const struct outside *outside, const struct log *log);

/* NULL is fine. */
void life_free(struct life *life);

/*
 * Receive side, between two lives: find a peer or a device. fd is the queue's.
 * Never blocks, except as long as it takes to open a device. *group is NULL, or
 * has a holder for the caller.
 *
 * Returns fd itself if it has a peer now; or another fd, which the caller owns,
 * and whose file has to take the place of fd.
 * Errors:
 *	-EAGAIN		there is nobody; the listener, or fd, is readable when
 *			somebody comes
 *	any other	try again later
 */
int life_meet(struct life *life, unsigned queue, int fd,
	      struct io_group **group);

/* The fd that life_meet gave could not take the place, for err. It is not the
 * caller's any more. */
void life_return(struct life *life, unsigned queue, int fd, int err);

/*
 * The file that life_meet gave has the number fd now. If it is a peer, and the
 * only one, no other can connect from here on. If it is a device: when the
 * files of all queues are in place, they join the fanout group, if one was
 * asked for.
 * Returns the number of the batch; 0: it was no device.
 */
unsigned life_settle(struct life *life, unsigned queue, int fd);

/* For a kind's meet: where the peer's unix socket is. */
const char *life_path(const struct life *life);

/*
 * For a kind's meet: accept a waiting connection. Errors: as life_meet.
 */
int life_accept(struct life *life);

/* The same: connect a socket of that family and type. */
int life_call(struct life *life, const struct sockaddr *address, socklen_t len,
	      int type);

#endif
