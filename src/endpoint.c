/* SPDX-License-Identifier: Apache-2.0 */
/* Life cycle of an endpoint. */
#include "endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "absence.h"
#include "io/group.h"
#include "kind/choose.h"
#include "kind/life.h"
#include "kind/probe.h"
#include "limit.h"
#include "options.h"
#include "os.h"
#include "tx/distrust.h"

/* Compare the namespaces too: an index and a name say which device only within
 * one. */
static bool is_same_link(const struct fdl_endpoint *ep, const int fds[2],
			 const struct kind *kind, const struct fdl_info *info)
{
	const struct fdl_info *first = &ep->queues[0].info;

	return kind == ep->shared.kind && info->ifindex == first->ifindex &&
	       info->ethernet == first->ethernet &&
	       !strcmp(info->name, first->name) &&
	       !memcmp(info->address, first->address, sizeof(info->address)) &&
	       device_same_netns(kind->device, fds[0], fds[1]);
}

static int same_link(const struct fdl_endpoint *ep, int first_fd, int fd,
		     const struct kind *kind, const struct fdl_info *info)
{
	const struct fdl_info *first = &ep->queues[0].info;

	if (is_same_link(ep, (const int[]){ first_fd, fd }, kind, info))
		return 0;
	log_say(&ep->shared.log, FDL_LOG_ERR,
		"fd %d is a %s%s%s and another fd of the "
		"endpoint a %s%s%s: all must carry the same link",
		fd, kind->name, *info->name ? " on " : "", info->name,
		ep->shared.kind->name, *first->name ? " on " : "", first->name);
	return -EINVAL;
}

/* What only the locator told of, no fd tells. */
static int probe_one(const struct fdl_endpoint *ep, int fd,
		     const struct kind *told, const struct kind **kind,
		     struct fdl_info *info)
{
	if (!told)
		return probe_fd(fd, kind, info, &ep->shared.log);
	*kind = told;
	info_begin(info, told);
	return 0;
}

static int probe_all(struct fdl_endpoint *ep, const int *fds,
		     const struct own_sockets *own)
{
	const struct kind *kind;
	struct fdl_info *info;
	unsigned i;
	int err = 0;

	for (i = 0; !err && i < ep->n_queues; i++) {
		info = &ep->queues[i].info;
		err = probe_one(ep, fds[i], own->kind, &kind, info);
		if (!err && i == 0)
			ep->shared.kind = kind;
		if (!err)
			err = same_link(ep, fds[0], fds[i], kind, info);
		if (!err && own->borrowed && kind->check)
			err = kind->check(fds[i], &ep->shared.log);
		info->adaptive = own->spare;
	}
	return err;
}

/* The options have to suit every fd. What the first fd has filled in holds for
 * the others too. */
static int fit_all(struct fdl_endpoint *ep)
{
	struct fdl_queue *q;
	const char *why;
	unsigned i;
	int err;

	for (i = 0; i < ep->n_queues; i++) {
		q = &ep->queues[i];
		err = options_fit(&ep->shared.opts, &q->info, &ep->shared.log);
		if (err)
			return err;
		q->ops = kind_choose(ep->shared.opts.mode, &q->info, &why);
	}
	return 0;
}

static void close_queues(struct fdl_endpoint *ep, unsigned n)
{
	while (n-- > 0)
		queue_close(&ep->queues[n]);
}

static int open_queues(struct fdl_endpoint *ep, const int *fds)
{
	unsigned i;
	int err;

	for (i = 0; i < ep->n_queues; i++) {
		struct fdl_queue *q = &ep->queues[i];

		q->ep = ep;
		q->index = i;
		q->shared = &ep->shared;
		q->io.group = ep->group;
		q->absence.life = ep->life;
		err = queue_open(q, fds[i]);
		if (err) {
			log_say(&ep->shared.log, FDL_LOG_ERR,
				"no queue over fd %d: %s", fds[i],
				strerror(-err));
			close_queues(ep, i);
			return err;
		}
	}
	return 0;
}

static int watch_queues(const struct fdl_endpoint *ep)
{
	struct epoll_event ev = { .events = EPOLLIN };
	unsigned i;
	int err = 0;

	for (i = 0; !err && i < ep->n_queues; i++)
		err = os_epoll_ctl(ep->set, EPOLL_CTL_ADD,
				   ep->queues[i].ready.epfd, &ev);
	return err;
}

