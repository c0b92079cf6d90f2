/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody attaches a filter to a TAP which leaves the start of each frame
 * only: where the IP header tells, they are counted as truncated. Without a
 * filter a packet may say of itself what it likes.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "contract.h"
#include "flows.h"
#include "netns.h"

enum {
	LEN = 200,
	ROUND = 20,
	LINK = 14,
	TAG = 4,
	IP4_TYPE = 0x0800,
	IP6_TYPE = 0x86dd,
	ARP_TYPE = 0x0806,
};

struct bed {
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	int fd, peer;
};

static int open_tap(int flags)
{
	struct ifreq ifr = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | flags),
			     .ifr_name = "fdq" };
	const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	assert_int_equal(ioctl(fd, TUNSETIFF, &ifr), 0);
	return fd;
}

static void open_bed(struct bed *b, int flags)
{
	const struct fdl_options opts = { .size = sizeof(opts) };

	b->fd = open_tap(flags);
	assert_int_equal(fdl_endpoint_new(&b->ep, &b->fd, 1, &opts), 0);
	b->q = fdl_get_queue(b->ep, 0);
	netns_set_up("fdq", true);
	netns_wait_running("fdq");
	b->peer = flows_socket("fdq", 0);
}

static void close_bed(struct bed *b)
{
	fdl_endpoint_free(b->ep);
	close(b->fd);
	close(b->peer);
	while (netns_has("fdq"))
		usleep(1000);
}

/* Leaves so many bytes. */
static void filter(int fd, unsigned bytes)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, bytes);
	const struct sock_fprog program = { 1, &pass };

	assert_int_equal(ioctl(fd, TUNATTACHFILTER, &program), 0);
}

/* says: the length that the IP packet has by its header. */
static void make(uint8_t frame[LEN], unsigned type, bool tagged, unsigned says)
{
	uint8_t *at = frame + LINK - 2;

	memset(frame, 0xab, LEN);
	frame[0] = frame[6] = 2;
	if (tagged) {
		memcpy(at, "\x81\x00\x00\x07", TAG);
		at += TAG;
	}
	at[0] = (uint8_t)(type >> 8);
	at[1] = (uint8_t)type;
	at += 2;
	at[0] = type == IP6_TYPE ? 0x60 : 0x45;
	if (type == IP6_TYPE)
		says -= 40;
	at[type == IP6_TYPE ? 4 : 2] = (uint8_t)(says >> 8);
	at[type == IP6_TYPE ? 5 : 3] = (uint8_t)says;
}

static void feed(const struct bed *b, const uint8_t frame[LEN])
{
	assert_int_equal(send(b->peer, frame, LEN, 0), LEN);
}

static uint64_t truncated(const struct bed *b)
{
	struct fdl_stats st;

	assert_int_equal(fdl_get_stats(b->ep, &st, sizeof(st)), 0);
	return st.rx_drop_truncated;
}

/* The next one of ours: the kernel says something of itself at times. */
static bool receive(const struct bed *b, struct fdl_packet **pkt)
{
	int n;

	for (;;) {
		n = fdl_recv(b->q, pkt, 1);
		assert_in_range(n, 0, 1);
		if (n == 0 || ((*pkt)->data[0] == 2 && (*pkt)->data[6] == 2))
			return n;
		fdl_release(pkt, 1);
	}
}

static void expect_cut(const struct bed *b, const uint8_t frame[LEN])
{
	const uint64_t before = truncated(b);
	struct fdl_packet *pkt;
	unsigned i;

	for (i = 0; i < ROUND; i++)
		feed(b, frame);
	while (truncated(b) - before < ROUND) {
		fdl_queue_poll(b->q, WAIT_MS);
		assert_false(receive(b, &pkt));
	}
}

static void expect_whole(const struct bed *b, const uint8_t frame[LEN],
			 unsigned len)
{
	const uint64_t before = truncated(b);
	struct fdl_packet *pkt;

	feed(b, frame);
	while (!receive(b, &pkt))
		assert_int_equal(fdl_queue_poll(b->q, WAIT_MS), FDL_READABLE);
	assert_int_equal(pkt->len, len);
	assert_memory_equal(pkt->data, frame, len);
	fdl_release(&pkt, 1);
	assert_int_equal(truncated(b), before);
}

static void each_is_told(int flags)
{
	static const unsigned types[] = { IP4_TYPE, IP6_TYPE };
	uint8_t frame[LEN];
	unsigned i, link;
	struct bed b;

	open_bed(&b, flags);
	for (i = 0; i < 4; i++) {
		link = LINK + (i / 2 ? TAG : 0);
		make(frame, types[i % 2], i / 2, LEN - link);
		expect_whole(&b, frame, LEN);
		filter(b.fd, LEN - 1);
		expect_cut(&b, frame);
		filter(b.fd, link + 10);
		expect_cut(&b, frame);
		filter(b.fd, LEN);
		expect_whole(&b, frame, LEN);
	}
	close_bed(&b);
}

static void what_a_filter_cuts_is_counted(void **state)
{
	(void)state;
	each_is_told(0);
	each_is_told(IFF_VNET_HDR);
}

static void padding_may_go(void **state)
{
	uint8_t frame[LEN];
	struct bed b;

	(void)state;
	open_bed(&b, 0);
	make(frame, IP4_TYPE, false, 40);
	filter(b.fd, LINK + 40);
	expect_whole(&b, frame, LINK + 40);
	close_bed(&b);
}

/* The end of what is not IP is not known. */
static void what_is_not_ip_comes_short(void **state)
{
	uint8_t frame[LEN];
	struct bed b;

	(void)state;
	open_bed(&b, 0);
	make(frame, ARP_TYPE, false, 0);
	filter(b.fd, LINK + 40);
	expect_whole(&b, frame, LINK + 40);
	close_bed(&b);
}

static void a_packet_may_lie(void **state)
{
	uint8_t frame[LEN];
	struct bed b;

	(void)state;
	open_bed(&b, 0);
	make(frame, IP4_TYPE, false, LEN);
	expect_whole(&b, frame, LEN);
	make(frame, IP6_TYPE, false, 2 * LEN);
	expect_whole(&b, frame, LEN);
	close_bed(&b);
}

/* A device that lasts remembers the filter, which does not apply any more. */
static void a_filter_of_before_is_none(void **state)
{
	uint8_t frame[LEN];
	struct bed b = { .fd = open_tap(0) };

	(void)state;
	assert_int_equal(ioctl(b.fd, TUNSETPERSIST, 1), 0);
	filter(b.fd, LINK);
	close(b.fd);
	b.ep = flows_open("tap:fdq");
	b.q = fdl_get_queue(b.ep, 0);
	netns_set_up("fdq", true);
	netns_wait_running("fdq");
	b.peer = flows_socket("fdq", 0);
	make(frame, IP4_TYPE, false, LEN);
	expect_whole(&b, frame, LEN);
	netns_command("ip link del fdq");
	fdl_endpoint_free(b.ep);
	close(b.peer);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_filter_cuts_is_counted),
		cmocka_unit_test(padding_may_go),
		cmocka_unit_test(what_is_not_ip_comes_short),
		cmocka_unit_test(a_packet_may_lie),
		cmocka_unit_test(a_filter_of_before_is_none),
	};

	(void)argc;
	netns_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
