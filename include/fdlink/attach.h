/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of the library: one per queue, which receives and delivers. */
#ifndef FDLINK_ATTACH_H
#define FDLINK_ATTACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fdlink/fdlink.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Callbacks, each on the thread of its queue, called its reader. The callbacks
 * of one queue follow each other. Those of several queues run at the same time,
 * also deliver of one beside closed of another: whoever provides them protects
 * what ctx points to. fdl_inject_inbound calls deliver on its caller's thread,
 * at any time. Callbacks may send, write, alloc and release.
 */
struct fdl_dispatcher {
	/* n packets arrived, at least 1. Returns k in 0..n: the callee keeps
	 * v[0..k) and releases them when it likes; the library releases the
	 * others. */
	int (*deliver)(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		       int n);
	/* The reader of the queue ends; once per queue and attach. reason: 0
	 * fdl_detach, else what fdl_recv returned. May be NULL. */
	void (*closed)(void *ctx, struct fdl_queue *q, int reason);
	void *ctx;
};

/*
 * Start one thread per queue that delivers to *d, which is copied. All signals
 * are blocked in those threads. Any thread.
 *
 * The receive side of every queue is the readers' until fdl_detach:
 *
 *	-EBUSY		fdl_recv and fdl_queue_poll, except on the queue's own
 *			reader, in a callback; fdl_poll on any thread. A call in
 *			progress on another thread ends first, a poll by
 *			returning 0, and fdl_attach waits for it. So the log
 *			callback must not call fdl_attach
 *	-EDEADLK	fdl_detach, fdl_wait and fdl_endpoint_free in a callback
 *	allowed		the send side, for one thread at a time as ever, and
 *			all functions marked "any thread". fdl_wake stops no
 *			reader
 *
 * The pollable fds tell of what the readers are about to take: an event loop
 * need not poll them while the endpoint is attached.
 *
 * Returns 0.
 * Errors:
 *	-EBUSY		the endpoint is attached already
 *	-EINVAL		d or d->deliver is NULL
 *	-ENOMEM
 *	-EAGAIN		the system has no thread to give
 */
int fdl_attach(struct fdl_endpoint *ep, const struct fdl_dispatcher *d);

/* How to make the threads. All zero: as fdl_attach makes them. */
struct fdl_threads {
	size_t size;		/* sizeof(struct fdl_threads); 0: the layout of
				 * version 1.0 */
	const char *name;	/* NAME: the thread of queue 3 is called NAME-3,
				 * with NAME cut so that the whole has at most
				 * 15 bytes; NULL: "fdlink" */
	const int *cpus;	/* the thread of queue i runs on CPU
				 * cpus[i % n_cpus] alone; not NULL if n_cpus is
				 * not 0 */
	unsigned n_cpus;	/* 0: wherever the caller's thread may run */
};

/*
 * As fdl_attach, with threads of this kind; NULL: the same as fdl_attach.
 * Nothing of *threads is kept.
 *
 * Returns 0.
 * Errors: those of fdl_attach, and
 *	-EINVAL		there is no such CPU, or this process may not use it
 */
int fdl_attach_threads(struct fdl_endpoint *ep, const struct fdl_dispatcher *d,
		       const struct fdl_threads *threads);

/*
 * Stop the readers and wait for them. Once fdl_detach has returned, nothing is
 * delivered; the endpoint can be attached again. If it is not attached, nothing
 * happens. Any thread.
 *
 * Returns 0.
 * Errors:
 *	-EDEADLK	called from a callback
 */
int fdl_detach(struct fdl_endpoint *ep);

/* True between fdl_attach and fdl_detach, also when all readers have ended. Any
 * thread. */
bool fdl_is_attached(const struct fdl_endpoint *ep);

/*
 * Wait until all readers have ended, by themselves or by fdl_detach. If the
 * endpoint is not attached, do not wait. Any thread.
 *
 * Returns 0.
 * Errors:
 *	-EDEADLK	called from a callback
 */
int fdl_wait(struct fdl_endpoint *ep);

/*
 * Put the endpoint's link header in front of the packet: remote is the
 * destination, local the source (6 bytes each; local NULL: the endpoint's own
 * address), protocol is in host order. On a link without link header nothing
 * happens.
 *
 * Returns 0.
 * Errors:
 *	-ENOSPC		the packet has less than 14 bytes of room
 *	-EINVAL		remote is NULL
 */
int fdl_add_header(struct fdl_endpoint *ep, struct fdl_packet *pkt,
		   const uint8_t *local, const uint8_t *remote,
		   uint16_t protocol);

/*
 * Send packets by flow: each on queue hash % fdl_queues(). If packet.hash is 0
 * the hash of its flow is computed (fdl_flow_hash) and stored there: it comes
 * from addresses, protocol and ports, and is the same in both directions.
 *
 * Packets of one flow keep their order, also when several threads write. The
 * packets of one queue go out as one batch; queues come in any order, and v[]
 * may be permuted. Where there is no room within fdl_options.tx_wait_ms,
 * packets are dropped and counted.
 *
 * Any thread: there is a lock per queue, which fdl_inject_outbound takes too.
 * fdl_send, fdl_write, fdl_write_ref, fdl_write_frames and fdl_flush do not
 * take it: do not use both groups of calls on one queue at the same time.
 *
 * Returns k > 0, or 0 if n is 0: v[0..k) were taken, and are the library's.
 * Errors: those of fdl_send; no packet was taken.
 */
int fdl_write_packets(struct fdl_endpoint *ep, struct fdl_packet *v[], int n);

/*
 * Send len bytes as they are, one frame, on the first queue. Any thread, as
 * fdl_write_packets.
 *
 * Returns 0.
 * Errors: those of fdl_write.
 */
int fdl_inject_outbound(struct fdl_endpoint *ep, const void *bytes, size_t len);

/*
 * Hand a packet to the dispatcher as if it had arrived on the first queue. The
 * packet is neither checked nor counted. The dispatcher runs on this thread,
 * beside the readers. Any thread, callbacks too, except while fdl_endpoint_free
 * runs or after it.
 *
 * Returns 0: the dispatcher had the packet.
 * Errors:
 *	-ENOTCONN	not attached; the packet is still the caller's
 */
int fdl_inject_inbound(struct fdl_endpoint *ep, struct fdl_packet *pkt);

/*
 * As fdl_endpoint_new over one fd, for writing only: fdl_attach starts no
 * thread. The dispatcher gets what is injected and nothing else; closed is
 * never called.
 *
 * Returns and errors: those of fdl_endpoint_new.
 */
int fdl_injectable_new(struct fdl_endpoint **ep, int fd,
		       const struct fdl_options *opts);

#ifdef __cplusplus
}
#endif

#endif
