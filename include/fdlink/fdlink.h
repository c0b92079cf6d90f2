/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdlink: link-layer endpoints over file descriptors, for any event loop.
 *
 * An endpoint is one link, over 1..N queues; a queue is one fd. Queues are
 * polled by the caller, or by threads of the library's (attach.h). fdlink(7)
 * tells the whole story.
 *
 * Conventions: functions that return int give a negative errno on failure,
 * and then nothing has changed, save where said. Lengths are bytes.
 *
 * Threads: the receive side of a queue (fdl_recv, fdl_keep, fdl_queue_poll) and
 * its send side (fdl_send, fdl_write, fdl_write_ref, fdl_flush) are
 * independent, each for one thread at a time; fdl_poll is the receive side of
 * every queue. Functions marked "any thread"
 * may be called at any moment of the endpoint's life. All others are for one
 * thread at a time per endpoint. Threads are those that the C library makes
 * (pthread_create(3), thrd_create(3)): while it has made none, atomic
 * instructions are saved. One made by a bare clone(2) is none of them. Signal
 * handlers may call fdl_wake and nothing else.
 */
#ifndef FDLINK_FDLINK_H
#define FDLINK_FDLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <fdlink/options.h>
#include <fdlink/packet.h>
#include <fdlink/stats.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fdl_endpoint;
struct fdl_queue;

/*
 * Make an endpoint over fds[0..nfds), which must all be of one kind: TUN, TAP,
 * AF_PACKET (SOCK_RAW, bound), or sockets of type SOCK_SEQPACKET or SOCK_DGRAM
 * (connected, to be written to). The endpoint works on duplicates: the fds stay
 * the caller's to close, at any time, but a peer sees the end of a link only
 * after fdl_endpoint_free. TUN and TAP fds are set O_NONBLOCK until then.
 * *ep is set on success only. opts may be NULL.
 *
 * With options.fanout, AF_PACKET sockets are put into one fanout group, all or,
 * on failure, some of them: a socket cannot leave its group but by being
 * closed. What it queued before is delivered as it is.
 *
 * Errors: -EINVAL an option out of range or contradicting the fd, no fds, fds
 * of several kinds or media; -EBADF an fd is not open; -EPROTOTYPE an fd keeps
 * no packet boundaries, or is an AF_PACKET socket of type SOCK_DGRAM;
 * -EOPNOTSUPP an fd whose packets carry packet information (no IFF_NO_PI), or a
 * virtio-net header of more than 24 bytes; -ENODEV an fd without its device;
 * -ENOMEM, -EMFILE, -ENFILE. The log says which option or fd, and the way out.
 */
int fdl_endpoint_new(struct fdl_endpoint **ep, const int *fds, unsigned nfds,
		     const struct fdl_options *opts);

/*
 * Detach if attached, close what the library opened, and free the endpoint.
 * Packets still held stay readable until they are released; their memory goes
 * with the last one. No other call on the endpoint may be in progress, save
 * those of attach.h's own threads. NULL is fine.
 * Errors: -EDEADLK called from a dispatcher callback; nothing was freed.
 */
int fdl_endpoint_free(struct fdl_endpoint *ep);

/* The queues, numbered 0 .. fdl_queues() - 1; NULL past the end. Any thread. */
unsigned fdl_queues(const struct fdl_endpoint *ep);
struct fdl_queue *fdl_get_queue(struct fdl_endpoint *ep, unsigned i);
struct fdl_endpoint *fdl_queue_endpoint(const struct fdl_queue *q);
unsigned fdl_queue_index(const struct fdl_queue *q);

/*
 * Properties, fixed at creation. Any thread.
 */
uint32_t fdl_mtu(const struct fdl_endpoint *ep);
uint32_t fdl_capabilities(const struct fdl_endpoint *ep);
enum fdl_mode fdl_get_mode(const struct fdl_endpoint *ep); /* never AUTO */
const uint8_t *fdl_address(const struct fdl_endpoint *ep); /* 6 bytes */
uint32_t fdl_max_header_len(const struct fdl_endpoint *ep); /* 14 or 0 */
uint16_t fdl_arp_hardware(const struct fdl_endpoint *ep);
uint32_t fdl_gso_max_size(const struct fdl_endpoint *ep);

/* Who cuts the stack's super-packets of TCP: nobody, as gso_max_size is 0; the
 * endpoint; or the wire. That may change, when the kernel refuses one. */
