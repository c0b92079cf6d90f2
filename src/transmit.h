/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The send side of a queue: one path for all calls that send. Frames are
 * gathered into messages, and go in as few system calls as the fd allows.
 */
#ifndef FDL_TRANSMIT_H
#define FDL_TRANSMIT_H

#include <pthread.h>
#include <stdbool.h>

#include "io/peer.h"
#include "io/verdict.h"
#include "queue.h"

enum {
	TX_BATCH = 256,			/* messages in one go */
	TX_PIECES = 2048,		/* of all of them */
	TX_HDR_ROOM = 24,
	TX_SCRATCH = 1 << 17,
};

/* What is to be sent: a frame in pieces, empty ones allowed. */
struct frame {
	const struct iovec *iov;
	int cnt;
	const struct fdl_offload *off;	/* NULL: nothing is undone */
};

struct tx {
	pthread_mutex_t lock;		/* for the calls that any thread makes */
	struct peer peer;
	int refused;			/* result of the first drop since 0 */
	int stalled;			/* why fdl_send came back short, or 0 */

	unsigned n, pieces;		/* gathered so far */
	bool merged;			/* scratch is in use */
	struct mmsghdr msg[TX_BATCH];
	struct iovec piece[TX_PIECES];
	uint8_t hdr[TX_BATCH][TX_HDR_ROOM];
	uint8_t scratch[TX_SCRATCH];
};

/* q->io is set up. Errors: -ENOMEM. */
int tx_open(struct fdl_queue *q);
void tx_close(struct fdl_queue *q);

/*
 * Send f[0..n) in order. Returns how many are gone: written, or refused for
 * good and counted. *why tells of the next one: no room, the end, or NULL if
 * all are gone.
 */
int tx_put(struct fdl_queue *q, const struct frame f[], int n,
	   const struct verdict **why);

/*
 * The same, where lack of room is met by the endpoint's policy: what would not
 * go is waited for, then dropped and counted. Returns how many are gone, fewer
 * than n only with *why the end.
 */
int tx_put_all(struct fdl_queue *q, const struct frame f[], int n,
	       const struct verdict **why);

/* Count n packets that the verdict is about, and keep its sentence. */
void tx_drop(struct fdl_queue *q, const struct verdict *v, int n);

#endif
