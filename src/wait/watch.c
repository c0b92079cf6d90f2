/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every queue has an rtnetlink socket of its own in its epoll set, so that
 * every queue's thread is woken and reads for itself. What the device is like
 * now is not remembered but asked for, when somebody asks.
 *
 * A device that leaves its network namespace, deleted or moved, is lost to an
 * AF_PACKET socket. A TUN or TAP stays with its fd wherever it goes, and the
 * watch goes after it; that it is deleted, the fd itself tells.
 */
#include "wait/watch.h"

#include <errno.h>
#include <string.h>

#include "endpoint.h"
#include "kind/probe.h"
#include "os.h"

static void note_change(struct watch *w, const struct link *link)
{
	const struct link *last = &w->last;

	if (link->up != last->up || link->carrier != last->carrier ||
	    link->mtu != last->mtu || strcmp(link->name, last->name) ||
	    memcmp(link->address, last->address, sizeof(link->address)))
		atomic_fetch_add_explicit(&w->changes, 1, memory_order_relaxed);
	w->last = *link;
}

/*
 * The kernel still has a block of a ring open, with packets in it perhaps,
 * until its timeout. In place of the netlink socket, which has no more to say,
 * a timer is watched that waits for it.
 */
static int wait_for_ring(struct fdl_queue *q)
{
	unsigned wait_ms = 2 * q->shared->opts.ring_timeout_ms;
	int timer = os_timerfd();
	int err;

	if (timer < 0)
		return timer;
	err = os_timerfd_set(timer, wait_ms * 1000);
	if (err) {
		os_close(timer);
		return err;
	}
	ready_unwatch(&q->ready);
	os_close(q->watch.netlink);
	q->watch.netlink = timer;
	q->watch.over_at = os_now_ms() + wait_ms;
	return ready_watch(&q->ready, timer);
}

static void found_gone(struct fdl_queue *q)
{
	struct watch *w = &q->watch;

	w->gone = true;
	atomic_fetch_add_explicit(&w->changes, 1, memory_order_relaxed);
	if (!q->ops->by_block || wait_for_ring(q))
		ready_insist(&q->ready);
}

bool watch_is_over(const struct watch *w)
{
	return w->gone && (w->over_at == 0 || os_now_ms() >= w->over_at);
}

static bool stays(const struct shared *s)
{
	return s->kind->device->stays;
}

static int subscribe(struct fdl_queue *q, const struct fdl_info *info)
{
	struct fdl_endpoint *ep = q->ep;
	struct watch *w = &q->watch;
	int err;

	w->netlink = device_socket(q->shared->kind->device, q->io.fd,
				   info->name);
	if (w->netlink < 0)
		return w->netlink;
	err = link_subscribe(w->netlink, ep->shared.device.ifindex);
	if (!err)
		err = ready_watch(&q->ready, w->netlink);
	if (err)
		os_close(w->netlink);
	w->open = !err;
	return err;
}

/* What happens from here on is told; what happened before is asked for. */
static int watch_open(struct fdl_queue *q, const struct fdl_info *info)
{
	struct link link;
	int err;

	err = subscribe(q, info);
	if (err)
		return err;
	err = shared_get_link(q->shared, &link);
	if (!err)
		q->watch.last = link;
	else if (!stays(q->shared) && err == -ENODEV)
		found_gone(q);
	return 0;
}

void watch_close(struct fdl_queue *q)
{
	if (!q->watch.open)
		return;
	q->watch.open = false;
	ready_unwatch(&q->ready);
	os_close(q->watch.netlink);
}

static void warn(const struct fdl_endpoint *ep, const char *name, int err)
{
	log_say(&ep->shared.log, FDL_LOG_WARNING,
		"%s cannot be watched (%s): changes "
		"of its link are not noticed%s",
		name, strerror(-err),
		stays(&ep->shared) ? "" : ", nor that it is deleted");
}

void watch_open_all(struct fdl_endpoint *ep)
{
	unsigned i;
	int err = 0;

	if (ep->shared.device.netlink < 0)
		return;
	for (i = 0; !err && i < ep->n_queues; i++)
		err = watch_open(&ep->queues[i], &ep->queues[0].info);
	if (err)
		warn(ep, ep->queues[0].info.name, err);
}

static void follow(struct fdl_queue *q)
{
	const struct log silent = { 0 };
	const struct kind *kind;
	struct fdl_info info;
	int err;

	watch_close(q);
	atomic_fetch_add_explicit(&q->watch.changes, 1, memory_order_relaxed);
	if (probe_fd(q->io.fd, &kind, &info, &silent))
		return;		/* deleted */
	err = shared_reopen_device(q->shared, q->io.fd, &info);
	if (!err)
		err = watch_open(q, &info);
	if (err)
		warn(q->ep, info.name, err);
}

/* All that was told. Returns the last thing of note. */
static enum link_event read_events(struct watch *w)
{
	enum link_event event, told = LINK_NO_EVENT;
	struct link link;

	while ((event = link_next_event(w->netlink, &link)) != LINK_NO_EVENT) {
		if (event == LINK_CHANGED)
			note_change(w, &link);
		else if (told != LINK_LEFT)
			told = event;
	}
	return told;
}

static bool has_left(struct fdl_queue *q)
{
	enum link_event event = read_events(&q->watch);
	struct link link;
	int err;

	if (event != LINK_MISSED)
		return event == LINK_LEFT;
	err = shared_get_link(q->shared, &link);
	if (!err)
		note_change(&q->watch, &link);
	return err == -ENODEV;
}

bool watch_look(struct fdl_queue *q)
{
	if (!q->watch.open || q->watch.gone || !has_left(q))
		return false;
	if (stays(q->shared)) {
		follow(q);
		return false;
	}
	found_gone(q);
	return true;
}

static uint64_t count_changes(const struct fdl_endpoint *ep)
{
	uint64_t n, most = 0;
	unsigned i;

	/* Each queue reads all of them, in its own time. */
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

int fdl_link_state(struct fdl_endpoint *ep, struct fdl_link *out, size_t size)
{
	struct fdl_link found = { 0 };
	struct link link;
	int err;

	if (!ep->shared.kind->device)
		return -EOPNOTSUPP;
	found.changes = count_changes(ep);
	err = shared_get_link(&ep->shared, &link);
	if (err)
		return err;
	found.up = link.up;
	found.carrier = link.carrier;
	found.mtu = link.mtu;
	memcpy(found.address, link.address, sizeof(found.address));
	memcpy(found.name, link.name, sizeof(found.name));
	memset(out, 0, size);
	memcpy(out, &found, size < sizeof(found) ? size : sizeof(found));
	return 0;
}
