/* SPDX-License-Identifier: Apache-2.0 */
/* What each errno of a receiving system call means, row by row. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "contract.h"
#include "fault.h"

enum {
	FOR_EVER = 1000000,
	/* No system call brings packets in from a ring. */
	RING = 1 << FDL_MODE_PACKET_MMAP,
};

/* The one call that receives on such a link in the endpoint's mode. */
static enum fault receiving_call(const struct link *l)
{
	if (l->kind->traits & LINK_TUNTAP)
		return FAULT_READ;
	if (fdl_get_mode(l->ep) == FDL_MODE_RECVMMSG ||
	    fdl_get_mode(l->ep) == FDL_MODE_ADAPTIVE)
		return FAULT_RECVMMSG;
	return l->kind->traits & (LINK_OUTGOING | LINK_LOSSY) ? FAULT_RECVMSG :
								FAULT_RECV;
}

static void expect_frame_now(struct link *l)
{
	struct fdl_packet *pkt;

	assert_int_equal(fdl_recv(l->q, &pkt, 1), 1);
	expect_frame(l, pkt, 100, 1);
	fdl_release(&pkt, 1);
}

/* A frame waits; wait till it can be read. */
static void feed_one(struct link *l)
{
	link_feed(l, 100, 1);
	assert_int_equal(fdl_queue_poll(l->q, WAIT_MS), FDL_READABLE);
}

static void a_lack_of_something_is_nothing_now(struct link *l)
{
	static const int errs[] = { EAGAIN, ENOMEM, ENOBUFS };
	struct fdl_packet *pkt;
	size_t i;

	for (i = 0; i < COUNT_OF(errs); i++) {
		feed_one(l);
		fault_set(receiving_call(l), 1, 1, errs[i]);
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
		assert_true(fault_clear());
		expect_frame_now(l);
	}
}

/* Told once, as a socket does: what is queued comes after. */
static void a_pending_error_is_passed_over(struct link *l)
{
	static const int errs[] = { EIO, EPERM, ECONNRESET, ECONNREFUSED,
				    EMSGSIZE, EPIPE, ENETUNREACH, EXFULL };
	size_t i;

	for (i = 0; i < COUNT_OF(errs); i++) {
		feed_one(l);
		fault_set(receiving_call(l), 1, 1, errs[i]);
		expect_frame_now(l);
		assert_true(fault_clear());
	}
}

static void an_error_for_ever_ends_the_queue(struct link *l)
{
	struct fdl_packet *pkt;

	feed_one(l);
	fault_set(receiving_call(l), 1, FOR_EVER, EXFULL);
	assert_int_equal(fdl_recv(l->q, &pkt, 1), -EXFULL);
	assert_true(fault_clear());
	assert_int_equal(fdl_recv(l->q, &pkt, 1), -EXFULL);
	assert_int_equal(fdl_poll(l->ep, -1), -EXFULL);
	assert_false(fd_readable(fdl_fd(l->ep), 0));
	assert_string_not_equal(fdl_last_error(l->ep), "");
	l->uncounted = true;
}

static void link_down_is_counted_and_passed_over(struct link *l)
{
	struct fdl_stats st;

	feed_one(l);
	fault_set(receiving_call(l), 1, 1, ENETDOWN);
	expect_frame_now(l);
	assert_true(fault_clear());
	link_stats(l, &st);
	assert_int_equal(st.rx_link_down, 1);
}

/* The kernel has thrown the packet away that it could not describe. */
static void einval_is_a_lost_packet(struct link *l)
{
	struct fdl_stats st;

	feed_one(l);
	fault_set(receiving_call(l), 1, 1, EINVAL);
	expect_frame_now(l);
	assert_true(fault_clear());
	l->rx_offered++;
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_malformed, 1);
}

static void and_so_in_the_middle_of_a_batch(struct link *l)
{
	struct fdl_packet *v[4];
	struct fdl_stats st;
	int i, n = 0;

	link_feed(l, 100, 1);
	link_feed(l, 100, 2);
	link_feed(l, 100, 3);
	fdl_queue_poll(l->q, WAIT_MS);
	fault_set(receiving_call(l), 2, 1, EINVAL);
	for (i = 0; i < 3; i++)
		n += fdl_recv(l->q, v + n, 4 - n);
	assert_int_equal(n, 3);
	fdl_release(v, 3);
	assert_true(fault_clear());
	l->rx_offered++;
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_malformed, 1);
}

