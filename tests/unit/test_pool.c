/* SPDX-License-Identifier: Apache-2.0 */
/* The pool alone, and under threads. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "packet/pool.h"

enum { SLOTS = 8, THREADS = 4, ROUNDS = 20000 };

static void give_back(struct fdl_packet *v[], int n)
{
	v[0]->store_->release(v[0]->store_, v, n);
}

static bool asked_fd_is_readable(const struct pool *pool)
{
	struct pollfd p = { .fd = pool_refill_fd(pool), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

/* An address that is no longer mapped makes mincore(2) fail. */
static bool is_mapped(const void *mem)
{
	const uintptr_t page = (uintptr_t)mem & ~(uintptr_t)4095;
	unsigned char there;

	return mincore((void *)page, 1, &there) == 0;
}

static void each_slot_is_given_once(void **state)
{
	struct fdl_packet *v[SLOTS + 1];
	struct pool *pool;
	int i, j;

	(void)state;
	assert_int_equal(pool_new(&pool, SLOTS, 0, 14, 0), 0);
	assert_int_equal(pool_take(pool, v, SLOTS + 1), SLOTS);
	for (i = 0; i < SLOTS; i++) {
		assert_int_equal(v[i]->len, 0);
		assert_true(v[i]->room >= POOL_MIN_ROOM);
		assert_true(v[i]->tail >= POOL_DATA_SIZE);
		memset(v[i]->data - v[i]->room, i, v[i]->room + v[i]->tail);
	}
	for (i = 0; i < SLOTS; i++)
		for (j = 0; j < 3; j++)
			assert_int_equal(v[i]->data[j * 30000], i);
	assert_int_equal(pool_take(pool, v + SLOTS, 1), 0);
	give_back(v, SLOTS);
	pool_orphan(pool);
}

static void headroom_is_there_and_the_ip_header_aligned(void **state)
{
	static const unsigned link_lens[] = { 0, 14 };
	struct fdl_packet *pkt;
	struct pool *pool;
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		assert_int_equal(pool_new(&pool, 3, 4096, link_lens[i], 0), 0);
		assert_int_equal(pool_take(pool, &pkt, 1), 1);
		assert_true(pkt->room >= POOL_MIN_ROOM + 4096);
		assert_int_equal(((uintptr_t)pkt->data + link_lens[i]) % 4, 0);
		give_back(&pkt, 1);
		pool_orphan(pool);
	}
}

static void a_packet_comes_back_as_new(void **state)
{
	struct fdl_packet *pkt, fresh;
	struct pool *pool;

	(void)state;
	assert_int_equal(pool_new(&pool, 1, 0, 0, 0), 0);
	assert_int_equal(pool_take(pool, &pkt, 1), 1);
	fresh = *pkt;
	pkt->data += 10;
	pkt->len = 99;
	pkt->room = pkt->tail = 0;
	pkt->protocol = 1;
	pkt->link_len = 14;
	pkt->type = FDL_OTHERHOST;
	pkt->hash = 5;
	pkt->off.csum = FDL_CSUM_PARTIAL;
	pkt->tstamp_ns = 1;
	pkt->user = pool;
	give_back(&pkt, 1);
	assert_int_equal(pool_take(pool, &pkt, 1), 1);
	assert_memory_equal(pkt, &fresh, sizeof(fresh));
	give_back(&pkt, 1);
	pool_orphan(pool);
}

static void only_the_one_who_asked_is_told(void **state)
{
	struct fdl_packet *v[2], *none;
	struct pool *pool;
	uint64_t count;

	(void)state;
	assert_int_equal(pool_new(&pool, 2, 0, 0, 0), 0);
	assert_int_equal(pool_take(pool, v, 2), 2);
	assert_int_equal(pool_take(pool, &none, 1), 0);
	give_back(v, 1);
	assert_false(asked_fd_is_readable(pool));
	assert_int_equal(pool_take(pool, v, 1), 1);
	assert_int_equal(pool_take_used(pool, &none, 1, true), 0);
	assert_false(asked_fd_is_readable(pool));
	give_back(v, 1);
	assert_true(asked_fd_is_readable(pool));
	assert_int_equal(read(pool_refill_fd(pool), &count, 8), 8);
	give_back(v + 1, 1);
	assert_false(asked_fd_is_readable(pool));
	pool_orphan(pool);
}

