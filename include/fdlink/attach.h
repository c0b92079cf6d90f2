/* SPDX-License-Identifier: Apache-2.0 */
/* Owned threads: one per queue, which receives and delivers. */
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
 * Callbacks, each on its queue's thread: with several queues they run at the
 * same time, deliver beside closed too, and what ctx points to is the callee's
 * to protect. Those of one queue follow each other, but for fdl_inject_inbound,
 * which delivers on its caller's thread. They may send, write, alloc and
 * release.
 */
struct fdl_dispatcher {
	/* n packets, at least 1, arrived. Returns k in 0..n: the callee keeps
	 * v[0..k) and releases them in its own time; the rest is released for
	 * it. */
	int (*deliver)(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		       int n);
	/* The queue's reader ends, once per queue and attach. reason: 0 orderly
	 * stop, else what fdl_recv returned. May be NULL. */
	void (*closed)(void *ctx, struct fdl_queue *q, int reason);
	void *ctx;
};

/*
 * Start one thread per queue that delivers to *d, which is copied. All signals
 * are blocked in those threads.
 * Any thread, also beside the receive side of the queues: an fdl_recv in
 * progress is waited for, an fdl_poll or fdl_queue_poll in progress ends and
 * returns 0, and every later one is -EBUSY. So it is not for the log callback,
 * which may be called by fdl_recv. fdl_wake ends no reader: a wake-up while
 * attached is for the first poll after fdl_detach.
 * Errors: -EBUSY already attached; -EINVAL d or deliver is NULL; -EAGAIN no
 * thread to be had; -ENOMEM.
 */
int fdl_attach(struct fdl_endpoint *ep, const struct fdl_dispatcher *d);

/* What the threads are like. All zero: as fdl_attach has them. */
struct fdl_threads {
	size_t size;		/* sizeof(struct fdl_threads); 0: the layout of
				 * version 1.0 */
	const char *name;	/* queue 3's thread is called NAME-3, as long as
				 * the kernel has room (15 bytes, from which
				 * NAME is cut); NULL: "fdlink" */
	const int *cpus;	/* queue i's thread runs on CPU
				 * cpus[i % n_cpus] alone */
	unsigned n_cpus;	/* 0: wherever the caller's thread may run */
};

/*
 * The same with threads of this kind; NULL: as fdl_attach. Nothing of *threads
 * is kept.
 * Errors: those of fdl_attach, and -EINVAL there is no such CPU, or it is not
 * for this process.
 */
int fdl_attach_threads(struct fdl_endpoint *ep, const struct fdl_dispatcher *d,
		       const struct fdl_threads *threads);

/*
 * Stop the readers and wait for them. Nothing is delivered once it has
 * returned; attaching again works. Not attached: nothing happens. Any thread.
 * Errors: -EDEADLK called from a callback.
 */
int fdl_detach(struct fdl_endpoint *ep);

/* Between fdl_attach and fdl_detach, also when all readers ended. Any thread. */
bool fdl_is_attached(const struct fdl_endpoint *ep);

/*
 * Wait until all readers have ended, of themselves or by fdl_detach. At once
 * when not attached. Any thread. Errors: -EDEADLK called from a callback.
 */
int fdl_wait(struct fdl_endpoint *ep);

/*
 * Put the endpoint's link header in front of the packet: remote is the
 * destination, local the source (6 bytes each; local NULL: the endpoint's own
 * address), protocol in host order. Without a link header nothing happens.
 * Errors: -ENOSPC less than 14 bytes of room; -EINVAL remote is NULL.
 */
int fdl_add_header(struct fdl_endpoint *ep, struct fdl_packet *pkt,
		   const uint8_t *local, const uint8_t *remote,
		   uint16_t protocol);

/*
 * Send packets by flow: each on queue hash % fdl_queues(). Where hash is 0 the
 * flow's own is computed, from addresses, protocol and ports, the same in both
 * directions, and left there. Packets of one flow keep their order, also when
 * several threads write; those of one queue go out as one batch, in whatever
 * order the flows come. v may be permuted. Where there is no room, the packets
 * are dropped and counted after fdl_options.tx_wait_ms.
 * Any thread: a lock per queue, which fdl_inject_outbound takes too, but not
 * fdl_send, fdl_write, fdl_write_ref and fdl_flush: a queue is for these or for
 * those at one time.
 * Returns how many were taken; they stand first in v, and are the library's.
 * Errors: none was taken: those of fdl_send.
 */
int fdl_write_packets(struct fdl_endpoint *ep, struct fdl_packet *v[], int n);

/*
 * Send len bytes as they are, one frame, on the first queue. Threads as of
 * fdl_write_packets. Returns 0, or the errors of fdl_write.
 */
int fdl_inject_outbound(struct fdl_endpoint *ep, const void *bytes, size_t len);

/*
 * Hand a packet to the dispatcher as if it had arrived on the first queue,
 * judged and counted by nobody. The dispatcher runs on this thread, beside the
 * readers. Any thread, callbacks too, but not while or after fdl_endpoint_free.
 * Returns 0: the packet was the dispatcher's. Errors: -ENOTCONN not attached;
 * the packet is still the caller's.
 */
int fdl_inject_inbound(struct fdl_endpoint *ep, struct fdl_packet *pkt);

/*
 * As fdl_endpoint_new over one fd, for writing only: fdl_attach starts no
 * thread, and all that the dispatcher gets is injected; closed is never called.
 */
int fdl_injectable_new(struct fdl_endpoint **ep, int fd,
		       const struct fdl_options *opts);

#ifdef __cplusplus
}
#endif

#endif