enum { CROWD = 1000 };

/* A guest or a peer may send as many of them as it likes. */
static void no_number_of_lost_packets_ends_the_queue(struct link *l)
{
	struct fdl_packet *pkt;
	struct fdl_stats st;
	int i, n = 0;

	feed_one(l);
	fault_set(receiving_call(l), 1, CROWD, EINVAL);
	for (i = 0; i < CROWD && n == 0; i++) {
		assert_int_equal(fdl_queue_poll(l->q, 0), FDL_READABLE);
		n = fdl_recv(l->q, &pkt, 1);
	}
	assert_int_equal(n, 1);
	assert_true(fault_clear());
	expect_frame(l, pkt, 100, 1);
	fdl_release(&pkt, 1);
	l->rx_offered += CROWD;
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_malformed, CROWD);
}

/* As the fd says so but once, nothing would remind of it. */
static void a_loss_behind_a_packet_is_counted_at_once(struct link *l)
{
	struct fdl_packet *v[2];
	struct fdl_stats st;

	feed_one(l);
	fault_set(receiving_call(l), 2, 1, EINVAL);
	assert_int_equal(fdl_recv(l->q, v, 2), 1);
	assert_true(fault_clear());
	expect_frame(l, v[0], 100, 1);
	fdl_release(v, 1);
	l->rx_offered++;
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_malformed, 1);
	expect_quiet(l);
}

static void expect_end_by(struct link *l, int err, int result)
{
	struct fdl_packet *pkt;

	feed_one(l);
	fault_set(receiving_call(l), 1, 1, err);
	assert_int_equal(fdl_recv(l->q, &pkt, 1), result);
	assert_true(fault_clear());
	assert_int_equal(fdl_recv(l->q, &pkt, 1), result);
	assert_int_equal(fdl_queue_poll(l->q, -1), result);
	assert_int_equal(fdl_want_write(l->q, true), result);
	assert_false(fd_readable(fdl_queue_fd(l->q), 0));
	l->uncounted = true;
}

static void ebadfd_is_a_deleted_device(struct link *l)
{
	expect_end_by(l, EBADFD, -ENODEV);
}

static void enodev_ends_the_queue(struct link *l)
{
	expect_end_by(l, ENODEV, -ENODEV);
}

static void enxio_ends_the_queue(struct link *l)
{
	expect_end_by(l, ENXIO, -ENODEV);
}

static void enotconn_is_a_closed_peer(struct link *l)
{
	expect_end_by(l, ENOTCONN, -ESHUTDOWN);
}

static void ebadf_ends_the_queue(struct link *l)
{
	expect_end_by(l, EBADF, -EBADF);
}

static void efault_ends_the_queue(struct link *l)
{
	expect_end_by(l, EFAULT, -EFAULT);
}

static void enotsock_ends_the_queue(struct link *l)
{
	expect_end_by(l, ENOTSOCK, -ENOTSOCK);
}

/* The block of a ring that is open cannot be waited for then. */
static void a_deleted_device_ends_the_queue_without_a_timer(struct link *l)
{
	const bool waits = fdl_get_mode(l->ep) == FDL_MODE_PACKET_MMAP ||
			   fdl_get_mode(l->ep) == FDL_MODE_ADAPTIVE;

	fault_set(FAULT_TIMERFD_SET, 1, FOR_EVER, EINVAL);
	link_delete_device(l);
	assert_int_equal(expect_end(l), -ENODEV);
	assert_int_equal(fault_clear(), waits);
}

enum { SOME = 8 };

static void expect_frame_alone(struct link *l)
{
	struct fdl_packet *v[SOME];

	assert_int_equal(fdl_recv(l->q, v, SOME), 1);
	expect_frame(l, v[0], 100, 1);
	fdl_release(v, 1);
}

/* A second call, if there is one, finds nothing. */
static bool looks_for_more(struct link *l)
{
	struct fdl_packet *v[SOME];
	bool looked;

	feed_one(l);
	fault_set(receiving_call(l), 2, 1, EAGAIN);
	assert_int_equal(fdl_recv(l->q, v, SOME), 1);
	looked = fault_clear();
	expect_frame(l, v[0], 100, 1);
	fdl_release(v, 1);
	return looked;
}

