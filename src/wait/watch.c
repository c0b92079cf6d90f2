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

#include "kind/kind.h"
#include "kind/probe.h"
#include "limit.h"
#include "os.h"
#include "shared.h"
#include "wait/ready.h"

enum {
	RETRY_MS = 1000,
	/* A device may move on, or get another name, while it is followed. */
	MAX_MOVES = 4,
};

static bool stays(const struct watch *w)
{
	return w->shared->kind->device->stays;
}

static void count_change(struct watch *w)
{
	atomic_fetch_add_explicit(&w->changes, 1, memory_order_relaxed);
}

/* The send side has to know how long a super-packet may be. */
static void note_link(struct watch *w, const struct link *link)
{
	w->last = *link;
	atomic_store_explicit(&w->shared->gso_max4, link->gso_max4,
			      memory_order_relaxed);
}

static void note_change(struct watch *w, const struct link *link)
{
	const struct link *last = &w->last;

	if (link->up != last->up || link->carrier != last->carrier ||
	    link->mtu != last->mtu || strcmp(link->name, last->name) ||
	    memcmp(link->address, last->address, sizeof(link->address)))
		count_change(w);
	note_link(w, link);
}

static void forget_home(struct watch *w)
{
	if (w->has_home)
		os_close(w->home);
	w->has_home = false;
}

/* What can ask for the device that was can ask for the next one: in another
 * network namespace a new socket would take a privilege. */
void watch_rest(struct watch *w)
{
	if (!w->open)
		return;
	w->open = false;
	ready_unwatch(w->ready);
	if (w->over_at || w->has_home || link_unsubscribe(w->netlink)) {
		os_close(w->netlink);
		return;
	}
	w->home = w->netlink;
	w->has_home = true;
}

void watch_close(struct watch *w)
{
	watch_rest(w);
	forget_home(w);
}

/* Look at sock, which is then the watch's, instead of what there was. */
static int replace(struct watch *w, int sock)
{
	int err;

	watch_rest(w);
	err = ready_watch(w->ready, sock);
	if (err) {
		os_close(sock);
		return err;
	}
	w->netlink = sock;
	w->open = true;
	return 0;
}

/*
 * The kernel still has a block of a ring open, with packets in it perhaps,
 * until its timeout. In place of the netlink socket, which has no more to say,
 * a timer is watched that waits for it.
 */
static int wait_for_ring(struct watch *w)
{
	unsigned wait_ms = 2 * w->shared->opts.ring_timeout_ms;
	int timer = os_timerfd();
	int err;

	if (timer < 0)
		return timer;
	err = os_timerfd_set(timer, wait_ms * 1000);
	if (err) {
		os_close(timer);
		return err;
	}
	err = replace(w, timer);
	if (!err)
		w->over_at = os_now_ms() + wait_ms;
	return err;
}

/* The set has to be ready from now on, by some socket. */
static void insist(struct watch *w)
{
	int sock = w->open ? -1 : link_socket();

	if (sock >= 0)
		replace(w, sock);
	ready_insist(w->ready);
}

static void found_gone(struct watch *w)
{
	w->gone = true;
	w->retry_at = 0;
	count_change(w);
	if (!w->by_block || wait_for_ring(w))
		insist(w);
}

bool watch_is_over(const struct watch *w)
{
	return w->gone && (w->over_at == 0 || os_now_ms() >= w->over_at);
}

static int look_for_fd(const struct watch *w, struct fdl_info *info)
{
	const struct log silent = { 0 };
	const struct kind *kind;
	int err = probe_fd(w->fd, &kind, info, &silent);

	return !err || err == -ENODEV || device_may_pass(err) ? err : -ENODEV;
}

static int socket_for(struct watch *w, const struct fdl_info *info)
{
	const struct device_of *of = w->shared->kind->device;
	struct link link;
	int err = -EXDEV;

	if (w->has_home)
		err = device_find(of, w->fd, w->home, info->name, &link);
	if (err == -EXDEV)
		return device_socket(of, w->fd, info->name);
	if (err)
		return err;
	w->has_home = false;
	return w->home;
}

/*
 * A socket that tells of the device from here on; what happened before is asked
 * for. The other queues may see the device elsewhere already, and the number it
 * has there. -ENODEV: it is not there any more.
 */
static int subscribe(struct watch *w, const struct fdl_info *info,
		     struct link *link)
{
	int sock = socket_for(w, info), err;

