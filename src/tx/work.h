/* SPDX-License-Identifier: Apache-2.0 */
/* The work that a frame leaves to do, checked, and how much of it the wire
 * takes. */
#ifndef FDL_TX_WORK_H
#define FDL_TX_WORK_H

#include "kind/kind.h"
#include "tx/message.h"
#include "tx/tx.h"

enum {
	WORK_SUPERS = FDL_OFFLOAD_TSO4 | FDL_OFFLOAD_TSO6 |
		      FDL_OFFLOAD_TSO_ECN | FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6,
	WORK_TUNNELS = FDL_OFFLOAD_TUNNEL | FDL_OFFLOAD_TUNNEL_CSUM,
	/* Needs that no wire has an offload for. */
	WORK_TRAILER = 1 << 30,	/* bytes lie behind the IP packet */
	WORK_TOO_MANY = 1 << 29, /* UDP: more segments than any wire takes */
	WORK_TOO_SMALL = 1 << 28, /* TCP: segments so short that kernels would
				 * make longer ones */
	WORK_TUNNEL = 1 << 27,	/* a super-packet in a tunnel that no virtio-net
				 * header can describe */
	WORK_BIG = 1 << 26,	/* BIG TCP that the wire does not take */
	WORK_OUTER_SUM = 1 << 25, /* the outer UDP checksum is complete, not
				 * partial */
	WORK_LOST_INSIDE = 1 << 24, /* a super-packet of a tunnel's datagrams,
				 * which the kernel would lose */
	/* Needs that a piece cut off a super-packet no longer has: it has no
	 * trailer, fewer segments, a length that fits, and new outer
	 * headers. */
	WORK_CURED = WORK_TRAILER | WORK_TOO_MANY | WORK_BIG | WORK_OUTER_SUM,
	/* The cutter is told so many segments at a time, and is then told how
	 * many that really are. */
	WORK_RUN = 64,
};

/* A frame's work, checked. */
struct work {
	struct fdl_offload off;
	unsigned link_len;
	uint32_t needs;			/* FDL_OFFLOAD_ and WORK_ bits */
	bool big;			/* BIG TCP: the length in its IP header
					 * is 0 */
	struct vnet_tunnel tunnel;	/* if these have WORK_TUNNELS */
};

/* The verdict on a frame whose work contradicts it. */
extern const struct verdict work_contradicts;

/* What an fd takes in its virtio-net header, as FDL_OFFLOAD_ bits. */
uint32_t work_offloads(const struct tx *tx);

/* Returns what is left to the wire: not what is distrusted or was refused. Any
 * thread. */
uint32_t work_takes(const struct tx *tx);

/* Check the work of f. Returns false if the work contradicts the frame. */
bool work_judge(const struct tx *tx, const struct frame *f, struct work *w);

/* Whether all the work of a frame is a checksum that the wire completes; *off
 * then says so. */
bool work_passes(struct tx *tx, const struct frame *f, struct fdl_offload *off);

/* Whether a frame of len bytes is no longer than the link takes. */
static inline bool work_fits_mtu(const struct tx *tx, size_t len,
				 unsigned link_len)
{
	return len <= (size_t)tx->shared->opts.mtu + link_len;
}

/*
 * Where its headers are, and its work, checked, for a frame that is to be sent
 * as judged. TX_UNCUT: it is to be sent alone. Bytes lie behind its IP packet,
 * and no wire would do its work right; or it is longer than the MTU, and merged
 * it would be taken by the kernel and then lost, counted as sent.
 */
enum tx_fit work_to_defer(struct tx *tx, const struct frame *f,
			  struct fdl_offload *off, uint8_t *link_len,
			  const struct verdict **why);

/* Whether super-packets inside a tunnel may go as those of its datagrams: if
 * this kernel gets them, and does not lose them. */
static inline bool work_knows_datagrams(const struct tx *tx)
{
	return tx->io->kind->device && !tx->shared->tunnels_apart;
}

/* What may be merged, as flags of fdl_coalesce_init: what the wire takes. */
unsigned work_merges(const struct tx *tx);

#endif
