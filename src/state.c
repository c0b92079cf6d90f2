/* SPDX-License-Identifier: Apache-2.0 */
/* Asking what the link is like now, and switching its carrier. */
#include <errno.h>
#include <string.h>

#include "endpoint.h"
#include "kind/kind.h"
#include "kind/probe.h"

static uint64_t count_changes(const struct fdl_endpoint *ep)
{
	uint64_t n, most = 0;
	unsigned i;

	/* Each queue reads all events for itself, when it receives. */
	for (i = 0; i < ep->n_queues; i++) {
		n = atomic_load_explicit(&ep->queues[i].watch.changes,
					 memory_order_relaxed);
		if (n > most)
			most = n;
	}
	return most;
}

uint64_t fdl_link_changes(const struct fdl_endpoint *ep)
{
	return count_changes(ep);
}

enum {
	/* The device may move on while it is looked for: try so many times. */
	MAX_MOVES = 4,
};

/* Look for the device where it is now, even if no queue has followed it yet. */
static int find_device(struct fdl_endpoint *ep, struct link *link)
{
	const struct log silent = { 0 };
	const int fd = ep->queues[0].io.fd;
	const struct kind *kind;
	struct fdl_info info;
	int err;

	err = probe_fd(fd, &kind, &info, &silent);
	if (!err)
		err = shared_reopen_device(&ep->shared, fd, &info);
	return err ? err : shared_get_link(&ep->shared, link);
}

static int get_link(struct fdl_endpoint *ep, struct link *link)
{
	int i, err = shared_get_link(&ep->shared, link);

	if (err == -EXDEV)
		return find_device(ep, link);
	for (i = 0; err == -ENODEV && i < MAX_MOVES; i++) {
		if (!ep->shared.kind->device->stays)
			break;
		err = find_device(ep, link);
	}
	return err;
}

static bool is_away(const struct fdl_queue *q)
{
	return io_is_away(atomic_load(&q->io.life));
}

/* Whether each queue has found the new device. */
static bool are_all_there(const struct fdl_endpoint *ep)
{
	unsigned i = 0;

	while (i < ep->n_queues &&
	       !(ep->queues[i].io.lasts && is_away(&ep->queues[i])))
		i++;
	return i == ep->n_queues;
}

static int ask_device(struct fdl_endpoint *ep, struct fdl_link *found)
{
	struct link link;
	const struct fdl_queue *q = &ep->queues[0];
	int err = get_link(ep, &link);

	if (err == -ENODEV && q->io.lasts) {
		found->mtu = ep->shared.opts.mtu;
		memcpy(found->name, q->info.name, sizeof(found->name));
		return 0;
	}
	if (err)
		return err;
	found->up = link.up;
	found->carrier = link.carrier && are_all_there(ep);
	found->mtu = link.mtu;
	memcpy(found->address, link.address, sizeof(found->address));
	memcpy(found->name, link.name, sizeof(found->name));
	return 0;
}

/* Each of several sockets has a peer of its own. */
static void ask_sockets(const struct fdl_endpoint *ep, struct fdl_link *found)
{
	const struct fdl_queue *q;
	unsigned i;

	found->mtu = ep->shared.opts.mtu;
	for (i = 0; i < ep->n_queues; i++) {
		q = &ep->queues[i];
		if (atomic_load_explicit(&q->rx.ended, memory_order_acquire))
			continue;
		found->up = true;
		found->carrier |= !is_away(q);
	}
}

int fdl_link_state(struct fdl_endpoint *ep, struct fdl_link *out, size_t size)
{
	struct fdl_link found = { .changes = count_changes(ep) };
	int err = 0;

	if (ep->shared.kind->device)
		err = ask_device(ep, &found);
	else
		ask_sockets(ep, &found);
	if (err)
		return err;
	memset(out, 0, size);
	memcpy(out, &found, size < sizeof(found) ? size : sizeof(found));
	return 0;
}

int fdl_set_carrier(struct fdl_endpoint *ep, bool on)
{
	const struct fdl_queue *q = &ep->queues[0];
	int err;

	if (!ep->shared.kind->set_carrier)
		return -EOPNOTSUPP;
	err = shared_switch_carrier(&ep->shared, q->io.fd, on ? 1 : -1);
	/* The next device starts with it. */
	return err == -ENODEV && q->io.lasts ? 0 : err;
}
