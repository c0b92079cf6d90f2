/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One queue: the hot path that all modes share. Frames are judged here and
 * nowhere else.
 */
#ifndef FDL_QUEUE_H
#define FDL_QUEUE_H

#include <pthread.h>

#include <fdlink/fdlink.h>

#include "counters.h"
#include "io/io.h"
#include "packet/pool.h"
#include "ready.h"

struct fdl_queue {
	struct fdl_endpoint *ep;
	unsigned index;
	unsigned batch;
	struct io io;
	struct pool *pool;
	struct ready ready;
	bool restore_flags;		/* O_NONBLOCK is ours to clear */
	bool restore_auxdata;		/* PACKET_AUXDATA is ours to clear */
	_Atomic int ended;		/* 0, or what fdl_recv returns for good;
					 * written by the receive side */
	_Atomic bool attached;		/* only reader may receive */
	_Atomic pthread_t reader;
	struct counters counters;

	/* Receive side: empty packets to read into */
	int spares;
	struct fdl_packet *spare[IO_MAX_BATCH];
	struct io_frame frame[IO_MAX_BATCH];
};

/* ep, index and batch are set. The fd is duplicated. Errors: fdl_endpoint_new's
 * of resources. */
int queue_open(struct fdl_queue *q, int fd);
void queue_close(struct fdl_queue *q);

#endif
