/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BIG TCP on AF_PACKET, in every mode: super-packets of more than 64 KiB, after
 * any number of short ones.
 *
 *	socket -> fdb0 -> fdb1 -> AF_PACKET -> endpoint
 */
#include <linux/if_packet.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fdlink/open.h>

#include "../unit/big.h"
#include "message.h"
#include "netns.h"

#define FROM "fdb0"
#define TO "fdb1"

enum {
	LINK_LEN = 14,
	PAYLOAD = 200000,
	GSO_SIZE = 1000,
	GSO_MAX = 250000,
	SHORT_ONES = 10000,
	BATCH = 50,		/* of those, that the socket has room for */
	SHORT_LEN = 60,
	SLOTS = 256,
	PAGE = 4096,
	MAX_LEN = PAYLOAD + 200,
};

static const enum fdl_mode modes[] = {
	FDL_MODE_READV,
	FDL_MODE_RECVMMSG,
	FDL_MODE_PACKET_MMAP,
	FDL_MODE_ADAPTIVE,
};

/* What the stack takes. */
static const struct stack {
	uint32_t flags, gso_max_size;
	uint32_t longest;	/* that it gets */
} stacks[] = {
	{ 0, 0, LINK_LEN + 1500 },
	{ FDL_RX_CSUM, 0, LINK_LEN + 1500 },
	{ RX_ALL, 0, LINK_LEN + 65535 },
	{ RX_ALL, 65535, LINK_LEN + 65535 },
	{ RX_ALL, PAYLOAD, LINK_LEN + 65535 },
	{ RX_ALL, GSO_MAX, MAX_LEN },
	{ RX_ALL | FDL_GRO, GSO_MAX, MAX_LEN },
	/* It would send such ones, and takes none. */
	{ FDL_RX_CSUM, GSO_MAX, LINK_LEN + 1500 },
};

static struct {
	struct virtio_net_hdr hdr;
	uint8_t frame[MAX_LEN];
} big;

static uint8_t got[PAYLOAD];

static size_t make_big(int version, bool jumbo)
{
	const struct shape s = { .link_len = LINK_LEN,
				 .version = version,
				 .proto = 6,
				 .payload = PAYLOAD,
				 .ttl = 64,
				 .flags = 0x18,
				 .seq = 5,
				 .partial = true };
	const size_t len = big_build(big.frame, &s, jumbo);

	describe_message(&big.hdr, &s, GSO_SIZE);
	big.hdr.hdr_len = (uint16_t)shape_hdr_len(&s);
	if (jumbo) {
		big.hdr.csum_start += BIG_JUMBO_LEN;
		big.hdr.hdr_len += BIG_JUMBO_LEN;
	}
	return len;
}

static int make_socket(const char *dev, int vnet_hdr)
{
	const int room = 16 << 20;
	int fd = link_packet_socket(dev);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &vnet_hdr,
				    sizeof(vnet_hdr)),
			 0);
	return fd;
}

static struct fdl_endpoint *open_endpoint(enum fdl_mode mode,
					  const struct stack *stack)
{
	const struct fdl_options opts = {
		.size = sizeof(opts),
		.mode = mode,
		.flags = stack->flags,
		.gso_max_size = stack->gso_max_size,
		.pool = SLOTS,
	};
	struct fdl_endpoint *ep;

	assert_int_equal(fdl_open(&ep, "packet:" TO, &opts), 0);
	return ep;
}

/* Returns how many packets there are, at least 1. */
static int receive(struct fdl_endpoint *ep, struct fdl_packet *v[], int n)
{
	struct fdl_queue *q = fdl_get_queue(ep, 0);
	struct pollfd p = { .fd = fdl_queue_fd(q), .events = POLLIN };
	const long long end = netns_now_ms() + WAIT_MS;
	int k = 0;

	while (!k && netns_now_ms() < end) {
		poll(&p, 1, 100);
		k = fdl_recv(q, v, n);
		assert_true(k >= 0);
	}
	assert_true(k > 0);
	return k;
}

static void send_big(int fd, size_t len)
{
	const size_t whole = sizeof(big.hdr) + len;

	assert_int_equal(send(fd, &big, whole, 0), whole);
}

