/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The users of a block are its frames that are still to be walked or to be
 * released, and one user more, which stands for giving the block back. A thread
 * that takes the last frame away finds 1 left. It gives the block back to the
 * kernel, and only then takes that last user away.
 *
 * Between these two steps the kernel may fill the block and hand it over again.
 * The receive side opens it as always: the block's number says that it is new.
 * The user that the thread has not taken away yet is then one more user of the
 * new block. If the thread is the last to leave, it gives the new block back,
 * too.
 *
 * The ring's refs count its owner, and each opened block that still has users.
 *
 * A mapped ring keeps its socket alive, and in its fanout group, after
 * close(2). So when the owner leaves, the blocks with users are replaced, in
 * place, by memory with the same contents, and all others are unmapped.
 */
#include "io/ring.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "io/notes.h"
#include "io/ring_frame.h"
#include "io/takeover.h"
#include "os.h"
#include "proto/eth.h"

enum {
	AHEAD = 12,	/* frames; their lines are in the cache by then */
	CACHE_LINE = 64,
};

struct block {
	struct fdl_store store;		/* of the packets lent from it, whose
					 * data may point anywhere since */
	struct ring *ring;
	_Atomic unsigned users;
	bool guarded;			/* ring_orphan has added one */
};

struct ring {
	struct pool *pool;
	int fd;				/* not owned */
	uint8_t *mem;
	uint32_t block_size;		/* 1 << block_shift */
	unsigned block_shift;		/* saves a division per packet */
	unsigned blocks;
	_Atomic unsigned refs;
	_Atomic bool orphan;

	/* Receive side: where it is */
	unsigned current;
	uint64_t seq;			/* the kernel's number for that block */
	unsigned left;			/* frames of the open block to come */
	size_t at;			/* of the next of them in that block */

	struct takeover takeover;
	struct block block[];
};

static uint8_t *block_at(const struct ring *ring, unsigned i)
{
	return ring->mem + ((size_t)i << ring->block_shift);
}

static struct tpacket_hdr_v1 *header(const struct ring *ring, unsigned i)
{
	void *block = block_at(ring, i);

	return &((struct tpacket_block_desc *)block)->hdr.bh1;
}

static _Atomic uint32_t *status(const struct ring *ring, unsigned i)
{
	return (_Atomic uint32_t *)&header(ring, i)->block_status;
}

static void unref(struct ring *ring)
{
	if (atomic_fetch_sub_explicit(&ring->refs, 1, memory_order_acq_rel) > 1)
		return;
#ifndef __clang_analyzer__ /* It does not follow the count of users. */
	free(ring);
#endif
}

/* Take one user away. Returns how many there were, that one included. */
static unsigned give_back_once(struct block *block)
{
	struct ring *ring = block->ring;
	const unsigned i = (unsigned)(block - ring->block);
	unsigned were;

	if (atomic_load_explicit(&ring->orphan, memory_order_acquire))
		os_unmap(block_at(ring, i), ring->block_size);
	else
		atomic_store_explicit(status(ring, i), TP_STATUS_KERNEL,
				      memory_order_release);
	were = atomic_fetch_sub_explicit(&block->users, 1,
					 memory_order_acq_rel);
	unref(ring);
	return were;
}

static void give_back(struct block *block)
{
	while (give_back_once(block) == 2)
		;
}

static void put(struct block *block, unsigned n)
{
	if (atomic_fetch_sub_explicit(&block->users, n, memory_order_acq_rel) ==
	    n + 1)
		give_back(block);
}

static void release(struct fdl_store *store, struct fdl_packet *v[], int n)
{
	struct block *block = (struct block *)store;
	struct fdl_store *home = pool_store(block->ring->pool);
	int i;

	for (i = 0; i < n; i++)
		v[i]->store_ = home;
	home->release(home, v, n);
	put(block, (unsigned)n);
}

static int keep(struct fdl_store *store, struct fdl_packet *pkt)
{
	struct block *block = (struct block *)store;
	struct pool *pool = block->ring->pool;
	struct fdl_packet was = *pkt;

	pkt->store_ = pool_store(pool);
	pool_reset(pool, pkt);
	if (was.len > pkt->tail + pool->place.more) {
		*pkt = was;
		return -EMSGSIZE;
	}
	memcpy(pkt->data, was.data, was.len);
	was.data = pkt->data;
	was.room = pkt->room;
	was.tail = was.len < pkt->tail ? pkt->tail - was.len : 0;
	was.store_ = pkt->store_;
	*pkt = was;
	put(block, 1);
	return 0;
}

