/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/verdict.h"

#include <errno.h>

#define KIND(k)	(1u << FDL_KIND_##k)
#define DEVICES	(KIND(TUN) | KIND(TAP))
#define SOCKETS	(KIND(PACKET) | KIND(SEQPACKET) | KIND(DGRAM))
#define ANY	(DEVICES | SOCKETS)

static const char gone[] = "the device is gone";
static const char down[] = "a packet was dropped: the link is down";
static const char closed[] = "the peer closed the link";
static const char no_peer[] =
	"a packet was dropped: nobody reads at the other end of the socket";
static const char broken[] = "the fd cannot be used any more";

/* The first row that fits counts. */
static const struct verdict on_receive[] = {
	{ ANY, EAGAIN, LATER, COUNTERS, 0, NULL },
	{ ANY, ENOMEM, LATER, COUNTERS, 0, NULL },
	{ ANY, ENOBUFS, LATER, COUNTERS, 0, NULL },
	/* Once per link-down; the socket recovers by itself. */
	{ KIND(PACKET), ENETDOWN, AGAIN, RX_LINK_DOWN, 0, NULL },
	/* A packet whose offload the virtio-net header cannot express. */
	{ DEVICES | KIND(PACKET), EINVAL, AGAIN, RX_DROP_MALFORMED, 0,
	  "a packet was dropped by the kernel as it was read" },
	{ DEVICES, EBADFD, END, COUNTERS, -ENODEV, gone },
	{ ANY, ENODEV, END, COUNTERS, -ENODEV, gone },
	{ ANY, ENXIO, END, COUNTERS, -ENODEV, gone },
	{ KIND(SEQPACKET), ENOTCONN, END, COUNTERS, -ESHUTDOWN, closed },
	{ ANY, EBADF, END, COUNTERS, -EBADF, broken },
	{ ANY, EFAULT, END, COUNTERS, -EFAULT, broken },
	{ ANY, ENOTSOCK, END, COUNTERS, -ENOTSOCK, broken },
	/* The rest are pending errors of a socket, told once, like the
	 * ECONNRESET of a peer that closed without reading all: what was
	 * queued, and the end of it, come after. */
	{ ANY, 0, AGAIN, COUNTERS, 0, NULL },
};

static const struct verdict on_send[] = {
	{ ANY, EAGAIN, LATER, TX_DROP_NO_ROOM, -EAGAIN, NULL },
	{ ANY, ENOBUFS, LATER, TX_DROP_NO_ROOM, -ENOBUFS, NULL },
	{ ANY, ENOMEM, LATER, TX_DROP_NO_ROOM, -ENOBUFS, NULL },
	{ DEVICES, EIO, DROP, TX_DROP_LINK_DOWN, -ENETDOWN, down },
	{ KIND(PACKET), ENETDOWN, DROP, TX_DROP_LINK_DOWN, -ENETDOWN, down },
	{ ANY, EMSGSIZE, DROP, TX_DROP_TOO_LONG, -EMSGSIZE,
	  "a packet was dropped: longer than the link takes" },
	{ ANY, EINVAL, DROP, TX_DROP_INVALID, -EINVAL,
	  "a packet was dropped: the kernel calls it malformed" },
	{ ANY, EPERM, DROP, TX_DROP_INVALID, -EINVAL,
	  "a packet was dropped: the kernel does not permit it" },
	{ DEVICES, EBADFD, END, TX_DROP_OTHER, -ENODEV, gone },
	{ ANY, ENODEV, END, TX_DROP_OTHER, -ENODEV, gone },
	{ ANY, ENXIO, END, TX_DROP_OTHER, -ENODEV, gone },
	{ KIND(SEQPACKET) | KIND(DGRAM), EPIPE, END, TX_DROP_OTHER, -ESHUTDOWN,
	  closed },
	{ KIND(SEQPACKET), ECONNRESET, END, TX_DROP_OTHER, -ESHUTDOWN, closed },
	{ KIND(SEQPACKET), ENOTCONN, END, TX_DROP_OTHER, -ESHUTDOWN, closed },
	{ KIND(DGRAM), ECONNREFUSED, DROP, TX_DROP_NO_PEER, -ECONNREFUSED,
	  no_peer },
	{ KIND(DGRAM), ECONNRESET, DROP, TX_DROP_NO_PEER, -ECONNREFUSED,
	  no_peer },
	{ KIND(DGRAM), ENOTCONN, DROP, TX_DROP_NO_PEER, -ECONNREFUSED,
	  no_peer },
	{ KIND(DGRAM), EDESTADDRREQ, DROP, TX_DROP_NO_PEER, -ECONNREFUSED,
	  no_peer },
	{ ANY, EBADF, END, TX_DROP_OTHER, -EBADF, broken },
	{ ANY, EFAULT, END, TX_DROP_OTHER, -EFAULT, broken },
	{ ANY, ENOTSOCK, END, TX_DROP_OTHER, -ENOTSOCK, broken },
	{ ANY, 0, DROP, TX_DROP_OTHER, -EIO,
	  "a packet was dropped: the kernel refused it" },
};

static const struct verdict *find(const struct verdict *row, enum fdl_kind kind,
				  int err)
{
	while (row->err && !(row->err == -err && row->kinds & 1u << kind))
		row++;
	return row;
}

const struct verdict *verdict_on_receive(enum fdl_kind kind, int err)
{
	return find(on_receive, kind, err);
}

const struct verdict *verdict_on_send(enum fdl_kind kind, int err)
{
	return find(on_send, kind, err);
}