static int open_set(struct fdl_endpoint *ep)
{
	int err;

	ep->set = os_epoll_create();
	if (ep->set < 0)
		return ep->set;
	err = watch_queues(ep);
	if (err)
		goto close_set;
	ep->wake = os_eventfd();
	if (ep->wake < 0) {
		err = ep->wake;
		goto close_set;
	}
	if (ep->n_queues == 1)
		ready_share(&ep->queues[0].ready, ep->wake);
	return 0;

close_set:
	os_close(ep->set);
	return err;
}

static int join_as(struct fdl_endpoint *ep, const int *fds,
		   const struct fanout *fanout, bool muted)
{
	return ep->shared.kind->join(fds, ep->n_queues, fanout, muted,
				     ep->queues[0].info.name, &ep->shared.log);
}

/* Put sockets of the caller's into a group, if the options ask for it, and
 * those that were opened for one. */
static int join_group(struct fdl_endpoint *ep, const int *fds,
		      const struct fanout *opened_for)
{
	const struct fanout fanout = {
		.how = ep->shared.opts.fanout,
		.rollover = ep->shared.opts.flags & FDL_ROLLOVER,
		.outgoing = ep->shared.opts.flags & FDL_RX_OUTGOING,
		.program = ep->shared.opts.fanout_program,
	};

	ep->shared.opts.fanout_program = NULL;	/* the caller's */
	if (opened_for)
		return join_as(ep, fds, opened_for, true);
	if (fanout.how == FDL_FANOUT_AUTO || ep->n_queues < 2)
		return 0;
	return join_as(ep, fds, &fanout, false);
}

static int set_up(struct fdl_endpoint *ep, const int *fds,
		  const struct own_sockets *own,
		  const struct fdl_options *given)
{
	static const uint8_t unknown[sizeof(ep->shared.opts.address)];
	int err;

	err = options_read(&ep->shared.opts, given, &ep->shared.log);
	if (err)
		return err;
	if (!fds || ep->n_queues == 0) {
		log_say(&ep->shared.log, FDL_LOG_ERR,
			"no fds: an endpoint needs at "
			"least one");
		return -EINVAL;
	}
	err = probe_all(ep, fds, own);
	ep->shared.no_outgoing = own->no_outgoing;
	ep->shared.borrowed = own->borrowed;
	if (!err)
		err = fit_all(ep);
	if (err)
		return err;
	ep->shared.has_address = memcmp(ep->shared.opts.address, unknown,
					sizeof(unknown));
	return 0;
}

static void distrust(struct fdl_endpoint *ep)
{
	const char *why = NULL;
	uint32_t bits = distrust_offloads(ep->shared.opts.tx_offload, &why);

	atomic_init(&ep->shared.tx_revoked, bits);
	ep->shared.tunnels_apart = distrust_tunnels(ep->shared.opts.tx_offload);
	if (why && ep->queues[0].info.vnet_hdr_len)
		log_say(&ep->shared.log, FDL_LOG_INFO,
			"%s: done here instead; "
			"FDLINK_TX_OFFLOAD=on trusts it",
			why);
}

/* If the device cannot be watched, one sentence says why, for all queues. */
static void watch_device(struct fdl_endpoint *ep, const int *fds)
{
	struct fdl_queue *q;
	bool told;
	unsigned i;

	if (!ep->shared.kind->device)
		return;
	told = shared_open_device(&ep->shared, fds[0], &ep->queues[0].info);
	for (i = 0; i < ep->n_queues; i++) {
		q = &ep->queues[i];
		if (watch_open(&q->watch, &q->info, told))
			told = true;
	}
}

static int build(struct fdl_endpoint *ep, const int *fds,
		 const struct own_sockets *own)
{
	int err = 0;

	distrust(ep);
	ep->life = own->life;
	if (own->spare)
		err = group_new(&ep->group, own->spare, ep->n_queues);
	if (!err)
		err = open_queues(ep, fds);
	if (err)
		return err;
	group_drop(ep->group);
	ep->group = NULL;
	if (ep->life)
		ep->life->loc.mode = ep->queues[0].ops->mode;
	err = join_group(ep, fds, own->group);
	if (!err)
		err = open_set(ep);
	if (err) {
		close_queues(ep, ep->n_queues);
		return err;
	}
	watch_device(ep, fds);
	if (own->unmet)
		absence_start(&ep->queues[0]);
	else if (ep->life)
		absence_expect(&ep->queues[0]);
	return 0;
}

