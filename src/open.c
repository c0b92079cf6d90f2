/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fdl_open: parse, check against the options, open in the right network
 * namespace, make the endpoint. The endpoint works on duplicates, so that what
 * was opened is closed here in any case; a path that was bound is the
 * endpoint's to unlink.
 */
#include "fd/opened.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "fd/device.h"
#include "fd/netns.h"
#include "options.h"
#include "os.h"

typedef int opener(const struct locator *loc, struct opened *opened,
		   const struct log *log);

/* What is done inside a namespace: an fd or an info to get. */
struct errand {
	const struct locator *loc;
	struct opened *opened;
	struct fdl_info *info;
};

static opener *const openers[] = {
	[LOCATOR_TAP] = open_tun,	[LOCATOR_TUN] = open_tun,
	[LOCATOR_PACKET] = open_packet, [LOCATOR_SEQPACKET] = open_unix,
	[LOCATOR_UNIXGRAM] = open_unix, [LOCATOR_FD] = open_fd,
};

static int raise_buffer(int fd, int force, int name, uint32_t size)
{
	int err = os_setsockopt(fd, SOL_SOCKET, force, &size, sizeof(size));

	/* Without the privilege: as much as the system allows. */
	if (err)
		err = os_setsockopt(fd, SOL_SOCKET, name, &size, sizeof(size));
	return err;
}

void raise_send_buffer(int fd)
{
	raise_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF, SOCKET_BUFFER);
}

void raise_receive_buffer(int fd, uint32_t size)
{
	raise_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF, size);
}

void opened_undo(struct opened *opened)
{
	unsigned fds = opened->paired ? opened->n * 2 : opened->n;

	while (fds > 0 && !opened->borrowed)
		os_close(opened->fd[--fds]);
	if (opened->path)
		os_unlink(opened->path);
	free(opened->path);
	opened->n = 0;
	opened->paired = false;
	opened->path = NULL;
}

int open_fd(const struct locator *loc, struct opened *opened,
	    const struct log *log)
{
	int fd = loc->fd >= 0 ? loc->fd : inherited_fd(loc->name, log);

	if (fd < 0)
		return fd;
	opened->fd[opened->n++] = fd;
	opened->borrowed = true;
	return 0;
}

static int open_here(void *arg, const struct log *log)
{
	const struct errand *errand = arg;

	return openers[errand->loc->kind](errand->loc, errand->opened, log);
}

static int probe_here(void *arg, const struct log *log)
{
	const struct errand *errand = arg;

	return probe_device(errand->loc, errand->info, log);
}

/* Run an errand in the locator's namespace, which may be the thread's own. */
static int run(int (*fn)(void *arg, const struct log *log),
	       struct errand *errand, const struct log *log)
{
	int nsfd, err;

	if (!*errand->loc->netns)
		return fn(errand, log);
	nsfd = netns_open(errand->loc->netns, log);
	if (nsfd < 0)
		return nsfd;
	err = netns_run(nsfd, fn, errand, log);
	os_close(nsfd);
	return err;
}

/* The group is made as the sockets are opened: none is left to ask for. */
static void take_fanout(struct fdl_options *opts, struct fanout *fanout)
{
	if (fanout->how == FDL_FANOUT_AUTO)
		fanout->how = opts->fanout;
	if (fanout->how == FDL_FANOUT_AUTO)
		fanout->how = FDL_FANOUT_HASH;
	fanout->program = opts->fanout_program;
	fanout->rollover |= (opts->flags & FDL_ROLLOVER) != 0;
	fanout->outgoing = opts->flags & FDL_RX_OUTGOING;
	opts->fanout = FDL_FANOUT_AUTO;
	opts->fanout_program = NULL;
	opts->flags &= ~(uint32_t)FDL_ROLLOVER;
}

