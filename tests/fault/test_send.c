/* SPDX-License-Identifier: Apache-2.0 */
/* What each errno of a sending system call means, row by row. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "contract.h"
#include "fault.h"

#define COUNTER(name)	offsetof(struct fdl_stats, name)

struct row {
	int err;
	int result;			/* of fdl_write */
	size_t counter;			/* the one that fdl_write counts */
};

static enum fault sending_call(const struct link *l)
{
	return l->kind->traits & LINK_TUNTAP ? FAULT_WRITEV : FAULT_SENDMSG;
}

/* How often the kernel has to say it before it is believed: a socket may tell
 * of what was before. */
static unsigned times(const struct link *l, int err)
{
	if (l->kind->traits & LINK_TUNTAP)
		return 1;
	if (l->kind->traits & LINK_LOSSY)
		return err == EINVAL || err == EPERM ? 1 : 2;
	/* It is connected to by its name again, and then refuses once more. */
	if (l->kind->traits & LINK_NAMED &&
	    (err == ECONNREFUSED || err == ENOTCONN || err == EDESTADDRREQ))
		return 2;
	if (err == ECONNRESET)
		return l->kind->traits & LINK_NO_EOF ? 2 : 1;
	return err == ENETDOWN || err == EXFULL ? 2 : 1;
}

static uint64_t counter(struct link *l, size_t offset)
{
	struct fdl_stats st;

	link_stats(l, &st);
	return fdl_stats_value(&st, (unsigned)(offset / sizeof(uint64_t)));
}

static void expect_write(struct link *l, const struct row *row)
{
	const uint64_t before = counter(l, row->counter);
	uint8_t frame[100];
	struct iovec iov = { frame, sizeof(frame) };

	frame_make(l, true, frame, sizeof(frame), 0);
	fault_set(sending_call(l), 1, times(l, row->err), row->err);
	assert_int_equal(fdl_write(l->q, &iov, 1, NULL), row->result);
	assert_true(fault_clear());
	l->tx_offered++;
	assert_int_equal(counter(l, row->counter), before + 1);
}

/* The second of three fails: lost and counted, the others go. */
static void expect_drop(struct link *l, const struct row *row)
{
	const uint64_t before = counter(l, row->counter);
	struct fdl_packet *v[3];
	unsigned i;

	expect_write(l, row);
	for (i = 0; i < 3; i++)
		v[i] = frame_packet(l, 100, i);
	fault_set(sending_call(l), 2, times(l, row->err), row->err);
	expect_sent(l, v, 3);
	assert_true(fault_clear());
	link_expect(l, 100, 0);
	link_expect(l, 100, 2);
	assert_int_equal(counter(l, row->counter), before + 2);
	assert_string_not_equal(fdl_last_error(l->ep), "");
}

/* It and what is behind it stay the caller's, who can send them later. */
static void expect_later(struct link *l, const struct row *row)
{
	const uint64_t before = counter(l, row->counter);
	struct fdl_packet *v[3];
	unsigned i;

	expect_write(l, row);
	for (i = 0; i < 3; i++)
		v[i] = frame_packet(l, 100, i);
	fault_set(sending_call(l), 2, 2, row->err);
	assert_int_equal(fdl_send(l->q, v, 3), 1);
	assert_int_equal(fdl_send(l->q, v + 1, 2), 0);
	assert_true(fault_clear());
	l->tx_offered++;
	expect_sent(l, v + 1, 2);
	for (i = 0; i < 3; i++)
		link_expect(l, 100, i);
	assert_int_equal(counter(l, row->counter), before + 1);
}

/* None can go any more; what went before is told first. */
static void expect_refusal(struct link *l, const struct row *row)
{
	struct fdl_packet *v[3];
	unsigned i;

	expect_write(l, row);
	for (i = 0; i < 3; i++)
		v[i] = frame_packet(l, 100, i);
	fault_set(sending_call(l), 2, 2, row->err);
	assert_int_equal(fdl_send(l->q, v, 3), 1);
	assert_int_equal(fdl_send(l->q, v + 1, 2), row->result);
	assert_true(fault_clear());
	l->tx_offered++;
	link_expect(l, 100, 0);
	fdl_release(v + 1, 2);
	assert_string_not_equal(fdl_last_error(l->ep), "");
}

static void no_room_is_for_the_caller_to_decide(struct link *l)
{
	static const struct row rows[] = {
		{ EAGAIN, -EAGAIN, COUNTER(tx_drop_no_room) },
		{ ENOBUFS, -ENOBUFS, COUNTER(tx_drop_no_room) },
		{ ENOMEM, -ENOBUFS, COUNTER(tx_drop_no_room) },
	};
	size_t i;

	for (i = 0; i < COUNT_OF(rows); i++)
		expect_later(l, &rows[i]);
}

static void a_refused_packet_is_counted(struct link *l)
{
	static const struct row rows[] = {
		{ EMSGSIZE, -EMSGSIZE, COUNTER(tx_drop_too_long) },
		{ EINVAL, -EINVAL, COUNTER(tx_drop_invalid) },
		{ EPERM, -EINVAL, COUNTER(tx_drop_invalid) },
		{ EXFULL, -EIO, COUNTER(tx_drop_other) },
	};
	size_t i;

	for (i = 0; i < COUNT_OF(rows); i++)
		expect_drop(l, &rows[i]);
}