	if (sock < 0)
		return sock;
	err = link_get(sock, info->name, 0, link);
	if (!err)
		err = link_subscribe(sock, link->ifindex);
	if (!err)
		err = link_get(sock, NULL, link->ifindex, link);
	if (err)
		os_close(sock);
	return err ? err : sock;
}

static int settle_down(struct watch *w, const struct fdl_info *info)
{
	struct link link;
	int sock, err;

	sock = subscribe(w, info, &link);
	if (sock < 0)
		return sock;
	err = replace(w, sock);
	if (err)
		return err;
	forget_home(w);
	note_link(w, &link);
	return 0;
}

/* Watch the device where it is now. -ENODEV: the fd has none any more. */
static int follow(struct watch *w)
{
	struct fdl_info info;
	int i, found, err = 0;

	for (i = 0; i < MAX_MOVES; i++) {
		found = look_for_fd(w, &info);
		err = found;
		if (!err)
			err = shared_reopen_device(w->shared, w->fd, &info);
		if (!err)
			err = settle_down(w, &info);
		if (err != -ENODEV)
			return err;
	}
	return found == -ENODEV ? err : -EAGAIN;
}

static void warn(const struct watch *w, int err)
{
	char text[LIMIT_TEXT];
	const char *why = err == -EXDEV ?
				  "it is in a network namespace that this "
				  "process may not enter without "
				  "CAP_SYS_ADMIN" :
				  limit_text(text, err);

	log_say(&w->shared->log, FDL_LOG_WARNING,
		"%s cannot be watched%s (%s): changes "
		"of its link are not noticed%s",
		w->last.name[0] ? w->last.name : "the device",
		w->retry_at ? " for now" : "", why,
		stays(w) ? "" : ", nor that it is deleted");
}

/* What became of watching the device. Returns whether it is gone. */
static bool conclude(struct watch *w, int err, bool quiet)
{
	const bool retried = device_may_pass(err);

	if (err == -ENODEV) {
		found_gone(w);
		return true;
	}
	w->retry_at = retried ? os_now_ms() + RETRY_MS : 0;
	if (err && !retried)
		watch_rest(w);
	if (err && !w->told && !quiet)
		warn(w, err);
	w->told = err;
	return false;
}

int watch_open(struct watch *w, const struct fdl_info *info, bool quiet)
{
	int err;

	memcpy(w->last.name, info->name, sizeof(w->last.name));
	err = settle_down(w, info);
	if (err == -ENODEV)
		err = follow(w);
	conclude(w, err, quiet);
	return err;
}

void watch_replace(struct watch *w, const struct fdl_info *info, int err)
{
	struct fdl_info now;

	watch_rest(w);
	w->gone = false;
	w->over_at = 0;
	w->retry_at = 0;
	if (watch_open(w, info, true))
		return;
	/* Whoever follows the device makes it known, too. */
	if (device_may_pass(err))
		conclude(w, err, true);
	if (stays(w))
		return;
	/* Another device may have got the name since. */
	if (look_for_fd(w, &now) == -ENODEV)
		found_gone(w);
}

/* All that was told. Returns the last thing of note. */
static enum link_event read_events(struct watch *w)
{
	enum link_event event, told = LINK_NO_EVENT;
	struct link link;

	while ((event = link_next_event(w->netlink, &link)) != LINK_NO_EVENT) {
		if (event == LINK_CHANGED)
			note_change(w, &link);
		if (event == LINK_LEFT)
			shared_device_left(w->shared, &link);
		if (event != LINK_CHANGED && told != LINK_LEFT)
			told = event;
	}
	return told;
}

static bool has_left(struct watch *w)
{
	enum link_event event = read_events(w);
	struct link link;
	int err;

	if (event != LINK_MISSED)
		return event == LINK_LEFT;
	err = shared_get_link(w->shared, &link);
	if (!err)
		note_change(w, &link);
	return err == -ENODEV;
}

/* It could not be watched. What the socket of before has to say is not about
 * where the device is now. */
static bool try_again(struct watch *w)
{
	int err;

	if (w->open)
		read_events(w);
	if (os_now_ms() < w->retry_at)
		return false;
	err = follow(w);
	if (!err)
		count_change(w);
	return conclude(w, err, false);
}

void watch_look_back(struct watch *w)
{
	if (w->open && !w->gone)
		read_events(w);
}

bool watch_look(struct watch *w)
{
	if (w->gone)
		return false;
	if (w->retry_at)
		return try_again(w);
	if (!w->open || !has_left(w))
		return false;
	if (!stays(w)) {
		found_gone(w);
		return true;
	}
	count_change(w);
	return conclude(w, follow(w), false);
}
