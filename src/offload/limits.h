/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of super-packets, whether received or sent. */
#ifndef FDL_OFFLOAD_LIMITS_H
#define FDL_OFFLOAD_LIMITS_H

enum {
	/*
	 * The kernel's smallest MSS less the longest options. The kernel raises
	 * a smaller gso_size to it (TCP_MIN_GSO_SIZE). From a stranger a
	 * smaller one would only serve to make one packet into tens of
	 * thousands.
	 */
	MIN_TCP_GSO_SIZE = 8,
	MAX_UDP_SEGMENTS = 128,		/* UDP_MAX_SEGMENTS */
	MAX_UDP_MERGED = 64,		/* UDP_GRO_CNT_MAX */
	GSO_BY_FRAGS = 0xffff,		/* the kernel takes it for no size */
	MAX_SUPER_LEN = 65535,		/* link header counted: above that the
					 * kernel cuts in software */
};

#endif
