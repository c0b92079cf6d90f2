/* SPDX-License-Identifier: Apache-2.0 */
/* What ends a queue, and what does not: close, link down, device gone. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/attach.h>
#include <fdlink/open.h>

#include "contract.h"

/* An ended queue says the same for ever, and is quiet. */
static void expect_ended(struct link *l, int reason)
{
	struct fdl_packet *pkt;
	int i;

	for (i = 0; i < 3; i++) {
		assert_int_equal(fdl_recv(l->q, &pkt, 1), reason);
		assert_int_equal(fdl_queue_poll(l->q, 0), reason);
		assert_int_equal(fdl_poll(l->ep, 0), reason);
	}
	assert_false(fd_readable(fdl_queue_fd(l->q), 0));
	assert_false(fd_readable(fdl_fd(l->ep), 0));
}

static void a_close_is_told_after_all_data(struct link *l)
{
	unsigned seq;

	for (seq = 0; seq < 40; seq++)
		link_feed(l, frame_len(seq), seq);
	link_hang_up(l);
	for (seq = 0; seq < 40; seq++)
		expect_received(l, frame_len(seq), seq);
	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	assert_int_equal(expect_end(l), -ESHUTDOWN);
	expect_ended(l, -ESHUTDOWN);
}

/* However many packets a call takes, the end is left to be told. */
static void the_fd_tells_of_an_end_found_behind_data(struct link *l)
{
	struct fdl_packet *v[64];
	unsigned seq;

	for (seq = 0; seq < 20; seq++)
		link_feed(l, 100, seq);
	link_hang_up(l);
	assert_true(fd_readable(fdl_fd(l->ep), WAIT_MS));
	assert_int_equal(fdl_recv(l->q, v, 64), 20);
	fdl_release(v, 20);
	assert_true(fd_readable(fdl_queue_fd(l->q), WAIT_MS));
	assert_true(fd_readable(fdl_fd(l->ep), WAIT_MS));
	assert_int_equal(fdl_recv(l->q, v, 64), -ESHUTDOWN);
	expect_ended(l, -ESHUTDOWN);
}

/* The kernel shows {empty, data, close} as an end of file with data behind. */
static void an_empty_packet_is_no_end(struct link *l)
{
	struct fdl_stats st;

	link_feed_bytes(l, "", 0);
	link_feed(l, 100, 1);
	link_feed_bytes(l, "", 0);
	link_feed(l, 100, 2);
	link_hang_up(l);
	expect_received(l, 100, 1);
	expect_received(l, 100, 2);
	assert_int_equal(expect_end(l), -ESHUTDOWN);
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_empty, 2);
	expect_ended(l, -ESHUTDOWN);
}

/* To the kernel empty packets right before a close look like the close. */
static void empty_packets_before_a_close_may_be_taken_for_it(struct link *l)
{
	struct fdl_stats st;
	int i;

	for (i = 0; i < 10; i++)
		link_feed_bytes(l, "", 0);
	link_hang_up(l);
	assert_int_equal(expect_end(l), -ESHUTDOWN);
	link_stats(l, &st);
	assert_in_range(st.rx_drop_empty, 0, 10);
	l->rx_offered = st.rx_drop_empty;
}

static void a_close_with_nothing_queued(struct link *l)
{
	expect_quiet(l);
	link_hang_up(l);
	assert_int_equal(fdl_poll(l->ep, WAIT_MS), FDL_READABLE);
	assert_int_equal(expect_end(l), -ESHUTDOWN);
	assert_string_not_equal(fdl_last_error(l->ep), "");
	expect_ended(l, -ESHUTDOWN);
}

/* It can still be sent to the peer that shut down its sending side only. */
static void a_half_close_ends_receiving(struct link *l)
{
	link_feed(l, 100, 1);
	assert_int_equal(shutdown(l->peer, SHUT_WR), 0);
	expect_received(l, 100, 1);
	assert_int_equal(expect_end(l), -ESHUTDOWN);
}

