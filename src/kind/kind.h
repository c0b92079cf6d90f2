/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kind of link: how it is named, opened, told from other kinds and looked at,
 * in one const struct. Code that needs any of that calls a function of the
 * struct, or reads a field, and does not ask which kind it is.
 *
 * doc/design.md says how to add a kind.
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

/* What an fd is, as far as any fd can be asked. */
struct fd_facts {
	int fd;
	bool socket;		/* else a TUN, a TAP, or what looks like one */
	/* Of a socket: AF_..., SOCK_..., IPPROTO_... or what its family has. */
	int domain, type, protocol;
	struct ifreq tun;	/* else: what TUNGETIFF said */
};

struct life;

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
	bool no_outgoing;		/* the kernel gives the fd no frames
					 * that this machine sends */
	const struct log *log;
};

struct kernel_drops {
	uint64_t packets;
	uint64_t freezes;	/* of a ring that had no free block */
};

/* If a function may be NULL, its comment says what that means. */
struct kind {
	/* In a fdl_info. NULL: no fd is of this kind. */
	const char *name;
	enum fdl_kind number;

	/*
	 * In a locator: the word before ':'; the word that the grammar shows
	 * for the name behind it ("A|B": either; "": it has none), which is the
	 * form of all addresses of the kind; and the options that the kind
	 * takes, 1 << enum locator_option each. locator is NULL if only an fd
	 * can be of the kind.
	 */
	const char *locator;
	const char *form;
	uint32_t options;

	/* Check an address, and copy it to locator.name or .local. Errors:
	 * -EINVAL, and one sentence. */
	int (*take_name)(struct locator *loc, char *to, const char *value,
			 const struct log *log);

	/* What the frames are. UNKNOWN: fdl_info.ethernet tells. */
	enum fdl_medium medium;

	/* Where the virtio-net header of its frames comes from, if they have
	 * one. */
	enum header_rule header;

	/* Those fdl_options.flags that not every kind takes, and this one does:
	 * FDL_RX_OUTGOING. */
	uint32_t flags;

	/* The modes that serve it, the best first, then NULL. The last mode is
	 * the plainest, which any fd of the kind can have. */
	const struct io_ops *const *modes;

	/* Bring the caller's options and the locator together. NULL: they
	 * cannot contradict each other. Errors: -EINVAL, and one sentence. */
	int (*merge)(struct fdl_options *opts, struct locator *loc,
		     const struct log *log);

	/*
	 * Open what the locator says, in the calling thread's network
	 * namespace. On failure one sentence is logged and nothing is left
	 * behind. Errors: as fdl_open.
	 */
	int (*open)(const struct locator *loc, struct opened *opened,
		    const struct log *log);

	/*
	 * Find a peer for fd, as life_meet (life.h): the link was opened
	 * without one, or it lasts and its peer has gone. NULL: the link is
	 * opened anew.
	 */
	int (*meet)(struct life *life, int fd);

	/* The fd stays the same for every peer. Between two peers, the next one
	 * is found because it sends to the fd. */
	bool keeps_fd;

	/*
	 * Say what opening would give, and change nothing. *info is as
	 * info_begin left it. NULL: open itself changes nothing, so the link is
	 * opened and its fd looked at. Logs and errors: as fdl_probe.
	 */
	int (*look_up)(const struct locator *loc, struct fdl_info *info,
		       const struct log *log);

	/* Whether the fd is of this kind. NULL: no fd tells that it is. */
	bool (*owns)(const struct fd_facts *facts);

	/* Add to *info, which is as info_begin left it. NULL:
	 * there is no more to say. Logs and errors: as fdl_probe_fd. */
	int (*probe)(const struct fd_facts *facts, struct fdl_info *info,
		     const struct log *log);

	/*
	 * Refuse a caller's fd if an option set on it keeps an endpoint from
	 * working. NULL: no option does. Logs one sentence. Errors: -EBUSY,
	 * -EOPNOTSUPP.
	 */
	int (*check)(int fd, const struct log *log);

	/* How its fd tells of the device behind it. NULL: there is none. */
	const struct device_of *device;

	/*
	 * Make a queue's fd ready: change what has to be changed on it, by
	 * io->changes, and fill in what io says of it, first of all the
	 * virtio-net header. On failure the caller undoes the changes. Errors:
	 * those of the system calls.
	 */
	int (*set_up)(struct io *io, const struct set_up *how);

	/*
	 * Others may change what the device puts before each packet. Read what
	 * it is now; if there is no virtio-net header, have the device leave no
	 * offload to its reader. NULL: it stays as set_up left it. Errors:
	 * those of ioctl(2).
	 */
	int (*follow)(int fd, struct io_framing *now);

	/* Switch the carrier of its device. NULL: its users cannot. Errors: as
	 * fdl_set_carrier. */
	int (*set_carrier)(int fd, bool on);

	/* Set again what set_up set and another holder of the fd has changed.
	 * NULL: no frame would show such a change. */
	void (*mend)(const struct io *io);

	/* Another holder may have bound the socket to another device. If so,
	 * bind it back. Returns whether it was so. NULL: a bind would be
	 * refused, or harmless. */
	bool (*rebind)(const struct io *io);

	/* Frames that come by another device (IO_STRAY) are none of ours. NULL:
	 * there are none. */
	bool (*strays)(const struct io *io);

	/* Put sockets into a new fanout group, as fanout_join, once their
	 * queues are open. muted: the sockets get nothing until then. NULL: the
	 * kind has no such groups. */
	int (*join)(const int *fd, unsigned n, const struct fanout *fanout,
		    bool muted, const char *name, const struct log *log);

	/*
	 * The fd is a socket and moves messages, many in a call. If not, a
	 * read(2) or write(2) moves one frame, and O_NONBLOCK keeps it from
	 * waiting.
	 */
	bool socket;
	/* The kernel tells more about a frame beside the message (io/notes.h):
	 * whom it is from and for, and the VLAN tag that it took out. */
	bool notes;

	/* The kernel may hand out super-packets of more than 64 KiB (BIG TCP)
	 * on it, and takes them as far as its device does. */
	bool big;

	/* Whether there is a filter that others have attached to the device,
	 * which may leave only the start of frames. NULL: each message tells
	 * how long its frame was, or there are no filters. */
	bool (*has_filter)(int fd);

	/* Another holder of its socket may shut it down, and no read tells. */
	bool shuts_down;

	/* After the end of the link, sends to the fd succeed, and are lost. */
	bool takes_after_end;

	/* What an errno means on an fd of the kind, if not the same as on all
	 * (verdict.c). The last row has the errno 0. NULL: there is no row. */
	const struct verdict *on_receive;
	const struct verdict *on_send;

	/* The side that connects sends this message before its first frame. It
	 * is not a frame. NULL: there is none. */
	const char *hello;
	/* This side connects: it sends the hello, and again when the peer has
	 * come back (peer.h). */
	bool greets;

	/*
	 * A message without bytes arrived: was it the end of the link? Empty
	 * messages right before the end are taken for the end too. NULL: it
	 * never is.
	 */
	bool (*at_end)(int fd);

	/* The kernel disconnects a socket of the kind when nobody is at the
	 * other end. It is connected anew before the next try (peer.h). */
	bool forgets_peer;

	/*
	 * Read how many packets the kernel dropped since the last time because
	 * the socket was full. fd is that of io, or its second one. NULL: the
	 * kernel does not tell. Any thread.
	 */
	void (*read_drops)(struct io *io, int fd, struct kernel_drops *drops);
};

#endif
