/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kind/choose.h"
#include "kind/table.h"
#include "packet/pool.h"

enum {
	MIN_MTU = 68,		/* RFC 791 */
	MAX_MTU = 65535,
	DEFAULT_MTU = 1500,
	DEFAULT_BATCH = 32,
	DEFAULT_POOL = 256,
	MIN_POOL = 2,
	MAX_HEADROOM = 4096,
	MAX_TX_WAIT_MS = 60000,
	MAX_GSO_SIZE = 8 * 65535, /* GSO_MAX_SIZE of the kernel */
	MESSAGE_COST = 80,	/* a mmsghdr and one iovec */
	MAX_RING = 1 << 30,
	DEFAULT_RING = 16 << 20, /* a block may hold 1 ms only */
	MAX_RING_TIMEOUT = 1000,
	DEFAULT_RING_TIMEOUT = 1,
	MAX_SIZE = 4096,	/* of the options themselves */
};

static const uint32_t known_flags =
	FDL_ETHERNET | FDL_DROP_OTHERHOST | FDL_SAVE_RESTORE |
	FDL_DISCONNECT_OK | FDL_VNET_HDR | FDL_VNET_HDR_V1 | FDL_RX_CSUM |
	FDL_RX_GSO | FDL_RX_USO | FDL_GRO | FDL_COALESCE | FDL_TX_CSUM |
	FDL_RX_TUNNEL | FDL_RX_OUTGOING | FDL_ROLLOVER | FDL_NO_METADATA;

static bool has_log(const struct fdl_options *given)
{
	const size_t end = offsetof(struct fdl_options, log_ctx) +
			   sizeof(given->log_ctx);

	return given && (!given->size || given->size >= end);
}

struct log options_log(const struct fdl_options *given)
{
	struct log log = { NULL, NULL };

	if (has_log(given)) {
		log.fn = given->log;
		log.ctx = given->log_ctx;
	}
	return log;
}

/* A caller built against newer headers may have fields that we do not know, if
 * they are 0. */
static int copy(struct fdl_options *opts, const struct fdl_options *given)
{
	size_t size = given->size ? given->size : sizeof(*opts);
	const uint8_t *bytes = (const uint8_t *)given;
	size_t i;

	/* Not set, or rubbish: such a layout will never be. */
	if (size > MAX_SIZE)
		return -EINVAL;
	for (i = sizeof(*opts); i < size; i++)
		if (bytes[i])
			return -EINVAL;
	memcpy(opts, given, size < sizeof(*opts) ? size : sizeof(*opts));
	return 0;
}

static int in_range(const struct log *log, const char *name, uint32_t value,
		    uint32_t min, uint32_t max)
{
	if (value == 0 || (value >= min && value <= max))
		return 0;
	log_say(log, FDL_LOG_ERR,
		"option %s=%u is out of range: %u to %u, or "
		"0 for the default",
		name, value, min, max);
	return -EINVAL;
}

static int check_flags(const struct log *log, uint32_t flags)
{
	if (flags & ~known_flags) {
		log_say(log, FDL_LOG_ERR,
			"option flags=%#x has bits that this "
			"version (%s) does not know: %#x",
			flags, fdl_version(), flags & ~known_flags);
		return -EINVAL;
	}
	if (flags & (FDL_RX_GSO | FDL_RX_USO) && !(flags & FDL_RX_CSUM)) {
		log_say(log, FDL_LOG_ERR,
			"option flags=%#x takes super-packets "
			"and no partial checksums, which they have: add "
			"FDL_RX_CSUM",
			flags);
		return -EINVAL;
	}
	if (flags & FDL_RX_TUNNEL && !(flags & (FDL_RX_GSO | FDL_RX_USO))) {
		log_say(log, FDL_LOG_ERR,
			"option flags=%#x takes super-packets inside tunnels "
			"and no others: add FDL_RX_GSO or FDL_RX_USO",
			flags);
		return -EINVAL;
	}
	if (flags & FDL_GRO && !(flags & (FDL_RX_GSO | FDL_RX_USO))) {
		log_say(log, FDL_LOG_ERR,
			"option flags=%#x merges packets for "
			"a stack that takes no super-packets: add FDL_RX_GSO "
			"or FDL_RX_USO",
			flags);
		return -EINVAL;
	}
	return 0;
}