/* A datagram socket knows no end: only its own free stops it. */
static void a_datagram_peer_that_goes_is_silence(struct link *l)
{
	link_feed(l, 100, 1);
	link_hang_up(l);
	expect_received(l, 100, 1);
	expect_quiet(l);
	assert_false(fd_readable(fdl_queue_fd(l->q), QUIET_MS));
	assert_int_equal(fdl_queue_poll(l->q, QUIET_MS), 0);
}

static void a_link_goes_down_and_up(struct link *l)
{
	struct fdl_packet *pkt;
	unsigned seq;

	for (seq = 0; seq < 5; seq++) {
		link_feed(l, 100, seq);
		expect_received(l, 100, seq);
		link_set_up(l, false);
		/* May be told at once or not at all, but is no error. */
		fdl_queue_poll(l->q, QUIET_MS);
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
		assert_false(fd_readable(fdl_queue_fd(l->q), QUIET_MS));
		link_set_up(l, true);
	}
	link_feed(l, 100, seq);
	expect_received(l, 100, seq);
	pkt = frame_packet(l, 100, 1);
	expect_sent(l, &pkt, 1);
	link_expect(l, 100, 1);
	expect_quiet(l);
}

static void sending_while_down_is_counted(struct link *l)
{
	struct iovec iov;
	struct fdl_packet *pkt;
	struct fdl_stats st;
	uint8_t frame[100];

	link_set_up(l, false);
	pkt = frame_packet(l, 100, 1);
	expect_sent(l, &pkt, 1);
	frame_make(l, true, frame, sizeof(frame), 2);
	iov = (struct iovec){ frame, sizeof(frame) };
	assert_int_equal(fdl_write(l->q, &iov, 1, NULL), -ENETDOWN);
	l->tx_offered++;
	link_stats(l, &st);
	assert_int_equal(st.tx_drop_link_down, 2);
	/* A socket that does not receive is told of it with its next send. */
	assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	link_set_up(l, true);
	pkt = frame_packet(l, 100, 3);
	expect_sent(l, &pkt, 1);
	link_expect(l, 100, 3);
}

static void a_deleted_device_ends_the_queue(struct link *l)
{
	struct fdl_packet *pkt = frame_packet(l, 100, 1);

	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
	link_delete_device(l);
	assert_true(fd_readable(fdl_fd(l->ep), WAIT_MS));
	assert_int_equal(expect_end(l), -ENODEV);
	expect_ended(l, -ENODEV);
	assert_int_equal(fdl_send(l->q, &pkt, 1), -ENODEV);
	fdl_release(&pkt, 1);
	assert_int_equal(fdl_want_write(l->q, true), -ENODEV);
	assert_string_not_equal(fdl_last_error(l->ep), "");
}

static void a_device_deleted_while_down_ends_the_queue(struct link *l)
{
	struct fdl_packet *pkt;

	link_set_up(l, false);
	assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	link_delete_device(l);
	assert_int_equal(expect_end(l), -ENODEV);
	expect_ended(l, -ENODEV);
}

/* Sending is what finds it out. */
static void sending_to_a_deleted_device(struct link *l)
{
	struct fdl_packet *pkt = frame_packet(l, 100, 1);
	struct iovec iov = { pkt->data, pkt->len };

	link_delete_device(l);
	assert_int_equal(fdl_send(l->q, &pkt, 1), -ENODEV);
	assert_int_equal(fdl_write(l->q, &iov, 1, NULL), -ENODEV);
	l->tx_offered++;
	fdl_release(&pkt, 1);
}

static void the_callers_fd_may_be_closed(struct link *l)
{
	struct fdl_packet *pkt;
	unsigned seq;

	close(l->fd);
	l->fd = -1;
	for (seq = 0; seq < 10; seq++) {
		link_feed(l, 100, seq);
		expect_received(l, 100, seq);
	}
	pkt = frame_packet(l, 100, 1);
	expect_sent(l, &pkt, 1);
	link_expect(l, 100, 1);
	expect_quiet(l);
}

