/* SPDX-License-Identifier: Apache-2.0 */
/* Packets over queues by flow, from many threads, and injection. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>

#include "../unit/packets.h"
#include "link.h"

enum { QUEUES = 4, FLOWS = 32, WRITERS = 4, EACH = 3000, ROUNDS = 5000 };

struct fixture {
	struct fdl_endpoint *ep;
	int peer[QUEUES];
};

static int set_up(void **state)
{
	const struct fdl_options o = { .size = sizeof(o),
				       .pool = 1024,
				       .tx_wait_ms = WAIT_MS };
	struct fixture *f = calloc(1, sizeof(*f));
	const int size = 1 << 20;
	int fds[QUEUES], pair[2], i;

	for (i = 0; i < QUEUES; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
			goto err;
		fds[i] = pair[0];
		f->peer[i] = pair[1];
		setsockopt(pair[0], SOL_SOCKET, SO_SNDBUFFORCE, &size,
			   sizeof(size));
	}
	if (fdl_endpoint_new(&f->ep, fds, QUEUES, &o))
		goto err;
	for (i = 0; i < QUEUES; i++)
		close(fds[i]);
	*state = f;
	return 0;

err:
	free(f);
	return -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	int i;

	fdl_endpoint_free(f->ep);
	for (i = 0; i < QUEUES; i++)
		close(f->peer[i]);
	free(f);
	return 0;
}

/* A packet of a flow, numbered. */
static struct fdl_packet *make(struct fdl_endpoint *ep, unsigned flow,
			       uint32_t number)
{
	const struct shape s = {
		.version = 4, .proto = 17, .ttl = 9, .payload = 8, .flow = flow
	};
	struct fdl_packet *pkt;

	if (fdl_alloc(fdl_get_queue(ep, 0), &pkt, 1) != 1)
		return NULL;
	pkt->len = (uint32_t)build(pkt->data, &s);
	pkt->tail -= pkt->len;
	put32(pkt->data + 28, number);
	return pkt;
}

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
			v[i] = make(f->ep, flow, number[flow]++);
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
		pkt = make(f->ep, flow, 0);
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
		v[i] = make(f->ep, 1, i);
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
		v[i] = make(f->ep, 1, i);
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
			v[n] = make(w->f->ep, flow, number[flow]);
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

struct sink {
	unsigned got;
	_Atomic unsigned closed;	/* each queue's thread counts */
	struct fdl_packet *last;
	struct fdl_endpoint *ep;
	int detached;
	int keep;
};

static int deliver(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		   int n)
{
	struct sink *sink = ctx;

	(void)q;
	sink->got += (unsigned)n;
	sink->last = v[0];
	if (sink->ep)
		sink->detached = fdl_detach(sink->ep);
	return sink->keep;
}

static void closed(void *ctx, struct fdl_queue *q, int reason)
{
	(void)q;
	(void)reason;
	((struct sink *)ctx)->closed++;
}

static void outbound_injection_goes_by_the_first_queue(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[20];

	assert_int_equal(fdl_inject_outbound(f->ep, "Ehello", 6), 0);
	assert_int_equal(recv(f->peer[0], buf, sizeof(buf), MSG_DONTWAIT), 6);
	assert_memory_equal(buf, "Ehello", 6);
	assert_int_equal(fdl_inject_outbound(f->ep, "", 0), -EINVAL);
	close(f->peer[0]);
	f->peer[0] = -1;
	assert_int_equal(fdl_inject_outbound(f->ep, "E", 1), -ESHUTDOWN);
}

static void inbound_injection_reaches_the_dispatcher(void **state)
{
	struct fixture *f = *state;
	struct sink sink = { .keep = 1 };
	const struct fdl_dispatcher d = { deliver, closed, &sink };
	struct fdl_packet *pkt = make(f->ep, 0, 0);

	assert_int_equal(fdl_inject_inbound(f->ep, pkt), -ENOTCONN);
	assert_int_equal(fdl_attach(f->ep, &d), 0);
	assert_int_equal(fdl_inject_inbound(f->ep, pkt), 0);
	assert_int_equal(sink.got, 1);
	assert_ptr_equal(sink.last, pkt);
	/* From inside it the endpoint cannot be detached. */
	sink.ep = f->ep;
	sink.keep = 0;
	assert_int_equal(fdl_inject_inbound(f->ep, pkt), 0);
	assert_int_equal(sink.detached, -EDEADLK);
	sink.ep = NULL;
	assert_int_equal(fdl_detach(f->ep), 0);
	assert_int_equal(sink.closed, QUEUES);
	pkt = make(f->ep, 0, 0);
	assert_int_equal(fdl_inject_inbound(f->ep, pkt), -ENOTCONN);
	fdl_release(&pkt, 1);
}

