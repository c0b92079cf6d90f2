/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A block's users are the frames of it that are still to be walked or to be
 * released, and one for giving it back: who takes the last frame away finds 1,
 * gives the block back and only then makes it 0. The ring's refs are the blocks
 * with users, and its owner.
 *
 * A mapped ring keeps its socket alive, and in its fanout group, after close(2).
 * So when the owner leaves, the blocks with users are replaced, in place, by
 * anonymous memory with the same contents, and all others are unmapped.
 */
#include "io/ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "os.h"

enum {
	AHEAD = 3,	/* frames: longer than memory takes to answer */
};

struct ring {
	struct fdl_store store;
	struct pool *pool;
	uint8_t *mem;
	uint32_t block_size;		/* a power of two, */
	unsigned block_shift;		/* this one: a division per packet
					 * would be felt */
	unsigned blocks;
	_Atomic unsigned refs;
	_Atomic bool orphan;

	/* Receive side: where it is */
	unsigned current;
	unsigned left;			/* frames of the open block to come */
	uint8_t *frame;			/* the next of them */
	uint8_t *end;			/* of that block */

	bool *guarded;
	_Atomic unsigned users[];
};

static struct tpacket_hdr_v1 *header(const struct ring *ring, unsigned i)
{
	uint8_t *at = ring->mem + (size_t)i * ring->block_size;

	return &((struct tpacket_block_desc *)(void *)at)->hdr.bh1;
}

static _Atomic uint32_t *status(const struct ring *ring, unsigned i)
{
	return (_Atomic uint32_t *)&header(ring, i)->block_status;
}

static unsigned block_of(const struct ring *ring, const uint8_t *at)
{
	return (unsigned)((size_t)(at - ring->mem) >> ring->block_shift);
}

static void discard(struct ring *ring)
{
	free(ring->guarded);
	free(ring);
}

static void unref(struct ring *ring)
{
	if (atomic_fetch_sub_explicit(&ring->refs, 1, memory_order_acq_rel) > 1)
		return;
#ifndef __clang_analyzer__ /* It cannot count: each user would be too late. */
	discard(ring);
#endif
}

static void give_back(struct ring *ring, unsigned i)
{
	if (atomic_load_explicit(&ring->orphan, memory_order_acquire))
		os_unmap(ring->mem + (size_t)i * ring->block_size,
			 ring->block_size);
	else
		atomic_store_explicit(status(ring, i), TP_STATUS_KERNEL,
				      memory_order_release);
	atomic_store_explicit(&ring->users[i], 0, memory_order_release);
	unref(ring);
}

static void put(struct ring *ring, unsigned i, unsigned n)
{
	if (atomic_fetch_sub_explicit(&ring->users[i], n,
				      memory_order_acq_rel) == n + 1)
		give_back(ring, i);
}

static unsigned home_block(const struct ring *ring,
			   const struct fdl_packet *pkt)
{
	return block_of(ring, pkt->data - pkt->room);
}

static void release(struct fdl_store *store, struct fdl_packet *v[], int n)
{
	struct ring *ring = (struct ring *)store;
	struct fdl_store *home = pool_store(ring->pool);
	unsigned block = home_block(ring, v[0]), run = 0;
	int k;

	for (k = 0; k < n; k++) {
		unsigned i = home_block(ring, v[k]);

		if (i != block) {
			put(ring, block, run);
			block = i;
			run = 0;
		}
		run++;
		v[k]->store_ = home;
	}
	home->release(home, v, n);
	put(ring, block, run);
}

static int keep(struct fdl_store *store, struct fdl_packet *pkt)
{
	struct ring *ring = (struct ring *)store;
	const struct fdl_packet was = *pkt;

	pkt->store_ = pool_store(ring->pool);
	pool_reset(ring->pool, pkt);
	if (was.len > pkt->tail) {
		*pkt = was;
		return -EMSGSIZE;
	}
	memcpy(pkt->data, was.data, was.len);
	pkt->len = was.len;
	pkt->tail -= was.len;
	pkt->protocol = was.protocol;
	pkt->link_len = was.link_len;
	pkt->type = was.type;
	pkt->hash = was.hash;
	pkt->off = was.off;
	pkt->tstamp_ns = was.tstamp_ns;
	pkt->user = was.user;
	put(ring, home_block(ring, &was), 1);
	return 0;
}

int ring_new(struct ring **out, int fd, unsigned blocks, uint32_t block_size,
	     struct pool *pool)
{
	struct ring *ring;
	void *mem;
	int err;

	ring = calloc(1, sizeof(*ring) + blocks * sizeof(ring->users[0]));
	if (!ring)
		return -ENOMEM;
	ring->guarded = calloc(blocks, sizeof(*ring->guarded));
	if (!ring->guarded) {
		free(ring);
		return -ENOMEM;
	}
	err = os_map_fd(fd, (size_t)blocks * block_size, &mem);
	if (err) {
		discard(ring);
		return err;
	}
	ring->store.release = release;
	ring->store.keep = keep;
	ring->pool = pool;
	ring->mem = mem;
	ring->block_size = block_size;
	ring->block_shift = (unsigned)__builtin_ctz(block_size);
	ring->blocks = blocks;
	atomic_init(&ring->refs, 1);
	*out = ring;
	return 0;
}

/* Returns whether block i had users, and now has one more. */
static bool guard(struct ring *ring, unsigned i)
{
	unsigned n = atomic_load_explicit(&ring->users[i],
					  memory_order_acquire);

	while (n > 0) {
		if (n == 1)	/* It is being given back this moment. */
			n = atomic_load_explicit(&ring->users[i],
						 memory_order_acquire);
		else if (atomic_compare_exchange_weak_explicit(
				 &ring->users[i], &n, n + 1,
				 memory_order_acq_rel, memory_order_acquire))
			return true;
	}
	return false;
}

