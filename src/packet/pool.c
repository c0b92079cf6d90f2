/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One 64-bit word, the head, is all the shared state:
 *
 *	index		the free slot on top, NIL for none
 *	out		slots that are taken, or back with a releaser that has
 *			not left yet; such a one may be taken anew meanwhile
 *			and then counts twice
 *	ASKED		the receiver waits for a release
 *	ORPHAN		nobody will take any more
 *	tag		grows with each change, against ABA
 *
 * A releaser that finds ASKED signals after its slots are on the stack. By then
 * another releaser might already have unmapped an orphaned pool. So the first
 * one leaves one slot counted as out until after the signal: out is 0 only when
 * nobody touches the pool any more, and whoever brings it to 0 unmaps the pool.
 */
#include "packet/pool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "alone.h"
#include "os.h"

enum {
	CACHE_LINE = POOL_CACHE_LINE,
	PAGE = 4096,
	INDEX_BITS = 20,
	NIL = (1 << INDEX_BITS) - 1,
};

#define OUT_ONE		(UINT64_C(1) << INDEX_BITS)
#define OUT_MASK	((uint64_t)NIL << INDEX_BITS)
#define ASKED		(UINT64_C(1) << (2 * INDEX_BITS))
#define ORPHAN		(UINT64_C(1) << (2 * INDEX_BITS + 1))
#define TAG_ONE		(UINT64_C(1) << (2 * INDEX_BITS + 2))

_Static_assert((int)POOL_MAX_SLOTS < (int)NIL,
	       "an index must not look like NIL");
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(struct fdl_packet) == CACHE_LINE,
	       "a packet is one cache line");
#endif

struct layout {
	uint32_t lead, tail, stride;
	size_t packets, next, mem, mapped;
};

