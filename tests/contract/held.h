/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of an fd that change what it hands out, or how it waits. */
#ifndef TESTS_HELD_H
#define TESTS_HELD_H

#include <sys/socket.h>

#include "link.h"

/* What is to become of an endpoint on whose fd it is set. */
enum held_outcome {
	HELD_UNDERSTOOD,	/* every frame comes, as it was sent */
	HELD_LOSES,		/* every frame comes or is counted */
	HELD_MENDED,		/* the same, a warning names it, and then every
				 * frame comes */
	HELD_PURGED,		/* the kernel forgets what is queued; what comes
				 * later is right */
	HELD_STOPS,		/* no frame comes, and none is counted */
	HELD_DEAF,		/* what was sent before comes, then the link
				 * tells that it was closed; it can be sent */
	HELD_MUTE,		/* every frame comes, and none can be sent */
	HELD_ENDS,		/* both */
	HELD_REFUSED,		/* there is none: one sentence names it */
	HELD_NOT,		/* not to be tried */
};

enum {
	HELD_FLAGS = -1,	/* a level: F_SETFL, the option is set */
	HELD_FLAGS_OFF = -2,	/* the same, it is cleared */
	HELD_IOCTL = -3,	/* the option is the request, with its value */
	HELD_NUMBER = -4,	/* the same, and the value is the number that
				 * is passed */
	HELD_COMMAND = -5,	/* the value is of the shell: %s, the device */
	HELD_BPF = -6,		/* an eBPF filter that returns the option */
	HELD_TUN_BPF = -7,	/* the option is the request, with an eBPF
				 * program that returns the value */
	HELD_SHUTDOWN = -8,	/* shutdown(2), the option is how */

	/* Traits of the kinds here: */
	HELD_VNET = 1 << 16,	/* a TUN or TAP with a virtio-net header */
	HELD_QUEUE = 1 << 17,	/* of a device with several queues */
	HELD_MACVTAP = 1 << 18,
	HELD_V6 = 1 << 19,	/* UDP over IPv6 */
	HELD_STREAM = 1 << 20,	/* a frame stands behind its length */
	HELD_TCP = 1 << 21,

	HELD_SEGMENTS = 16,	/* together longer than an MTU */
};

struct held_setting {
	const char *name;
	unsigned needs, not_on;		/* LINK_ traits */
	int level, option;
	const void *value;
	socklen_t len;
	enum held_outcome before, running;
	const char *named;
	uint32_t flags;			/* fdl_options.flags */
};

/* The last one has no name. */
extern const struct held_setting held_settings[];

/* Of no other test; the last one has no name. */
extern const struct link_kind held_kinds[];

/* Returns 0, or -1 and errno. */
int held_set(const struct link *l, int fd, const struct held_setting *s);

/* The socket that fdl_open has opened. */
int held_fd_of(const struct link *l);

/* As link_feed_bytes and link_collect, on the kinds here as well. */
void held_feed(struct link *l, const uint8_t *frame, size_t len);
ssize_t held_collect(struct link *l, uint8_t *buf, size_t size);

/* It has told that nothing more comes, and is quiet. */
void held_expect_deaf(struct link *l);

/* Nothing can be sent. UDP loses and counts what is, for its peer may come
 * back. */
void held_expect_mute(struct link *l);

/* On a device: from the peer's end a super-packet of HELD_SEGMENTS segments, or
 * those one by one. All leave their checksums to the device. */
void held_feed_super(struct link *l);
void held_feed_segments(struct link *l);

/* The i-th of them; partial: its checksum is left out. Returns its length. */
size_t held_segment(const struct link *l, bool partial, unsigned i,
		    uint8_t *frame);

#endif
