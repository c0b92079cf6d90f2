/* SPDX-License-Identifier: Apache-2.0 */
/* What the peer sent is what is received, and what is not worth it counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>

#include "contract.h"

static void frames_arrive_whole_and_in_order(struct link *l)
{
	struct fdl_packet *v[64];
	unsigned seq;

	for (seq = 0; seq < 64; seq++)
		link_feed(l, frame_len(seq), seq);
	expect_packets(l, v, 64);
	for (seq = 0; seq < 64; seq++)
		expect_frame(l, v[seq], frame_len(seq), seq);
	fdl_release(v, 64);
	expect_quiet(l);
}

static void a_batch_is_never_more_than_asked_for(struct link *l)
{
	struct fdl_packet *v[8] = { NULL };
	unsigned seq, got;
	int n;

	for (seq = 0; seq < 20; seq++)
		link_feed(l, 100, seq);
	for (seq = 0; seq < 20; seq += got) {
		const int want = 1 + (int)(seq % 7);

		fdl_queue_poll(l->q, WAIT_MS);
		n = fdl_recv(l->q, v, want);
		assert_in_range(n, 1, want);
		for (got = 0; got < (unsigned)n; got++)
			expect_frame(l, v[got], 100, seq + got);
		assert_null(v[7]);
		fdl_release(v, n);
	}
	expect_quiet(l);
}

/* A header written in place leaves the rest as it was, up to the last byte. */
static void headroom_is_as_asked_for(struct link *l)
{
	struct fdl_packet *pkt;

	link_feed(l, 300, 1);
	expect_packets(l, &pkt, 1);
	assert_true(pkt->room >= 38 + 200);
	memset(pkt->data - pkt->room, 0xee, pkt->room);
	memset(pkt->data + pkt->len, 0xee, pkt->tail);
	expect_frame(l, pkt, 300, 1);
	fdl_release(&pkt, 1);
	link_feed(l, 300, 2);
	expect_received(l, 300, 2);
}

static void runts_are_counted(struct link *l)
{
	const uint8_t runt[13] = { 0x02 };
	struct fdl_stats st;
	size_t len;

	for (len = 1; len <= sizeof(runt); len++)
		link_feed_bytes(l, runt, len);
	link_feed(l, 60, 1);
	expect_received(l, 60, 1);
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_runt, sizeof(runt));
}

/* 14 bytes that announce a VLAN tag which is not there. */
static void a_cut_vlan_tag_is_a_runt(struct link *l)
{
	uint8_t frame[14] = { 0x02, 0, 0, 0, 0, 0x01 };
	struct fdl_stats st;

	frame[12] = 0x81;
	link_feed_bytes(l, frame, sizeof(frame));
	link_feed(l, 60, 1);
	expect_received(l, 60, 1);
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_runt, 1);
}

static void empty_datagrams_are_counted(struct link *l)
{
	struct fdl_stats st;

	link_feed_bytes(l, "", 0);
	link_feed_bytes(l, "", 0);
	link_feed(l, 60, 1);
	link_feed_bytes(l, "", 0);
	expect_received(l, 60, 1);
	expect_quiet(l);
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_empty, 3);
}

static void what_is_no_ip_is_counted_on_a_link_without_header(struct link *l)
{
	uint8_t bytes[40] = { 0 };
	struct fdl_stats st;
	unsigned version;

	for (version = 0; version < 16; version++) {
		bytes[0] = (uint8_t)(version << 4 | 5);
		if (version != 4 && version != 6)
			link_feed_bytes(l, bytes, sizeof(bytes));
	}
	link_feed(l, 60, 1);
	expect_received(l, 60, 1);
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_not_ip, 14);
}

static void a_datagram_longer_than_a_slot_is_counted(struct link *l)
{
	static uint8_t big[70000] = { 0x45 };
	struct fdl_stats st;

	memcpy(big, link_local, l->kind->traits & LINK_ETHERNET ? 6 : 0);
	link_feed_bytes(l, big, sizeof(big));
	link_feed(l, 60, 1);
	expect_received(l, 60, 1);
	link_stats(l, &st);
	assert_int_equal(st.rx_drop_truncated, 1);
}

/* 65535 bytes behind two VLAN tags: the longest packet there can be. */
static void the_longest_packet_is_received(struct link *l)
{
	static uint8_t big[65535 + 22];
	const size_t len = l->kind->traits & LINK_ETHERNET ? 65557 : 65535;
	struct fdl_packet *pkt;

	frame_make(l, false, big, len, 3);
	link_feed_bytes(l, big, len);
	expect_packets(l, &pkt, 1);
	assert_int_equal(pkt->len, len);
	assert_memory_equal(pkt->data, big, len);
	fdl_release(&pkt, 1);
}