enum fdl_gso_kind {
	FDL_GSO_UNSUPPORTED,
	FDL_GSO_SOFTWARE,
	FDL_GSO_HARDWARE,
};

enum fdl_gso_kind fdl_get_gso_kind(const struct fdl_endpoint *ep);

/*
 * FDL_OFFLOAD_ bits (open.h) of what is left to the wire on send. What the
 * kernel refuses in flight is done here from then on: bits may go. Any thread.
 */
uint32_t fdl_tx_offloads(const struct fdl_endpoint *ep);

/* fdl_capabilities() */
enum {
	FDL_CAP_TX_CSUM			= 1 << 1, /* FDL_TX_CSUM was given */
	FDL_CAP_RX_CSUM			= 1 << 2, /* FDL_RX_CSUM was given */
	FDL_CAP_RESOLUTION_REQUIRED	= 1 << 3, /* there is a link header */
	FDL_CAP_SAVE_RESTORE		= 1 << 4,
	FDL_CAP_DISCONNECT_OK		= 1 << 5,
};

/* fdl_arp_hardware(), as linux/if_arp.h has them. */
enum {
	FDL_ARPHRD_ETHER	= 1,
	FDL_ARPHRD_NONE		= 0xfffe,
};

/* The library's version, "0.1.0". Any thread. */
const char *fdl_version(void);

/*
 * One sentence on the last error that was worth one: a packet refused for good,
 * a queue that ended. "" if there was none. The text is the caller's thread's
 * to read until the next call on the endpoint.
 */
const char *fdl_last_error(const struct fdl_endpoint *ep);

/*
 * Pollable fds, of one queue and of the whole endpoint: POLLIN as long as
 * fdl_recv has something to give or to tell, and, after fdl_want_write, as long
 * as fdl_send has room. Level-triggered; quiet once fdl_recv has returned 0,
 * -ENOBUFS or a lasting error. They are epoll fds: poll them, never read,
 * change or close them. Any thread. From the first of these calls, or of
 * fdl_poll with several queues, on an AF_PACKET socket pays to tell the fd of
 * each packet that is sent; fdl_queue_poll does without.
 * Errors: -ENOMEM; -ENOSPC more epoll registrations than the user may have
 * (fs.epoll.max_user_watches).
 */
int fdl_fd(const struct fdl_endpoint *ep);
int fdl_queue_fd(const struct fdl_queue *q);

/* fdl_poll(), fdl_queue_poll() */
enum {
	FDL_READABLE = 1,
	FDL_WRITABLE = 2,
};

/*
 * Wait up to timeout_ms milliseconds (0: do not wait, -1: for ever) until there
 * is something to receive, or room to send where fdl_want_write asked for it.
 * fdl_poll is for the one thread that serves all queues; fdl_queue_poll for a
 * queue's receiving thread.
 * Returns FDL_READABLE and FDL_WRITABLE as they apply, 0 on timeout, after
 * fdl_wake, or when another thread calls fdl_attach; a signal alone does not
 * end it.
 * Errors: -ESHUTDOWN, -ENODEV, or what fdl_recv returned, when the queue (all
 * queues) has ended; -EBUSY while attached.
 */
int fdl_poll(struct fdl_endpoint *ep, int timeout_ms);
int fdl_queue_poll(struct fdl_queue *q, int timeout_ms);

/*
 * End every fdl_poll and fdl_queue_poll in progress; where none is, the next
 * one, which while attached is the first after fdl_detach. Does not touch the
 * pollable fds. Any thread, signal handlers too.
 */
void fdl_wake(struct fdl_endpoint *ep);

/*
 * Make the queue's and the endpoint's pollable fd report room to send, or no
 * longer. Send side. On a TUN, TAP and AF_PACKET socket there is almost always
 * room: ask for it only after fdl_send came back short.
 * Errors: what fdl_recv returned, when the queue has ended.
 */
int fdl_want_write(struct fdl_queue *q, bool on);

