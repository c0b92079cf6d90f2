/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was changed on an fd, so that all of it can be undone. That happens when
 * the endpoint is freed. If several endpoints, perhaps of other processes, have
 * the same open file, the last one of them does it. They may come and go at the
 * same time.
 */
#ifndef FDL_IO_CHANGES_H
#define FDL_IO_CHANGES_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
	CHANGES_MAX = 12,	/* more than any kind and any mode make */
};

struct change {
	int level, name;	/* of setsockopt(2); level -1: flags of
				 * fcntl(2), which were not set; -2: what
				 * TUNSETOFFLOAD takes */
	bool shared;		/* other holders may rely on it, too: it is a
				 * switch, and on */
	bool undone;		/* it is off again */
	socklen_t len;
	union {
		int number;
		struct tpacket_req3 ring;
		struct packet_mreq membership;
	} before;
};

/* In the order they were made. Zeros: none. */
struct changes {
	bool holds;		/* others are told that it is held here */
	unsigned n;
	struct change list[CHANGES_MAX];
};

/*
 * Set an option of an int, unless it has that value. Errors: those of
 * getsockopt(2) and setsockopt(2).
 */
int changes_set(struct changes *changes, int fd, int level, int name,
		int value);

/* Make a ring where there is none. Errors: those of setsockopt(2). */
int changes_set_ring(struct changes *changes, int fd,
		     const struct tpacket_req3 *ring);

/* Have the device of an AF_PACKET socket pass more (PACKET_ADD_MEMBERSHIP). The
 * kernel counts who asks. Errors: those of setsockopt(2). */
int changes_join(struct changes *changes, int fd,
		 const struct packet_mreq *membership);

/* Set O_NONBLOCK, unless it is. Errors: those of fcntl(2). */
int changes_set_nonblocking(struct changes *changes, int fd);

/*
 * Have a TUN or TAP leave so much to its reader, in FDL_OFFLOAD_ bits; it
 * cannot be asked what it did before. Errors: those of ioctl(2).
 */
int changes_set_offload(struct changes *changes, int fd, uint32_t before,
			uint32_t offloads);

/* Undo all, the last one first. What cannot be undone stays as it is. */
void changes_undo(struct changes *changes, int fd);

#endif
