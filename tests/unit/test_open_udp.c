/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints over UDP, by address or as an fd that was passed. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>

#include "open_bed.h"

enum {
	WAIT_MS = 30000,
	LONGEST = 65507,	/* of a datagram over IPv4 */
};

struct peer {
	int fd;
	unsigned port;
	char host[24];		/* as in a locator */
};

static struct peer make_peer(int family)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const bool six = family == AF_INET6;
	struct sockaddr *name = six ? (void *)&v6 : (void *)&v4;
	socklen_t len = six ? sizeof(v6) : sizeof(v4);
	struct peer peer = { .fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC,
					  0) };

	strcpy(peer.host, six ? "[::1]" : "127.0.0.1");
	if (peer.fd < 0 || bind(peer.fd, name, len)) {
		print_message("skipped: no %s here: %s\n",
			      six ? "IPv6" : "IPv4", strerror(errno));
		skip();
	}
	assert_int_equal(getsockname(peer.fd, name, &len), 0);
	peer.port = ntohs(six ? v6.sin6_port : v4.sin_port);
	return peer;
}

static struct fdl_endpoint *open_to(const struct peer *peer, const char *more)
{
	struct fdl_endpoint *ep = NULL;
	char locator[128];

	snprintf(locator, sizeof(locator), "udp:%s:%u%s", peer->host,
		 peer->port, more);
	assert_int_equal(open_it(&ep, locator, 0, 0), 0);
	assert_int_equal(said.lines, 0);
	return ep;
}

/* Returns the length of what the peer got, and answers it. */
static ssize_t echo(const struct peer *peer)
{
	static uint8_t bytes[1 << 16];
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	struct pollfd p = { .fd = peer->fd, .events = POLLIN };
	ssize_t n;

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	n = recvfrom(peer->fd, bytes, sizeof(bytes), 0,
		     (struct sockaddr *)&from, &len);
	assert_int_equal(sendto(peer->fd, bytes, (size_t)n, 0,
				(struct sockaddr *)&from, len),
			 n);
	return n;
}

static void expect_round_trip(struct fdl_endpoint *ep, const struct peer *peer,
			      size_t len)
{
	static uint8_t bytes[LONGEST] = { 0x45 };
	struct fdl_queue *q = fdl_get_queue(ep, 0);
	struct fdl_packet *pkt = NULL;
	struct iovec iov = { bytes, len };

	assert_int_equal(fdl_write(q, &iov, 1, NULL), 0);
	assert_int_equal(echo(peer), len);
	while (fdl_recv(q, &pkt, 1) != 1)
		assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
	assert_int_equal(pkt->len, len);
	assert_memory_equal(pkt->data, bytes, len);
	fdl_release(&pkt, 1);
}

static void carries_packets(int family)
{
	struct peer peer = make_peer(family);
	struct fdl_endpoint *ep = open_to(&peer, "");
	struct fdl_info info;

	assert_int_equal(fdl_get_info(ep, &info, sizeof(info)), 0);
	assert_string_equal(info.kind_name, "udp");
	assert_int_equal(info.kind, FDL_KIND_DGRAM);
	assert_int_equal(info.medium, FDL_MEDIUM_AGREED);
	assert_int_equal(fdl_get_mode(ep), FDL_MODE_RECVMMSG);
	assert_int_equal(fdl_mtu(ep), 1500);
	expect_round_trip(ep, &peer, 20);
	expect_round_trip(ep, &peer, LONGEST);
	fdl_endpoint_free(ep);
	close(peer.fd);
}

static void over_ipv4(void **state)
{
	(void)state;
	carries_packets(AF_INET);
}

static void over_ipv6(void **state)
{
	(void)state;
	carries_packets(AF_INET6);
}

