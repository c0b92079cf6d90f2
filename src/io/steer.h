/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the sockets of a fanout group gets a packet, in mode adaptive: a
 * queue uses now the one and now the other of two, and the kernel runs a
 * program (PACKET_FANOUT_CBPF) that knows which. Pure: no system calls.
 */
#ifndef FDL_IO_STEER_H
#define FDL_IO_STEER_H

#include <linux/filter.h>
#include <stdint.h>

enum {
	/* The kernel's limit on a group is 256 sockets. */
	STEER_MAX_QUEUES = 128,
	STEER_MAX_CODE = 256 + 2 * STEER_MAX_QUEUES,
	/* Bytes of the longest packet that a ring gets. A block of it does not
	 * hold a super-packet of BIG TCP. */
	STEER_LONGEST = 1 << 16,
};

struct steer_program {
	unsigned short n;
	struct sock_filter code[STEER_MAX_CODE];
};

/*
 * Make the program of a group in which queue i uses socket member[i], as the
 * kernel numbers them. A packet's flow chooses the queue, the same one in both
 * directions: the addresses of an IPv4 or IPv6 packet, and of TCP and UDP the
 * ports, behind up to two VLAN tags and three extension headers. Fragments have
 * no ports. All that has no such header is one flow. A packet of more than
 * STEER_LONGEST bytes goes to socket i. queues is 1 to STEER_MAX_QUEUES.
 */
void steer_make(struct steer_program *p, unsigned queues,
		const uint8_t member[]);

#endif