static size_t round_up(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

static struct layout lay_out(unsigned slots, unsigned headroom,
			     unsigned link_len, unsigned more)
{
	const unsigned headers = POOL_MIN_ROOM + headroom + link_len;
	struct layout at;

	/* The first byte behind the link header begins a cache line. The link
	 * header and the virtio-net header before it share another line. */
	at.lead = (uint32_t)round_up(headers, CACHE_LINE) - link_len;
	/* An odd number of cache lines: with an even one the first lines of all
	 * slots would compete for the same few places of the cache. */
	at.stride = (uint32_t)round_up(at.lead + POOL_DATA_SIZE + more,
				       CACHE_LINE);
	if (at.stride / CACHE_LINE % 2 == 0)
		at.stride += CACHE_LINE;
	at.tail = at.stride - at.lead - more;
	at.packets = round_up(sizeof(struct pool), CACHE_LINE);
	at.next = at.packets + slots * sizeof(struct fdl_packet);
	at.mem = round_up(at.next + slots * sizeof(uint32_t), PAGE);
	at.mapped = at.mem + (size_t)slots * at.stride;
	return at;
}

size_t pool_mapped_size(unsigned slots, unsigned headroom, unsigned link_len,
			unsigned more)
{
	return lay_out(slots, headroom, link_len, more).mapped;
}

static void destroy(struct pool *pool)
{
	os_close(pool->refill);
	os_unmap(pool, pool->mapped);
}

static uint64_t with_index(uint64_t head, uint32_t index)
{
	return ((head & ~(uint64_t)NIL) | index) + TAG_ONE;
}

/*
 * Change the head from *from, or load it anew and return false. A locked
 * instruction is 5 ns, and there are two per packet where packets go one by
 * one. A process with a single thread does without (alone). alone must be what
 * is_alone() said before *from was loaded, for another thread may have ended
 * between the two.
 */
/* NOLINTNEXTLINE(readability-non-const-parameter): the exchange writes it */
static inline bool change(struct pool *pool, bool alone, uint64_t *from,
			  uint64_t to)
{
	if (!alone)
		return atomic_compare_exchange_weak_explicit(
			&pool->head, from, to, memory_order_acq_rel,
			memory_order_acquire);
	atomic_store_explicit(&pool->head, to, memory_order_release);
	return true;
}

/*
 * Read up to n slots off the top. Another thread may take what is read here.
 * Then the chain makes no sense, but all its indexes are valid, and the swap
 * that follows fails. *below is the slot under them.
 */
static int read_chain(const struct pool *pool, uint64_t head,
		      struct fdl_packet *v[], int n, uint32_t *below)
{
	struct fdl_packet *const packets = pool->place.packets;
	_Atomic uint32_t *const next = pool->next;
	uint32_t i = head & NIL;
	int k;

	for (k = 0; k < n && i != NIL; k++) {
		v[k] = &packets[i];
		i = atomic_load_explicit(&next[i], memory_order_relaxed);
	}
	*below = i;
	return k;
}

static inline int take(struct pool *pool, struct fdl_packet *v[], int n,
		       uint64_t ask)
{
	const bool alone = is_alone();
	uint32_t below;
	uint64_t head, to;
	int k;

	head = atomic_load_explicit(&pool->head, memory_order_acquire);
	do {
		k = read_chain(pool, head, v, n, &below);
		to = with_index(head, below) + (uint64_t)k * OUT_ONE;
		if (k == 0)
			to |= ask;
	} while (!change(pool, alone, &head, to));
	if ((to & ~head) & ASKED)
		atomic_fetch_add_explicit(&pool->asked, 1,
					  memory_order_relaxed);
	return k;
}

int pool_take(struct pool *pool, struct fdl_packet *v[], int n)
{
	int i, k = take(pool, v, n, 0);

	for (i = 0; i < k; i++)
		pool_reset(pool, v[i]);
	return k;
}

int pool_take_used(struct pool *pool, struct fdl_packet *v[], int n, bool ask)
{
	return n ? take(pool, v, n, ask ? ASKED : 0) : 0;
}

/* Unmap the pool if it is orphaned and nobody else can touch it. The caller may
 * not touch the pool after this. */
static void leave(struct pool *pool, uint64_t now)
{
	if (now & ORPHAN && !(now & OUT_MASK))
		destroy(pool);
}

static void signal_refill(struct pool *pool)
{
	uint64_t now;

	os_raise(pool->refill, 1);
	now = atomic_fetch_sub_explicit(&pool->head, OUT_ONE,
					memory_order_acq_rel);
	leave(pool, now - OUT_ONE);
}

/* Link the slots, each to the next one. Returns the first; *last is the
 * last. */
static uint32_t chain(const struct pool *pool, struct fdl_packet *v[], int n,
		      uint32_t *last)
{
	const uint32_t first = pool_index(pool, v[0]);
	_Atomic uint32_t *const next = pool->next;
	uint32_t at = first, to;
	int i;

	for (i = 1; i < n; i++) {
		to = pool_index(pool, v[i]);
		atomic_store_explicit(&next[at], to, memory_order_relaxed);
		at = to;
	}
	*last = at;
	return first;
}

static void release(struct fdl_store *store, struct fdl_packet *v[], int n)
{
	struct pool *pool = (struct pool *)store;
	uint32_t last, first = chain(pool, v, n, &last);
	const bool alone = is_alone();
	uint64_t head, to;

	head = atomic_load_explicit(&pool->head, memory_order_relaxed);
	do {
		atomic_store_explicit(&pool->next[last], head & NIL,
				      memory_order_relaxed);
		to = with_index(head, first);
		to -= (uint64_t)n * OUT_ONE;
		if (head & ASKED)
			to += OUT_ONE - ASKED;
	} while (!change(pool, alone, &head, to));
	if (head & ASKED)
		signal_refill(pool);
	else
		leave(pool, to);
}

static void fill(struct pool *pool)
{
	uint32_t i;

	for (i = 0; i < pool->slots; i++) {
		pool->place.packets[i].store_ = &pool->store;
		pool_reset(pool, &pool->place.packets[i]);
		atomic_init(&pool->next[i], i + 1 < pool->slots ? i + 1 : NIL);
	}
	atomic_init(&pool->head, 0);
}

/* Where an address has 32 bits, more does not always fit. */
static uint8_t *map_more(const struct layout *at, unsigned slots)
{
	return SIZE_MAX / slots < at->stride ? NULL : os_map_sparse(at->mapped);
}

int pool_new(struct pool **out, unsigned slots, unsigned headroom,
	     unsigned link_len, unsigned more)
{
	struct layout at = lay_out(slots, headroom, link_len, more);
	uint8_t *mem = more ? map_more(&at, slots) : NULL;
	struct pool *pool;
	int fd;

	if (!mem) {
		more = 0;
		at = lay_out(slots, headroom, link_len, more);
		mem = os_map(at.mapped);
	}
	if (!mem)
		return -ENOMEM;
	fd = os_eventfd();
	if (fd < 0) {
		os_unmap(mem, at.mapped);
		return fd;
	}
	pool = (struct pool *)(void *)mem;
	pool->store.release = release;
	pool->store.keep = NULL;
	pool->refill = fd;
	pool->slots = slots;
	pool->place.lead = at.lead;
	pool->place.tail = at.tail;
	pool->place.more = more;
	pool->place.stride = at.stride;
	pool->mapped = at.mapped;
	pool->place.packets = (struct fdl_packet *)(void *)(mem + at.packets);
	pool->next = (_Atomic uint32_t *)(void *)(mem + at.next);
	pool->place.mem = mem + at.mem;
	fill(pool);
	*out = pool;
	return 0;
}

void pool_orphan(struct pool *pool)
{
	uint64_t before;

	if (!pool)
		return;
	before = atomic_fetch_or_explicit(&pool->head, ORPHAN,
					  memory_order_acq_rel);
	leave(pool, before | ORPHAN);
}

unsigned pool_asked(const struct pool *pool)
{
	return atomic_load_explicit(&pool->asked, memory_order_relaxed);
}

int pool_refill_fd(const struct pool *pool)
{
	return pool->refill;
}

struct fdl_store *pool_store(struct pool *pool)
{
	return &pool->store;
}
