/* SPDX-License-Identifier: Apache-2.0 */
/* What the queues of an endpoint share. Code that works for one queue is given
 * this, and so needs to know neither the endpoint nor the other queues. */
#ifndef FDL_SHARED_H
#define FDL_SHARED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <fdlink/fdlink.h>

#include "fd/device.h"
#include "log.h"

struct fdl_info;
struct kind;
struct link;

struct shared {
	const struct kind *kind;	/* of the link */
	struct fdl_options opts;	/* every default filled in */
	bool borrowed;			/* others have the fds, too */
	bool has_address;		/* opts.address is not all zeros */
	bool no_outgoing;		/* as struct own_sockets (endpoint.h) */
	bool tunnels_apart;		/* no super-packets of a tunnel's
					 * datagrams: distrust_tunnels */
	struct log log;
	_Atomic(const char *) last_error;
	_Atomic uint32_t reframed;	/* what others have made of the
					 * device's framing since the start,
					 * as io_pack; 0: nothing */
	_Atomic bool warned;		/* of that */
	_Atomic bool warned_tunnel;	/* shared_tell_tunnel did */
	_Atomic bool warned_unread;	/* shared_tell_unread did */
	_Atomic uint32_t tx_revoked;	/* FDL_OFFLOAD_: distrusted, or refused
					 * by the wire */
	_Atomic uint32_t gso_max4;	/* as struct link has it */
	_Atomic unsigned gro_denied;	/* FDL_COALESCE_: fdl_set_gro has ruled
					 * them out */

	pthread_mutex_t device_lock;	/* one question at a time */
	struct device device;
	bool counts_drops;		/* device_drops is known: */
	uint64_t device_drops;		/* device_dropped at the device's start,
					 * less the drops of devices before
					 * it */
	uint64_t device_total;		/* what shared_device_drops knows */
	unsigned device_batch;		/* number of the batch that the device
					 * is of (life_settle) */
	int carrier;			/* under the lock: the last
					 * fdl_set_carrier: 1 on, -1 off; 0:
					 * there was none */
};

void shared_init(struct shared *s);
void shared_destroy(struct shared *s);

/* text is a string constant, or NULL: nothing to say. Any thread. */
void shared_error(struct shared *s, const char *text);

/* Returns the FDL_COALESCE_ flags (COALESCE_ too) of what a link of this kernel
 * takes whole that has these FDL_OFFLOAD_ bits. */
unsigned shared_merges(const struct shared *s, uint32_t offloads);

/* A super-packet was dropped, because the tunnel around it cannot be cut: say
 * so once, with the way out. Any thread. */
void shared_tell_tunnel(struct shared *s);

/* The same of a packet that the kernel dropped as it was read, because its
 * virtio-net header has no word for the packet's offload. */
void shared_tell_unread(struct shared *s);

/*
 * Open the device behind fd, and note what it has dropped so far. Not to know
 * it is no reason to fail: a warning is logged, and the device stays closed.
 * Errors: as device_open.
 */
int shared_open_device(struct shared *s, int fd, const struct fdl_info *info);

/* The device behind fd is to be asked in another network namespace from now
 * on. Any thread. Errors: as device_open. */
int shared_reopen_device(struct shared *s, int fd, const struct fdl_info *info);

/*
 * Note that the device behind fd is another one, of that batch (life_settle),
 * with counts of its own. Any thread. Errors: as device_open.
 */
int shared_replace_device(struct shared *s, int fd, const struct fdl_info *info,
			  unsigned batch);

/*
 * Switch the carrier of the device behind fd: 1 on, -1 off; 0: as it was
 * switched last, if it was. Any thread. Errors: as set_carrier of struct kind.
 */
int shared_switch_carrier(struct shared *s, int fd, int carrier);

/* As device_get, and device_dropped since the start; on an error *drops is what
 * was known before. Any thread. */
int shared_get_link(struct shared *s, struct link *link);
int shared_device_drops(struct shared *s, uint64_t *drops);

/* A device has left its network namespace, and was *last before. Any thread. */
void shared_device_left(struct shared *s, const struct link *last);

#endif
