/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link watch: what becomes of a queue's device. An AF_PACKET socket is told
 * nothing when its device is deleted while down, and nothing by which deleted
 * could be told from down; rtnetlink tells both, and changes of any device.
 */
#ifndef FDL_WATCH_H
#define FDL_WATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fd/link.h"

struct fdl_info;
struct ready;
struct shared;

struct watch {
	struct shared *shared;
	struct ready *ready;
	int fd;				/* the queue's; not owned */
	bool by_block;			/* packets may come after the device
					 * is gone */
	bool open;
	int netlink;			/* subscribed to the device; when it is
					 * gone, maybe the timer for over_at */
	int64_t retry_at;		/* receive side: the device could not be
					 * watched, then it is tried again; as
					 * os_now_ms(), 0: never */
	bool has_home;
	int home;			/* a link socket where the device was
					 * that went; subscribed to nothing */
	bool told;			/* that it cannot be watched */
	bool gone;			/* receive side: the device is */
	int64_t over_at;		/* receive side: when all it left will
					 * have come, as os_now_ms(); 0: at
					 * once */
	_Atomic uint64_t changes;	/* written by the receive side */
	struct link last;		/* receive side: what was told last */
};

/*
 * Watch the device behind the fd, once shared knows it. shared, ready, fd and
 * by_block are set. A queue without a watch works, and never learns; whoever
 * opens it is told why, unless quiet, and where that may pass it is tried again
 * when there is nothing to receive.
 * Errors: as device_open; those of setsockopt(2), bind(2), epoll_ctl(2).
 */
int watch_open(struct watch *w, const struct fdl_info *info, bool quiet);
void watch_close(struct watch *w);

/* Receive side: the device has gone. Look at nothing until watch_replace. */
void watch_rest(struct watch *w);

/* Receive side: as watch_open, after another device came behind the fd. err:
 * why shared does not know it as yet; 0: it does. */
void watch_replace(struct watch *w, const struct fdl_info *info, int err);

/*
 * Receive side, when there is nothing to receive: take note of what happened to
 * the device. Returns true when it has just been found gone: what came before
 * is to be received, and then the queue ends.
 */
bool watch_look(struct watch *w);

/* Receive side, when the fd has told that the device is gone: take note of what
 * was told of it. */
void watch_look_back(struct watch *w);

/* Receive side: has the queue ended, if there is nothing to receive? Its fd is
 * readable once it has. */
bool watch_is_over(const struct watch *w);

#endif
