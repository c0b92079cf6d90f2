/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The send side of a queue: one path for all calls that send. Frames are
 * gathered into messages, and go in as few system calls as the fd allows. What
 * a frame leaves undone is passed on to the wire, or done (tx/bridge.c).
 */
#ifndef FDL_TRANSMIT_H
#define FDL_TRANSMIT_H

#include <pthread.h>
#include <stdbool.h>

#include "kind/peer.h"
#include "kind/verdict.h"
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
	unsigned weight;		/* packets it counts for */
	const struct fdl_offload *off;	/* NULL: nothing is undone */
	uint32_t room;			/* bytes before the only piece that may
					 * be written to */
	bool judged;			/* bridge_judge took it, or made it of
					 * such: off and link_len are its */
	uint8_t link_len;
};

/* A list of them: f, or packets as they are, of which nothing is copied. */
struct frames {
	const struct frame *f;
	struct fdl_packet *const *v;	/* NULL: f */
};

struct tx {
	pthread_mutex_t lock;		/* for the calls that any thread makes */
	struct peer peer;
	uint32_t offloads;		/* FDL_OFFLOAD_: what the wire takes */
	int refused;			/* result of the first drop since 0 */
	int stalled;			/* why fdl_send came back short; 0: no */
	unsigned pause_us;		/* how long to wait where POLLOUT lies */

	/* A super-packet of which some segments went and others had no room:
	 * they go before all else. Its rest is below. */
	bool cutting, counted;

	/* Gathered so far. weight: packets of a message; super: it is a
	 * super-packet; head: headers written anew. */
	bool merged;			/* scratch is in use */
	unsigned n, pieces;
	struct mmsghdr msg[TX_BATCH];
	unsigned weight[TX_BATCH];
	bool super[TX_BATCH];
	struct iovec piece[TX_PIECES];
	uint8_t hdr[TX_BATCH][TX_HDR_ROOM];
	uint8_t head[TX_BATCH][FDL_HEADERS_MAX];
	uint8_t scratch[TX_SCRATCH];

	struct fdl_segmenter cut;
	struct iovec rest_bytes;
	uint8_t rest[TX_SCRATCH];
};

/* q->io is set up. Errors: -ENOMEM; -EOPNOTSUPP an odd virtio-net header. */
int tx_open(struct fdl_queue *q);
void tx_close(struct fdl_queue *q);

/* Frame i of a list; *iov is its piece if that is a packet. */
static inline struct frame frame_at(struct frames l, int i, struct iovec *iov)
{
	const struct fdl_packet *pkt;

	if (!l.v)
		return l.f[i];
	pkt = l.v[i];
	*iov = (struct iovec){ pkt->data, pkt->len };
	return (struct frame){ iov, 1, 1, &pkt->off, pkt->room, false, 0 };
}

/*
 * Send n frames in order. Returns how many are gone: written, or refused for
 * good and counted; of a super-packet that is cut the first segment counts.
 * *why tells of the next one: no room, the end, or NULL if all are gone and
 * nothing is left over.
 */
int tx_put(struct fdl_queue *q, struct frames l, int n,
	   const struct verdict **why);

/* What is left of n frames of which k went, and *why is not the end: as
 * tx_put_all. */
int tx_put_rest(struct fdl_queue *q, struct frames l, int n, int k,
		const struct verdict **why);

/*
 * The same as tx_put, where lack of room is met by the endpoint's policy: what
 * would not go is waited for, then dropped and counted. Returns how many are
 * gone, fewer than n only with *why the end.
 */
static inline int tx_put_all(struct fdl_queue *q, struct frames l, int n,
			     const struct verdict **why)
{
	const int k = tx_put(q, l, n, why);

	if (!*why || (*why)->action == END)
		return k;
	return tx_put_rest(q, l, n, k, why);
}

/*
 * Make the pollable fd tell of room when fdl_send, having come back short, may
 * be worth another try. Errors: those of ready_pause.
 */
int tx_want_room(struct fdl_queue *q);

/* Count n packets that the verdict is about, and keep its sentence. */
void tx_drop(struct fdl_queue *q, const struct verdict *v, unsigned n);

/* For tx/bridge.c, which comes between frames and messages. */

/* What is gathered has to go first. */
extern const struct verdict tx_full;
/* A super-packet that has to be cut: bridge_cut. */
extern const struct verdict tx_uncut;
/* The kernel refused a super-packet. */
extern const struct verdict tx_refused;

/* Begin a message, with a header that says *off (NULL: nothing undone). NULL:
 * there are as many as can be. */
struct msghdr *tx_begin(struct fdl_queue *q, const struct fdl_offload *off);

/* It has all its pieces. */
void tx_end(struct fdl_queue *q, unsigned weight, bool super);

/* Make a message of a frame as it is. NULL: done; else why not. */
const struct verdict *tx_gather(struct fdl_queue *q, const struct frame *f,
				const struct fdl_offload *off);

/* Send what is gathered. Returns how many messages are gone, and *why. */
int tx_push(struct fdl_queue *q, const struct verdict **why);

#endif
