/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdlink: link-layer endpoints over file descriptors, for any event loop.
 * fdlink(7) tells the whole story.
 *
 * Words:
 *
 *	endpoint	one link, over one or more queues
 *	queue		one fd of the link. The caller polls it, or threads of
 *			the library do (attach.h)
 *	stack		the program above the endpoint, which takes the packets
 *			that arrive and sends others
 *	wire		what is on the other side of the fd: the kernel, its
 *			device, or the peer of a unix socket
 *	slot		the memory of one packet. A queue's pool has a fixed
 *			number of slots
 *	super-packet	one packet with the payload of several TCP or UDP
 *			segments of one flow, which somebody cuts later (GSO)
 *	partial		of a checksum: to be completed by the other side
 *			(packet.h)
 *	pollable fd	the fd of a queue or an endpoint that an event loop
 *			polls: fdl_queue_fd, fdl_fd
 *
 * Conventions: a function that returns int gives a negative errno on failure;
 * then nothing has changed, except where its comment says so. Lengths are in
 * bytes.
 *
 * Threads: a queue has two sides, and each is for one thread at a time,
 * independently of the other:
 *
 *	receive side	fdl_recv, fdl_queue_poll; fdl_poll is the receive side
 *			of every queue
 *	send side	fdl_send, fdl_write, fdl_write_ref, fdl_write_frames,
 *			fdl_flush, fdl_want_write
 *
 * A function marked "any thread" may be called at any moment of the endpoint's
 * life, also while other threads call others. All other functions are for one
 * thread at a time per endpoint. A signal handler may call fdl_wake only.
 *
 * Make threads with pthread_create(3) or thrd_create(3), not with clone(2). End
 * none inside a call (pthread_cancel(3)): others would be kept out for ever. A
 * call needs up to 64 KiB of stack, and what the log callback needs. While a
 * process has a single thread, the library skips atomic instructions.
 *
 * fork(2): the endpoint stays the parent's. The child may call nothing on it,
 * not even fdl_endpoint_free, for it would take packets from the parent and
 * change fds that both share. The descriptors are close-on-exec. Until the
 * child has called exec or _exit, the child keeps the link open: when the
 * parent frees the endpoint, the peer of a socket sees no end, and a TUN or TAP
 * stays.
 */
#ifndef FDLINK_FDLINK_H
#define FDLINK_FDLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fdlink/options.h>
#include <fdlink/packet.h>
#include <fdlink/stats.h>

