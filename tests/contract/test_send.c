/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent is what the peer gets; what cannot go is told and counted. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "contract.h"

enum { BURST = 32 };

static void make_burst(struct link *l, struct fdl_packet *v[], unsigned from)
{
	unsigned i;

	for (i = 0; i < BURST; i++) {
		v[i] = frame_packet(l, frame_len(from + i), from + i);
		assert_non_null(v[i]);
	}
}

static void packets_go_whole_and_in_order(struct link *l)
{
	struct fdl_packet *v[BURST];
	unsigned seq;

	make_burst(l, v, 0);
	expect_sent(l, v, BURST);
	for (seq = 0; seq < BURST; seq++)
		link_expect(l, frame_len(seq), seq);
	/* All came back to the pool. */
	make_burst(l, v, BURST);
	expect_sent(l, v, BURST);
	for (; seq < 2 * BURST; seq++)
		link_expect(l, frame_len(seq), seq);
	assert_int_equal(fdl_send(l->q, v, 0), 0);
}

static void an_empty_packet_is_counted(struct link *l)
{
	struct iovec none[2] = { { NULL, 0 }, { NULL, 0 } };
	struct fdl_packet *v[3];
	struct fdl_stats st;
	uint8_t buf[16];

	v[0] = frame_packet(l, 100, 0);
	assert_int_equal(fdl_alloc(l->q, &v[1], 1), 1);
	v[2] = frame_packet(l, 100, 2);
	expect_sent(l, v, 3);
	link_expect(l, 100, 0);
	link_expect(l, 100, 2);
	assert_int_equal(fdl_write(l->q, none, 2, NULL), -EINVAL);
	assert_int_equal(fdl_write(l->q, NULL, 0, NULL), -EINVAL);
	l->tx_offered += 2;
	assert_int_equal(link_collect(l, buf, sizeof(buf), 0), -EAGAIN);
	link_stats(l, &st);
	assert_int_equal(st.tx_drop_empty, 3);
	assert_int_equal(st.tx_packets, 2);
	assert_int_equal(st.tx_bytes, 200);
}