static void eio_is_a_device_that_is_down(struct link *l)
{
	static const struct row row = { EIO, -ENETDOWN,
					COUNTER(tx_drop_link_down) };

	expect_drop(l, &row);
}

static void enetdown_is_a_device_that_is_down(struct link *l)
{
	static const struct row row = { ENETDOWN, -ENETDOWN,
					COUNTER(tx_drop_link_down) };

	expect_drop(l, &row);
}

static void a_missing_reader_is_counted(struct link *l)
{
	static const int errs[] = { ECONNREFUSED, ECONNRESET, ENOTCONN,
				    EDESTADDRREQ };
	size_t i;

	for (i = 0; i < COUNT_OF(errs); i++)
		expect_drop(l, &(struct row){ errs[i], -ECONNREFUSED,
					      COUNTER(tx_drop_no_peer) });
}

/* It is told once, and by then all is well. */
static void expect_no_loss(struct link *l, int err)
{
	struct fdl_packet *v[3];
	struct fdl_stats st;
	unsigned i;

	for (i = 0; i < 3; i++)
		v[i] = frame_packet(l, 100, i);
	fault_set(sending_call(l), 2, 1, err);
	expect_sent(l, v, 3);
	assert_true(fault_clear());
	for (i = 0; i < 3; i++)
		link_expect(l, 100, i);
	link_stats(l, &st);
	assert_int_equal(st.tx_packets, l->tx_offered);
}

/* An ICMP message about a datagram of before is told once, in the same
 * words. */
static void what_the_way_refuses_is_counted(struct link *l)
{
	static const struct row rows[] = {
		{ ECONNREFUSED, -ECONNREFUSED, COUNTER(tx_drop_no_peer) },
		{ EHOSTUNREACH, -ENETDOWN, COUNTER(tx_drop_link_down) },
		{ ENETUNREACH, -ENETDOWN, COUNTER(tx_drop_link_down) },
		{ ENETDOWN, -ENETDOWN, COUNTER(tx_drop_link_down) },
		{ EMSGSIZE, -EMSGSIZE, COUNTER(tx_drop_too_long) },
	};
	size_t i;

	for (i = 0; i < COUNT_OF(rows); i++)
		expect_no_loss(l, rows[i].err);
	for (i = 0; i < COUNT_OF(rows); i++)
		expect_drop(l, &rows[i]);
}

static void an_error_of_before_costs_nothing(struct link *l)
{
	expect_no_loss(l, EXFULL);
	expect_no_loss(l, EHOSTUNREACH);
	if (l->kind->traits & LINK_OUTGOING)
		expect_no_loss(l, ENETDOWN);
	if (l->kind->traits & LINK_NO_EOF)
		expect_no_loss(l, ECONNRESET);
}

static void a_closed_peer_takes_nothing(struct link *l)
{
	static const int errs[] = { EPIPE, ECONNRESET, ENOTCONN };
	size_t i;

	for (i = 0; i < COUNT_OF(errs); i++)
		expect_refusal(l, &(struct row){ errs[i], -ESHUTDOWN,
						 COUNTER(tx_drop_other) });
}

static void a_device_that_is_gone_takes_nothing(struct link *l)
{
	static const int errs[] = { ENODEV, ENXIO };
	size_t i;

	for (i = 0; i < COUNT_OF(errs); i++)
		expect_refusal(l, &(struct row){ errs[i], -ENODEV,
						 COUNTER(tx_drop_other) });
}

static void ebadfd_is_a_deleted_device(struct link *l)
{
	expect_refusal(
		l, &(struct row){ EBADFD, -ENODEV, COUNTER(tx_drop_other) });
}

static void a_broken_fd_takes_nothing(struct link *l)
{
	static const int errs[] = { EBADF, EFAULT, ENOTSOCK };
	size_t i;

	for (i = 0; i < COUNT_OF(errs); i++)
		expect_refusal(l, &(struct row){ errs[i], -errs[i],
						 COUNTER(tx_drop_other) });
}

static const struct expectation table[] = {
	{ .name = "no room is for the caller to decide",
	  .test = no_room_is_for_the_caller_to_decide },
	{ .name = "a refused packet is counted",
	  .test = a_refused_packet_is_counted },
	{ .name = "EIO is a device that is down",
	  .test = eio_is_a_device_that_is_down,
	  .needs = LINK_TUNTAP },
	{ .name = "ENETDOWN is a device that is down",
	  .test = enetdown_is_a_device_that_is_down,
	  .needs = LINK_OUTGOING },
	{ .name = "a missing reader is counted",
	  .test = a_missing_reader_is_counted,
	  .not_on = LINK_LOSSY,
	  .needs = LINK_NO_EOF },
	{ .name = "what the way to the peer refuses is counted",
	  .test = what_the_way_refuses_is_counted,
	  .needs = LINK_LOSSY },
	{ .name = "an error of before costs nothing",
	  .test = an_error_of_before_costs_nothing,
	  .not_on = LINK_TUNTAP },
	{ .name = "a closed peer takes nothing",
	  .test = a_closed_peer_takes_nothing,
	  .needs = LINK_EOF },
	{ .name = "a device that is gone takes nothing",
	  .test = a_device_that_is_gone_takes_nothing },
	{ .name = "EBADFD is a deleted device",
	  .test = ebadfd_is_a_deleted_device,
	  .needs = LINK_TUNTAP },
	{ .name = "a broken fd takes nothing",
	  .test = a_broken_fd_takes_nothing },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("errors of sending", argv, table, COUNT_OF(table));
}