static int map(struct ring *ring, unsigned blocks, uint32_t block_size)
{
	void *mem;
	int err;

	err = takeover_open(&ring->takeover, ring->fd, blocks, block_size);
	if (err)
		return err;
	err = os_map_fd(ring->fd, (size_t)blocks * block_size, &mem);
	if (err)
		takeover_close(&ring->takeover);
	else
		ring->mem = mem;
	return err;
}

int ring_new(struct ring **out, int fd, unsigned blocks, uint32_t block_size,
	     struct pool *pool)
{
	struct ring *ring;
	unsigned i;
	int err;

	ring = calloc(1, sizeof(*ring) + blocks * sizeof(ring->block[0]));
	if (!ring)
		return -ENOMEM;
	ring->fd = fd;
	err = map(ring, blocks, block_size);
	if (err) {
		free(ring);
		return err;
	}
	for (i = 0; i < blocks; i++)
		ring->block[i] = (struct block){
			.store = { .release = release, .keep = keep },
			.ring = ring,
		};
	ring->pool = pool;
	ring->block_size = block_size;
	ring->block_shift = (unsigned)__builtin_ctz(block_size);
	ring->blocks = blocks;
	ring->seq = 1;
	atomic_init(&ring->refs, 1);
	*out = ring;
	return 0;
}

/* Add a user to a block if it has any. Returns whether it has. */
static bool guard(struct block *block)
{
	unsigned n = atomic_load_explicit(&block->users, memory_order_acquire);

	while (n > 0) {
		if (n == 1)	/* Another thread is giving it back now. */
			n = atomic_load_explicit(&block->users,
						 memory_order_acquire);
		else if (atomic_compare_exchange_weak_explicit(
				 &block->users, &n, n + 1, memory_order_acq_rel,
				 memory_order_acquire))
			return true;
	}
	return false;
}

static void pass_block(struct ring *ring)
{
	ring->current = (ring->current + 1) % ring->blocks;
	ring->seq++;
}

/* The rest of the open block makes no sense: give it up. */
static void abandon(struct ring *ring)
{
	unsigned left = ring->left;

	ring->left = 0;
	put(&ring->block[ring->current], left);
	pass_block(ring);
}

/* A block that even takeover_block cannot replace stays mapped, which keeps the
 * socket alive. */
void ring_orphan(struct ring *ring)
{
	unsigned i;

	if (!ring)
		return;
	if (ring->left)
		abandon(ring);
	for (i = 0; i < ring->blocks; i++)
		ring->block[i].guarded = guard(&ring->block[i]);
	takeover_begin(&ring->takeover);
	atomic_store_explicit(&ring->orphan, true, memory_order_release);
	for (i = 0; i < ring->blocks; i++) {
		if (ring->block[i].guarded) {
			takeover_block(&ring->takeover, ring->mem, i);
			put(&ring->block[i], 1);
		} else {
			os_unmap(block_at(ring, i), ring->block_size);
		}
	}
	takeover_close(&ring->takeover);
	unref(ring);
}

/* Give back a block that was closed with nothing in it. */
static bool pass_empty(struct ring *ring)
{
	atomic_store_explicit(status(ring, ring->current), TP_STATUS_KERNEL,
			      memory_order_release);
	pass_block(ring);
	return false;
}

/* Has the kernel opened the current block since we were done with it? */
static bool is_new(const struct ring *ring)
{
	struct tpacket_hdr_v1 *hdr = header(ring, ring->current);
	_Atomic uint64_t *seq = (_Atomic uint64_t *)&hdr->seq_num;

	return atomic_load_explicit(seq, memory_order_acquire) == ring->seq;
}

/* Read in this order: before the kernel opened the block anew, its status was
 * ours. */
static bool is_closed(const struct ring *ring)
{
	return is_new(ring) && atomic_load_explicit(status(ring, ring->current),
						    memory_order_acquire) &
				       TP_STATUS_USER;
}

bool ring_ready(const struct ring *ring)
{
	return ring->left || is_closed(ring);
}

bool ring_is_filling(const struct ring *ring)
{
	struct tpacket_hdr_v1 *hdr = header(ring, ring->current);
	_Atomic uint32_t *n = (_Atomic uint32_t *)&hdr->num_pkts;

	return is_new(ring) && atomic_load_explicit(n, memory_order_relaxed);
}