static int merge_packet(struct fdl_options *opts, struct locator *loc,
			const struct log *log)
{
	const char *what = NULL;

	if (loc->outgoing > 0)
		opts->flags |= FDL_RX_OUTGOING;
	else if (loc->outgoing && opts->flags & FDL_RX_OUTGOING)
		what = "outgoing=off in the locator and FDL_RX_OUTGOING";
	else if (loc->fanout.how && opts->fanout &&
		 loc->fanout.how != opts->fanout)
		what = "fanout in the locator and fanout in the options";
	if (!what)
		take_fanout(opts, &loc->fanout);
	loc->mode = opts->mode;
	if (loc->fanout.how == FDL_FANOUT_ROLLOVER && loc->fanout.rollover)
		what = "fanout=rollover and rollover";
	if (!what)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"packet:%s: %s contradict each other: give "
		"one of them",
		loc->name, what);
	return -EINVAL;
}

/* Peers that agree on it have what a device's kernel has. */
static int merge_unix(struct fdl_options *opts, const struct locator *loc,
		      const struct log *log)
{
	if (loc->offload > 0)
		opts->flags |= FDL_VNET_HDR;
	if (loc->offload >= 0 || !(opts->flags & FDL_VNET_HDR))
		return 0;
	log_say(log, FDL_LOG_ERR,
		"%s:%s: offload=off in the locator and FDL_VNET_HDR contradict "
		"each other: give one of them",
		locator_kind_name(loc->kind), loc->name);
	return -EINVAL;
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
	if (loc->kind == LOCATOR_TUN && opts->flags & FDL_ETHERNET) {
		log_say(log, FDL_LOG_ERR,
			"tun:%s carries IP packets, and the "
			"options ask for an Ethernet header: use tap:, or "
			"leave FDL_ETHERNET out",
			loc->name);
		return -EINVAL;
	}
	opts->size = sizeof(*opts);
	if (loc->mtu)
		opts->mtu = loc->mtu;
	switch (loc->kind) {
	case LOCATOR_PACKET:
		return merge_packet(opts, loc, log);
	case LOCATOR_SEQPACKET:
	case LOCATOR_UNIXGRAM:
		return merge_unix(opts, loc, log);
	default:
		return 0;
	}
}

static int read_both(struct locator *loc, const char *locator,
		     struct fdl_options *opts, const struct fdl_options *given,
		     const struct log *log)
{
	int err = locator_parse(loc, locator, log);

	if (!err)
		err = options_read(opts, given, log);
	return err ? err : merge(opts, loc, log);
}

int fdl_open(struct fdl_endpoint **ep, const char *locator,
	     const struct fdl_options *opts)
{
	const struct log log = options_log(opts);
	struct opened opened = { 0 };
	struct fdl_options merged;
	struct own_sockets own;
	struct locator loc;
	struct errand errand = { .loc = &loc, .opened = &opened };
	int err;

	err = read_both(&loc, locator, &merged, opts, &log);
	if (!err)
		err = run(open_here, &errand, &log);
	if (err)
		return err;
	own.spare = opened.paired ? opened.fd + opened.n : NULL;
	own.no_outgoing = opened.no_outgoing;
	err = endpoint_new(ep, opened.fd, opened.n, &own, &merged);
	if (!err && opened.path) {
		endpoint_owns_path(*ep, opened.path);
		opened.path = NULL;
	}
	opened_undo(&opened);
	return err;
}

int fdl_get_info(const struct fdl_endpoint *ep, struct fdl_info *info,
		 size_t size)
{
	info_give(info, size, &ep->queues[0].info);
	return 0;
}

static int probe_locator(const struct locator *loc, struct fdl_info *info,
			 const struct log *log)
{
	struct errand errand = { .loc = loc, .info = info };
	struct opened borrowed = { 0 };
	int err;

	switch (loc->kind) {
	case LOCATOR_FD:
		err = open_fd(loc, &borrowed, log);
		return err ? err : probe_fd(borrowed.fd[0], info, log);
	case LOCATOR_SEQPACKET:
	case LOCATOR_UNIXGRAM:
		return probe_unix(loc, info, log);
	default:
		return run(probe_here, &errand, log);
	}
}

int fdl_probe(const char *locator, struct fdl_info *info, size_t size,
	      void (*log)(void *ctx, int level, const char *msg), void *ctx)
{
	const struct log to = { log, ctx };
	struct fdl_info found = { 0 };
	struct locator loc;
	int err;

	err = locator_parse(&loc, locator, &to);
	if (!err)
		err = probe_locator(&loc, &found, &to);
	if (!err)
		info_give(info, size, &found);
	return err;
}