/* Without memory for it the block stays as it is, and the socket with it. */
static void replace(struct ring *ring, unsigned i)
{
	uint8_t *block = ring->mem + (size_t)i * ring->block_size;
	void *copy = os_map(ring->block_size);

	if (!copy)
		return;
	memcpy(copy, block, ring->block_size);
	if (os_move_map(copy, ring->block_size, block))
		os_unmap(copy, ring->block_size);
}

/* The rest of the open block makes no sense: give it up. */
static enum ring_next abandon(struct ring *ring)
{
	unsigned left = ring->left;

	ring->left = 0;
	put(ring, ring->current, left);
	ring->current = (ring->current + 1) % ring->blocks;
	return RING_GHOST;
}

void ring_orphan(struct ring *ring)
{
	unsigned i;

	if (!ring)
		return;
	if (ring->left)
		abandon(ring);
	for (i = 0; i < ring->blocks; i++)
		ring->guarded[i] = guard(ring, i);
	atomic_store_explicit(&ring->orphan, true, memory_order_release);
	for (i = 0; i < ring->blocks; i++) {
		if (ring->guarded[i]) {
			replace(ring, i);
			put(ring, i, 1);
		} else {
			os_unmap(ring->mem + (size_t)i * ring->block_size,
				 ring->block_size);
		}
	}
	unref(ring);
}

/* Give back a block that was closed with nothing in it. */
static bool pass_empty(struct ring *ring)
{
	atomic_store_explicit(status(ring, ring->current), TP_STATUS_KERNEL,
			      memory_order_release);
	ring->current = (ring->current + 1) % ring->blocks;
	return false;
}

/* The kernel is done with the current block, and so are we since then. */
static bool is_closed(const struct ring *ring)
{
	unsigned i = ring->current;

	return !atomic_load_explicit(&ring->users[i], memory_order_acquire) &&
	       atomic_load_explicit(status(ring, i), memory_order_acquire) &
		       TP_STATUS_USER;
}

bool ring_ready(const struct ring *ring)
{
	return ring->left || is_closed(ring);
}

bool ring_is_filling(const struct ring *ring)
{
	const unsigned i = ring->current;
	_Atomic uint32_t *n = (_Atomic uint32_t *)&header(ring, i)->num_pkts;

	return !atomic_load_explicit(&ring->users[i], memory_order_acquire) &&
	       atomic_load_explicit(n, memory_order_relaxed);
}

static bool open_block(struct ring *ring)
{
	struct tpacket_hdr_v1 *hdr = header(ring, ring->current);
	uint8_t *block = (uint8_t *)header(ring, ring->current) -
			 offsetof(struct tpacket_block_desc, hdr);
	unsigned i = ring->current;

	if (!is_closed(ring))
		return false;
	if (hdr->num_pkts == 0)
		return pass_empty(ring);
	ring->left = hdr->num_pkts;
	ring->frame = block + hdr->offset_to_first_pkt;
	ring->end = block + ring->block_size;
	atomic_fetch_add_explicit(&ring->refs, 1, memory_order_relaxed);
	atomic_store_explicit(&ring->users[i], ring->left + 1,
			      memory_order_relaxed);
	return true;
}

static bool fits(const struct ring *ring, const struct tpacket3_hdr *hdr)
{
	const uint8_t *at = (const uint8_t *)hdr;
	size_t left = (size_t)(ring->end - at);

	return hdr->tp_mac >= RING_HEADERS_LEN && hdr->tp_mac <= left &&
	       hdr->tp_snaplen <= left - hdr->tp_mac;
}

static bool has_header(const struct ring *ring)
{
	return ring->frame >= ring->end - ring->block_size &&
	       ring->frame + RING_HEADERS_LEN <= ring->end;
}

static void end_block(struct ring *ring)
{
	if (--ring->left == 0)
		ring->current = (ring->current + 1) % ring->blocks;
}

enum ring_next ring_advance(struct ring *ring, struct tpacket3_hdr **out)
{
	struct tpacket3_hdr *hdr;
	unsigned i;

	if (!ring->left && !open_block(ring))
		return RING_DRY;
	if (!has_header(ring))
		return abandon(ring);
	hdr = (struct tpacket3_hdr *)(void *)ring->frame;
	ring->frame += hdr->tp_next_offset;
	/* The headers of a frame to come, if they are all as long, and the
	 * bytes of this one, which are looked at when the batch is complete. */
	__builtin_prefetch(ring->frame + AHEAD * hdr->tp_next_offset);
	__builtin_prefetch((uint8_t *)hdr + hdr->tp_mac);
	i = ring->current;
	end_block(ring);
	/* A frame that the kernel gave up half-way has an old header and no
	 * status (packet(7) does not tell; net/packet/af_packet.c does). */
	if (hdr->tp_status & TP_STATUS_USER && fits(ring, hdr)) {
		*out = hdr;
		return RING_PACKET;
	}
	put(ring, i, 1);
	return RING_GHOST;
}

void ring_lend(struct ring *ring, const struct tpacket3_hdr *hdr,
	       struct fdl_packet *pkt)
{
	const uint8_t *frame = (const uint8_t *)hdr;

	*pkt = (struct fdl_packet){
		.data = ring->mem + (frame - ring->mem) + hdr->tp_mac,
		.len = hdr->tp_snaplen,
		.room = hdr->tp_mac - RING_HEADERS_LEN,
		.tstamp_ns = hdr->tp_sec * UINT64_C(1000000000) + hdr->tp_nsec,
		.store_ = &ring->store,
	};
}