/* The fifth in a row still looks for a second one; the next three do not. */
static void a_packet_alone_costs_one_call(struct link *l)
{
	int i;

	for (i = 0; i < 5; i++) {
		feed_one(l);
		expect_frame_alone(l);
		expect_quiet(l);
	}
	for (i = 0; i < 3; i++)
		assert_false(looks_for_more(l));
}

/* No more than a few come by ones when they do not any more. */
static void company_is_found_again(struct link *l)
{
	struct fdl_packet *v[SOME];
	int i, got, calls = 0;

	for (i = 0; i < 6; i++) {
		feed_one(l);
		expect_frame_alone(l);
	}
	for (i = 0; i < 2 * SOME; i++)
		link_feed(l, 100, (unsigned)i);
	for (i = 0; i < 2 * SOME; i += got, calls++) {
		assert_int_equal(fdl_queue_poll(l->q, WAIT_MS), FDL_READABLE);
		got = fdl_recv(l->q, v, SOME);
		assert_in_range(got, 1, SOME);
		expect_frame(l, v[0], 100, (unsigned)i);
		fdl_release(v, got);
	}
	assert_in_range(calls, 2, SOME);
	expect_quiet(l);
	assert_true(looks_for_more(l));
	assert_true(looks_for_more(l));
}

static const struct expectation table[] = {
	{ .name = "a lack of something is nothing now",
	  .not_in = RING,
	  .test = a_lack_of_something_is_nothing_now },
	{ .name = "a pending error is passed over",
	  .not_in = RING,
	  .test = a_pending_error_is_passed_over },
	{ .name = "an error for ever ends the queue",
	  .not_in = RING,
	  .test = an_error_for_ever_ends_the_queue },
	{ .name = "link down is counted and passed over",
	  .not_in = RING,
	  .test = link_down_is_counted_and_passed_over,
	  .needs = LINK_OUTGOING },
	{ .name = "EINVAL is a lost packet",
	  .not_in = RING,
	  .test = einval_is_a_lost_packet,
	  .needs = LINK_DEVICE },
	/* In one call or in several: the loss is counted all the same. */
	{ .name = "and so in the middle of a batch",
	  .not_in = RING,
	  .test = and_so_in_the_middle_of_a_batch,
	  .needs = LINK_DEVICE },
	{ .name = "no number of lost packets ends the queue",
	  .not_in = RING,
	  .test = no_number_of_lost_packets_ends_the_queue,
	  .needs = LINK_DEVICE },
	{ .name = "a loss behind a packet is counted at once",
	  .not_in = ~(1U << FDL_MODE_READV),
	  .test = a_loss_behind_a_packet_is_counted_at_once,
	  .needs = LINK_DEVICE },
	{ .name = "EBADFD is a deleted device",
	  .not_in = RING,
	  .test = ebadfd_is_a_deleted_device,
	  .needs = LINK_TUNTAP },
	{ .name = "ENODEV ends the queue",
	  .not_in = RING,
	  .test = enodev_ends_the_queue },
	{ .name = "ENXIO ends the queue",
	  .not_in = RING,
	  .test = enxio_ends_the_queue },
	{ .name = "ENOTCONN is a closed peer",
	  .not_in = RING,
	  .test = enotconn_is_a_closed_peer,
	  .needs = LINK_EOF },
	{ .name = "EBADF ends the queue",
	  .not_in = RING,
	  .test = ebadf_ends_the_queue },
	{ .name = "EFAULT ends the queue",
	  .not_in = RING,
	  .test = efault_ends_the_queue },
	{ .name = "a deleted device ends the queue without a timer",
	  .test = a_deleted_device_ends_the_queue_without_a_timer,
	  .needs = LINK_OUTGOING },
	{ .name = "ENOTSOCK ends the queue",
	  .not_in = RING,
	  .test = enotsock_ends_the_queue },
	{ .name = "a packet alone costs one call",
	  .not_in = ~(1U << FDL_MODE_READV),
	  .test = a_packet_alone_costs_one_call },
	{ .name = "company is found again",
	  .not_in = ~(1U << FDL_MODE_READV),
	  .test = company_is_found_again },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("errors of receiving", argv, table,
			    COUNT_OF(table));
}