static int check_fanout(const struct log *log, const struct fdl_options *opts)
{
	const char *why = NULL;

	if ((unsigned)opts->fanout > FDL_FANOUT_CBPF)
		why = "is none of enum fdl_fanout";
	else if (opts->fanout == FDL_FANOUT_CBPF && !opts->fanout_program)
		why = "needs a fanout_program";
	else if (opts->fanout != FDL_FANOUT_CBPF && opts->fanout_program)
		why = "has no use for a fanout_program: choose FDL_FANOUT_CBPF";
	else if (opts->fanout == FDL_FANOUT_ROLLOVER &&
		 opts->flags & FDL_ROLLOVER)
		why = "passes packets on by itself: leave FDL_ROLLOVER "
		      "out";
	if (!why)
		return 0;
	log_say(log, FDL_LOG_ERR, "option fanout=%d %s", (int)opts->fanout,
		why);
	return -EINVAL;
}

/* The environment overrides the options: whoever runs the program may know
 * better than whoever wrote it. */
static int read_environment(struct fdl_options *opts, const struct log *log)
{
	static const char *const names[] = {
		[FDL_USE_AUTO] = "auto",
		[FDL_USE_ON] = "on",
		[FDL_USE_OFF] = "off",
	};
	const char *value = secure_getenv("FDLINK_TX_OFFLOAD");
	int i;

	if (!value || !*value)
		return 0;
	for (i = 0; i <= FDL_USE_OFF; i++) {
		if (!strcmp(value, names[i])) {
			opts->tx_offload = (enum fdl_use)i;
			return 0;
		}
	}
	log_say(log, FDL_LOG_ERR,
		"FDLINK_TX_OFFLOAD=%.40s in the environment "
		"is neither on, off nor auto",
		value);
	return -EINVAL;
}

static int check_use(const struct fdl_options *opts, const struct log *log)
{
	if ((unsigned)opts->tx_offload <= FDL_USE_OFF)
		return 0;
	log_say(log, FDL_LOG_ERR, "option tx_offload=%d is no enum fdl_use",
		(int)opts->tx_offload);
	return -EINVAL;
}

int options_read(struct fdl_options *opts, const struct fdl_options *given,
		 const struct log *log)
{
	int err;

	memset(opts, 0, sizeof(*opts));
	if (given && copy(opts, given)) {
		log_say(log, FDL_LOG_ERR,
			"options of %zu bytes use fields that "
			"this version (%s) does not know: build against its "
			"headers, or leave them 0",
			given->size, fdl_version());
		return -EINVAL;
	}
	if (in_range(log, "mtu", opts->mtu, MIN_MTU, MAX_MTU) ||
	    in_range(log, "batch", opts->batch, 1, IO_MAX_BATCH) ||
	    in_range(log, "pool", opts->pool, MIN_POOL, POOL_MAX_SLOTS) ||
	    in_range(log, "ring_bytes", opts->ring_bytes, 1, MAX_RING) ||
	    in_range(log, "ring_timeout_ms", opts->ring_timeout_ms, 1,
		     MAX_RING_TIMEOUT) ||
	    in_range(log, "gso_max_size", opts->gso_max_size, 1,
		     MAX_GSO_SIZE) ||
	    in_range(log, "tx_wait_ms", opts->tx_wait_ms, 1, MAX_TX_WAIT_MS) ||
	    in_range(log, "headroom", opts->headroom, 1, MAX_HEADROOM))
		return -EINVAL;
	if (check_use(opts, log) || read_environment(opts, log))
		return -EINVAL;
	err = check_flags(log, opts->flags);
	return err ? err : check_fanout(log, opts);
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
	return value ? value : fallback;
}

static int fit_medium(struct fdl_options *opts, const struct fdl_info *info,
		      const struct log *log)
{
	if (info->ethernet)
		opts->flags |= FDL_ETHERNET;
	if (!(opts->flags & FDL_ETHERNET) || info->ethernet ||
	    kind_in(info)->medium == FDL_MEDIUM_AGREED)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"%s carries IP packets without an Ethernet "
		"header, and the options ask for one: leave FDL_ETHERNET out",
		info->name);
	return -EINVAL;
}

/* Check options that only some kinds have: today AF_PACKET sockets. */
static int fit_special(const struct fdl_options *opts,
		       const struct fdl_info *info, const struct log *log)
{
	const struct kind *kind = kind_in(info);
	const char *name = NULL;

	if (opts->flags & FDL_ROLLOVER && opts->fanout == FDL_FANOUT_AUTO) {
		log_say(log, FDL_LOG_ERR,
			"FDL_ROLLOVER is for a group "
			"made here: choose its fanout too");
		return -EINVAL;
	}
	if (opts->flags & FDL_RX_OUTGOING & ~kind->flags)
		name = "FDL_RX_OUTGOING";
	else if (opts->fanout != FDL_FANOUT_AUTO && !kind->join)
		name = "a fanout";
	if (!name)
		return 0;
	log_say(log, FDL_LOG_ERR,
		"%s is for AF_PACKET sockets, and this is a "
		"%s: leave it out",
		name, kind->name);
	return -EINVAL;
}

