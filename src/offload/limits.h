/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of super-packets, whether received or sent. */
#ifndef FDL_OFFLOAD_LIMITS_H
#define FDL_OFFLOAD_LIMITS_H

enum {
	/*
	 * The kernel's smallest MSS less the longest options. The kernel raises
	 * a smaller gso_size of its own to it (TCP_MIN_GSO_SIZE), so nothing
	 * smaller is merged here.
	 */
	MIN_TCP_GSO_SIZE = 8,
	/*
	 * The kernel's GRO merges segments of any size, so smaller ones come
	 * in. The longest super-packet has this many segments of
	 * MIN_TCP_GSO_SIZE. More would only let a stranger turn one packet into
	 * tens of thousands.
	 */
	MAX_TCP_SEGMENTS = 8192,
	MAX_UDP_SEGMENTS = 128,		/* UDP_MAX_SEGMENTS */
	MAX_UDP_MERGED = 64,		/* UDP_GRO_CNT_MAX */
	GSO_BY_FRAGS = 0xffff,		/* not a size to the kernel */
	MAX_SUPER_LEN = 65535,		/* link header counted: above that the
					 * kernel cuts in software */
};

#endif
