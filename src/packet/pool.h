/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The packets of a queue: a fixed number of equal slots, and a lock-free stack
 * of the free ones. Any thread may take packets and give them back; a whole
 * chain goes with one compare-and-swap.
 *
 * A pool outlives its queue. Once its creator has let go of it, the release of
 * the last packet unmaps it.
 */
#ifndef FDL_PACKET_POOL_H
#define FDL_PACKET_POOL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <fdlink/packet.h>

/* Where packets go back to: first member of whatever holds packet memory. */
struct fdl_store {
	/* v[0..n) are all of this store. Any thread. */
	void (*release)(struct fdl_store *store, struct fdl_packet *v[], int n);
	/* As fdl_keep, in place. NULL: there is nothing to do. */
	int (*keep)(struct fdl_store *store, struct fdl_packet *pkt);
};

enum {
	/* Bytes behind data: an IP packet of 65535 bytes, an Ethernet header
	 * with two tags, and a few more, so that a longer frame is noticed. */
	POOL_DATA_SIZE = 65600,
	/* So many more for a super-packet of BIG TCP, which is as long as the
	 * kernel's GSO_MAX_SIZE. */
	POOL_MORE = 7 << 16,
	/* Room that is always there: a virtio-net header (12, kept at 16) and
	 * an Ethernet header with two tags. */
	POOL_MIN_ROOM = 16 + 22,
	POOL_MAX_SLOTS = 1 << 16,
	POOL_CACHE_LINE = 64,
};

/* Where the packets of a pool and their slots lie. Whoever resets many packets
 * works with a copy: the compiler cannot know that writing to a packet leaves
 * this alone, and would read it anew for each. */
struct pool_place {
	struct fdl_packet *packets;
	uint8_t *mem;
	uint32_t lead;			/* from a slot's start to data */
	uint32_t tail;			/* bytes behind data */
	uint32_t more;			/* and behind those, not told to the
					 * packet's owner */
	uint32_t stride;		/* from slot to slot */
};

/* Shown here for the inline functions below; only pool.c uses the rest. */
struct pool {
	struct fdl_store store;
	int refill;
	unsigned slots;
	struct pool_place place;
	size_t mapped;
	_Atomic uint32_t *next;		/* index of the slot below */
	_Atomic unsigned asked;		/* times that ASKED was set */
	_Alignas(POOL_CACHE_LINE) _Atomic uint64_t head;
};

static inline uint32_t pool_index(const struct pool *pool,
				  const struct fdl_packet *pkt)
{
	return (uint32_t)(pkt - pool->place.packets);
}

/* Make a packet that lies there empty again, as it was taken. */
static inline void pool_reset_at(const struct pool_place *place,
				 struct fdl_packet *pkt)
{
	const size_t slot = (uint32_t)(pkt - place->packets);

	*pkt = (struct fdl_packet){
		.data = place->mem + slot * place->stride + place->lead,
		.room = place->lead,
		.tail = place->tail,
		.store_ = pkt->store_,
	};
}

static inline void pool_reset(const struct pool *pool, struct fdl_packet *pkt)
{
	pool_reset_at(&pool->place, pkt);
}

/*
 * Make a pool. slots: 1 to POOL_MAX_SLOTS. headroom: bytes on top of
 * POOL_MIN_ROOM. link_len: bytes of link header; the byte behind it begins a
 * cache line. more: bytes of address space behind each slot, 0 or POOL_MORE;
 * they take no memory until a packet touches them, and are left out if there is
 * no room for them. Errors: -ENOMEM; those of eventfd(2).
 */
int pool_new(struct pool **pool, unsigned slots, unsigned headroom,
	     unsigned link_len, unsigned more);

/* The pool's creator lets go of it. NULL is fine. */
void pool_orphan(struct pool *pool);

/*
 * Take up to n packets, reset as fdl_alloc says. Returns how many, 0: none is
 * free. Any thread.
 */
int pool_take(struct pool *pool, struct fdl_packet *v[], int n);

/*
 * As pool_take, with the packets as they were released. If it returns 0 and ask
 * is set, the next release makes pool_refill_fd readable, perhaps some time
 * after its packets can be taken. With an n of 0 nothing is taken and nothing
 * asked.
 */
int pool_take_used(struct pool *pool, struct fdl_packet *v[], int n, bool ask);

/* How many signals have been asked for so far: one for each release that is to
 * signal, not one for each call. */
unsigned pool_asked(const struct pool *pool);

/* The store to which packets of this pool go back. A packet may belong to
 * another store meanwhile, as long as that one gives it back here. */
struct fdl_store *pool_store(struct pool *pool);

/* An eventfd that lives as long as the pool. */
int pool_refill_fd(const struct pool *pool);

/* Bytes of address space of a pool of so many slots. */
size_t pool_mapped_size(unsigned slots, unsigned headroom, unsigned link_len,
			unsigned more);

#endif
