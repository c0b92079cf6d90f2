/* SPDX-License-Identifier: Apache-2.0 */
/* Several holders of one open file: endpoints, and others who change it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract.h"

/* What an endpoint may change on a caller's fd. */
struct settings {
	int flags, vnet_hdr, auxdata;
};

static int option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	getsockopt(fd, SOL_PACKET, name, &value, &len);
	return value;
}

static struct settings settings_of(int fd)
{
	return (struct settings){
		.flags = fcntl(fd, F_GETFL),
		.vnet_hdr = option(fd, PACKET_VNET_HDR),
		.auxdata = option(fd, PACKET_AUXDATA),
	};
}

static void expect_settings(int fd, const struct settings *want)
{
	const struct settings now = settings_of(fd);

	assert_int_equal(now.flags, want->flags);
	assert_int_equal(now.vnet_hdr, want->vnet_hdr);
	assert_int_equal(now.auxdata, want->auxdata);
}

static void set_blocking(int fd)
{
	const int flags = fcntl(fd, F_GETFL);

	assert_int_equal(fcntl(fd, F_SETFL, flags & ~O_NONBLOCK), 0);
}

/* In a child, for it may hang: a call that finds nothing comes back. */
static void expect_no_block(struct link *l)
{
	struct fdl_packet *v[4];
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		alarm(5);
		_exit(fdl_recv(l->q, v, 4) == 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void expect_works(struct link *l, unsigned from)
{
	struct fdl_packet *pkt;
	unsigned seq;

	for (seq = from; seq < from + 3; seq++) {
		link_feed(l, frame_len(seq), seq);
		expect_received(l, frame_len(seq), seq);
	}
	expect_no_block(l);
	pkt = frame_packet(l, 100, from);
	expect_sent(l, &pkt, 1);
	link_expect(l, 100, from);
}

/* The link's endpoint, and another one over the same fd. */
static struct fdl_endpoint *add_holder(struct link *l)
{
	struct fdl_endpoint *first = l->ep;

	assert_int_equal(link_endpoint(l, fdl_get_mode(first), NULL), 0);
	return first;
}

static void freed_in_order(struct link *l, bool first_goes_first)
{
	struct fdl_endpoint *other;
	struct settings before;
	int i;

	fdl_endpoint_free(l->ep);
	if (!(l->kind->traits & LINK_UNIX))
		set_blocking(l->fd);
	before = settings_of(l->fd);
	for (i = 0; i < 2; i++) {
		assert_int_equal(link_endpoint(l, FDL_MODE_AUTO, NULL), 0);
		other = add_holder(l);
		if (!first_goes_first) {
			fdl_endpoint_free(l->ep);
			l->ep = other;
			l->q = fdl_get_queue(other, 0);
		} else {
			fdl_endpoint_free(other);
		}
		l->rx_offered = 0;
		l->tx_offered = 0;
		expect_works(l, 1);
		if (i == 0) {
			fdl_endpoint_free(l->ep);
			l->ep = NULL;
			expect_settings(l->fd, &before);
		}
	}
}

static void the_first_of_two_is_freed(struct link *l)
{
	freed_in_order(l, true);
}

static void the_second_of_two_is_freed(struct link *l)
{
	freed_in_order(l, false);
}

/* What the caller had on stays on. */
static void the_callers_settings_stay(struct link *l)
{
	const int on = 1;
	struct settings before;
	struct fdl_endpoint *other;

	fdl_endpoint_free(l->ep);
	setsockopt(l->fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on));
	before = settings_of(l->fd);
	assert_int_equal(before.auxdata, 1);
	assert_int_equal(link_endpoint(l, FDL_MODE_AUTO, NULL), 0);
	other = add_holder(l);
	fdl_endpoint_free(other);
	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	expect_settings(l->fd, &before);
}

static void another_holder_clears_nonblock(struct link *l)
{
	set_blocking(l->fd);
	expect_works(l, 1);
	assert_int_equal(fdl_queue_poll(l->q, 0), 0);
}

static const struct expectation table[] = {
	{ .name = "the first of two endpoints is freed",
	  .test = the_first_of_two_is_freed,
	  .not_on = LINK_OPENED | LINK_NAMED,
	  .not_in = 1U << FDL_MODE_PACKET_MMAP },
	{ .name = "the second of two endpoints is freed",
	  .test = the_second_of_two_is_freed,
	  .not_on = LINK_OPENED | LINK_NAMED,
	  .not_in = 1U << FDL_MODE_PACKET_MMAP },
	{ .name = "the caller's settings stay",
	  .test = the_callers_settings_stay,
	  .needs = LINK_OUTGOING,
	  .not_on = LINK_OPENED | LINK_NAMED,
	  .not_in = 1U << FDL_MODE_PACKET_MMAP },
	{ .name = "another holder clears O_NONBLOCK",
	  .test = another_holder_clears_nonblock,
	  .not_on = LINK_OPENED | LINK_NAMED },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("holders", argv, table, COUNT_OF(table));
}
