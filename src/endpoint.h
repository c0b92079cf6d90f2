/* SPDX-License-Identifier: Apache-2.0 */
/* One link: what its queues share. */
#ifndef FDL_ENDPOINT_H
#define FDL_ENDPOINT_H

#include <pthread.h>

#include <fdlink/fdlink.h>

#include "fd/bound.h"
#include "queue.h"
#include "shared.h"

struct attachment;

struct fdl_endpoint {
	struct shared shared;
	int set;			/* epoll fd over the queues' */
	int wake;			/* eventfd, beside the set */
	struct io_group *group;		/* in mode adaptive, else NULL */
	struct bound bound;
	struct life *life;		/* NULL: the link ends with its peer, or
					 * its device */

	pthread_mutex_t attach_lock;	/* attach.c: all that follows */
	pthread_cond_t attach_changed;
	struct attachment *attachment;
	int (*detach)(struct fdl_endpoint *ep); /* as fdl_detach; NULL: it was
						 * never attached */
	bool injectable;		/* nothing is read from the fd */

	unsigned n_queues;
	struct fdl_queue *queues;
};

/* What was opened for an endpoint. */
struct own_sockets {
	const struct kind *kind;	/* NULL: the fds tell it */
	const char *name;	/* for the log; NULL: the fds are the
				 * caller's */
	unsigned descriptors;	/* that it takes in all, at most */
	const int *spare;	/* NULL, or as many sockets again as group_new
				 * takes them; the fds are in a group of their
				 * own then, steered to their own numbers */
	const struct fanout *group; /* NULL, or as struct opened has it */
	bool borrowed;		/* others have the fds, too */
	bool no_outgoing;	/* the kernel gives them no frames that this
				 * machine sends */
	struct life *life;	/* NULL: none. The endpoint owns it once that is
				 * made */
	bool unmet;		/* there is no peer yet */
};

/*
 * How many descriptors an endpoint has at most, with so many queues. Those that
 * it is made from are the caller's. pairs: it has spare sockets.
 */
unsigned endpoint_descriptors(const struct kind *kind, unsigned queues,
			      bool pairs);

/* As fdl_endpoint_new. own: NULL if the fds are the caller's. */
int endpoint_new(struct fdl_endpoint **ep, const int *fds, unsigned nfds,
		 const struct own_sockets *own, const struct fdl_options *opts);

#endif