/* Each knows the other's address: who is not the peer is not heard. */
static void from_an_address_of_its_own(void **state)
{
	struct peer peer = make_peer(AF_INET), other = make_peer(AF_INET);
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct fdl_packet *pkt = NULL;
	struct fdl_endpoint *ep;
	struct peer spare = make_peer(AF_INET);
	char local[40];

	(void)state;
	close(spare.fd);
	name.sin_port = htons((uint16_t)spare.port);
	snprintf(local, sizeof(local), ",local=127.0.0.1:%u", spare.port);
	ep = open_to(&peer, local);
	sendto(other.fd, "F", 1, 0, (struct sockaddr *)&name, sizeof(name));
	sendto(peer.fd, "E", 1, 0, (struct sockaddr *)&name, sizeof(name));
	while (fdl_recv(fdl_get_queue(ep, 0), &pkt, 1) != 1)
		assert_int_equal(fdl_poll(ep, WAIT_MS), FDL_READABLE);
	assert_int_equal(*pkt->data, 'E');
	fdl_release(&pkt, 1);
	fdl_endpoint_free(ep);
	close(peer.fd);
	close(other.fd);
}

/* Its host says that nobody listens: the link waits for who will. */
static void the_peer_may_come_back(void **state)
{
	struct peer peer = make_peer(AF_INET);
	struct fdl_endpoint *ep = open_to(&peer, "");
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				    .sin_port = htons((uint16_t)peer.port) };
	struct fdl_queue *q = fdl_get_queue(ep, 0);
	uint8_t byte = 0x45;
	struct iovec iov = { &byte, 1 };
	struct fdl_packet *pkt;
	struct fdl_stats st;
	int i;

	(void)state;
	close(peer.fd);
	for (i = 0; i < 100; i++) {
		assert_int_equal(fdl_write(q, &iov, 1, NULL), 0);
		if (i % 3 == 0)
			assert_int_equal(fdl_recv(q, &pkt, 1), 0);
	}
	peer.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(peer.fd, (struct sockaddr *)&name, sizeof(name)),
			 0);
	expect_round_trip(ep, &peer, 100);
	fdl_get_stats(ep, &st, sizeof(st));
	assert_int_equal(st.tx_packets, 101);
	assert_int_equal(st.rx_packets, 1);
	fdl_endpoint_free(ep);
	close(peer.fd);
}

static void too_long_is_counted(void **state)
{
	static uint8_t bytes[LONGEST + 1] = { 0x45 };
	struct peer peer = make_peer(AF_INET);
	struct fdl_endpoint *ep = open_to(&peer, "");
	struct iovec iov = { bytes, sizeof(bytes) };
	struct fdl_stats st;

	(void)state;
	assert_int_equal(fdl_write(fdl_get_queue(ep, 0), &iov, 1, NULL),
			 -EMSGSIZE);
	expect_round_trip(ep, &peer, 100);
	fdl_get_stats(ep, &st, sizeof(st));
	assert_int_equal(st.tx_drop_too_long, 1);
	assert_int_equal(st.tx_packets, 1);
	fdl_endpoint_free(ep);
	close(peer.fd);
}

