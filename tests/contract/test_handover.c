/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two endpoints over one AF_PACKET socket, of which one is freed while the
 * other is made: at the worst moment, right when the former has found itself
 * the last. Both leave the socket as they found it.
 */
#include <linux/if_packet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "contract.h"

enum { TURNS = 100 };

int __real_os_has_lock(int fd, off_t from, off_t len);
int __wrap_os_has_lock(int fd, off_t from, off_t len);

static struct link *_Atomic comes;	/* as soon as somebody is the last */

int __wrap_os_has_lock(int fd, off_t from, off_t len)
{
	const int has = __real_os_has_lock(fd, from, len);
	struct link *l = atomic_exchange(&comes, NULL);

	if (l)
		assert_int_equal(link_endpoint(l, FDL_MODE_RECVMMSG, NULL), 0);
	return has;
}

static int option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	assert_int_equal(getsockopt(fd, SOL_PACKET, name, &value, &len), 0);
	return value;
}

static void expect_off(int fd)
{
	assert_int_equal(option(fd, PACKET_VNET_HDR), 0);
	assert_int_equal(option(fd, PACKET_AUXDATA), 0);
}

static void whoever_comes_meanwhile_works(struct link *l)
{
	struct fdl_endpoint *first = l->ep;

	comes = l;
	fdl_endpoint_free(first);
	assert_null(comes);
	assert_int_equal(option(l->fd, PACKET_VNET_HDR), 1);
	assert_int_equal(option(l->fd, PACKET_AUXDATA), 1);
	link_feed(l, 100, 1);
	expect_received(l, 100, 1);
	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	expect_off(l->fd);
}

static void *come_and_go(void *arg)
{
	const int *fd = arg;
	struct fdl_endpoint *ep;
	int i;

	for (i = 0; i < TURNS; i++)
		if (fdl_endpoint_new(&ep, fd, 1, NULL) || fdl_endpoint_free(ep))
			return arg;
	return NULL;
}

static void many_come_and_go_at_once(struct link *l)
{
	pthread_t threads[4];
	void *failed;
	size_t i;

	fdl_endpoint_free(l->ep);
	l->ep = NULL;
	for (i = 0; i < COUNT_OF(threads); i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, come_and_go, &l->fd),
			0);
	for (i = 0; i < COUNT_OF(threads); i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	expect_off(l->fd);
}

static const struct expectation table[] = {
	{ .name = "whoever comes meanwhile works",
	  .test = whoever_comes_meanwhile_works,
	  .needs = LINK_OUTGOING,
	  .not_on = LINK_OPENED,
	  .not_in = 1U << FDL_MODE_PACKET_MMAP },
	{ .name = "many come and go at once",
	  .test = many_come_and_go_at_once,
	  .needs = LINK_OUTGOING,
	  .not_on = LINK_OPENED,
	  .not_in = 1U << FDL_MODE_PACKET_MMAP },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("handover", argv, table, COUNT_OF(table));
}
