/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One queue: what all modes share. queue.c has its life cycle, rx/receive.c and
 * send.c the hot paths. Frames are judged in rx/judge.c and nowhere else.
 */
#ifndef FDL_QUEUE_H
#define FDL_QUEUE_H

#include <pthread.h>

#include <fdlink/fdlink.h>
#include <fdlink/offload.h>

#include "counters.h"
#include "io/io.h"
#include "packet/pool.h"
#include "shared.h"
#include "wait/ready.h"
#include "wait/watch.h"

struct fdl_queue {
	struct fdl_endpoint *ep;
	unsigned index;
	struct shared *shared;
	const struct io_ops *ops;
	struct fdl_info info;		/* of this fd */
	struct io io;
	struct ready ready;
	struct watch watch;
	bool restore_flags;		/* O_NONBLOCK is ours to clear */
	bool restore_vnet_hdr;		/* PACKET_VNET_HDR is ours to clear */
	bool restore_auxdata;		/* PACKET_AUXDATA is ours to clear */
	_Atomic int ended;		/* 0, or what fdl_recv returns for good;
					 * written by the receive side */
	_Atomic bool attached;		/* only reader may receive */
	_Atomic pthread_t reader;
	struct counters counters;
	struct tx *tx;			/* send side: tx/put.h */
	struct deferred *deferred;	/* send side: with FDL_COALESCE */

	/* Receive side: frame[gap..have) hold packets to read into; the
	 * mode has not seen frame[0..fresh) yet. */
	int gap, have, fresh;
	bool long_frames;		/* the last step ended with one */
	unsigned alone;			/* packets that came so, in a row */
	struct io_frame frame[IO_MAX_BATCH];

	/* Received and not yet handed out: the super-packet being cut, then
	 * frame[next..filled), all before gap. */
	int next, filled;
	struct fdl_packet *super;
	struct iovec super_bytes;
	struct fdl_segmenter segmenter;
	struct gro *gro;		/* with FDL_GRO, else NULL */
};

/* ep, index, shared, ops, info and io.group are set. fd is duplicated. Errors:
 * fdl_endpoint_new's of resources. */
int queue_open(struct fdl_queue *q, int fd);
void queue_close(struct fdl_queue *q);

/* May this thread receive? Not while another one, of attach's, does. */
bool queue_is_ours(struct fdl_queue *q);

/* Give all packets at hand back to the pool. Receive side. */
void queue_drop_frames(struct fdl_queue *q);

#endif
