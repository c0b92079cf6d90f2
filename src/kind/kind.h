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
#include "log.h"

/* What an fd is, as far as all of them can be asked. */
struct fd_facts {
	int fd;
	bool socket;		/* else a TUN, a TAP, or what looks like one */
	int domain, type;	/* of a socket: AF_..., SOCK_... */
	struct ifreq tun;	/* else: what TUNGETIFF said */
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

	/* Say what opening would give, changing nothing. *info is zeros but for
	 * the kind, and one queue. NULL: open itself changes nothing, and the
	 * fd is looked at. Logs and errors: as fdl_probe. */
	int (*look_up)(const struct locator *loc, struct fdl_info *info,
		       const struct log *log);

	/* Is the fd of this kind? */
	bool (*owns)(const struct fd_facts *facts);

	/* Add to *info, in which all is zeros but the kind, and one queue. NULL:
	 * there is no more to say. Logs and errors: as fdl_probe_fd. */
	int (*probe)(const struct fd_facts *facts, struct fdl_info *info,
		     const struct log *log);

	/* How its fd tells of the device behind it. NULL: there is none. */
	const struct device_of *device;
};

#endif
