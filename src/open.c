/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdl_open: parse the locator, check it against the options, open in the right
 * network namespace, make the endpoint. The endpoint works on duplicates, so
 * what was opened is closed here in any case. An address that was bound is the
 * endpoint's to give up.
 */
#include <errno.h>
#include <string.h>

#include <fdlink/open.h>

#include "endpoint.h"
#include "fd/netns.h"
#include "kind/life.h"
#include "kind/locate.h"
#include "kind/probe.h"
#include "kind/socket.h"
#include "limit.h"
#include "options.h"

/* What is to be done inside a namespace: open an fd, or find out about it. */
struct errand {
	const struct locator *loc;
	struct opened *opened;
	struct fdl_info *info;
};

static int open_here(void *arg, const struct log *log)
{
	const struct errand *errand = arg;

	return errand->loc->kind->open(errand->loc, errand->opened, log);
}

static int probe_here(void *arg, const struct log *log)
{
	const struct errand *errand = arg;

	return errand->loc->kind->look_up(errand->loc, errand->info, log);
}

static int merge(struct fdl_options *opts, struct locator *loc,
		 const struct log *log)
{
	if (loc->mtu && opts->mtu && loc->mtu != opts->mtu) {
		log_say(log, FDL_LOG_ERR,
			"mtu=%u in the locator contradicts "
			"mtu %u in the options: give one of them",
			loc->mtu, opts->mtu);
		return -EINVAL;
	}
	opts->size = sizeof(*opts);
	if (loc->mtu)
		opts->mtu = loc->mtu;
	loc->tunnels = opts->flags & FDL_RX_TUNNEL;
	return loc->kind->merge ? loc->kind->merge(opts, loc, log) : 0;
}

/* The sockets of rings join their group in the endpoint's process, which needs
 * a privilege for that. */
static int check_reopen(const struct fdl_options *opts,
			const struct locator *loc, const struct log *log)
{
	if (!opts->reopen || !loc->kind->join || loc->queues == 1 ||
	    loc->mode != FDL_MODE_PACKET_MMAP)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"%s:%s: with the option reopen, mode packet_mmap can have one "
		"queue only, and queues=%u: choose another mode",
		loc->kind->locator, loc->name, loc->queues);
	return -EINVAL;
}

static int read_both(struct locator *loc, const char *locator,
		     struct fdl_options *opts, const struct fdl_options *given,
		     const struct log *log)
{
	int err = locator_parse(loc, locator, log);

	if (!err)
		err = options_read(opts, given, log);
	if (!err)
		err = merge(opts, loc, log);
	return err ? err : check_reopen(opts, loc, log);
}

/* Whether a second socket is opened for each queue: only if a mode may join the
 * two. */
static bool may_pair(const struct locator *loc)
{
	const struct io_ops *const *mode = loc->kind->modes;

	if (loc->mode != FDL_MODE_AUTO && loc->mode != FDL_MODE_ADAPTIVE)
		return false;
	while (mode && *mode && *mode != &io_adaptive)
		mode++;
	return mode && *mode;
}

/* Returns how many descriptors fdl_open needs at most: those that are opened,
 * the endpoint's, a socket that asks about the device, and one that listens. */
static unsigned descriptors(const struct locator *loc)
{
	const bool pairs = may_pair(loc);
	/* A timer, and a duplicate on a stream; a listener's stand-in, or a
	 * network namespace. */
	const unsigned absences = loc->listen || loc->reconnect ?
					  2 * loc->queues + 1 :
					  0;

	return (pairs ? 2 : 1) * loc->queues + 2 + absences +
	       endpoint_descriptors(loc->kind, loc->queues, pairs);
}

static int open_fds(const char *locator, const struct locator *loc,
		    struct opened *opened, const struct log *log)
{
	struct errand errand = { .loc = loc, .opened = opened };
	struct limit_log limit;
	int err;

	limit_begin(&limit, log);
	err = netns_run_in(loc->netns, open_here, &errand, &limit.log);
	limit_end(&limit, err, locator, descriptors(loc));
	return err;
}

/* The sort of a kind that no fd tells. NULL: the fd tells the kind. */
static const struct kind *told_kind(const struct locator *loc,
				    const struct opened *opened)
{
	if (opened->sort)
		return opened->sort;
	return loc->kind->name && !loc->kind->owns ? loc->kind : NULL;
}

/* Keep what is needed to find the next peer or device. On failure *opened is
 * closed. */