/* What the kernel had no room for, after the endpoint was made. */
static void the_kernels_drops_are_counted(void **state)
{
	const int room = 1, n = 400;
	uint8_t bytes[1000] = { 0x45 };
	struct fdl_options opts = { .pool = 4 };
	struct peer peer = make_peer(AF_INET), ours = make_peer(AF_INET);
	struct sockaddr_in name = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct fdl_endpoint *ep;
	struct fdl_packet *pkt;
	struct fdl_stats st;
	int i;

	(void)state;
	setsockopt(ours.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	name.sin_port = htons((uint16_t)peer.port);
	assert_int_equal(
		connect(ours.fd, (struct sockaddr *)&name, sizeof(name)), 0);
	name.sin_port = htons((uint16_t)ours.port);
	for (i = 0; i < n; i++)
		sendto(peer.fd, bytes, sizeof(bytes), 0,
		       (struct sockaddr *)&name, sizeof(name));
	while (recv(ours.fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(fdl_endpoint_new(&ep, &ours.fd, 1, &opts), 0);
	*bytes = 0x45;
	for (i = 0; i < n; i++)
		sendto(peer.fd, bytes, sizeof(bytes), 0,
		       (struct sockaddr *)&name, sizeof(name));
	while (fdl_recv(fdl_get_queue(ep, 0), &pkt, 1) == 1)
		fdl_release(&pkt, 1);
	for (i = 0; i < 2; i++) {
		fdl_get_stats(ep, &st, sizeof(st));
		assert_true(st.rx_drop_kernel > 0);
		assert_int_equal(st.rx_packets + st.rx_drop_kernel, n);
	}
	fdl_endpoint_free(ep);
	close(ours.fd);
	close(peer.fd);
}

static void locators_are_checked(void **state)
{
	static const struct {
		const char *locator, *words;
	} bad[] = {
		{ "udp:127.0.0.1", "is no address and port" },
		{ "udp:127.0.0.1:", "is no address and port" },
		{ "udp:127.0.0.1:0", "is no address and port" },
		{ "udp:127.0.0.1:65536", "is no address and port" },
		{ "udp:127.0.0.1:5000x", "is no address and port" },
		{ "stream:239.1.1.1:5000", "is a multicast group" },
		{ "stream:[ff05::1]:5000,listen", "is a multicast group" },
		{ "udp:localhost:5000", "names are not looked up" },
		{ "udp:::1:5000", "[2001:db8::1]:5000" },
		{ "udp:[::1]5000", "[2001:db8::1]:5000" },
		{ "udp:[::1:5000", "[2001:db8::1]:5000" },
		{ "udp:[127.0.0.1]:5000", "[2001:db8::1]:5000" },
		{ "udp:127.0.0.1:5000,local=127.0.0.1", "is no address" },
		{ "udp:127.0.0.1:5000,local=[::1]:5000", "other IP version" },
	};
	struct fdl_info info;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		expect_refused(bad[i].locator, -EINVAL, bad[i].words);
		expect_no_probe(bad[i].locator, -EINVAL, bad[i].words);
	}
	expect_refused("udp:127.0.0.1:5000,local=192.0.2.7:5000",
		       -EADDRNOTAVAIL, "an address of this machine");
	expect_probe("udp:[2001:db8::1]:5000,local=[::]:65535", &info);
	assert_string_equal(info.kind_name, "udp");
	assert_false(info.device || info.ethernet);
}

/* Nobody answers from there. reconnect: with a route to it or without. */
static void a_group_is_one_way(void **state)
{
	static const char *const groups[] = {
		"udp:239.1.1.1:5000,reconnect",
		"udp:[ff05::1]:5000,reconnect",
	};
	struct fdl_endpoint *ep;

	(void)state;
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		assert_int_equal(open_it(&ep, groups[i], 0, 0), 0);
		assert_int_equal(said.lines, 1);
		assert_non_null(strstr(said.text, "none come from it"));
		fdl_endpoint_free(ep);
	}
}

static void a_port_that_is_taken_is_said(void **state)
{
	struct peer peer = make_peer(AF_INET);
	char locator[80];

	(void)state;
	snprintf(locator, sizeof(locator),
		 "udp:127.0.0.1:5000,local=127.0.0.1:%u", peer.port);
	expect_refused(locator, -EADDRINUSE, "choose another port");
	close(peer.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_ipv4),
		cmocka_unit_test(over_ipv6),
		cmocka_unit_test(from_an_address_of_its_own),
		cmocka_unit_test(the_peer_may_come_back),
		cmocka_unit_test(too_long_is_counted),
		cmocka_unit_test(the_kernels_drops_are_counted),
		cmocka_unit_test(locators_are_checked),
		cmocka_unit_test(a_group_is_one_way),
		cmocka_unit_test(a_port_that_is_taken_is_said),
	};

	return cmocka_run_group_tests_name("open_udp", tests, NULL, NULL);
}