#ifdef __cplusplus
extern "C" {
#endif

struct fdl_endpoint;
struct fdl_queue;

/*
 * Make an endpoint over fds[0..nfds). All of them must carry one link and be of
 * one kind:
 *
 *	TUN, TAP
 *	AF_PACKET	a socket of type SOCK_RAW, bound to an interface
 *	unix socket	of type SOCK_SEQPACKET or SOCK_DGRAM; connected, if it
 *			is to be written to
 *	UDP socket	connected; also of UDP-Lite
 *
 * The endpoint works on duplicates. The fds stay the caller's, who may close
 * them at any time; a peer sees the end of the link only after
 * fdl_endpoint_free. TUN and TAP fds are set to O_NONBLOCK until then. *ep is
 * set on success only. opts may be NULL.
 *
 * Several endpoints, also of several processes, may share one open file, as fds
 * that are duplicates do. Each endpoint gets some of the packets. Freeing one
 * leaves the others alone: the last one to be freed restores what was changed.
 * Only one of them may have a ring.
 *
 * Other holders of an fd may have set options on it, or set some later. Packets
 * arrive as they were sent all the same:
 *
 *	control messages that the library did not ask for
 *			are skipped
 *	UDP_GRO		merged datagrams are taken apart
 *	PACKET_VNET_HDR, PACKET_AUXDATA
 *			on an AF_PACKET socket are set again, with one warning;
 *			packets that the change spoilt are dropped and counted
 *	notices that nobody reads (MSG_ERRQUEUE)
 *			are thrown away if they keep the fd readable
 *	shutdown(2)	ends the link of a UDP or datagram socket
 *	UDP_CORK, UDP_SEGMENT
 *			are switched off until the endpoint is freed
 *
 * Two changes escape the library, and other holders must not make them while
 * the endpoint exists: switching UDP_CORK or UDP_SEGMENT on, and attaching a
 * filter that cuts messages short to a TAP or to a socket that is not
 * AF_PACKET.
 *
 * No call blocks because a caller has cleared O_NONBLOCK, with one exception: a
 * TUN or TAP on kernels without RWF_NOWAIT for it (before 6.0), or with
 * options.max_syscall_header_bytes.
 *
 * With options.fanout, AF_PACKET sockets join one fanout group: all of them, or
 * on failure some of them, and a socket leaves a group only when it is closed.
 * Packets that a socket had queued before it joined are delivered unchanged.
 *
 * An endpoint needs, beside the caller's fds, 2 descriptors, one more if it has
 * a device (TUN, TAP, AF_PACKET), and for each queue:
 *
 *	5	for any fd
 *	2 more	with a device
 *	1 more	without a device, with a virtio-net header or of UDP
 *	3 more	in mode adaptive
 *	2 more	after fdl_want_write, or when room was waited for
 *	1 more	when fdl_open opened it without a peer, or to outlive its peer
 *		or device
 *	1 more	on a stream that outlives its peer
 *
 * An endpoint that outlives its device needs one more, for the device's network
 * namespace.
 *
 * Returns 0.
 * Errors; the log says which option or fd it is, and the way out:
 *	-EINVAL		an option is out of range or contradicts the fd; there
 *			are no fds; the fds are of several kinds or links
 *	-EBADF		an fd is not open
 *	-EPROTOTYPE	an fd does not keep packet boundaries, or is an
 *			AF_PACKET socket of type SOCK_DGRAM
 *	-EOPNOTSUPP	an fd is one of these:
 *			- with packet information before each packet (no
 *			  IFF_NO_PI)
 *			- with a virtio-net header of more than 24 bytes
 *			- an AF_PACKET socket on a device whose frames are
 *			  neither Ethernet nor bare IP: PPP, CAN, netlink,
 *			  802.11 monitors, InfiniBand, GRE without a remote
 *			  address, a TUN or TAP whose link type was changed by
 *			  TUNSETLINK ...
 *			- a socket with UDP_ENCAP
 *			- a socket, not AF_PACKET, with a filter that cuts
 *			  messages short
 *	-EBUSY		an AF_PACKET socket has a ring already
 *	-ENODEV		an fd has lost its device
 *	-ENOMEM
 *	-EMFILE, -ENFILE
 *			there are no more descriptors; the log names the limit,
 *			and how many the endpoint needs
 */
int fdl_endpoint_new(struct fdl_endpoint **ep, const int *fds, unsigned nfds,
		     const struct fdl_options *opts);

/*
 * Detach if attached, close what the library opened, and free the endpoint.
 * Packets that the caller still holds stay readable until they are released;
 * the last release frees their memory. No other call on the endpoint may be in
 * progress, except those of attach.h's own threads. NULL is fine.
 *
 * Returns 0.
 * Errors:
 *	-EDEADLK	called from a dispatcher callback; nothing was freed
 */
int fdl_endpoint_free(struct fdl_endpoint *ep);

/* The queues, numbered 0 .. fdl_queues() - 1. fdl_get_queue returns NULL past
 * the end. Any thread. */
unsigned fdl_queues(const struct fdl_endpoint *ep);
struct fdl_queue *fdl_get_queue(struct fdl_endpoint *ep, unsigned i);
struct fdl_endpoint *fdl_queue_endpoint(const struct fdl_queue *q);
unsigned fdl_queue_index(const struct fdl_queue *q);

/* Properties, fixed when the endpoint is made. Any thread. */
uint32_t fdl_mtu(const struct fdl_endpoint *ep);
uint32_t fdl_capabilities(const struct fdl_endpoint *ep);
enum fdl_mode fdl_get_mode(const struct fdl_endpoint *ep); /* never AUTO */
const uint8_t *fdl_address(const struct fdl_endpoint *ep); /* 6 bytes */
uint32_t fdl_max_header_len(const struct fdl_endpoint *ep); /* 14 or 0 */
uint16_t fdl_arp_hardware(const struct fdl_endpoint *ep);
uint32_t fdl_gso_max_size(const struct fdl_endpoint *ep);

/* Who cuts the super-packets of TCP that the stack sends. HARDWARE becomes
 * SOFTWARE when the kernel refuses one. */
enum fdl_gso_kind {
	FDL_GSO_UNSUPPORTED,	/* nobody: fdl_options.gso_max_size is 0 */
	FDL_GSO_SOFTWARE,	/* the endpoint */
	FDL_GSO_HARDWARE,	/* the wire */
};

enum fdl_gso_kind fdl_get_gso_kind(const struct fdl_endpoint *ep);

/*
 * FDL_OFFLOAD_ bits (open.h): what the endpoint leaves to the wire on send.
 * When the kernel refuses an offload as a packet is sent, the library does that
 * work itself from then on, so bits can disappear. Any thread.
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
 * A sentence that describes the most recent error worth reporting: a packet
 * refused for good, a queue that ended. "" if there was none. The string is
 * valid, on the calling thread, until its next call on the endpoint.
 */
const char *fdl_last_error(const struct fdl_endpoint *ep);

/*
 * The pollable fd of the whole endpoint, and that of one queue. They are epoll
 * fds: poll them, and never read, change or close them. Any thread.
 *
 *	POLLIN	fdl_recv has something to give or to tell; or, after
 *		fdl_want_write, fdl_send has room
 *
 * They are level-triggered, and quiet once fdl_recv has returned 0, -ENOBUFS or
 * an error that lasts.
 *
 * An event loop of the caller's is woken by its own means: fdl_wake does not
 * touch these fds. The kernel lets epoll sets hold each other five deep: a
 * caller's may hold fdl_fd three deep, and fdl_queue_fd four deep; in mode
 * adaptive it is two and three.
 *
 * Once one of these has been called (or fdl_poll on several queues), an
 * AF_PACKET socket does extra work for each packet sent, to keep the fd's state
 * current. fdl_queue_poll avoids that cost.
 *
 * Returns the fd.
 * Errors:
 *	-ENOMEM
 *	-ENOSPC		the user has as many epoll registrations as allowed
 *			(fs.epoll.max_user_watches)
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
 * fdl_poll is for a thread that serves all queues, fdl_queue_poll for the
 * thread that receives from one. A signal alone does not end the wait.
 *
 * Returns
 *	a sum of FDL_READABLE and FDL_WRITABLE, as they apply
 *	0		the time is up, fdl_wake was called, or fdl_attach
 *			takes over
 * Errors:
 *	-ESHUTDOWN, -ENODEV, or what fdl_recv returned
 *			the queue has ended; of fdl_poll: all queues have
 *	-EBUSY		the endpoint is attached (attach.h)
 */
int fdl_poll(struct fdl_endpoint *ep, int timeout_ms);
int fdl_queue_poll(struct fdl_queue *q, int timeout_ms);

/*
 * End every fdl_poll and fdl_queue_poll in progress; where none is in progress,
 * the next one. A poll that finds both the wake-up and packets returns
 * FDL_READABLE, and the wake-up is used up. Several wake-ups before a poll
 * count as one. fdl_wake does not touch the pollable fds, nor the threads of
 * fdl_attach. Any thread, signal handlers too.
 */
void fdl_wake(struct fdl_endpoint *ep);

/*
 * Make the queue's and the endpoint's pollable fd report room to send (on), or
 * not (!on). Send side. A TUN, a TAP and an AF_PACKET socket almost always have
 * room: ask for it only after fdl_send took fewer packets than it was given.
 *
 * Returns 0.
 * Errors: what fdl_recv returned, when the queue has ended, and
 *	-EMFILE, -ENFILE, -ENOMEM, -ENOSPC	nothing can be had that tells
 */
int fdl_want_write(struct fdl_queue *q, bool on);

/*
 * Receive up to n packets into v[]. Never blocks. Frames that are not to be
 * delivered are counted (stats.h) and skipped.
 *
 * Returns
 *	k > 0		v[0..k) are the caller's from now on. k may be less than
 *			n even if more are waiting; the pollable fd then stays
 *			readable
 *	0		there is nothing now; the link may be down
 *	0		the device has changed (fdl_link_state)
 *	0		only frames that are not to be delivered were read, and
 *			more may wait; the pollable fd then stays readable
 * Errors:
 *	-ENOBUFS	the caller holds all slots of the pool. The pollable fd
 *			is quiet until one packet is released
 *	-EBUSY		the endpoint is attached (attach.h)
 * and those that last. After one of these the queue has ended: its pollable fd
 * stays quiet, and every call returns the same:
 *	-ESHUTDOWN	the peer closed, and all that it sent is delivered
 *	-ENODEV		the device is gone
 *	another errno	the fd is broken
 */
int fdl_recv(struct fdl_queue *q, struct fdl_packet *v[], int n);

/*
 * Give packets back: in any order, at any time, also after fdl_endpoint_free.
 * NULL entries are skipped. Any thread.
 */
void fdl_release(struct fdl_packet *v[], int n);

/*
 * Make a received packet independent of the queue's ring (modes packet_mmap and
 * adaptive), so that it can be held for long: as long as it lies in the ring,
 * the kernel cannot use its block again. Its bytes are copied to a slot with
 * room before and behind them, and *pkt may become another packet. In the modes
 * without a ring, and the second time, nothing happens. Any thread.
 *
 * Returns 0.
 * Errors:
 *	-EMSGSIZE	the packet is longer than a slot; it is as it was
 */
int fdl_keep(struct fdl_packet **pkt);

/*
 * Take up to n empty packets from the queue's pool: len is 0, tail is all of
 * the slot behind the headroom, every other field is 0. Any thread.
 *
 * Returns how many packets it took, at least 1.
 * Errors:
 *	-ENOBUFS	the pool has none to give
 */
int fdl_alloc(struct fdl_queue *q, struct fdl_packet *v[], int n);

/*
 * Send packets, in order. They may come from another queue or endpoint. Never
 * blocks, and never drops for lack of room. The library may write to the room
 * before data, also of packets that it does not take.
 *
 * A packet that the device refuses for 100 ms, or 64 times a millisecond apart,
 * while the fd has room, is dropped and counted as refused (tx_drop_refused): a
 * rule or a peer's MTU refuses it, not a full queue. During the next second a
 * refused packet is dropped as soon as the device takes one behind it in v[].
 *
 * packet.off tells what the stack has left to do: a checksum to complete, a
 * super-packet to cut into segments. It is passed on where the wire takes it,
 * else done here.
 *
 * Returns k >= 0:
 *	v[0..k)		are gone: written, or refused for good and counted
 *	v[k..n)		are still the caller's, and can go later;
 *			fdl_want_write tells when
 * A super-packet is gone when some of its segments went. The queue keeps the
 * other segments: they go first in the next call, or by fdl_flush, which
 * returns -EAGAIN as long as there are any.
 * Errors; no packet went, and none can:
 *	-ESHUTDOWN	the peer closed
 *	-ENODEV		the device is gone
 *	another errno	the fd is broken
 */
int fdl_send(struct fdl_queue *q, struct fdl_packet *v[], int n);

/*
 * Write one frame from cnt pieces (0 to INT_MAX; empty ones are allowed). off
 * says what is left to do on the frame, as packet.off does for fdl_send, and
 * may be NULL. Where there is no room for the frame within
 * fdl_options.tx_wait_ms, it is dropped and counted; sooner where fdl_send
 * would drop it.
 *
 * Returns 0: written, or deferred until fdl_flush (FDL_COALESCE).
 * Errors; each is counted:
 *	-EAGAIN, -ENOBUFS
 *			there is no room
 *	-EINVAL		the frame is empty, refused as malformed, or contradicts
 *			off
 *	-EMSGSIZE	the frame is too long
 *	-ENETDOWN	the link is down
 *	-ECONNREFUSED	nobody reads at the other end
 *	-ESHUTDOWN, -ENODEV and others as fdl_send
 */
int fdl_write(struct fdl_queue *q, const struct iovec *iov, int cnt,
	      const struct fdl_offload *off);

/*
 * As fdl_write, without a copy: the bytes must stay until done(arg) is called.
 * It is called if and only if the return value is >= 0: once, on this thread or
 * on the one that flushes, perhaps before this call returns. done may be NULL.
 *
 * done runs during a flush. It must not call any send-side function of this
 * queue: a frame written there would be lost and not counted. Nor may it call
 * fdl_write_packets, fdl_inject_outbound or fdl_endpoint_free on the endpoint.
 * It may use other queues, fdl_alloc and fdl_release.
 *
 * Returns and errors: those of fdl_write.
 */
int fdl_write_ref(struct fdl_queue *q, const struct iovec *iov, int cnt,
		  const struct fdl_offload *off, void (*done)(void *arg),
		  void *arg);

/*
 * Write n frames, each of one piece, in order: as fdl_write for each and one
 * fdl_flush, in fewer system calls. A frame that does not go is dropped and
 * counted. Returns how many went, or if none did, what fdl_write returns for
 * the first; -EINVAL if n < 0. The bytes are then the caller's again.
 */
int fdl_write_frames(struct fdl_queue *q, const struct iovec *frames, int n);

/*
 * End of a batch: send the frames that FDL_COALESCE deferred, and the segments
 * that an fdl_send left over. Deferred frames are also sent when there is no
 * room to defer more, before any fdl_send, fdl_write_frames, fdl_write_packets
 * or fdl_inject_outbound, and when the endpoint is freed.
 *
 * Returns 0.
 * Errors: what fdl_write would have returned for the first frame that did not
 * go; each frame that did not go is counted. And
 *	-EAGAIN, -ENOBUFS
 *			there is no room for the segments, or for the rest of a
 *			frame on a stream, that an earlier send left over; the
 *			queue keeps them
 */
int fdl_flush(struct fdl_queue *q);

#ifdef __cplusplus
}
#endif

#endif