/* ... and its number used for something else. */
static void the_callers_fd_may_be_another_file(struct link *l)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(null >= 0);
	assert_int_equal(dup2(null, l->fd), l->fd);
	close(null);
	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
	expect_quiet(l);
}

/* The peer learns of the end only when both the caller and we have closed. */
static void the_fd_stays_the_callers(struct link *l)
{
	uint8_t buf[FRAME_MAX];

	l->uncounted = true;
	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	assert_true(fcntl(l->fd, F_GETFD) >= 0);
	assert_int_equal(link_collect(l, buf, sizeof(buf), 0), -EAGAIN);
	close(l->fd);
	l->fd = -1;
	assert_int_equal(link_collect(l, buf, sizeof(buf), WAIT_MS), 0);
}

static void a_tap_is_blocking_again_after_free(struct link *l)
{
	struct link other;

	l->uncounted = true;
	assert_true(fcntl(l->fd, F_GETFL) & O_NONBLOCK);
	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	assert_false(fcntl(l->fd, F_GETFL) & O_NONBLOCK);
	/* One that was non-blocking stays so. */
	assert_int_equal(link_make(&other, l->kind, 1), 0);
	fcntl(other.fd, F_SETFL, fcntl(other.fd, F_GETFL) | O_NONBLOCK);
	assert_int_equal(link_endpoint(&other, FDL_MODE_AUTO, NULL), 0);
	fdl_endpoint_free(other.ep);
	other.ep = NULL;
	assert_true(fcntl(other.fd, F_GETFL) & O_NONBLOCK);
	link_free(&other);
}

/* The flag is shared with whoever else has the socket: it stays as it was. */
static void a_socket_keeps_its_flags(struct link *l)
{
	assert_false(fcntl(l->fd, F_GETFL) & O_NONBLOCK);
	expect_quiet(l);
}

static void expect_silence(struct link *l)
{
	assert_false(fd_readable(fdl_queue_fd(l->q), 0));
	assert_false(fd_readable(fdl_fd(l->ep), 0));
}

static int keep_none(void *ctx, struct fdl_queue *q, struct fdl_packet *v[],
		     int n)
{
	(void)ctx;
	(void)q;
	(void)v;
	(void)n;
	return 0;
}

/* Every call that an endpoint's owner may still make. */
static void call_all(struct link *l)
{
	const struct fdl_dispatcher d = { .deliver = keep_none };
	struct fdl_packet *pkt = frame_packet(l, 100, 0);
	struct iovec iov = { pkt->data, pkt->len };
	struct fdl_packet *v[4];
	struct fdl_link state;
	int n;

	fdl_want_write(l->q, true);
	expect_silence(l);
	if (fdl_send(l->q, &pkt, 1) != 1)
		fdl_release(&pkt, 1);
	expect_silence(l);
	fdl_want_write(l->q, true);
	expect_silence(l);
	pkt = frame_packet(l, 100, 0);
	iov.iov_base = pkt->data;
	fdl_write(l->q, &iov, 1, NULL);
	expect_silence(l);
	if (fdl_write_packets(l->ep, &pkt, 1) != 1)
		fdl_release(&pkt, 1);
	expect_silence(l);
	fdl_flush(l->q);
	fdl_link_state(l->ep, &state, sizeof(state));
	expect_silence(l);
	n = fdl_alloc(l->q, v, 4);
	fdl_release(v, n);
	expect_silence(l);
	fdl_wake(l->ep);
	expect_silence(l);
	assert_int_equal(fdl_attach(l->ep, &d), 0);
	fdl_wait(l->ep);
	expect_silence(l);
	fdl_detach(l->ep);
	expect_silence(l);
	fdl_want_write(l->q, false);
	expect_silence(l);
}