/* A second socket on the device sends; that is no packet for us. */
static void what_this_machine_sends_is_not_delivered(struct link *l)
{
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(l->dev),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct fdl_stats st;
	uint8_t frame[60];

	assert_true(fd >= 0);
	frame_make(l, true, frame, sizeof(frame), 0);
	assert_int_equal(sendto(fd, frame, sizeof(frame), 0,
				(const struct sockaddr *)&addr, sizeof(addr)),
			 sizeof(frame));
	close(fd);
	link_feed(l, 60, 1);
	expect_received(l, 60, 1);
	expect_quiet(l);
	link_stats(l, &st);
	/* A socket opened for it has the kernel leave such frames out. */
	assert_int_equal(st.rx_drop_outgoing,
			 l->kind->traits & LINK_OPENED ? 0 : 1);
	l->rx_offered += st.rx_drop_outgoing;
}

/* More bad frames in a row than a batch or a pool is long. */
static void a_storm_of_bad_frames_does_not_stop_good_ones(struct link *l)
{
	struct fdl_packet *pkt;
	struct fdl_stats st;
	unsigned seq, i;

	for (seq = 0; seq < 8; seq++) {
		for (i = 0; i < 20; i++)
			link_feed_bytes(l, "", 0);
		link_feed(l, 60, seq);
		for (i = 0; i < 20; i++)
			link_feed_bytes(l, "x", 1);
		expect_received(l, 60, seq);
	}
	/* A call may return before all rubbish is read, but each reads some. */
	for (i = 0; i < 20 && fd_readable(fdl_queue_fd(l->q), 0); i++)
		assert_int_equal(fdl_recv(l->q, &pkt, 1), 0);
	expect_quiet(l);
	link_stats(l, &st);
	assert_int_equal(st.rx_packets, 8);
	assert_int_equal(st.rx_bytes, 8 * 60);
	assert_int_equal(stats_rx_drops(&st), 320);
}

static const struct expectation table[] = {
	{ .name = "frames arrive whole and in order",
	  .test = frames_arrive_whole_and_in_order },
	{ .name = "and so with a batch of 1",
	  .test = frames_arrive_whole_and_in_order,
	  .opts.batch = 1 },
	{ .name = "and so with a batch of 256",
	  .test = frames_arrive_whole_and_in_order,
	  .opts.batch = 256 },
	{ .name = "a batch is never more than asked for",
	  .test = a_batch_is_never_more_than_asked_for },
	{ .name = "headroom is as asked for",
	  .test = headroom_is_as_asked_for,
	  .opts.headroom = 200,
	  .opts.pool = 2 },
	{ .name = "runts are counted",
	  .test = runts_are_counted,
	  .needs = LINK_UNIX | LINK_ETHERNET },
	{ .name = "a cut VLAN tag is a runt",
	  .test = a_cut_vlan_tag_is_a_runt,
	  .needs = LINK_TAGS },
	/* A device carries no empty packet, its kernel side refuses it. */
	{ .name = "empty datagrams are counted",
	  .test = empty_datagrams_are_counted,
	  .needs = LINK_UNIX },
	{ .name = "what is no IP is counted",
	  .test = what_is_no_ip_is_counted_on_a_link_without_header,
	  .needs = LINK_IP },
	/* No device takes a frame longer than its MTU. */
	{ .name = "a datagram longer than a slot is counted",
	  .test = a_datagram_longer_than_a_slot_is_counted,
	  .not_on = LINK_LOSSY,
	  .needs = LINK_UNIX },
	{ .name = "the longest packet is received",
	  .test = the_longest_packet_is_received,
	  .not_on = LINK_LOSSY,
	  .needs = LINK_UNIX },
	{ .name = "what this machine sends is not delivered",
	  .test = what_this_machine_sends_is_not_delivered,
	  .needs = LINK_OUTGOING },
	{ .name = "a storm of bad frames does not stop good ones",
	  .test = a_storm_of_bad_frames_does_not_stop_good_ones,
	  .needs = LINK_UNIX,
	  .opts.pool = 2,
	  .opts.batch = 4 },
};

int main(int argc, char *argv[])
{
	(void)argc;
	return contract_run("receive", argv, table, COUNT_OF(table));
}