static bool open_block(struct ring *ring)
{
	const volatile struct tpacket_hdr_v1 *hdr = header(ring, ring->current);
	uint32_t most = ring->block_size / RING_HEADERS_LEN, n;

	if (!is_closed(ring))
		return false;
	n = hdr->num_pkts;
	if (n == 0)
		return pass_empty(ring);
	ring->left = n < most ? n : most;
	ring->at = hdr->offset_to_first_pkt;
	atomic_fetch_add_explicit(&ring->refs, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&ring->block[ring->current].users,
				  ring->left + 1, memory_order_relaxed);
	return true;
}

static void lend(struct fdl_store *store, struct io *io,
		 struct tpacket3_hdr *hdr, const struct ring_frame *frame,
		 struct io_frame *f)
{
	uint8_t *const at = (uint8_t *)hdr;
	/* The caller may have asked for the time of the device's own clock,
	 * which is not CLOCK_REALTIME. */
	const bool realtime = !(frame->status & TP_STATUS_TS_RAW_HARDWARE);

	*f->pkt = (struct fdl_packet){
		.data = at + frame->at,
		.len = frame->len,
		.room = frame->at - RING_HEADERS_LEN,
		.hash = hdr->hv1.tp_rxhash,
		.tstamp_ns = realtime ? hdr->tp_sec * UINT64_C(1000000000) +
						hdr->tp_nsec :
					0,
		.store_ = store,
	};
	f->wire_len = frame->wire_len;
	if (frame->len > POOL_DATA_SIZE) {
		f->rest = frame->len - POOL_DATA_SIZE;
		f->pkt->len = POOL_DATA_SIZE;
	}
	f->odd = 0;
	notes_take_sender(io, (const void *)(at + RING_SENDER_AT), f);
	f->vlan_tpid = 0;
	if (!(frame->status & TP_STATUS_VLAN_VALID))
		return;
	f->vlan_tpid = frame->status & TP_STATUS_VLAN_TPID_VALID ?
			       hdr->hv1.tp_vlan_tpid :
			       ETH_TYPE_VLAN;
	f->vlan_tci = (uint16_t)hdr->hv1.tp_vlan_tci;
}

static void fill_ghost(struct io_frame *f)
{
	f->wire_len = 0;
	f->odd = 0;
	f->type = IO_TYPE_GHOST;
	f->vlan_tpid = 0;
}

/*
 * Prefetch the lines of a frame that will be read: its headers and what is
 * behind them. The kernel has written them on another core, and each is waited
 * for.
 */
static void prefetch(const uint8_t *frame)
{
	__builtin_prefetch(frame);
	__builtin_prefetch(frame + CACHE_LINE);
	__builtin_prefetch(frame + 2 * CACHE_LINE);
}

/* Lend frames of the open block, n at most. Returns how many, at least 1. */
static int walk(struct ring *ring, struct io *io, struct io_frame f[], int n)
{
	struct block *const block = &ring->block[ring->current];
	uint8_t *const mem = block_at(ring, ring->current);
	const unsigned frames = ring->left;
	const size_t size = ring->block_size;
	size_t at = ring->at;
	unsigned ghosts = 0;
	int i;

	if ((unsigned)n > frames)
		n = (int)frames;
	for (i = 0; i < n && at <= size - RING_HEADERS_LEN; i++) {
		struct tpacket3_hdr *hdr = (void *)(mem + at);
		const struct ring_frame frame = ring_frame(hdr);
		const size_t left = size - at;

		at += frame.next;
		/* Where a frame to come lies if all are as long as this one.
		 * Behind the last frame the kernel may be writing. */
		if ((unsigned)i + AHEAD + 1 < frames)
			prefetch(mem + at + AHEAD * (size_t)frame.next);
		if (ring_frame_is_good(&frame, left)) {
			lend(&block->store, io, hdr, &frame, &f[i]);
		} else {
			fill_ghost(&f[i]);
			ghosts++;
		}
	}
	ring->at = at;
	ring->left = frames - (unsigned)i;
	if (ring->left == 0)
		pass_block(ring);
	if (ghosts)
		put(block, ghosts);
	if (i == n)
		return n;
	abandon(ring);
	fill_ghost(&f[i]);
	return i + 1;
}

int ring_recv(struct ring *ring, struct io *io, struct io_frame f[], int n)
{
	int i = 0;

	while (i < n && (ring->left || open_block(ring)))
		i += walk(ring, io, f + i, n - i);
	return i;
}
