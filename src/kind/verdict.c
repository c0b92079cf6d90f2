/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/verdict.h"

#include <errno.h>

const char verdict_gone[] = "the device is gone";
const char verdict_down[] = "a packet was dropped: the link is down";
const char verdict_closed[] = "the peer closed the link";
const char verdict_no_peer[] =
	"a packet was dropped: nobody reads at the other end of the socket";
const char verdict_unread[] =
	"a packet was dropped by the kernel as it was read";

const struct verdict verdict_peer_away = {
	.action = DROP,
	.counter = TX_DROP_NO_PEER,
	.result = -ECONNREFUSED,
	.text = verdict_no_peer,
};

const struct verdict verdict_device_away = {
	.action = DROP,
	.counter = TX_DROP_LINK_DOWN,
	.result = -ENETDOWN,
	.text = verdict_down,
};

static const char broken[] = "the fd cannot be used any more";

/*
 * These hold on every kind. All other errnos are pending errors of a socket,
 * each told once, like the ECONNRESET of a peer that closed without reading
 * all. What was queued, and the end of it, come after.
 */
static const struct verdict on_receive[] = {
	{ EAGAIN, LATER, COUNTERS, 0, NULL },
	{ ENOMEM, LATER, COUNTERS, 0, NULL },
	{ ENOBUFS, LATER, COUNTERS, 0, NULL },
	{ ENODEV, END, COUNTERS, -ENODEV, verdict_gone },
	{ ENXIO, END, COUNTERS, -ENODEV, verdict_gone },
	{ EBADF, END, COUNTERS, -EBADF, broken },
	{ EFAULT, END, COUNTERS, -EFAULT, broken },
	{ ENOTSOCK, END, COUNTERS, -ENOTSOCK, broken },
	{ 0, AGAIN, COUNTERS, 0, NULL },
};

static const struct verdict on_send[] = {
	{ EAGAIN, LATER, TX_DROP_NO_ROOM, -EAGAIN, NULL },
	{ ENOBUFS, LATER, TX_DROP_NO_ROOM, -ENOBUFS, NULL },
	{ ENOMEM, LATER, TX_DROP_NO_ROOM, -ENOBUFS, NULL },
	{ EMSGSIZE, DROP, TX_DROP_TOO_LONG, -EMSGSIZE,
	  "a packet was dropped: longer than the link takes" },
	{ EINVAL, DROP, TX_DROP_INVALID, -EINVAL,
	  "a packet was dropped: the kernel calls it malformed" },
	{ EPERM, DROP, TX_DROP_INVALID, -EINVAL,
	  "a packet was dropped: the kernel does not permit it" },
	{ ENODEV, END, TX_DROP_OTHER, -ENODEV, verdict_gone },
	{ ENXIO, END, TX_DROP_OTHER, -ENODEV, verdict_gone },
	{ EBADF, END, TX_DROP_OTHER, -EBADF, broken },
	{ EFAULT, END, TX_DROP_OTHER, -EFAULT, broken },
	{ ENOTSOCK, END, TX_DROP_OTHER, -ENOTSOCK, broken },
	{ 0, RETRY, TX_DROP_OTHER, -EIO,
	  "a packet was dropped: the kernel refused it" },
};

static const struct verdict *row_of(const struct verdict *row, int err)
{
	while (row->err && row->err != -err)
		row++;
	return row;
}

static const struct verdict *find(const struct verdict *own,
				  const struct verdict *common, int err)
{
	const struct verdict *row = own ? row_of(own, err) : NULL;

	return row && row->err ? row : row_of(common, err);
}

const struct verdict *verdict_on_receive(const struct verdict *own, int err)
{
	return find(own, on_receive, err);
}

const struct verdict *verdict_on_send(const struct verdict *own, int err)
{
	return find(own, on_send, err);
}
