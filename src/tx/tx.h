/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The send side of a queue, as its stages share it: put, bridge, message, and
 * defer and room above them. It is given all that it works with, and knows
 * neither the queue nor the receive side.
 */
#ifndef FDL_TX_H
#define FDL_TX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <fdlink/fdlink.h>
#include <fdlink/offload.h>

#include "counters.h"
#include "io/io.h"
#include "kind/peer.h"
#include "kind/verdict.h"
#include "offload/vnet_tunnel.h"
#include "shared.h"

struct deferred;
struct ready;

enum {
	TX_BATCH = 256,			/* messages in one go */
	TX_PIECES = 2048,		/* of all of them */
	TX_HDR_ROOM = IO_MAX_HEADER,
	TX_SCRATCH = 1 << 17,
	TX_REST = 1 << 19,		/* the longest payload that is cut */
};

/* What is to be sent: a frame in pieces, empty ones allowed. */
struct frame {
	const struct iovec *iov;
	int cnt;
	unsigned weight;		/* packets it counts for */
	const struct fdl_offload *off;	/* NULL: nothing is undone */
	uint32_t room;			/* bytes before the only piece that may
					 * be written to */
	bool judged;			/* bridge_judge took it, or made it of
					 * such: off and link_len are its */
	uint8_t link_len;
};

/* A list of frames: f, or packets v as they are, of which nothing is copied. */
struct frames {
	const struct frame *f;
	struct fdl_packet *const *v;	/* NULL: f */
};

/* Messages gathered so far, and what they are made in. */
struct tx_batch {
	bool merged;			/* scratch is in use */
	unsigned n, pieces, heads;
	struct mmsghdr msg[TX_BATCH];
	unsigned weight[TX_BATCH];	/* packets of a message */
	bool super[TX_BATCH];		/* it is a super-packet */
	unsigned steps[TX_BATCH];	/* of the cutter, that made it */
	struct iovec piece[TX_PIECES];
	uint8_t hdr[TX_BATCH][TX_HDR_ROOM];
	uint8_t head[TX_BATCH][FDL_HEADERS_MAX]; /* headers written anew */
	uint8_t scratch[TX_SCRATCH];
	uint8_t rest[TX_REST];		/* of tx.cut */
	uint8_t part[IO_MAX_PART];	/* tx.part */
};

/* How the frame that is next was refused for lack of room, while the fd said
 * that there is some. */
struct tx_doubt {
	const struct verdict *why;	/* NULL: it was not */
	int64_t since_ms, last_ms;
	unsigned tries;
};

struct tx {
	struct shared *shared;
	struct io *io;
	struct ready *ready;
	struct counters *counters;

	unsigned life;			/* io->life as it was last seen */
	uint32_t reframed;		/* as of shared, when these were set: */
	unsigned hdr_len;		/* bytes of virtio-net header */
	enum fdl_order order;		/* of that */

	pthread_mutex_t lock;		/* for the calls that any thread
					 * makes */
	struct peer peer;
	_Atomic uint32_t offloads;	/* FDL_OFFLOAD_: what the wire takes;
					 * read by any thread */
	unsigned one_at;		/* the low byte of 16 bits in that
					 * order */
	int refused;			/* result of the first drop since 0 */
	unsigned lost;			/* packets dropped since 0 */
	int stalled;			/* why fdl_send came back short; 0:
					 * no */
	unsigned pause_us;		/* how long to wait if POLLOUT is
					 * wrong */
	struct tx_doubt doubt;		/* of what fdl_send was left with */
	int64_t picky_until_ms;		/* until then, assume that the device
					 * refuses some frames for ever */
	struct deferred *deferred;	/* with FDL_COALESCE, else NULL */
	struct tx_batch *out;

	/* What is left of a message that went in part: it goes before all
	 * else. Length 0: there is none. */
	struct iovec part;

	/* Super-packets that the wire takes whole, as it showed: messages of so
	 * many bytes, UDP of so many segments, BIG TCP or not. */
	uint64_t max_super;
	unsigned max_uso;
	bool big_refused;

	/* A super-packet of which some segments went and others had no room:
	 * they go next. needs: its work's. suspect: FDL_OFFLOAD_ bits
	 * that the wire does not take if it takes the segments. */
	bool cutting, counted;
	uint32_t needs, suspect;
	struct fdl_segmenter cut;
	unsigned datagrams;		/* so many segments go as datagrams of
					 * one super-packet outside; 1: they do
					 * not */
	struct vnet_tunnel tunnel;	/* around that, if it is in one */
	struct iovec rest_bytes;
};

/* Frame i of a list; *iov is its piece if that is a packet. */
static inline struct frame frame_at(struct frames l, int i, struct iovec *iov)
{
	const struct fdl_packet *pkt;

	if (!l.v)
		return l.f[i];
	pkt = l.v[i];
	*iov = (struct iovec){ pkt->data, pkt->len };
	return (struct frame){ iov, 1, 1, &pkt->off, pkt->room, false, 0 };
}

static inline size_t frame_len(const struct frame *f)
{
	size_t len = 0;
	int i;

	for (i = 0; i < f->cnt; i++)
		len += f->iov[i].iov_len;
	return len;
}

/* Whether something is left over that goes before all other frames. */
static inline bool tx_has_rest(const struct tx *tx)
{
	return tx->cutting || tx->part.iov_len;
}

#endif
