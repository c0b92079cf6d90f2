/* SPDX-License-Identifier: Apache-2.0 */
/* Life cycle and properties of an endpoint. */
#include "endpoint.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fdlink/attach.h>

#include "tx/bridge.h"
#include "tx/distrust.h"
#include "kind/fanout.h"
#include "io/group.h"
#include "options.h"
#include "os.h"

const char *fdl_version(void)
{
	return FDL_VERSION;
}

static int same_link(const struct fdl_endpoint *ep, int fd,
		     const struct fdl_info *info)
{
	if (info->kind == ep->info.kind && info->ifindex == ep->info.ifindex &&
	    info->ethernet == ep->info.ethernet)
		return 0;
	log_say(&ep->log, FDL_LOG_ERR,
		"fd %d is a %s%s%s and another fd of the "
		"endpoint a %s%s%s: all must carry the same link",
		fd, fdl_kind_name(info->kind), *info->name ? " on " : "",
		info->name, fdl_kind_name(ep->info.kind),
		*ep->info.name ? " on " : "", ep->info.name);
	return -EINVAL;
}

static int probe_all(struct fdl_endpoint *ep, const int *fds)
{
	struct fdl_info info;
	unsigned i;
	int err;

	err = probe_fd(fds[0], &ep->info, &ep->log);
	for (i = 1; !err && i < ep->n_queues; i++) {
		err = probe_fd(fds[i], &info, &ep->log);
		if (!err)
			err = same_link(ep, fds[i], &info);
	}
	return err;
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
		q->batch = ep->opts.batch;
		err = queue_open(q, fds[i]);
		if (err) {
			log_say(&ep->log, FDL_LOG_ERR,
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

/* Drops are a difference since now. Not to know them is no reason to fail. */
static void open_device(struct fdl_endpoint *ep, int fd)
{
	int err = device_open(&ep->device, fd, &ep->info);

	if (!err)
		err = device_tx_dropped(&ep->device, &ep->device_drops);
	if (err && ep->info.device)
		log_say(&ep->log, FDL_LOG_WARNING,
			"%s cannot be asked about "
			"(%s): changes of the link and drops by the device "
			"are not noticed",
			ep->info.name, strerror(-err));
}

/* Sockets of the caller's, where the options ask for it. */
static int join_group(struct fdl_endpoint *ep, const int *fds)
{
	const struct fanout fanout = {
		.how = ep->opts.fanout,
		.rollover = ep->opts.flags & FDL_ROLLOVER,
		.outgoing = ep->opts.flags & FDL_RX_OUTGOING,
		.program = ep->opts.fanout_program,
	};

	ep->opts.fanout_program = NULL;	/* the caller's */
	if (fanout.how == FDL_FANOUT_AUTO || ep->n_queues < 2)
		return 0;
	return fanout_join(fds, ep->n_queues, &fanout, ep->info.name, &ep->log);
}

static int set_up(struct fdl_endpoint *ep, const int *fds,
		  const struct own_sockets *own,
		  const struct fdl_options *given)
{
	static const uint8_t unknown[sizeof(ep->opts.address)];
	const char *why;
	int err;

	ep->log = options_log(given);
	err = options_read(&ep->opts, given, &ep->log);
	if (err)
		return err;
	if (!fds || ep->n_queues == 0) {
		log_say(&ep->log, FDL_LOG_ERR,
			"no fds: an endpoint needs at "
			"least one");
		return -EINVAL;
	}
	err = probe_all(ep, fds);
	ep->info.adaptive = own->spare;
	ep->no_outgoing = own->no_outgoing;
	if (!err)
		err = options_fit(&ep->opts, &ep->info, &ep->log);
	if (err)
		return err;
	ep->ops = io_choose(ep->opts.mode, &ep->info, &why);
	ep->has_address = memcmp(ep->opts.address, unknown, sizeof(unknown));
	return 0;
}

static void distrust(struct fdl_endpoint *ep)
{
	const char *why = NULL;
	uint32_t bits = distrust_offloads(ep->opts.tx_offload, &why);

	atomic_init(&ep->tx_revoked, bits);
	if (why && ep->info.vnet_hdr_len)
		log_say(&ep->log, FDL_LOG_INFO,
			"%s: done here instead; "
			"FDLINK_TX_OFFLOAD=on trusts it",
			why);
}

static int build(struct fdl_endpoint *ep, const int *fds, const int *spare)
{
	int err = 0;

	distrust(ep);
	if (spare)
		err = group_new(&ep->group, spare, ep->n_queues);
	if (!err)
		err = join_group(ep, fds);
	if (!err)
		err = open_queues(ep, fds);
	if (err)
		return err;
	err = open_set(ep);
	if (err) {
		close_queues(ep, ep->n_queues);
		return err;
	}
	open_device(ep, fds[0]);
	watch_open_all(ep);
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
	pthread_mutex_init(&ep->device_lock, NULL);
	pthread_mutex_init(&ep->attach_lock, NULL);
	pthread_cond_init(&ep->attach_changed, NULL);
	return ep;
}

static void discard(struct fdl_endpoint *ep)
{
	pthread_cond_destroy(&ep->attach_changed);
	pthread_mutex_destroy(&ep->attach_lock);
	pthread_mutex_destroy(&ep->device_lock);
	group_free(ep->group);
	free(ep->queues);
	free(ep);
}

int endpoint_new(struct fdl_endpoint **out, const int *fds, unsigned nfds,
		 const struct own_sockets *own, const struct fdl_options *opts)
{
	static const struct own_sockets none;
	struct fdl_endpoint *ep = allocate(nfds);
	int err;

	if (!ep)
		return -ENOMEM;
	if (!own)
		own = &none;
	err = set_up(ep, fds, own, opts);
	if (!err)
		err = build(ep, fds, own->spare);
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

static void unlink_paths(struct fdl_endpoint *ep)
{
	int i;

	for (i = 0; i < ENDPOINT_MAX_PATHS && ep->path[i]; i++) {
		os_unlink(ep->path[i]);
		free(ep->path[i]);
	}
}

int fdl_endpoint_free(struct fdl_endpoint *ep)
{
	int err;

	if (!ep)
		return 0;
	err = fdl_detach(ep);
	if (err)
		return err;
	device_close(&ep->device);
	os_close(ep->wake);
	os_close(ep->set);
	close_queues(ep, ep->n_queues);
	unlink_paths(ep);
	discard(ep);
	return 0;
}

void endpoint_owns_path(struct fdl_endpoint *ep, char *path)
{
	int i = 0;

	while (ep->path[i])
		i++;
	ep->path[i] = path;
}

void endpoint_error(struct fdl_endpoint *ep, const char *text)
{
	if (text)
		atomic_store_explicit(&ep->last_error, text,
				      memory_order_relaxed);
}

const char *fdl_last_error(const struct fdl_endpoint *ep)
{
	const char *text = atomic_load_explicit(&ep->last_error,
						memory_order_relaxed);

	return text ? text : "";
}

unsigned fdl_queues(const struct fdl_endpoint *ep)
{
	return ep->n_queues;
}

struct fdl_queue *fdl_get_queue(struct fdl_endpoint *ep, unsigned i)
{
	return i < ep->n_queues ? &ep->queues[i] : NULL;
}

struct fdl_endpoint *fdl_queue_endpoint(const struct fdl_queue *q)
{
	return q->ep;
}

unsigned fdl_queue_index(const struct fdl_queue *q)
{
	return q->index;
}

uint32_t fdl_mtu(const struct fdl_endpoint *ep)
{
	return ep->opts.mtu;
}

uint32_t fdl_capabilities(const struct fdl_endpoint *ep)
{
	static const struct {
		uint32_t flag, cap;
	} map[] = {
		{ FDL_TX_CSUM, FDL_CAP_TX_CSUM },
		{ FDL_RX_CSUM, FDL_CAP_RX_CSUM },
		{ FDL_ETHERNET, FDL_CAP_RESOLUTION_REQUIRED },
		{ FDL_SAVE_RESTORE, FDL_CAP_SAVE_RESTORE },
		{ FDL_DISCONNECT_OK, FDL_CAP_DISCONNECT_OK },
	};
	uint32_t caps = 0;
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (ep->opts.flags & map[i].flag)
			caps |= map[i].cap;
	return caps;
}

uint32_t fdl_gso_max_size(const struct fdl_endpoint *ep)
{
	return ep->opts.gso_max_size;
}

enum fdl_gso_kind fdl_get_gso_kind(const struct fdl_endpoint *ep)
{
	const uint32_t tso = FDL_OFFLOAD_TSO4 | FDL_OFFLOAD_TSO6;

	if (!ep->opts.gso_max_size)
		return FDL_GSO_UNSUPPORTED;
	return (fdl_tx_offloads(ep) & tso) == tso ? FDL_GSO_HARDWARE :
						    FDL_GSO_SOFTWARE;
}

uint32_t fdl_tx_offloads(const struct fdl_endpoint *ep)
{
	return bridge_takes(&ep->queues[0]);
}

enum fdl_mode fdl_get_mode(const struct fdl_endpoint *ep)
{
	return ep->ops->mode;
}

const uint8_t *fdl_address(const struct fdl_endpoint *ep)
{
	return ep->opts.address;
}

uint32_t fdl_max_header_len(const struct fdl_endpoint *ep)
{
	return ep->opts.flags & FDL_ETHERNET ? 14 : 0;
}

uint16_t fdl_arp_hardware(const struct fdl_endpoint *ep)
{
	return ep->opts.flags & FDL_ETHERNET ? FDL_ARPHRD_ETHER :
					       FDL_ARPHRD_NONE;
}

int fdl_fd(const struct fdl_endpoint *ep)
{
	unsigned i;
	int err;

	for (i = 0; i < ep->n_queues; i++) {
		err = ready_show(&ep->queues[i].ready);
		if (err)
			return err;
	}
	return ep->set;
}

/* What the first queue ended with, if all have. */
static int all_ended(const struct fdl_endpoint *ep)
{
	unsigned i;

	for (i = 0; i < ep->n_queues; i++)
		if (!atomic_load_explicit(&ep->queues[i].ended,
					  memory_order_acquire))
			return 0;
	return ep->queues[0].ended;
}

static bool wants_write(const struct fdl_endpoint *ep)
{
	unsigned i;

	for (i = 0; i < ep->n_queues; i++)
		if (ready_wants_write(&ep->queues[i].ready))
			return true;
	return false;
}

static int state_of_all(struct fdl_endpoint *ep)
{
	int state = 0;
	unsigned i;

	for (i = 0; wants_write(ep) && i < ep->n_queues; i++)
		state |= queue_state(&ep->queues[i]);
	/* Another thread may have been quicker. */
	return state ? state : FDL_READABLE;
}

/* One queue is waited for by what it waits for itself: each epoll set around
 * that would be felt in the latency of a lone packet. */
static int wait_for_any(struct fdl_endpoint *ep, int timeout_ms)
{
	int set;

	if (ep->n_queues == 1)
		return ready_wait(&ep->queues[0].ready, ep->wake, timeout_ms);
	set = fdl_fd(ep);
	return set < 0 ? set : wake_poll(set, ep->wake, timeout_ms);
}

int fdl_poll(struct fdl_endpoint *ep, int timeout_ms)
{
	int r;

	if (fdl_is_attached(ep))
		return -EBUSY;
	r = all_ended(ep);
	if (r)
		return r;
	r = wait_for_any(ep, timeout_ms);
	return r > 0 ? state_of_all(ep) : r;
}

void fdl_wake(struct fdl_endpoint *ep)
{
	unsigned i;

	wake_raise(ep->wake);
	for (i = 0; i < ep->n_queues; i++)
		wake_raise(ep->queues[i].ready.wake);
}