/*
 * Receive up to n packets into v[]. Never blocks. Frames that are not worth
 * delivering are counted and skipped.
 * Returns the number of packets, the caller's from then on, which may be fewer
 * than n though there are more, the pollable fd readable still; 0: nothing now
 * (also while the link is down, and when its device has changed, which
 * fdl_link_state tells more of), or nothing but rubbish so far, and the
 * pollable fd is readable still.
 * Errors: -ENOBUFS the caller holds the whole pool; the queue is quiet until
 * one is released. -ESHUTDOWN the peer closed, and all it had sent is
 * delivered. -ENODEV the device is gone. -EBUSY while attached. Another errno:
 * the fd is broken. After a lasting error (all but the first and -EBUSY) the
 * queue has ended: it stays quiet and every call returns the same.
 */
int fdl_recv(struct fdl_queue *q, struct fdl_packet *v[], int n);

/*
 * Give packets back: any order, any time, any thread, also after
 * fdl_endpoint_free. NULL entries are skipped.
 */
void fdl_release(struct fdl_packet *v[], int n);

/*
 * Make a received packet independent of the queue's ring, so that it can be
 * held for long without keeping a block of the ring from the kernel: its bytes
 * are copied, to a slot with room before and behind, and *pkt may become
 * another packet. In the modes without a ring, and the second time, nothing
 * happens. Any thread.
 * Errors: -EMSGSIZE longer than a slot; the packet is as it was.
 */
int fdl_keep(struct fdl_packet **pkt);

/*
 * Take up to n empty packets from the queue's pool: len 0, all of the slot
 * behind the headroom in tail, every other field 0. Any thread.
 * Returns how many there were. Errors: -ENOBUFS there was none.
 */
int fdl_alloc(struct fdl_queue *q, struct fdl_packet *v[], int n);

/*
 * Send packets, in order, which may come from another queue or endpoint. Never
 * blocks and never drops for lack of room; what the device refuses for 100 ms, or
 * 64 times a millisecond apart, while the fd has room is dropped as refused, for
 * that is a rule or a peer's MTU, not a full queue. The room before data may be written
 * to, also that of packets which stay. What off says is left undone on a packet
 * is passed on where the wire takes it, else done here: the checksum completed,
 * a super-packet cut into segments.
 * Returns k >= 0: v[0..k) are gone (written, or refused for good and counted),
 * v[k..n) are still the caller's and would go later; fdl_want_write tells when.
 * A super-packet of which some segments went is gone; the queue keeps the rest,
 * which goes first next time, or by fdl_flush, which is -EAGAIN while there is
 * any.
 * Errors: none went, and none can: -ESHUTDOWN the peer closed, -ENODEV the
 * device is gone, another errno: the fd is broken.
 */
int fdl_send(struct fdl_queue *q, struct fdl_packet *v[], int n);

/*
 * Write one frame from cnt pieces (0 to INT_MAX, empty ones allowed). off may
 * be NULL; it says what is left undone on the frame. Where there is no room the
 * frame is dropped and counted, after fdl_options.tx_wait_ms, or sooner where
 * fdl_send would drop it.
 * Returns 0: written, or put off to fdl_flush. Errors, all counted: -EAGAIN or
 * -ENOBUFS no room; -EINVAL empty, refused as malformed, or contradicting off;
 * -EMSGSIZE too long; -ENETDOWN the link is down; -ECONNREFUSED no reader;
 * -ESHUTDOWN, -ENODEV and others as fdl_send.
 */
int fdl_write(struct fdl_queue *q, const struct iovec *iov, int cnt,
	      const struct fdl_offload *off);

/*
 * The same without a copy: the bytes must stay until done(arg) is called, once,
 * on this thread or the one that flushes, possibly before the return. It is
 * called if and only if the return value is >= 0. done may be NULL.
 * The queue is amid a flush then: of its send side done may call nothing (what
 * it wrote would be lost uncounted), nor fdl_write_packets, fdl_inject_outbound
 * or fdl_endpoint_free on its endpoint. It may use other queues, and
 * fdl_alloc and fdl_release.
 */
int fdl_write_ref(struct fdl_queue *q, const struct iovec *iov, int cnt,
		  const struct fdl_offload *off, void (*done)(void *arg),
		  void *arg);

/*
 * End of a batch: write what FDL_COALESCE put off. It also goes when there is
 * no more room for it, before any fdl_send or fdl_write_packets, and when the
 * endpoint is freed. Returns 0. Errors: what fdl_write would have returned for
 * the first packet that did not go; all of them are counted. -EAGAIN or
 * -ENOBUFS also while there is no room for what an fdl_send left over.
 */
int fdl_flush(struct fdl_queue *q);

#ifdef __cplusplus
}
#endif

#endif
