/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets that wait for their peer, handed over as fds. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

#include "open_bed.h"

enum {
	WAIT_MS = 30000,
	LEN = 60,
	PREFIX = 4,
	MOST = 100,
	PORT = 5001,
};

union address {
	struct sockaddr any;
	struct sockaddr_un un;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* A socket of the caller's, and where it is. */
struct waiter {
	int fd;
	int family, type;
	union address at;
	socklen_t len;
	char locator[32];
};

static socklen_t any_address(union address *at, int family)
{
	memset(at, 0, sizeof(*at));
	at->any.sa_family = (sa_family_t)family;
	if (family == AF_UNIX)
		return offsetof(struct sockaddr_un, sun_path);
	if (family == AF_INET6) {
		at->v6.sin6_addr = (struct in6_addr)IN6ADDR_LOOPBACK_INIT;
		return sizeof(at->v6);
	}
	at->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(at->v4);
}

/* port: 0 for one of the kernel's choice. */
static int bind_any(int family, int type, unsigned port, union address *at,
		    socklen_t *len)
{
	int fd = socket(family, type | SOCK_CLOEXEC, 0);
	const int on = 1;

	/* A connection of before may be remembered. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	*len = any_address(at, family);
	if (family != AF_UNIX)	/* it is in the same place of both */
		at->v4.sin_port = htons((uint16_t)port);
	if (fd < 0 || bind(fd, &at->any, *len)) {
		print_message("skipped: no such socket: %s\n", strerror(errno));
		skip();
	}
	*len = sizeof(*at);
	assert_int_equal(getsockname(fd, &at->any, len), 0);
	return fd;
}

static void make_waiter_at(struct waiter *w, int family, int type,
			   unsigned port)
{
	w->family = family;
	w->type = type;
	w->fd = bind_any(family, type, port, &w->at, &w->len);
	if (type != SOCK_DGRAM)
		assert_int_equal(listen(w->fd, 4), 0);
	snprintf(w->locator, sizeof(w->locator), "fd:%d", w->fd);
}

static void make_waiter(struct waiter *w, int family, int type)
{
	make_waiter_at(w, family, type, PORT);
}

/* Somebody who can be answered. */
static int make_peer(const struct waiter *w)
{
	union address own;
	socklen_t len;
	int fd = bind_any(w->family, w->type, 0, &own, &len);

	assert_int_equal(connect(fd, &w->at.any, w->len), 0);
	return fd;
}

static struct fdl_endpoint *open_waiter(const struct waiter *w,
					const char *options)
{
	struct fdl_endpoint *ep = NULL;
	char locator[64];

	snprintf(locator, sizeof(locator), "%s%s", w->locator, options);
	assert_int_equal(open_it(&ep, locator, 0, FDL_ETHERNET), 0);
	assert_int_equal(said.lines, 0);
	return ep;
}

/* By the locator alone, and the second time by one that says what it is for. */
static struct fdl_endpoint *open_as(const struct waiter *w, const char *kind,
				    unsigned round)
{
	struct fdl_endpoint *ep = open_waiter(w, round ? ",listen" : "");
	struct fdl_info info;

	fdl_get_info(ep, &info, sizeof(info));
	assert_string_equal(info.kind_name, kind);
	return ep;
}

/* Returns the bytes of a message, which on a stream has its length before
 * it. */
static size_t make_message(const struct waiter *w, uint8_t *to, unsigned seq)
{
	const size_t at = w->type == SOCK_STREAM ? PREFIX : 0;

	memset(to, 0, at);
	if (at)
		to[PREFIX - 1] = LEN;
	memset(to + at, (int)seq, LEN);
	to[at] = to[at + 6] = 2;
	to[at + 12] = 0x88;
	to[at + 13] = 0xb5;
	return at + LEN;
}

static void feed(const struct waiter *w, int peer, unsigned seq)
{
	uint8_t message[MOST];
	const size_t len = make_message(w, message, seq);

	assert_int_equal(send(peer, message, len, MSG_NOSIGNAL), len);
}

static void expect_frame(const struct waiter *w, struct fdl_endpoint *ep,
			 unsigned seq)
{
	struct fdl_packet *pkt;
	uint8_t message[MOST];
	const size_t len = make_message(w, message, seq);
	int n = 0;

	while (!n) {
		assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
		n = fdl_recv(fdl_get_queue(ep, 0), &pkt, 1);
	}
	assert_int_equal(n, 1);
	assert_int_equal(pkt->len, LEN);
	assert_memory_equal(pkt->data, message + len - LEN, LEN);
	fdl_release(&pkt, 1);
}

static void expect_answer(const struct waiter *w, struct fdl_endpoint *ep,
			  int peer, unsigned seq)
{
	uint8_t message[MOST], got[MOST];
	const size_t len = make_message(w, message, seq);
	const struct iovec iov = { message + len - LEN, LEN };

	assert_int_equal(fdl_write(fdl_get_queue(ep, 0), &iov, 1, NULL), 0);
	assert_int_equal(recv(peer, got, sizeof(got), 0), len);
	assert_memory_equal(got, message, len);
}

static void talk(const struct waiter *w, struct fdl_endpoint *ep, int peer,
		 unsigned seq)
{
	feed(w, peer, seq);
	expect_frame(w, ep, seq);
	expect_answer(w, ep, peer, seq + 1);
}

static void expect_end(struct fdl_endpoint *ep)
{
	struct fdl_packet *pkt;
	int n = 0;

	while (!n) {
		assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
		n = fdl_recv(fdl_get_queue(ep, 0), &pkt, 1);
	}
	assert_int_equal(n, -ESHUTDOWN);
}

static const struct {
	int family, type;
	const char *kind;
} listeners[] = {
	{ AF_UNIX, SOCK_SEQPACKET, "seqpacket" },
	{ AF_UNIX, SOCK_STREAM, "stream" },
	{ AF_INET, SOCK_STREAM, "stream" },
}, hearers[] = {
	{ AF_UNIX, SOCK_DGRAM, "datagram" },
	{ AF_INET, SOCK_DGRAM, "udp" },
	{ AF_INET6, SOCK_DGRAM, "udp" },
};

/* One peer, and the end with that; the listener then serves another
 * endpoint. */
static void a_listener_accepts_its_peer(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_packet *pkt;
	struct waiter w;
	unsigned i, round;
	int peer;

	(void)state;
	for (i = 0; i < 3; i++) {
		make_waiter(&w, listeners[i].family, listeners[i].type);
		for (round = 0; round < 2; round++) {
			ep = open_as(&w, listeners[i].kind, round);
			assert_int_equal(
				fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 0);
			peer = make_peer(&w);
			talk(&w, ep, peer, 1);
			close(peer);
			expect_end(ep);
			fdl_endpoint_free(ep);
		}
		assert_false(fcntl(w.fd, F_GETFL) & O_NONBLOCK);
		close(w.fd);
	}
}

static void a_listener_may_serve_one_peer_after_another(void **state)
{
	struct fdl_endpoint *ep;
	struct waiter w;
	unsigned i, round;
	int peer;

	(void)state;
	for (i = 0; i < 3; i++) {
		make_waiter(&w, listeners[i].family, listeners[i].type);
		ep = open_waiter(&w, ",reconnect");
		for (round = 0; round < 3; round++) {
			peer = make_peer(&w);
			talk(&w, ep, peer, round * 10 + 1);
			close(peer);
		}
		fdl_endpoint_free(ep);
		close(w.fd);
	}
}

/* It is as before when the endpoint is gone: nobody's, and waiting. */
static void a_datagram_socket_meets_its_first_sender(void **state)
{
	struct fdl_endpoint *ep;
	struct waiter w;
	union address from;
	socklen_t len;
	unsigned i, round;
	int peer;

	(void)state;
	for (i = 0; i < 3; i++) {
		make_waiter(&w, hearers[i].family, hearers[i].type);
		for (round = 0; round < 2; round++) {
			ep = open_as(&w, hearers[i].kind, round);
			peer = make_peer(&w);
			talk(&w, ep, peer, 1);
			talk(&w, ep, peer, 3);
			fdl_endpoint_free(ep);
			close(peer);
			len = sizeof(from);
			assert_int_equal(getpeername(w.fd, &from.any, &len),
					 -1);
			assert_int_equal(errno, ENOTCONN);
		}
		close(w.fd);
	}
}

/* A port of the kernel's choice stays, whether or not there was a peer. */
static void a_datagram_socket_keeps_its_address(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_info info;
	struct waiter w;
	union address now;
	socklen_t len;
	unsigned i;
	int peer;

	(void)state;
	for (i = 0; i < 3; i++) {
		make_waiter_at(&w, hearers[i].family, hearers[i].type, 0);
		expect_probe(w.locator, &info);
		ep = open_waiter(&w, "");
		peer = make_peer(&w);
		talk(&w, ep, peer, 1);
		fdl_endpoint_free(ep);
		close(peer);
		len = sizeof(now);
		assert_int_equal(getsockname(w.fd, &now.any, &len), 0);
		assert_int_equal(len, w.len);
		assert_memory_equal(&now, &w.at, len);
		close(w.fd);
	}
}

static void a_datagram_peer_may_come_under_another_name(void **state)
{
	struct fdl_endpoint *ep;
	struct waiter w;
	uint8_t frame[LEN] = { 2 };
	const struct iovec iov = { frame, LEN };
	struct fdl_packet *pkt;
	int peer;

	(void)state;
	make_waiter(&w, AF_UNIX, SOCK_DGRAM);
	ep = open_waiter(&w, "");
	peer = make_peer(&w);
	talk(&w, ep, peer, 1);
	close(peer);
	/* Only what is sent shows that it is gone. */
	fdl_write(fdl_get_queue(ep, 0), &iov, 1, NULL);
	assert_int_equal(fdl_recv(fdl_get_queue(ep, 0), &pkt, 1), 0);
	peer = make_peer(&w);
	talk(&w, ep, peer, 5);
	close(peer);
	fdl_endpoint_free(ep);
	close(w.fd);
}

/* Nobody can send to it any more, whether or not it had a peer. */
static void a_shutdown_ends_a_datagram_socket(void **state)
{
	struct fdl_endpoint *ep;
	struct waiter w;
	unsigned i, met;
	int peer;

	(void)state;
	for (i = 0; i < 6; i++) {
		met = i / 3;
		make_waiter(&w, hearers[i % 3].family, hearers[i % 3].type);
		ep = open_waiter(&w, "");
		peer = make_peer(&w);
		if (met)
			talk(&w, ep, peer, 1);
		/* It fails where there is no peer, and shuts down all the
		 * same. */
		shutdown(w.fd, SHUT_RDWR);
		expect_end(ep);
		assert_int_equal(fdl_poll(ep, 0), -ESHUTDOWN);
		fdl_endpoint_free(ep);
		close(peer);
		close(w.fd);
	}
}

/* Who is there stays there. */
static void expect_look(const struct waiter *w, const char *kind)
{
	struct pollfd pfd = { .fd = w->fd, .events = POLLIN };
	struct fdl_info info;

	expect_probe(w->locator, &info);
	assert_string_equal(info.kind_name, kind);
	assert_int_equal(poll(&pfd, 1, 0), 1);
}

static void a_look_meets_nobody(void **state)
{
	struct waiter w;
	unsigned i;
	int peer;

	(void)state;
	for (i = 0; i < 2; i++) {
		make_waiter(&w, listeners[i].family, listeners[i].type);
		peer = make_peer(&w);
		expect_look(&w, listeners[i].kind);
		close(peer);
		close(w.fd);
	}
	make_waiter(&w, AF_UNIX, SOCK_DGRAM);
	peer = make_peer(&w);
	feed(&w, peer, 1);
	expect_look(&w, "datagram");
	close(peer);
	close(w.fd);
}

static void who_has_a_peer_waits_for_none(void **state)
{
	char locator[64];
	int sv[2], fd;

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv), 0);
	snprintf(locator, sizeof(locator), "fd:%d,listen", sv[0]);
	expect_refused(locator, -EINVAL, "leave out listen");
	snprintf(locator, sizeof(locator), "fd:%d,reconnect", sv[0]);
	expect_refused(locator, -EINVAL, "leave out reconnect");
	close(sv[0]);
	close(sv[1]);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	snprintf(locator, sizeof(locator), "fd:%d,listen", fd);
	expect_refused(locator, -ENOTCONN, "bind(2)");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_listener_accepts_its_peer),
		cmocka_unit_test(a_listener_may_serve_one_peer_after_another),
		cmocka_unit_test(a_datagram_socket_meets_its_first_sender),
		cmocka_unit_test(a_datagram_socket_keeps_its_address),
		cmocka_unit_test(a_datagram_peer_may_come_under_another_name),
		cmocka_unit_test(a_shutdown_ends_a_datagram_socket),
		cmocka_unit_test(a_look_meets_nobody),
		cmocka_unit_test(who_has_a_peer_waits_for_none),
	};

	return run_over_loopback(tests, sizeof(tests) / sizeof(tests[0]));
}