/* Room is asked for before the end, with some sent and none left. */
static void an_ended_queue_stays_quiet(struct link *l)
{
	uint8_t buf[FRAME_MAX];
	struct fdl_packet *pkt;
	int reason;

	l->uncounted = true;
	do {
		pkt = frame_packet(l, 1000, 0);
	} while (l->kind->traits & LINK_UNIX && fdl_send(l->q, &pkt, 1) == 1);
	assert_int_equal(fdl_want_write(l->q, true), 0);
	if (l->kind->traits & LINK_EOF)
		assert_int_equal(shutdown(l->peer, SHUT_WR), 0);
	else
		link_delete_device(l);
	reason = expect_end(l);
	expect_ended(l, reason);
	/* It is tried once more, and there is no room yet; then there is. */
	if (fdl_send(l->q, &pkt, 1) != 1)
		fdl_release(&pkt, 1);
	expect_silence(l);
	while (l->kind->traits & LINK_EOF &&
	       recv(l->peer, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		expect_silence(l);
	call_all(l);
	expect_ended(l, reason);
}

static const struct expectation table[] = {
	{ .name = "a close is told after all data",
	  .test = a_close_is_told_after_all_data,
	  .needs = LINK_EOF },
	{ .name = "an empty packet is no end",
	  .test = an_empty_packet_is_no_end,
	  .needs = LINK_EOF },
	{ .name = "empty packets before a close may be taken for it",
	  .test = empty_packets_before_a_close_may_be_taken_for_it,
	  .needs = LINK_EOF },
	{ .name = "the fd tells of an end found behind data",
	  .test = the_fd_tells_of_an_end_found_behind_data,
	  .needs = LINK_EOF },
	{ .name = "a close with nothing queued",
	  .test = a_close_with_nothing_queued,
	  .needs = LINK_EOF },
	{ .name = "a half close ends receiving",
	  .test = a_half_close_ends_receiving,
	  .needs = LINK_EOF },
	{ .name = "an ended queue stays quiet, whatever is called",
	  .test = an_ended_queue_stays_quiet,
	  .needs = LINK_EOF },
	{ .name = "a queue without its device stays quiet, too",
	  .test = an_ended_queue_stays_quiet,
	  .needs = LINK_DEVICE },
	{ .name = "a datagram peer that goes is silence",
	  .test = a_datagram_peer_that_goes_is_silence,
	  .needs = LINK_NO_EOF },
	{ .name = "a link goes down and up",
	  .test = a_link_goes_down_and_up,
	  .needs = LINK_DEVICE },
	{ .name = "sending while down is counted",
	  .test = sending_while_down_is_counted,
	  .needs = LINK_DEVICE },
	{ .name = "a deleted device ends the queue",
	  .test = a_deleted_device_ends_the_queue,
	  .needs = LINK_DEVICE },
	{ .name = "a device deleted while down ends the queue",
	  .test = a_device_deleted_while_down_ends_the_queue,
	  .needs = LINK_DEVICE },
	{ .name = "sending to a deleted device",
	  .test = sending_to_a_deleted_device,
	  .needs = LINK_DEVICE },
	{ .name = "the caller's fd may be closed",
	  .test = the_callers_fd_may_be_closed,
	  .not_on = LINK_OPENED | LINK_NAMED },
	{ .name = "the caller's fd may be another file",
	  .test = the_callers_fd_may_be_another_file,
	  .not_on = LINK_OPENED | LINK_NAMED },
	{ .name = "the fd stays the caller's",
	  .test = the_fd_stays_the_callers,
	  .needs = LINK_EOF },
	{ .name = "a TAP is blocking again after free",
	  .test = a_tap_is_blocking_again_after_free,
	  .needs = LINK_TUNTAP },
	{ .name = "a socket keeps its flags",
	  .test = a_socket_keeps_its_flags,
	  .not_on = LINK_TUNTAP | LINK_OPENED | LINK_NAMED },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("close", argv, table, COUNT_OF(table));
}
