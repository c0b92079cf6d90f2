/* SPDX-License-Identifier: Apache-2.0 */
/* Frames injected in either direction. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "spread_bed.h"

enum { ROUNDS = 5000 };

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
	struct fdl_packet *pkt = numbered_packet(f->ep, 0, 0);

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
	pkt = numbered_packet(f->ep, 0, 0);
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
	pkt = numbered_packet(ep, 0, 0);
	assert_int_equal(fdl_inject_inbound(ep, pkt), 0);
	assert_int_equal(sink.got, 1);
	pkt = numbered_packet(ep, 0, 0);
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
		pkt = numbered_packet(in->ep, 3, 0);
		if (!pkt)
			continue;
		if (fdl_inject_inbound(in->ep, pkt) == 0)
			in->taken++;
		else
			fdl_release(&pkt, 1);
		pkt = numbered_packet(in->ep, 3, 0);
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
#define WITH(f) \
	cmocka_unit_test_setup_teardown(f, spread_set_up, spread_tear_down)
	const struct CMUnitTest tests[] = {
		WITH(outbound_injection_goes_by_the_first_queue),
		WITH(inbound_injection_reaches_the_dispatcher),
		cmocka_unit_test(an_injectable_endpoint_has_no_reader),
		cmocka_unit_test(detaching_does_not_disturb_senders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
