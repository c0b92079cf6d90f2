/* SPDX-License-Identifier: Apache-2.0 */
/* Packets over queues by flow, from many threads. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../unit/packets.h"
#include "spread_bed.h"

enum { WRITERS = 4, EACH = 3000 };

static unsigned flow_of(const uint8_t *frame)
{
	return get16(frame + 20) - 1000;
}

static void check_peer(int fd, uint32_t next[FLOWS], unsigned seen[FLOWS])
{
	uint8_t buf[200];
	unsigned flow;

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0) {
		flow = flow_of(buf);
		assert_true(flow < FLOWS);
		assert_int_equal(get32(buf + 28), next[flow]++);
		seen[flow]++;
	}
}

static void each_flow_has_one_queue_and_its_order(void **state)
{
	struct fixture *f = *state;
	unsigned seen[QUEUES][FLOWS] = { 0 }, i, used = 0, flow;
	uint32_t number[FLOWS] = { 0 }, next[FLOWS] = { 0 };
	struct fdl_packet *v[300];
	int round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 300; i++) {
			flow = i * 7 % FLOWS;
			v[i] = numbered_packet(f->ep, flow, number[flow]++);
			assert_non_null(v[i]);
		}
		assert_int_equal(fdl_write_packets(f->ep, v, 300), 300);
		for (i = 0; i < QUEUES; i++)
			check_peer(f->peer[i], next, seen[i]);
	}
	assert_memory_equal(number, next, sizeof(number));
	for (i = 0; i < QUEUES; i++) {
		for (flow = 0; flow < FLOWS && !seen[i][flow]; flow++)
			;
		used += flow < FLOWS;
	}
	assert_int_equal(used, QUEUES);
	for (flow = 0; flow < FLOWS; flow++) {
		for (i = 0, used = 0; i < QUEUES; i++)
			used += seen[i][flow] > 0;
		assert_int_equal(used, 1);
	}
}

static void the_flows_hash_can_be_had_before(void **state)
{
	struct fixture *f = *state;
	struct fdl_packet *pkt;
	uint8_t buf[200];
	unsigned flow;
	uint32_t hash;

	for (flow = 0; flow < FLOWS; flow++) {
		pkt = numbered_packet(f->ep, flow, 0);
		hash = fdl_flow_hash(pkt->data, pkt->len, 0);
		assert_int_equal(fdl_write_packets(f->ep, &pkt, 1), 1);
		assert_int_equal(recv(f->peer[hash % QUEUES], buf, sizeof(buf),
				      MSG_DONTWAIT),
				 36);
		assert_int_equal(flow_of(buf), flow);
	}
}

static void a_given_hash_chooses_the_queue(void **state)
{
	struct fixture *f = *state;
	struct fdl_packet *v[8];
	uint8_t buf[200];
	unsigned i;

	for (i = 0; i < 8; i++) {
		v[i] = numbered_packet(f->ep, 1, i);
		v[i]->hash = 8 + i;
	}
	assert_int_equal(fdl_write_packets(f->ep, v, 8), 8);
	for (i = 0; i < 8; i++) {
		assert_int_equal(recv(f->peer[i % QUEUES], buf, sizeof(buf),
				      MSG_DONTWAIT),
				 36);
		assert_int_equal(get32(buf + 28), i);
	}
}

static void what_a_closed_queue_does_not_take_stands_last(void **state)
{
	struct fixture *f = *state;
	struct fdl_packet *v[8], *closed[2];
	unsigned i;

	close(f->peer[1]);
	f->peer[1] = -1;
	for (i = 0; i < 8; i++) {
		v[i] = numbered_packet(f->ep, 1, i);
		v[i]->hash = 8 + i;
		if (i % QUEUES == 1)
			closed[i / QUEUES] = v[i];
	}
	assert_int_equal(fdl_write_packets(f->ep, v, 8), 6);
	assert_ptr_equal(v[6], closed[0]);
	assert_ptr_equal(v[7], closed[1]);
	assert_int_equal(fdl_write_packets(f->ep, v + 6, 2), -ESHUTDOWN);
	fdl_release(v + 6, 2);
}

struct writer {
	struct fixture *f;
	unsigned first;
	unsigned sent;
	_Atomic bool done;
};

/* Each writer has flows of its own, so that their order can be told. */
static void *write_many(void *arg)
{
	struct writer *w = arg;
	uint32_t number[FLOWS] = { 0 };
	struct fdl_packet *v[16];
	unsigned i, n, flow;
	int k;

	for (i = 0; i < EACH; i += n) {
		for (n = 0; n < 16 && i + n < EACH; n++) {
			flow = w->first + (i + n) % (FLOWS / WRITERS);
			v[n] = numbered_packet(w->f->ep, flow, number[flow]);
			if (!v[n])
				break;
			number[flow]++;
		}
		k = fdl_write_packets(w->f->ep, v, (int)n);
		if (k != (int)n)
			break;
		w->sent += n;
	}
	w->done = true;
	return NULL;
}

static bool all_done(const struct writer w[WRITERS])
{
	int i = 0;

	while (i < WRITERS && w[i].done)
		i++;
	return i == WRITERS;
}

static void many_threads_write_at_once(void **state)
{
	struct fixture *f = *state;
	unsigned seen[FLOWS] = { 0 }, i, sent = 0, got = 0;
	uint32_t next[FLOWS] = { 0 };
	struct pollfd p[QUEUES];
	struct writer w[WRITERS];
	bool last;
	pthread_t thread[WRITERS];
	struct fdl_stats st;

	for (i = 0; i < WRITERS; i++) {
		w[i] = (struct writer){ .f = f, .first = i * FLOWS / WRITERS };
		assert_int_equal(
			pthread_create(&thread[i], NULL, write_many, &w[i]), 0);
	}
	for (i = 0; i < QUEUES; i++)
		p[i] = (struct pollfd){ f->peer[i], POLLIN, 0 };
	do {
		last = all_done(w);
		poll(p, QUEUES, last ? 0 : 10);
		for (i = 0; i < QUEUES; i++)
			check_peer(f->peer[i], next, seen);
	} while (!last);
	for (i = 0; i < WRITERS; i++) {
		pthread_join(thread[i], NULL);
		sent += w[i].sent;
	}
	for (i = 0; i < FLOWS; i++)
		got += seen[i];
	assert_int_equal(sent, WRITERS * EACH);
	assert_int_equal(got, sent);
	fdl_get_stats(f->ep, &st, sizeof(st));
	assert_int_equal(st.tx_packets, sent);
}

int main(void)
{
#define WITH(f) \
	cmocka_unit_test_setup_teardown(f, spread_set_up, spread_tear_down)
	const struct CMUnitTest tests[] = {
		WITH(each_flow_has_one_queue_and_its_order),
		WITH(the_flows_hash_can_be_had_before),
		WITH(a_given_hash_chooses_the_queue),
		WITH(what_a_closed_queue_does_not_take_stands_last),
		WITH(many_threads_write_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
