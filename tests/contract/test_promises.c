/* SPDX-License-Identifier: Apache-2.0 */
/* Figures and limits that the headers promise, counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract.h"
#include "usage.h"

enum { MOST_LEVELS = 8 };

/* As fdl_endpoint_new has them. */
static unsigned promised_fds(const struct link *l)
{
	const bool device = l->kind->traits & LINK_DEVICE;
	unsigned n = 2 + 5;

	if (device)
		n += 1 + 2;
	else if (l->kind->flags & FDL_VNET_HDR || l->kind->traits & LINK_LOSSY)
		n++;
	if (fdl_get_mode(l->ep) == FDL_MODE_ADAPTIVE)
		n += 3;
	return n;
}

static unsigned open_fds(void)
{
	return usage_entries("/proc/self/fd");
}

static void descriptors_are_as_many_as_promised(struct link *l)
{
	const unsigned with = open_fds();
	const unsigned promised = promised_fds(l);
	unsigned asked;

	assert_int_equal(fdl_want_write(l->q, true), 0);
	asked = open_fds();
	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	assert_int_equal(with - open_fds(), promised);
	assert_in_range(asked - open_fds(), 1, promised + 2);
}

/* How deep sets of the caller's may be around fd. */
static unsigned levels(int fd)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int set[MOST_LEVELS];
	unsigned n = 0, i;

	for (i = 0; i < MOST_LEVELS; i++) {
		set[i] = epoll_create1(EPOLL_CLOEXEC);
		assert_true(set[i] >= 0);
		if (epoll_ctl(set[i], EPOLL_CTL_ADD, fd, &ev))
			break;
		fd = set[i];
		n++;
	}
	for (i = 0; i <= n && i < MOST_LEVELS; i++)
		close(set[i]);
	return n;
}

static void epoll_sets_fit_around_the_pollable_fds(struct link *l)
{
	const unsigned less = fdl_get_mode(l->ep) == FDL_MODE_ADAPTIVE;

	assert_int_equal(levels(fdl_fd(l->ep)), 3 - less);
	assert_int_equal(levels(fdl_queue_fd(l->q)), 4 - less);
}

static void a_wake_that_meets_a_packet_is_used_up(struct link *l)
{
	link_feed(l, 100, 1);
	assert_int_equal(fdl_poll(l->ep, WAIT_MS), FDL_READABLE);
	fdl_wake(l->ep);
	assert_int_equal(fdl_poll(l->ep, -1), FDL_READABLE);
	expect_received(l, 100, 1);
	expect_quiet(l);
	assert_int_equal(fdl_poll(l->ep, 0), 0);
	link_feed(l, 100, 2);
	assert_int_equal(fdl_poll(l->ep, WAIT_MS), FDL_READABLE);
	assert_int_equal(fdl_queue_poll(l->q, -1), FDL_READABLE);
	expect_received(l, 100, 2);
}

static void bytes_are_those_from_the_link_header_on(struct link *l)
{
	struct fdl_packet *pkt = frame_packet(l, 200, 2);
	struct fdl_stats st;

	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
	expect_sent(l, &pkt, 1);
	link_expect(l, 200, 2);
	link_stats(l, &st);
	assert_int_equal(st.rx_bytes, 100);
	assert_int_equal(st.tx_bytes, 200);
}

/* The child ends when told; what it inherited is close-on-exec. */
static void a_child_keeps_the_link_open(struct link *l)
{
	char byte;
	int told[2];
	pid_t child;

	assert_int_equal(pipe(told), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(told[1]);
		close(l->peer);
		_exit(read(told[0], &byte, 1) != 0);
	}
	close(told[0]);
	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	close(l->fd);
	l->fd = -1;
	assert_false(fd_readable(l->peer, QUIET_MS));
	close(told[1]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_true(fd_readable(l->peer, WAIT_MS));
	assert_int_equal(read(l->peer, &byte, 1), 0);
}

static const struct expectation table[] = {
	{ .name = "descriptors are as many as promised",
	  .test = descriptors_are_as_many_as_promised },
	{ .name = "epoll sets fit around the pollable fds",
	  .test = epoll_sets_fit_around_the_pollable_fds },
	{ .name = "a wake that meets a packet is used up",
	  .test = a_wake_that_meets_a_packet_is_used_up },
	{ .name = "bytes are those from the link header on",
	  .test = bytes_are_those_from_the_link_header_on },
	{ .name = "a child keeps the link open",
	  .test = a_child_keeps_the_link_open,
	  .needs = LINK_EOF },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("promises", argv, table, COUNT_OF(table));
}
