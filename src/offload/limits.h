/* SPDX-License-Identifier: Apache-2.0 */
/* What a super-packet may be, whoever made it. */
#ifndef FDL_OFFLOAD_LIMITS_H
#define FDL_OFFLOAD_LIMITS_H

enum {
	/* The kernel's smallest MSS less the longest options; it raises a
	 * smaller gso_size (TCP_MIN_GSO_SIZE), and from a stranger it would
	 * only serve to make one packet into tens of thousands. */
	MIN_TCP_GSO_SIZE = 8,
	MAX_UDP_SEGMENTS = 128,		/* UDP_MAX_SEGMENTS */
	MAX_UDP_MERGED = 64,		/* UDP_GRO_CNT_MAX */
	GSO_BY_FRAGS = 0xffff,		/* no size, to the kernel */
	MAX_SUPER_LEN = 65535,		/* link header counted: above that the
					 * kernel cuts in software */
};

#endif
