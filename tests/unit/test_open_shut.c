/* SPDX-License-Identifier: Apache-2.0 */
/* A listening socket that was handed over is shut down by another holder. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include "open_bed.h"

enum {
	WAIT_MS = 30000,
	QUIET_MS = 30,
};

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in v4;
};

static const struct {
	int family, type;
} listeners[] = {
	{ AF_UNIX, SOCK_SEQPACKET },
	{ AF_UNIX, SOCK_STREAM },
	{ AF_INET, SOCK_STREAM },
};

struct bed {
	int fd, family, type;
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	union address at;
	socklen_t len;
};

static void begin(struct bed *b, unsigned i)
{
	*b = (struct bed){ .family = listeners[i].family,
			   .type = listeners[i].type,
			   .len = sizeof(b->at) };
	b->at.any.sa_family = (sa_family_t)b->family;
	if (b->family == AF_INET)
		b->at.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	b->fd = socket(b->family, b->type | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(b->fd, &b->at.any,
			      b->family == AF_INET ? sizeof(b->at.v4) :
						     sizeof(sa_family_t)),
			 0);
	assert_int_equal(listen(b->fd, 4), 0);
	assert_int_equal(getsockname(b->fd, &b->at.any, &b->len), 0);
}

static void open_bed(struct bed *b, const char *options)
{
	char locator[32];

	snprintf(locator, sizeof(locator), "fd:%d%s", b->fd, options);
	assert_int_equal(open_it(&b->ep, locator, 0, FDL_ETHERNET), 0);
	b->q = fdl_get_queue(b->ep, 0);
}

static void close_bed(struct bed *b)
{
	fdl_endpoint_free(b->ep);
	close(b->fd);
}

static void look(struct bed *b)
{
	struct fdl_packet *pkt;

	fdl_poll(b->ep, QUIET_MS);
	assert_int_equal(fdl_recv(b->q, &pkt, 1), 0);
}

static bool has_carrier(struct bed *b)
{
	struct fdl_link link;

	assert_int_equal(fdl_link_state(b->ep, &link, sizeof(link)), 0);
	return link.carrier;
}

static int meet(struct bed *b)
{
	int peer = socket(b->family, b->type | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(peer, &b->at.any, b->len), 0);
	while (!has_carrier(b))
		look(b);
	return peer;
}

/* With a reason, and nothing calls for anybody any more. */
static void expect_end(struct bed *b)
{
	struct pollfd set = { .fd = fdl_queue_fd(b->q), .events = POLLIN };
	struct fdl_packet *pkt;
	int n = 0;

	while (!n) {
		assert_int_not_equal(fdl_poll(b->ep, WAIT_MS), 0);
		n = fdl_recv(b->q, &pkt, 1);
	}
	assert_int_equal(n, -ESHUTDOWN);
	assert_int_equal(fdl_poll(b->ep, 0), -ESHUTDOWN);
	assert_int_equal(poll(&set, 1, QUIET_MS), 0);
}

static void shut(const struct bed *b)
{
	assert_int_equal(shutdown(b->fd, SHUT_RDWR), 0);
}

static void whoever_waits_for_a_peer_ends(void **state)
{
	struct bed b;
	unsigned i;

	(void)state;
	for (i = 0; i < 6; i++) {
		begin(&b, i / 2);
		open_bed(&b, i % 2 ? ",reconnect" : "");
		look(&b);
		shut(&b);
		expect_end(&b);
		close_bed(&b);
	}
}

/* Before there is an endpoint. */
static void whoever_gets_it_so_ends(void **state)
{
	struct bed b;
	unsigned i;

	(void)state;
	for (i = 0; i < 2; i++) {	/* TCP no longer listens then */
		begin(&b, i);
		shut(&b);
		open_bed(&b, "");
		expect_end(&b);
		close_bed(&b);
	}
}

/* Until the peer goes. */
static void a_peer_that_is_there_stays(void **state)
{
	struct bed b;
	unsigned i;
	int peer;

	(void)state;
	for (i = 0; i < 6; i++) {
		begin(&b, i / 2);
		open_bed(&b, i % 2 ? ",reconnect" : "");
		peer = meet(&b);
		shut(&b);
		look(&b);
		assert_true(has_carrier(&b));
		close(peer);
		expect_end(&b);
		close_bed(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whoever_waits_for_a_peer_ends),
		cmocka_unit_test(whoever_gets_it_so_ends),
		cmocka_unit_test(a_peer_that_is_there_stays),
	};

	return run_over_loopback(tests, sizeof(tests) / sizeof(tests[0]));
}