static void an_injectable_endpoint_has_no_reader(void **state)
{
	struct sink sink = { 0 };
	const struct fdl_dispatcher d = { deliver, closed, &sink };
	struct fdl_endpoint *ep;
	struct fdl_packet *pkt;
	uint8_t buf[100];
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(fdl_injectable_new(&ep, pair[0], NULL), 0);
	assert_false(fdl_is_attached(ep));
	assert_int_equal(fdl_attach(ep, &d), 0);
	assert_true(fdl_is_attached(ep));
	assert_int_equal(fdl_attach(ep, &d), -EBUSY);
	assert_int_equal(fdl_wait(ep), 0);
	assert_int_equal(send(pair[1], "Ex", 2, 0), 2);
	pkt = make(ep, 0, 0);
	assert_int_equal(fdl_inject_inbound(ep, pkt), 0);
	assert_int_equal(sink.got, 1);
	pkt = make(ep, 0, 0);
	assert_int_equal(fdl_write_packets(ep, &pkt, 1), 1);
	assert_int_equal(recv(pair[1], buf, sizeof(buf), MSG_DONTWAIT), 36);
	assert_int_equal(fdl_detach(ep), 0);
	assert_false(fdl_is_attached(ep));
	assert_int_equal(sink.got, 1);
	assert_int_equal(sink.closed, 0);
	fdl_endpoint_free(ep);
	close(pair[0]);
	close(pair[1]);
}

struct injector {
	struct fdl_endpoint *ep;
	_Atomic bool stop;
	unsigned taken;
};

static void *inject(void *arg)
{
	struct injector *in = arg;
	struct fdl_packet *pkt;

	while (!in->stop) {
		pkt = make(in->ep, 3, 0);
		if (!pkt)
			continue;
		if (fdl_inject_inbound(in->ep, pkt) == 0)
			in->taken++;
		else
			fdl_release(&pkt, 1);
		pkt = make(in->ep, 3, 0);
		if (pkt && fdl_write_packets(in->ep, &pkt, 1) < 0)
			fdl_release(&pkt, 1);
	}
	return NULL;
}

static void *swallow(void *arg)
{
	uint8_t buf[100];

	while (recv(*(int *)arg, buf, sizeof(buf), 0) > 0)
		;
	return NULL;
}

/* Writers and injectors go on while others attach and detach. */
static void disturb(bool injectable)
{
	struct sink sink = { 0 };
	const struct fdl_dispatcher d = { deliver, closed, &sink };
	struct injector in = { 0 };
	pthread_t thread, drain;
	int pair[2], i;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	if (injectable)
		assert_int_equal(fdl_injectable_new(&in.ep, pair[0], NULL), 0);
	else
		assert_int_equal(fdl_endpoint_new(&in.ep, pair, 1, NULL), 0);
	close(pair[0]);
	assert_int_equal(pthread_create(&thread, NULL, inject, &in), 0);
	assert_int_equal(pthread_create(&drain, NULL, swallow, &pair[1]), 0);
	for (i = 0; i < ROUNDS; i++) {
		assert_int_equal(fdl_attach(in.ep, &d), 0);
		assert_int_equal(fdl_detach(in.ep), 0);
	}
	in.stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(sink.got, in.taken);
	assert_int_equal(sink.closed, injectable ? 0 : ROUNDS);
	fdl_endpoint_free(in.ep);
	pthread_join(drain, NULL);
	close(pair[1]);
}

static void detaching_does_not_disturb_senders(void **state)
{
	(void)state;
	disturb(true);
	disturb(false);
}

int main(void)
{
#define WITH(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH(each_flow_has_one_queue_and_its_order),
		WITH(the_flows_hash_can_be_had_before),
		WITH(a_given_hash_chooses_the_queue),
		WITH(what_a_closed_queue_does_not_take_stands_last),
		WITH(many_threads_write_at_once),
		WITH(outbound_injection_goes_by_the_first_queue),
		WITH(inbound_injection_reaches_the_dispatcher),
		cmocka_unit_test(an_injectable_endpoint_has_no_reader),
		cmocka_unit_test(detaching_does_not_disturb_senders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