static int fit_framing(const struct fdl_options *opts,
		       const struct fdl_info *info, const struct log *log)
{
	if (info->packet_info) {
		log_say(log, FDL_LOG_ERR,
			"%s puts 4 bytes of packet information "
			"before each packet: open it with IFF_NO_PI",
			info->name);
		return -EOPNOTSUPP;
	}
	if (info->vnet_hdr_len > IO_MAX_HEADER) {
		log_say(log, FDL_LOG_ERR,
			"%s has a virtio-net header of %u bytes%s, and %d are "
			"the most there can be: set 10, 12 or %d by "
			"TUNSETVNETHDRSZ",
			info->name, info->vnet_hdr_len,
			info->vnet_hdr_len == UINT8_MAX ? " or more" : "",
			IO_MAX_HEADER, IO_MAX_HEADER);
		return -EOPNOTSUPP;
	}
	if (opts->flags & FDL_VNET_HDR_V1 &&
	    kind_in(info)->header != HEADER_AGREED) {
		log_say(log, FDL_LOG_ERR,
			"FDL_VNET_HDR_V1 is a header that two programs agree "
			"on, and here the kernel is the peer: leave it out of "
			"the options of a %s",
			kind_in(info)->name);
		return -EINVAL;
	}
	if (opts->flags & FDL_VNET_HDR && !info->vnet_hdr_len &&
	    kind_in(info)->header == HEADER_OPENED) {
		log_say(log, FDL_LOG_ERR,
			"%s has no virtio-net header, and the "
			"options ask for one: open it with IFF_VNET_HDR, or "
			"leave FDL_VNET_HDR out",
			info->name);
		return -EINVAL;
	}
	return 0;
}

static bool passes_headers(enum fdl_mode mode, const struct kind *kind)
{
	const struct io_ops *ops = io_find(mode);

	return ops->headers == IO_HEADERS ||
	       (ops->headers == IO_HEADERS_OF_NOTES && kind->notes);
}

static int fit_headers(struct fdl_options *opts, const struct fdl_info *info,
		       const struct log *log)
{
	const struct kind *kind = kind_in(info);

	if (!opts->max_syscall_header_bytes ||
	    opts->max_syscall_header_bytes >= MESSAGE_COST)
		return 0;
	if (opts->mode == FDL_MODE_AUTO)
		opts->mode = kind_plainest(kind);
	if (!passes_headers(opts->mode, kind))
		return 0;
	log_say(log, FDL_LOG_ERR,
		"option max_syscall_header_bytes=%u is too "
		"little to receive from this %s in mode %s: %u is the least",
		opts->max_syscall_header_bytes, kind->name,
		fdl_mode_name(opts->mode), MESSAGE_COST);
	return -EINVAL;
}

static void fit_batch(struct fdl_options *opts)
{
	const uint32_t max = opts->max_syscall_header_bytes / MESSAGE_COST;

	if (opts->batch > opts->pool / 2)
		opts->batch = opts->pool / 2;
	if (max && opts->batch > max)
		opts->batch = max;
}

static int fit_mode(const struct fdl_options *opts, const struct fdl_info *info,
		    const struct log *log)
{
	const char *name = fdl_mode_name(opts->mode);
	const char *why = NULL;

	if (kind_choose(opts->mode, info, &why))
		return 0;
	log_say(log, FDL_LOG_ERR, "mode %d (%s) cannot be used on this %s: %s",
		(int)opts->mode, name ? name : "unknown", kind_in(info)->name,
		why);
	return -EINVAL;
}

int options_fit(struct fdl_options *opts, const struct fdl_info *info,
		const struct log *log)
{
	int err;

	err = fit_framing(opts, info, log);
	if (!err)
		err = fit_medium(opts, info, log);
	if (!err)
		err = fit_special(opts, info, log);
	if (!err)
		err = fit_mode(opts, info, log);
	if (!err)
		err = fit_headers(opts, info, log);
	if (err)
		return err;
	opts->mtu = or_default(opts->mtu, or_default(info->mtu, DEFAULT_MTU));
	if (opts->mtu > MAX_MTU)	/* the loopback device's */
		opts->mtu = MAX_MTU;
	opts->batch = or_default(opts->batch, DEFAULT_BATCH);
	opts->pool = or_default(opts->pool, DEFAULT_POOL);
	opts->ring_bytes = or_default(opts->ring_bytes, DEFAULT_RING);
	opts->ring_timeout_ms = or_default(opts->ring_timeout_ms,
					   DEFAULT_RING_TIMEOUT);
	fit_batch(opts);
	return 0;
}
