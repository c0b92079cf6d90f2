/* SPDX-License-Identifier: Apache-2.0 */
/* Batches that stop anywhere, and what a full device queue looks like. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../unit/packets.h"
#include "contract.h"
#include "fault.h"

enum { N = 20 };

static enum fault sending_call(const struct link *l)
{
	return l->kind->traits & LINK_TUNTAP ? FAULT_WRITEV : FAULT_SENDMSG;
}

/* Message number at fails; what is gone and what is left is said exactly. */
static void stop_at(struct link *l, int at, int err)
{
	struct fdl_packet *v[N];
	int i, k;

	for (i = 0; i < N; i++)
		v[i] = frame_packet(l, 100, (unsigned)i);
	fault_set(sending_call(l), (unsigned)at + 1, 1, err);
	k = fdl_send(l->q, v, N);
	assert_true(fault_clear());
	assert_int_equal(k, at);
	l->tx_offered += (uint64_t)k;
	expect_sent(l, v + k, N - k);
	for (i = 0; i < N; i++)
		link_expect(l, 100, (unsigned)i);
}

static void a_batch_may_stop_anywhere(struct link *l)
{
	int at;

	for (at = 0; at < N; at++) {
		stop_at(l, at, EAGAIN);
		stop_at(l, at, ENOBUFS);
	}
}

static void a_refused_one_is_all_that_is_lost(struct link *l)
{
	/* ICMP may have said the first of it, of a datagram of before. */
	const unsigned times = l->kind->traits & LINK_LOSSY ? 2 : 1;
	struct fdl_packet *v[N];
	struct fdl_stats st;
	int i, at;

	for (at = 0; at < N; at++) {
		for (i = 0; i < N; i++)
			v[i] = frame_packet(l, 100, (unsigned)i);
		fault_set(sending_call(l), (unsigned)at + 1, times, EMSGSIZE);
		expect_sent(l, v, N);
		assert_true(fault_clear());
		for (i = 0; i < N; i++)
			if (i != at)
				link_expect(l, 100, (unsigned)i);
	}
	link_stats(l, &st);
	assert_int_equal(st.tx_drop_too_long, N);
}

static long long now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000LL + ts.tv_nsec / 1000;
}

/* POLLOUT is set all the while: only time can tell. */
static void a_full_device_queue_is_waited_for(struct link *l)
{
	struct fdl_packet *pkt = frame_packet(l, 100, 0);
	long long asked;
	int i;

	fault_set(sending_call(l), 1, 3, ENOBUFS);
	assert_int_equal(fdl_send(l->q, &pkt, 1), 0);
	asked = now_us();
	assert_int_equal(fdl_want_write(l->q, true), 0);
	for (i = 0; i < 2; i++) {
		/* Asking again does not put it off. */
		assert_int_equal(fdl_want_write(l->q, true), 0);
		assert_int_equal(fdl_queue_poll(l->q, WAIT_MS), FDL_WRITABLE);
		assert_true(now_us() - asked >= 500);
		assert_true(fd_readable(fdl_fd(l->ep), 0));
		asked = now_us();
		assert_int_equal(fdl_send(l->q, &pkt, 1), 0);
	}
	assert_int_equal(fdl_poll(l->ep, WAIT_MS), FDL_WRITABLE);
	expect_sent(l, &pkt, 1);
	link_expect(l, 100, 0);
	assert_true(fault_clear());
	assert_int_equal(fdl_want_write(l->q, false), 0);
	expect_quiet(l);
}

static void a_write_waits_for_it_too(struct link *l)
{
	uint8_t frame[100];
	struct iovec iov = { frame, sizeof(frame) };

	frame_make(l, true, frame, sizeof(frame), 3);
	fault_set(sending_call(l), 1, 5, ENOBUFS);
	assert_int_equal(fdl_write(l->q, &iov, 1, NULL), 0);
	assert_true(fault_clear());
	l->tx_offered++;
	link_expect(l, 100, 3);
}

static struct fdl_packet *super_packet(struct link *l)
{
	const struct shape s = { .link_len = 14,
				 .version = 4,
				 .proto = 6,
				 .payload = 5000,
				 .ttl = 9,
				 .flags = 0x10,
				 .partial = true };
	struct fdl_packet *pkt;

	if (fdl_alloc(l->q, &pkt, 1) != 1)
		return NULL;
	pkt->len = (uint32_t)build(pkt->data, &s);
	pkt->tail -= pkt->len;
	pkt->off = shape_offload(&s, 1000);
	return pkt;
}

static void collect(struct link *l, unsigned n, size_t len)
{
	uint8_t buf[6000];

	while (n-- > 0)
		assert_int_equal(link_collect(l, buf, sizeof(buf), WAIT_MS),
				 len + FDL_VNET_HDR_LEN);
}

/* The second is refused, and its segments are not: it and the third are cut. */
static void a_refused_offload_is_not_tried_again(struct link *l)
{
	struct fdl_packet *v[3];
	struct fdl_stats st;
	int i;

	l->uncounted = true;
	for (i = 0; i < 3; i++)
		v[i] = super_packet(l);
	fault_set(sending_call(l), 2, 1, EINVAL);
	assert_int_equal(fdl_send(l->q, v, 3), 3);
	assert_true(fault_clear());
	link_stats(l, &st);
	assert_int_equal(st.tx_gso, 1);
	assert_int_equal(st.tx_gso_cut, 2);
	assert_int_equal(st.tx_offload_revoked, 1);
	assert_int_equal(st.tx_drop_invalid, 0);
	collect(l, 1, 5054);
	collect(l, 10, 1054);
}

static const struct expectation table[] = {
	{ .name = "a batch may stop anywhere",
	  .test = a_batch_may_stop_anywhere },
	{ .name = "a refused one is all that is lost",
	  .test = a_refused_one_is_all_that_is_lost },
	{ .name = "a full device queue is waited for",
	  .test = a_full_device_queue_is_waited_for },
	{ .name = "a write waits for it too",
	  .test = a_write_waits_for_it_too,
	  .opts.tx_wait_ms = WAIT_MS },
	{ .name = "a refused offload is not tried again",
	  .test = a_refused_offload_is_not_tried_again,
	  .needs = LINK_UNIX | LINK_ETHERNET,
	  .opts.flags = FDL_VNET_HDR },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("transmit", argv, table, COUNT_OF(table));
}