static int keep_way(struct life **life, const struct locator *loc,
		    const struct fdl_options *opts, struct opened *opened,
		    const struct log *log)
{
	const struct outside outside = { opts->reopen, opts->reopen_ctx };
	int err = life_new(life, loc, opened->sort ? opened->sort : loc->kind,
			   opened, &outside, log);

	if (!err)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"%s:%s: cannot keep what its next peer or device takes (%s)%s",
		loc->kind->locator, loc->name, strerror(-err),
		err == -ENOENT ? ": mount /proc, where this network namespace "
				 "has a file" :
				 refusal_advice(err));
	opened_undo(opened);
	return err;
}

int fdl_open(struct fdl_endpoint **ep, const char *locator,
	     const struct fdl_options *opts)
{
	const struct log log = options_log(opts);
	struct opened opened = { 0 };
	struct fdl_options merged;
	struct own_sockets own = { 0 };
	struct locator loc;
	int err;

	err = read_both(&loc, locator, &merged, opts, &log);
	if (!err)
		err = open_fds(locator, &loc, &opened, &log);
	if (!err && (loc.reconnect || opened.unmet || opened.lasts))
		err = keep_way(&own.life, &loc, &merged, &opened, &log);
	if (err)
		return err;
	own.kind = told_kind(&loc, &opened);
	own.name = locator;
	own.descriptors = opened.borrowed ? 0 : descriptors(&loc);
	own.spare = opened.paired ? opened.fd + opened.n : NULL;
	own.group = opened.group;
	own.borrowed = opened.borrowed;
	own.no_outgoing = opened.no_outgoing;
	own.unmet = opened.unmet;
	err = endpoint_new(ep, opened.fd, opened.n, &own, &merged);
	if (!err) {
		(*ep)->bound = opened.bound;
		opened.bound = (struct bound){ 0 };
	} else {
		life_free(own.life);
	}
	opened_undo(&opened);
	return err;
}

/* Returns how many there are, and whose they are. */
static int give(int fds[], unsigned n, struct opened *opened)
{
	const unsigned count = opened->paired ? opened->n * 2 : opened->n;

	if (count > n) {
		opened_undo(opened);
		return -ENOSPC;
	}
	memcpy(fds, opened->fd, count * sizeof(*fds));
	return (int)count;
}

int fdl_open_fds(int fds[], unsigned n, const char *locator, bool existing,
		 const struct fdl_options *opts)
{
	const struct log log = options_log(opts);
	struct opened opened = { 0 };
	struct fdl_options merged;
	struct locator loc;
	int err;

	err = read_both(&loc, locator, &merged, opts, &log);
	if (err)
		return err;
	if (!loc.kind->device) {
		log_say(&log, FDL_LOG_ERR,
			"%s:%s has no device: open it with fdl_open",
			loc.kind->locator, loc.name);
		return -EOPNOTSUPP;
	}
	loc.existing = existing;
	err = open_fds(locator, &loc, &opened, &log);
	return err ? err : give(fds, n, &opened);
}

int fdl_get_info(const struct fdl_endpoint *ep, struct fdl_info *info,
		 size_t size)
{
	info_give(info, size, &ep->queues[0].info);
	return 0;
}

static int probe_open(const struct locator *loc, struct fdl_info *info,
		      const struct log *log)
{
	struct opened opened = { 0 };
	const struct kind *kind;
	int err;

	err = loc->kind->open(loc, &opened, log);
	if (err)
		return err;
	if (opened.sort)
		info_begin(info, opened.sort);
	else
		err = probe_fd(opened.fd[0], &kind, info, log);
	opened_undo(&opened);
	return err;
}

static int probe_locator(const struct locator *loc, struct fdl_info *info,
			 const struct log *log)
{
	struct errand errand = { .loc = loc, .info = info };

	if (!loc->kind->look_up)
		return probe_open(loc, info, log);
	info_begin(info, loc->kind);
	return netns_run_in(loc->netns, probe_here, &errand, log);
}

int fdl_probe(const char *locator, struct fdl_info *info, size_t size,
	      void (*log)(void *ctx, int level, const char *msg), void *ctx)
{
	const struct log to = { log, ctx };
	struct fdl_info found = { 0 };
	struct limit_log limit;
	struct locator loc;
	int err;

	err = locator_parse(&loc, locator, &to);
	if (!err) {
		limit_begin(&limit, &to);
		err = probe_locator(&loc, &found, &limit.log);
		limit_end(&limit, err, locator, 0);
	}
	info_give(info, size, &found);
	return err;
}
