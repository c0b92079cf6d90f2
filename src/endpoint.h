/* SPDX-License-Identifier: Apache-2.0 */
/* One link: what its queues share. */
#ifndef FDL_ENDPOINT_H
#define FDL_ENDPOINT_H

#include <pthread.h>

#include <fdlink/fdlink.h>

#include "queue.h"
#include "shared.h"

struct attachment;

enum {
	ENDPOINT_MAX_PATHS = 2,
};

struct fdl_endpoint {
	struct shared shared;
	int set;			/* epoll fd over the queues' */
	int wake;			/* eventfd, beside the set */
	struct io_group *group;		/* in mode adaptive, else NULL */
	char *path[ENDPOINT_MAX_PATHS];	/* to unlink */

	pthread_mutex_t attach_lock;	/* attach.c: all that follows */
	pthread_cond_t attach_changed;
	struct attachment *attachment;
	bool injectable;		/* nothing is read from the fd */

	unsigned n_queues;
	struct fdl_queue *queues;
};

/* AF_PACKET sockets that were opened for an endpoint. */
struct own_sockets {
	const int *spare;	/* NULL, or as many sockets again as group_new
				 * takes them; the fds are in a group of their
				 * own then, steered to their own numbers */
	bool no_outgoing;	/* the kernel gives them no frames that this
				 * machine sends */
};

/* As fdl_endpoint_new. own: NULL if the fds are the caller's. */
int endpoint_new(struct fdl_endpoint **ep, const int *fds, unsigned nfds,
		 const struct own_sockets *own, const struct fdl_options *opts);

/*
 * Unlink path, and free(3) it, when the endpoint is freed. At most
 * ENDPOINT_MAX_PATHS times.
 */
void endpoint_owns_path(struct fdl_endpoint *ep, char *path);

#endif