/* Short ones, and all of them are received. */
static void pass_short_ones(struct fdl_endpoint *ep, int fd)
{
	struct {
		struct virtio_net_hdr hdr;
		uint8_t frame[SHORT_LEN];
	} one = { 0 };
	struct fdl_packet *v[BATCH];
	int i, n, left;

	memset(one.frame, 2, 12);
	for (i = 0; i < SHORT_ONES; i += BATCH) {
		for (n = 0; n < BATCH; n++)
			assert_true(send(fd, &one, sizeof(one), 0) > 0);
		for (left = BATCH; left > 0; left -= n) {
			n = receive(ep, v, left);
			assert_int_equal(v[0]->len, SHORT_LEN);
			fdl_release(v, n);
		}
	}
}

/* Returns how many bytes of payload it has. */
static size_t take_piece(const struct fdl_packet *pkt, size_t at, int version)
{
	const unsigned l4 = pkt->off.csum == FDL_CSUM_PARTIAL ?
				    pkt->off.csum_start :
				    pkt->link_len + (version == 4 ? 20u : 40u);
	const unsigned hdr_len = l4 + (pkt->data[l4 + 12] >> 4) * 4u;

	assert_int_equal(get32(pkt->data + l4 + 4), 5 + at);
	assert_true(at + pkt->len - hdr_len <= PAYLOAD);
	memcpy(got + at, pkt->data + hdr_len, pkt->len - hdr_len);
	return pkt->len - hdr_len;
}

/* All of its bytes come, in order, in pieces as long as the stack takes
 * them. */
static void expect_big(struct fdl_endpoint *ep, const struct stack *stack,
		       int version, size_t len)
{
	struct fdl_packet *v[BATCH];
	uint32_t longest = 0;
	size_t at = 0;
	int i, n;

	while (at < PAYLOAD) {
		n = receive(ep, v, BATCH);
		for (i = 0; i < n; i++) {
			if (longest < v[i]->len)
				longest = v[i]->len;
			at += take_piece(v[i], at, version);
		}
		fdl_release(v, n);
	}
	assert_memory_equal(got, big.frame + len - PAYLOAD, PAYLOAD);
	assert_true(longest <= stack->longest);
	/* Some kernels take the hop-by-hop header out on the way. */
	if (stack->longest == MAX_LEN)
		assert_in_range(longest, len - BIG_JUMBO_LEN, len);
	else if (stack->flags & FDL_RX_GSO)
		assert_true(longest > 64000);
}

static void try_all(enum fdl_mode mode, const struct stack *stack)
{
	struct fdl_endpoint *ep = open_endpoint(mode, stack);
	int fd = make_socket(FROM, 1);
	struct fdl_stats st;
	size_t len;
	int i;

	pass_short_ones(ep, fd);
	for (i = 0; i < 3; i++) {
		len = make_big(i == 0 ? 4 : 6, i == 2);
		send_big(fd, len);
		expect_big(ep, stack, i == 0 ? 4 : 6, len);
	}
	fdl_get_stats(ep, &st, sizeof(st));
	assert_int_equal(st.rx_gso, 3);
	assert_int_equal(st.rx_drop_truncated, 0);
	assert_int_equal(st.rx_drop_vnet_hdr, 0);
	fdl_endpoint_free(ep);
	close(fd);
}

static void big_ones_come_as_the_stack_takes_them(void **state)
{
	size_t i, k;

	(void)state;
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		for (k = 0; k < sizeof(stacks) / sizeof(stacks[0]); k++)
			try_all(modes[i], &stacks[k]);
}

/* A packet of more than 64 KiB is one only if it is a super-packet. */
static void long_ones_that_are_none_are_dropped(void **state)
{
	const struct stack *stack = &stacks[5];
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		struct fdl_endpoint *ep = open_endpoint(modes[i], stack);
		int fd = make_socket(FROM, 1);
		struct fdl_stats st;

		len = make_big(4, false);
		put16(big.frame + LINK_LEN + 2, 100);
		send_big(fd, len);
		len = make_big(4, false);
		send_big(fd, len);
		expect_big(ep, stack, 4, len);
		fdl_get_stats(ep, &st, sizeof(st));
		assert_int_equal(st.rx_drop_truncated, 1);
		assert_int_equal(st.rx_packets, 1);
		fdl_endpoint_free(ep);
		close(fd);
	}
}

/* The bytes of memory that the mapping around an address takes. */
static size_t resident(const void *at)
{
	unsigned long from, to, wanted = (unsigned long)at;
	FILE *f = fopen("/proc/self/smaps", "re");
	size_t kb = 0, bytes = 0;
	bool here = false;
	char line[256];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
			here = wanted >= from && wanted < to;
		else if (here && sscanf(line, "Rss: %zu kB", &kb) == 1)
			bytes = kb << 10;
	}
	fclose(f);
	return bytes;
}

