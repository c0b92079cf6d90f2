/* SPDX-License-Identifier: Apache-2.0 */
/* Links of every kind with both their ends in the test's hands. */
#ifndef TESTS_LINK_H
#define TESTS_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <fdlink/fdlink.h>

/* What a kind of link has or can do. */
enum {
	LINK_ETHERNET	= 1 << 0,	/* frames have a link header */
	LINK_IP		= 1 << 1,	/* or none */
	LINK_DEVICE	= 1 << 2,	/* goes down and up, can be deleted */
	LINK_TUNTAP	= 1 << 3,	/* a character device */
	LINK_UNIX	= 1 << 4,	/* carries any bytes, and fills up */
	LINK_EOF	= 1 << 5,	/* the peer's close can be seen */
	LINK_NO_EOF	= 1 << 6,	/* a datagram socket: it cannot */
	LINK_TAGS	= 1 << 7,	/* VLAN tags stay in the frame */
	LINK_OUTGOING	= 1 << 8,	/* sees what others send */
	LINK_KERNEL_MAC	= 1 << 9,	/* the kernel says to whom it was */
	LINK_LOSSY	= 1 << 11,	/* what has no room or no reader is
					 * taken all the same */
	LINK_OPENED	= 1 << 10,	/* by fdl_open: the test has no fd of
					 * it, and its mode is adaptive */
	LINK_NAMED	= 1 << 12,	/* the same in any mode: its fd and its
					 * buffers are fdl_open's */
};

struct link;

struct link_kind {
	const char *name;
	unsigned traits;
	uint32_t flags;			/* fdl_options.flags it needs */
	int (*make)(struct link *l);	/* 0 or -errno */
	int (*met)(struct link *l);	/* by fdl_open: the endpoint is there.
					 * 0 or -errno; NULL: that is all */
};

/* All kinds; the last has no name. */
extern const struct link_kind link_kinds[];

struct link {
	const struct link_kind *kind;
	struct fdl_endpoint *ep;
	struct fdl_queue *q;		/* the first one */
	int fd;				/* what the endpoint was made of; -1:
					 * fdl_open opens the locator */
	char locator[64];
	int peer;			/* the other end */
	char dev[16], peer_dev[16];	/* "" where there is no device */
	uint64_t rx_offered;		/* packets put in at the peer's end */
	uint64_t tx_offered;		/* taken by the endpoint for sending */
	bool uncounted;			/* the test loses packets on purpose */
};

enum {
	FRAME_MAX = 1514,
	FRAME_MIN = 60,
	WAIT_MS = 30000,	/* bound of every wait for what must come */
	QUIET_MS = 30,		/* how long is looked at what must not come */
};

/* The endpoint's address and its peer's. */
extern const uint8_t link_local[6], link_remote[6];

/* Without an endpoint as yet. index tells apart links made at a time. Returns
 * 0 or -errno. */
int link_make(struct link *l, const struct link_kind *kind, unsigned index);

/* A socket that sends and receives what passes the device; or -errno. */
int link_packet_socket(const char *dev);

/* For kinds that a test adds, and what link_kind.make returns. The device of a
 * TUN or TAP, IFF_ flags and TUN_F_ offloads; a UDP socket, AF_INET or
 * AF_INET6. */
int link_make_tuntap(struct link *l, short flags, unsigned offloads);
int link_make_udp(struct link *l, sa_family_t family);

/* The locator leads to a unix stream socket that listens. Returns it, or
 * -errno. */
int link_listen(struct link *l);

/* An endpoint over it; opts may be NULL. The link's own flags and the address
 * link_local are added. */
int link_endpoint(struct link *l, enum fdl_mode mode,
		  const struct fdl_options *opts);

/* Frees what there is, the endpoint and the devices of both ends included. */
void link_free(struct link *l);

/* From the peer's end. link_feed makes a frame of len bytes numbered seq. */
void link_feed_bytes(struct link *l, const void *bytes, size_t len);
void link_feed(struct link *l, size_t len, unsigned seq);

/* As link_feed_bytes, but false when there is no room. Any thread. */
bool link_try_feed(struct link *l, const void *bytes, size_t len);

/* What the endpoint sent: the length of the frame, or -EAGAIN after timeout_ms
 * without one. */
ssize_t link_collect(struct link *l, void *buf, size_t size, int timeout_ms);

/* Collect the frame with this length and number, or fail. */
void link_expect(struct link *l, size_t len, unsigned seq);

void link_hang_up(struct link *l);	/* the peer goes away */
void link_set_up(struct link *l, bool up);
void link_delete_device(struct link *l);

/* A frame as the peer (local false) or as the endpoint sends it. */
void frame_make(const struct link *l, bool local, uint8_t *buf, size_t len,
		unsigned seq);
unsigned frame_seq(const struct link *l, const uint8_t *frame);
size_t frame_len(unsigned seq);		/* a length that differs by seq */

#endif
