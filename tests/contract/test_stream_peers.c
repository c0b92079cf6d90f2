/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer does to a stream of frames that it should not, and its end. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "netns.h"
#include "stream_bed.h"

enum { LONGEST = 65535 };

static void the_end_comes_behind_all_frames(void **state)
{
	uint8_t bytes[3 * (STREAM_PREFIX + STREAM_FRAME)];
	struct fdl_packet *pkt;
	struct stream_bed bed;
	size_t len;
	int r;

	(void)state;
	stream_open(&bed, "", 0);
	len = stream_make_message(bytes, 1);
	len += stream_make_message(bytes + len, 2);
	/* Half a frame is none. */
	stream_make_message(bytes + len, 3);
	stream_write(bed.peer, bytes, len + STREAM_PREFIX + 7);
	close(bed.peer);
	bed.peer = -1;
	stream_expect(&bed, 1);
	stream_expect(&bed, 2);
	do
		r = fdl_recv(bed.q, &pkt, 1);
	while (!r);
	assert_int_equal(r, -ESHUTDOWN);
	stream_close(&bed);
}

static void a_length_that_cannot_be_ends_the_link(void **state)
{
	uint8_t bytes[STREAM_PREFIX + STREAM_FRAME];
	static const uint32_t lengths[] = { 0xffffffff, 0x80000000, 1 << 17,
					    70000 };
	struct fdl_packet *pkt;
	struct stream_bed bed;
	uint32_t wrong;
	size_t len, i;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		stream_open(&bed, "", 0);
		len = stream_make_message(bytes, 3);
		stream_write(bed.peer, bytes, len);
		wrong = htonl(lengths[i]);
		stream_write(bed.peer, &wrong, sizeof(wrong));
		stream_expect(&bed, 3);
		assert_int_equal(fdl_recv(bed.q, &pkt, 1), -EPROTO);
		assert_non_null(strstr(fdl_last_error(bed.ep), "longer"));
		stream_close(&bed);
	}
}

/* The link waits for the next peer in silence, except for its own tries. */
static void rubbish_behind_a_frame_keeps_nobody_awake(void **state)
{
	const uint32_t wrong = 0xffffffff;
	uint8_t bytes[STREAM_PREFIX + STREAM_FRAME + sizeof(wrong)];
	const long long end = netns_now_ms() + 100;
	struct fdl_packet *pkt;
	struct stream_bed bed;
	unsigned tries = 0;
	size_t len;

	(void)state;
	stream_open(&bed, ",reconnect", 0);
	len = stream_make_message(bytes, 1);
	memcpy(bytes + len, &wrong, sizeof(wrong));
	stream_write(bed.peer, bytes, len + sizeof(wrong));
	stream_expect(&bed, 1);
	while (netns_now_ms() < end) {
		assert_int_equal(fdl_recv(bed.q, &pkt, 1), 0);
		tries += fdl_queue_poll(bed.q, 10) > 0;
	}
	assert_in_range(tries, 1, 8);
	stream_close(&bed);
}

static void empty_frames_are_counted(void **state)
{
	const uint8_t empty[3 * STREAM_PREFIX] = { 0 };
	uint8_t bytes[STREAM_PREFIX + STREAM_FRAME];
	struct fdl_stats stats;
	struct stream_bed bed;

	(void)state;
	stream_open(&bed, "", 0);
	stream_write(bed.peer, empty, sizeof(empty));
	stream_write(bed.peer, bytes, stream_make_message(bytes, 4));
	stream_expect(&bed, 4);
	fdl_get_stats(bed.ep, &stats, sizeof(stats));
	assert_int_equal(stats.rx_drop_empty, 3);
	stream_close(&bed);
}