static void one_too_long_does_not_stop_the_rest(struct link *l)
{
	static uint8_t big[60000] = { 0x45 };
	struct iovec iov = { big, sizeof(big) };
	const int small = 4096;
	struct fdl_packet *v[3];
	struct fdl_stats st;

	setsockopt(l->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	v[0] = frame_packet(l, 100, 0);
	v[1] = frame_packet(l, sizeof(big), 1);
	v[2] = frame_packet(l, 100, 2);
	expect_sent(l, v, 3);
	link_expect(l, 100, 0);
	link_expect(l, 100, 2);
	assert_int_equal(fdl_write(l->q, &iov, 1, NULL), -EMSGSIZE);
	l->tx_offered++;
	link_stats(l, &st);
	assert_int_equal(st.tx_drop_too_long, 2);
	assert_string_not_equal(fdl_last_error(l->ep), "");
}

/* Shorter than a link header, or of no IP version. */
static void what_the_kernel_refuses_is_counted(struct link *l)
{
	struct iovec iov;
	uint8_t bytes[10] = { 0 };
	struct fdl_packet *v[2];
	struct fdl_stats st;

	v[0] = frame_packet(l, 60, 0);
	v[0]->len = sizeof(bytes);
	memset(v[0]->data, 0, sizeof(bytes));
	v[1] = frame_packet(l, 60, 1);
	expect_sent(l, v, 2);
	link_expect(l, 60, 1);
	iov = (struct iovec){ bytes, sizeof(bytes) };
	assert_int_equal(fdl_write(l->q, &iov, 1, NULL), -EINVAL);
	l->tx_offered++;
	link_stats(l, &st);
	assert_int_equal(st.tx_drop_invalid, 2);
}

/* The sum would start behind the packet. */
static void work_that_contradicts_the_packet_is_counted(struct link *l)
{
	const struct fdl_offload off = { .csum = FDL_CSUM_PARTIAL,
					 .csum_start = 200,
					 .csum_offset = 6 };
	uint8_t frame[100];
	struct iovec iov = { frame, sizeof(frame) };
	struct fdl_packet *v[2];
	struct fdl_stats st;

	v[0] = frame_packet(l, 100, 0);
	v[0]->off = off;
	v[1] = frame_packet(l, 100, 1);
	expect_sent(l, v, 2);
	link_expect(l, 100, 1);
	frame_make(l, true, frame, sizeof(frame), 2);
	assert_int_equal(fdl_write(l->q, &iov, 1, &off), -EINVAL);
	l->tx_offered++;
	link_stats(l, &st);
	assert_int_equal(st.tx_drop_offload, 2);
}

/* With SIGPIPE as the system delivers it: it would end this program. */
static void a_closed_peer_raises_no_signal(struct link *l)
{
	struct fdl_packet *v[2];
	struct sigaction sa;
	struct iovec iov;

	assert_int_equal(sigaction(SIGPIPE, NULL, &sa), 0);
	assert_ptr_equal(sa.sa_handler, SIG_DFL);
	v[0] = frame_packet(l, 100, 0);
	v[1] = frame_packet(l, 100, 1);
	iov = (struct iovec){ v[0]->data, v[0]->len };
	link_hang_up(l);
	assert_int_equal(fdl_send(l->q, v, 2), -ESHUTDOWN);
	assert_int_equal(fdl_send(l->q, v, 2), -ESHUTDOWN);
	assert_int_equal(fdl_write(l->q, &iov, 1, NULL), -ESHUTDOWN);
	l->tx_offered++;
	fdl_release(v, 2);
}

/* What the peer had sent before it went is not lost by a failing send. */
static void a_failed_send_does_not_lose_what_was_received(struct link *l)
{
	struct fdl_packet *pkt = frame_packet(l, 100, 0);

	link_feed(l, 100, 1);
	link_feed(l, 100, 2);
	link_hang_up(l);
	assert_int_equal(fdl_send(l->q, &pkt, 1), -ESHUTDOWN);
	fdl_release(&pkt, 1);
	expect_received(l, 100, 1);
	expect_received(l, 100, 2);
	assert_int_equal(expect_end(l), -ESHUTDOWN);
}

static void no_reader_is_counted(struct link *l)
{
	struct fdl_packet *v[3];
	struct fdl_stats st;
	struct iovec iov;
	uint8_t frame[60];
	int i;

	link_hang_up(l);
	for (i = 0; i < 3; i++)
		v[i] = frame_packet(l, 100, (unsigned)i);
	expect_sent(l, v, 3);
	frame_make(l, true, frame, sizeof(frame), 0);
	iov = (struct iovec){ frame, sizeof(frame) };
	assert_int_equal(fdl_write(l->q, &iov, 1, NULL), -ECONNREFUSED);
	l->tx_offered++;
	link_stats(l, &st);
	assert_int_equal(st.tx_drop_no_peer, 4);
	expect_quiet(l);
}

static void a_received_packet_can_be_sent(struct link *l)
{
	uint8_t got[FRAME_MAX], want[FRAME_MAX];
	struct fdl_packet *pkt;
	unsigned seq;

	for (seq = 0; seq < 10; seq++) {
		link_feed(l, 300, seq);
		expect_packets(l, &pkt, 1);
		expect_sent(l, &pkt, 1);
		assert_int_equal(link_collect(l, got, sizeof(got), WAIT_MS),
				 300);
		frame_make(l, false, want, 300, seq);
		assert_memory_equal(got, want, 300);
	}
}

static void a_packet_may_go_by_another_endpoint(struct link *l)
{
	struct fdl_packet *v[2];
	struct link other;
	unsigned i;

	assert_int_equal(link_make(&other, l->kind, 1), 0);
	assert_int_equal(link_endpoint(&other, FDL_MODE_AUTO, NULL), 0);
	for (i = 0; i < 20; i++) {
		v[0] = frame_packet(l, 100, 0);
		v[1] = frame_packet(&other, 100, 1);
		assert_non_null(v[0]);
		assert_non_null(v[1]);
		expect_sent(&other, v, 2);
		link_expect(&other, 100, 0);
		link_expect(&other, 100, 1);
	}
	link_free(&other);
}

static const struct expectation table[] = {
	{ .name = "packets go whole and in order",
	  .opts.pool = BURST,
	  .test = packets_go_whole_and_in_order },
	{ .name = "an empty packet is counted",
	  .test = an_empty_packet_is_counted },
	/* A TUN or TAP takes whatever fits into 64 KiB. */
	{ .name = "one too long does not stop the rest",
	  .test = one_too_long_does_not_stop_the_rest,
	  .not_on = LINK_TUNTAP | LINK_LOSSY | LINK_NAMED },
	/* A unix socket takes any bytes. */
	{ .name = "what the kernel refuses is counted",
	  .test = what_the_kernel_refuses_is_counted,
	  .needs = LINK_DEVICE },
	{ .name = "work that contradicts the packet is counted",
	  .test = work_that_contradicts_the_packet_is_counted },
	{ .name = "a closed peer raises no signal",
	  .test = a_closed_peer_raises_no_signal,
	  .needs = LINK_EOF },
	{ .name = "a failed send does not lose what was received",
	  .test = a_failed_send_does_not_lose_what_was_received,
	  .needs = LINK_EOF },
	{ .name = "no reader is counted",
	  .test = no_reader_is_counted,
	  .not_on = LINK_LOSSY,
	  .needs = LINK_NO_EOF },
	{ .name = "a received packet can be sent",
	  .opts.pool = 2,
	  .test = a_received_packet_can_be_sent },
	{ .name = "a packet may go by another endpoint",
	  .opts.pool = 2,
	  .test = a_packet_may_go_by_another_endpoint },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("send", argv, table, COUNT_OF(table));
}
