/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kind of link: how it is named, opened, told from others and looked at, in
 * one const struct. Who needs that calls a function of the struct, or reads what
 * it says, and does not ask which kind it is.
 *
 * doc/design.md says how to add one, and what the struct does not say yet.
 */
#ifndef FDL_KIND_KIND_H
#define FDL_KIND_KIND_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include <fdlink/open.h>

#include "fd/device.h"
#include "fd/locator.h"
#include "fd/opened.h"
#include "io/io.h"
#include "kind/verdict.h"
#include "log.h"

/* What an fd is, as far as all of them can be asked. */
struct fd_facts {
	int fd;
	bool socket;		/* else a TUN, a TAP, or what looks like one */
	int domain, type;	/* of a socket: AF_..., SOCK_... */
	struct ifreq tun;	/* else: what TUNGETIFF said */
};

enum header_rule {
	HEADER_OPENED,		/* it has one, or not, since it was opened */
	HEADER_MADE,		/* set_up sees to it that there is one */
	HEADER_AGREED,		/* the peers agree on it: FDL_VNET_HDR tells */
};

/* What a queue is to be. */
struct set_up {
	const struct fdl_info *info;	/* of its fd */
	const struct fdl_options *opts;	/* every default filled in */
	bool borrowed;			/* others have the fd, too */
	bool has_address;		/* opts->address is not all zeros */
	bool no_outgoing;		/* the fd has no frames that this
					 * machine sends */
	const struct log *log;
};

struct kernel_drops {
	uint64_t packets;
	uint64_t freezes;	/* of a ring that had no free block */
};

/* Where a function may be NULL, its absence is said to mean something. */
struct kind {
	/* In a fdl_info. NULL: no fd is of this kind. */
	const char *name;
	enum fdl_kind number;

	/* In a locator: the word before ':', what the grammar calls that behind
	 * it (the form of all its addresses; "A|B": either), and the options it
	 * takes, 1 << enum locator_option each. */
	const char *locator;
	const char *form;
	uint32_t options;

	/* Check the address value and put it into to, locator.name or .local.
	 * Errors: -EINVAL, and one sentence. */
	int (*take_name)(struct locator *loc, char *to, const char *value,
			 const struct log *log);

	/* What its frames are. UNKNOWN: fdl_info.ethernet tells. */
	enum fdl_medium medium;

	/* Where their virtio-net header comes from, if they have one. */
	enum header_rule header;

	/* The fdl_options.flags that not all kinds take: FDL_RX_OUTGOING. */
	uint32_t flags;

	/* The modes that serve it, best first and the plainest last, which is the
	 * one that any fd of it can have; then NULL. */
	const struct io_ops *const *modes;

	/*
	 * Bring the caller's options and the locator together. NULL: there is
	 * nothing that could contradict. Errors: -EINVAL, and one sentence.
	 */
	int (*merge)(struct fdl_options *opts, struct locator *loc,
		     const struct log *log);

	/*
	 * Open what the locator says, in the calling thread's network namespace.
	 * On failure one sentence is logged and nothing is left behind. Errors:
	 * as fdl_open.
	 */
	int (*open)(const struct locator *loc, struct opened *opened,
		    const struct log *log);

	/* Say what opening would give, changing nothing. *info is as info_begin
	 * left it. NULL: open itself changes nothing, and the fd is looked at.
	 * Logs and errors: as fdl_probe. */
	int (*look_up)(const struct locator *loc, struct fdl_info *info,
		       const struct log *log);

	/* Is the fd of this kind? */
	bool (*owns)(const struct fd_facts *facts);

	/* Add to *info, which is as info_begin left it. NULL:
	 * there is no more to say. Logs and errors: as fdl_probe_fd. */
	int (*probe)(const struct fd_facts *facts, struct fdl_info *info,
		     const struct log *log);

	/* How its fd tells of the device behind it. NULL: there is none. */
	const struct device_of *device;

	/*
	 * Make a queue's fd ready: what has to be changed on it, by io->changes,
	 * and what io has to say of it, the virtio-net header first. On failure
	 * the caller undoes the changes. Errors: those of the system calls.
	 */
	int (*set_up)(struct io *io, const struct set_up *how);

	/* Put a caller's sockets into a new fanout group: as fanout_join. NULL: it
	 * has no such groups. */
	int (*join)(const int *fd, unsigned n, const struct fanout *fanout,
		    const char *name, const struct log *log);

	/* It moves messages, many in a call. Else a read(2) or write(2) moves one
	 * frame, and O_NONBLOCK is what keeps it from waiting. */
	bool socket;
	/* With a message comes more about the frame (io/message.h): whom it is
	 * from and for, and the VLAN tag that the kernel took out. */
	bool notes;

	/* What an errno means on its fd, where that is not what it means on all
	 * (verdict.c). The last row has the errno 0. NULL: no row. */
	const struct verdict *on_receive;
	const struct verdict *on_send;

	/*
	 * A message of no bytes arrived: was it the end of the link? (Empty
	 * messages right before the end are taken for it.) NULL: it never is.
	 */
	bool (*at_end)(int fd);

	/* The kernel disconnects its socket when nobody is at the other end: it
	 * is connected anew before the next try (peer.h). */
	bool forgets_peer;

	/* Read what the kernel dropped since the last time because the socket
	 * was full, if it tells. fd is that of io, or its second one. NULL: a
	 * socket of it never does. Any thread. */
	void (*read_drops)(struct io *io, int fd, struct kernel_drops *drops);
};

#endif