/* What is there is delivered, however much of the next one is still to come. */
static void a_short_frame_does_not_wait_for_a_long_one(void **state)
{
	static uint8_t bytes[STREAM_PREFIX + LONGEST];
	const uint32_t len = htonl(LONGEST);
	uint8_t first[2 * (STREAM_PREFIX + STREAM_FRAME)];
	struct fdl_packet *pkt;
	struct stream_bed bed;
	size_t n;

	(void)state;
	stream_open(&bed, "", 0);
	memcpy(bytes, &len, STREAM_PREFIX);
	stream_make_frame(bytes + STREAM_PREFIX, 2);
	n = stream_make_message(first, 1);
	memcpy(first + n, bytes, STREAM_PREFIX + 100);
	stream_write(bed.peer, first, n + STREAM_PREFIX + 100);
	stream_expect(&bed, 1);
	assert_int_equal(fdl_recv(bed.q, &pkt, 1), 0);
	stream_expect_quiet(&bed);
	stream_write(bed.peer, bytes + STREAM_PREFIX + 100, LONGEST - 100);
	n = stream_make_message(first, 3);
	stream_write(bed.peer, first, n);
	assert_int_equal(fdl_queue_poll(bed.q, STREAM_WAIT_MS), FDL_READABLE);
	while (!fdl_recv(bed.q, &pkt, 1))
		;
	assert_int_equal(pkt->len, LONGEST);
	assert_memory_equal(pkt->data, bytes + STREAM_PREFIX, LONGEST);
	fdl_release(&pkt, 1);
	stream_expect(&bed, 3);
	stream_close(&bed);
}

/* A length is waited for in silence, be it one that only just can be. */
static void a_peer_that_stops_in_the_middle_wakes_nobody(void **state)
{
	const uint32_t len = htonl(LONGEST);
	struct fdl_packet *pkt;
	struct stream_bed bed;
	size_t i;

	(void)state;
	stream_open(&bed, "", 0);
	for (i = 0; i < STREAM_PREFIX; i++) {
		stream_write(bed.peer, (const uint8_t *)&len + i, 1);
		assert_int_equal(fdl_recv(bed.q, &pkt, 1), 0);
		stream_expect_quiet(&bed);
	}
	assert_int_equal(shutdown(bed.peer, SHUT_WR), 0);
	assert_int_equal(fdl_recv(bed.q, &pkt, 1), -ESHUTDOWN);
	stream_expect_quiet(&bed);
	stream_close(&bed);
}

/* However many they are, they do not hold the caller. */
static void a_flood_of_nothing_ends_each_call(void **state)
{
	static const uint8_t nothing[1 << 16];
	uint8_t bytes[STREAM_PREFIX + STREAM_FRAME];
	struct fdl_stats stats;
	struct stream_bed bed;
	int i;

	(void)state;
	stream_open(&bed, "", 0);
	for (i = 0; i < 3; i++)
		stream_write(bed.peer, nothing, sizeof(nothing));
	stream_write(bed.peer, bytes, stream_make_message(bytes, 6));
	stream_expect(&bed, 6);
	fdl_get_stats(bed.ep, &stats, sizeof(stats));
	assert_int_equal(stats.rx_drop_empty,
			 3 * sizeof(nothing) / STREAM_PREFIX);
	stream_close(&bed);
}

/* The rest of a frame of which a part went is sent before all else, and a peer
 * that is gone for good costs no more than that. */
static void a_peer_that_never_reads_is_no_end(void **state)
{
	struct fdl_packet *pkt;
	struct fdl_stats stats;
	struct stream_bed bed;
	unsigned sent = 0;

	(void)state;
	stream_open(&bed, "", 0);
	for (;;) {
		assert_int_equal(fdl_alloc(bed.q, &pkt, 1), 1);
		stream_make_frame(pkt->data, sent);
		pkt->len = (uint32_t)stream_frame_len(sent);
		if (fdl_send(bed.q, &pkt, 1) != 1)
			break;
		sent++;
	}
	fdl_get_stats(bed.ep, &stats, sizeof(stats));
	assert_int_equal(stats.tx_packets, sent);
	close(bed.peer);
	bed.peer = -1;
	assert_int_equal(fdl_send(bed.q, &pkt, 1), -ESHUTDOWN);
	fdl_release(&pkt, 1);
	stream_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_comes_behind_all_frames),
		cmocka_unit_test(a_length_that_cannot_be_ends_the_link),
		cmocka_unit_test(rubbish_behind_a_frame_keeps_nobody_awake),
		cmocka_unit_test(empty_frames_are_counted),
		cmocka_unit_test(a_short_frame_does_not_wait_for_a_long_one),
		cmocka_unit_test(a_peer_that_stops_in_the_middle_wakes_nobody),
		cmocka_unit_test(a_flood_of_nothing_ends_each_call),
		cmocka_unit_test(a_peer_that_never_reads_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