/* After short packets in each slot: two pages for each and its bookkeeping. */
static void memory_is_that_of_the_packets(void **state)
{
	struct fdl_endpoint *ep = open_endpoint(FDL_MODE_RECVMMSG, &stacks[5]);
	int fd = make_socket(FROM, 1);
	struct fdl_packet *v[SLOTS];
	size_t before;
	int n;

	(void)state;
	pass_short_ones(ep, fd);
	n = fdl_alloc(fdl_get_queue(ep, 0), v, SLOTS);
	assert_true(n > SLOTS / 2);
	before = resident(v[0]->data);
	fdl_release(v, n);
	assert_true(before > 0);
	assert_true(before <= SLOTS * (2 * PAGE + 68) + 4 * PAGE);
	send_big(fd, make_big(4, false));
	expect_big(ep, &stacks[5], 4, make_big(4, false));
	assert_int_equal(fdl_alloc(fdl_get_queue(ep, 0), v, 1), 1);
	assert_true(resident(v[0]->data) > before);
	fdl_release(v, 1);
	fdl_endpoint_free(ep);
	close(fd);
}

/* Send a big one from the endpoint. Returns the bytes of the first frame that
 * the socket then gets. */
static size_t cross(struct fdl_endpoint *ep, int fd, int version, bool jumbo)
{
	static uint8_t bytes[sizeof(big)];
	const size_t len = make_big(version, jumbo);
	struct iovec iov = { big.frame, len };
	struct fdl_offload off = { 0 };
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	/* Of the one before. */
	while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(fdl_vnet_hdr_decode((const uint8_t *)&big.hdr,
					     sizeof(big.hdr), FDL_ORDER_NATIVE,
					     &off),
			 0);
	assert_int_equal(fdl_write(fdl_get_queue(ep, 0), &iov, 1, &off), 0);
	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
	n = recv(fd, bytes, sizeof(bytes), 0);
	assert_true(n > (ssize_t)sizeof(big.hdr));
	return (size_t)n - sizeof(big.hdr);
}

/* As long as the device is said to take them, also if that changes. */
static void big_ones_go_whole(void **state)
{
	const struct fdl_options opts = {
		.size = sizeof(opts),
		.flags = RX_ALL,
		.gso_max_size = GSO_MAX,
	};
	const long long end = netns_now_ms() + WAIT_MS;
	struct fdl_endpoint *ep;
	int fd = make_socket(TO, 1);
	struct fdl_stats st;
	struct fdl_packet *v[BATCH];
	size_t got_len;
	int jumbo, n;

	(void)state;
	assert_int_equal(fdl_open(&ep, "packet:" FROM, &opts), 0);
	assert_int_equal(cross(ep, fd, 4, false), make_big(4, false));
	fdl_get_stats(ep, &st, sizeof(st));
	assert_int_equal(st.tx_gso, 1);
	assert_int_equal(st.tx_gso_cut, 0);
	for (jumbo = 0; jumbo < 2; jumbo++)
		assert_in_range(cross(ep, fd, 6, jumbo), 64000,
				LINK_LEN + 65535);
	/* The kernel tells when the link changes as well. */
	assert_true(netns_set_gso_max(FROM, PAYLOAD / 2));
	netns_set_up(FROM, false);
	netns_set_up(FROM, true);
	netns_wait_running(FROM);
	do {
		fdl_poll(ep, 10);
		n = fdl_recv(fdl_get_queue(ep, 0), v, BATCH);
		if (n > 0)
			fdl_release(v, n);
		got_len = cross(ep, fd, 4, false);
	} while (got_len < 64000 && netns_now_ms() < end);
	assert_in_range(got_len, 64000, LINK_LEN + 65535);
	assert_true(netns_set_gso_max(FROM, GSO_MAX));
	fdl_endpoint_free(ep);
	close(fd);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(big_ones_come_as_the_stack_takes_them),
		cmocka_unit_test(long_ones_that_are_none_are_dropped),
		cmocka_unit_test(memory_is_that_of_the_packets),
		cmocka_unit_test(big_ones_go_whole),
	};

	(void)argc;
	netns_enter(argv);
	netns_command("ip link add " FROM " type veth peer name " TO);
	if (!netns_set_gso_max(FROM, GSO_MAX)) {
		printf("skipped: the kernel knows no gso_max_size above 65536\n");
		return EXIT_SKIPPED;
	}
	netns_set_up(FROM, true);
	netns_set_up(TO, true);
	netns_wait_running(FROM);
	netns_wait_running(TO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