static struct fdl_endpoint *allocate(unsigned nfds)
{
	struct fdl_endpoint *ep = calloc(1, sizeof(*ep));

	if (!ep)
		return NULL;
	ep->queues = calloc(nfds ? nfds : 1, sizeof(*ep->queues));
	if (!ep->queues) {
		free(ep);
		return NULL;
	}
	ep->n_queues = nfds;
	shared_init(&ep->shared);
	pthread_mutex_init(&ep->attach_lock, NULL);
	pthread_cond_init(&ep->attach_changed, NULL);
	return ep;
}

static void discard(struct fdl_endpoint *ep)
{
	pthread_cond_destroy(&ep->attach_changed);
	pthread_mutex_destroy(&ep->attach_lock);
	shared_destroy(&ep->shared);
	group_drop(ep->group);
	free(ep->queues);
	free(ep);
}

unsigned endpoint_descriptors(const struct kind *kind, unsigned queues,
			      bool pairs)
{
	const unsigned watched = kind && kind->device;
	unsigned each = 8;	/* the fd; what tells of packets, pool, room and
				 * leftovers, and wakes */

	each += watched;
	if (pairs)
		each += 3;	/* a socket, and what joins the two */
	return queues * each + 2 + watched;
}

static void end_log(struct limit_log *limit, int err,
		    const struct fdl_endpoint *ep,
		    const struct own_sockets *own)
{
	const unsigned n = endpoint_descriptors(ep->shared.kind, ep->n_queues,
						own->spare);

	/* Not what the fds lack, which the caller never saw. */
	if (err == -ENODEV && own->descriptors) {
		limit_forget(limit);
		log_say(&limit->to, FDL_LOG_ERR,
			"%.160s: the device vanished while it was opened",
			own->name);
	}
	limit_end(limit, err, own->name ? own->name : "the endpoint",
		  own->descriptors ? own->descriptors : n);
}

int endpoint_new(struct fdl_endpoint **out, const int *fds, unsigned nfds,
		 const struct own_sockets *own, const struct fdl_options *opts)
{
	static const struct own_sockets none = { .borrowed = true };
	const struct log log = options_log(opts);
	struct fdl_endpoint *ep = allocate(nfds);
	struct limit_log limit;
	int err;

	if (!ep) {
		log_say(&log, FDL_LOG_ERR,
			"no memory for an endpoint: free some, or raise the "
			"limit of this process");
		return -ENOMEM;
	}
	if (!own)
		own = &none;
	limit_begin(&limit, &log);
	ep->shared.log = limit.log;
	err = set_up(ep, fds, own, opts);
	if (!err)
		err = build(ep, fds, own);
	if (err == -EBADFD)
		err = -ENODEV;	/* as a TUN or TAP says it */
	ep->shared.log = log;
	end_log(&limit, err, ep, own);
	if (err) {
		discard(ep);
		return err;
	}
	*out = ep;
	return 0;
}

int fdl_endpoint_new(struct fdl_endpoint **out, const int *fds, unsigned nfds,
		     const struct fdl_options *opts)
{
	return endpoint_new(out, fds, nfds, NULL, opts);
}

/* What stands above is called by what it has left here. */
static int detach(struct fdl_endpoint *ep)
{
	int (*fn)(struct fdl_endpoint * ep);

	pthread_mutex_lock(&ep->attach_lock);
	fn = ep->detach;
	pthread_mutex_unlock(&ep->attach_lock);
	return fn ? fn(ep) : 0;
}

int fdl_endpoint_free(struct fdl_endpoint *ep)
{
	int err;

	if (!ep)
		return 0;
	err = detach(ep);
	if (err)
		return err;
	device_close(&ep->shared.device);
	os_close(ep->wake);
	os_close(ep->set);
	bound_release(&ep->bound);
	close_queues(ep, ep->n_queues);
	life_free(ep->life);
	discard(ep);
	return 0;
}