static void an_orphan_goes_with_its_last_packet(void **state)
{
	struct fdl_packet *v[3];
	struct pool *pool;
	uint8_t *data;
	int fd;

	(void)state;
	assert_int_equal(pool_new(&pool, 3, 0, 0, 0), 0);
	fd = pool_refill_fd(pool);
	assert_int_equal(pool_take(pool, v, 3), 3);
	assert_int_equal(pool_take_used(pool, v, 1, true), 0);
	data = v[1]->data;
	give_back(v, 1);
	pool_orphan(pool);
	memset(data, 1, 1000);
	give_back(v + 2, 1);
	assert_true(is_mapped(data));
	give_back(v + 1, 1);
	assert_false(is_mapped(data));
	assert_int_equal(close(fd), -1);
}

static void an_orphan_with_all_its_packets_goes_at_once(void **state)
{
	struct pool *pool;

	(void)state;
	assert_int_equal(pool_new(&pool, 3, 0, 0, 0), 0);
	pool_orphan(pool);
	assert_false(is_mapped(pool));
	pool_orphan(NULL);
}

struct worker {
	struct pool *pool;
	unsigned seed;
	atomic_bool *wrong;
};

/* Whoever holds a slot has its first bytes for himself. */
static void *take_and_release(void *arg)
{
	struct worker *w = arg;
	struct fdl_packet *v[3];
	int round, n, i;

	for (round = 0; round < ROUNDS; round++) {
		const int want = 1 + rand_r(&w->seed) % 3;
		const bool ask = rand_r(&w->seed) % 2;

		n = ask ? pool_take_used(w->pool, v, want, true) :
			  pool_take(w->pool, v, want);
		for (i = 0; i < n; i++)
			memcpy(v[i]->data, &w->seed, sizeof(w->seed));
		for (i = 0; i < n; i++)
			if (memcmp(v[i]->data, &w->seed, sizeof(w->seed)) != 0)
				atomic_store(w->wrong, true);
		if (n)
			give_back(v, n);
	}
	return NULL;
}

/* Nearly empty all the time, so that asking and releasing meet. */
static void run_threads(unsigned slots)
{
	struct fdl_packet *v[SLOTS];
	struct worker w[THREADS];
	pthread_t threads[THREADS];
	atomic_bool wrong = false;
	struct pool *pool;
	unsigned i;

	assert_int_equal(pool_new(&pool, slots, 0, 0, 0), 0);
	for (i = 0; i < THREADS; i++) {
		w[i] = (struct worker){ pool, i + 1, &wrong };
		assert_int_equal(pthread_create(&threads[i], NULL,
						take_and_release, &w[i]),
				 0);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_false(wrong);
	assert_int_equal(pool_take(pool, v, SLOTS), (int)slots);
	give_back(v, (int)slots);
	assert_true(is_mapped(pool));
	pool_orphan(pool);
	assert_false(is_mapped(pool));
}

static void no_slot_is_lost_or_given_twice(void **state)
{
	unsigned slots;

	(void)state;
	for (slots = 1; slots <= SLOTS; slots++)
		run_threads(slots);
}

static void *release_one(void *arg)
{
	struct fdl_packet *pkt = arg;

	give_back(&pkt, 1);
	return NULL;
}

/* Orphaned while its packets come back from several threads: gone exactly
 * once, whoever is last. */
static void an_orphan_goes_once_under_threads(void **state)
{
	struct fdl_packet *v[THREADS], *none;
	pthread_t threads[THREADS];
	struct pool *pool;
	int round, i;

	(void)state;
	for (round = 0; round < 300; round++) {
		assert_int_equal(pool_new(&pool, THREADS, 0, 0, 0), 0);
		assert_int_equal(pool_take(pool, v, THREADS), THREADS);
		if (round % 2)
			pool_take_used(pool, &none, 1, true);
		for (i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL,
							release_one, v[i]),
					 0);
		pool_orphan(pool);
		for (i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		assert_false(is_mapped(pool));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_slot_is_given_once),
		cmocka_unit_test(headroom_is_there_and_the_ip_header_aligned),
		cmocka_unit_test(a_packet_comes_back_as_new),
		cmocka_unit_test(only_the_one_who_asked_is_told),
		cmocka_unit_test(an_orphan_goes_with_its_last_packet),
		cmocka_unit_test(an_orphan_with_all_its_packets_goes_at_once),
		cmocka_unit_test(no_slot_is_lost_or_given_twice),
		cmocka_unit_test(an_orphan_goes_once_under_threads),
	};

	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
