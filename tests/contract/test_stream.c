/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in a stream of bytes, each behind its length. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

#include "stream_bed.h"

enum { FRAMES = 200 };

/* What was read beyond the caller's room is told of by the pollable fd. */
static void many_frames_come_in_one_read(void **state)
{
	uint8_t bytes[32 * (STREAM_PREFIX + STREAM_FRAME)];
	struct stream_bed bed;
	unsigned seq;
	size_t len = 0;

	(void)state;
	stream_open(&bed, "", 0);
	for (seq = 0; seq < 32; seq++)
		len += stream_make_message(bytes + len, seq);
	stream_write(bed.peer, bytes, len);
	for (seq = 0; seq < 32; seq++)
		stream_expect(&bed, seq);
	assert_int_equal(fdl_recv(bed.q, &(struct fdl_packet *){ NULL }, 1), 0);
	stream_expect_quiet(&bed);
	stream_close(&bed);
}

static void a_frame_may_come_in_many_reads(void **state)
{
	uint8_t bytes[STREAM_PREFIX + STREAM_FRAME];
	struct fdl_packet *pkt;
	struct stream_bed bed;
	size_t len, i;

	(void)state;
	stream_open(&bed, "", 0);
	len = stream_make_message(bytes, 5);
	for (i = 0; i < len - 1; i++) {
		stream_write(bed.peer, bytes + i, 1);
		assert_int_equal(fdl_recv(bed.q, &pkt, 1), 0);
	}
	stream_write(bed.peer, bytes + i, 1);
	stream_expect(&bed, 5);
	stream_close(&bed);
}

/* Read what fits into the stream, some bytes at a time. */
static size_t drain(int fd, uint8_t *to, size_t most)
{
	const ssize_t r = recv(fd, to, most, MSG_DONTWAIT);

	return r > 0 ? (size_t)r : 0;
}

/* Send frames of which the peer reads little at a time. */
static size_t send_slowly(struct stream_bed *bed, uint8_t *got)
{
	struct fdl_packet *v[FRAMES];
	size_t have = 0;
	unsigned seq;
	int at = 0, k;

	assert_int_equal(fdl_alloc(bed->q, v, FRAMES), FRAMES);
	for (seq = 0; seq < FRAMES; seq++) {
		stream_make_frame(v[seq]->data, seq);
		v[seq]->len = (uint32_t)stream_frame_len(seq);
	}
	while (at < FRAMES) {
		k = fdl_send(bed->q, v + at, FRAMES - at);
		assert_true(k >= 0);
		at += k;
		have += drain(bed->peer, got + have, 777);
	}
	while (fdl_flush(bed->q) == -EAGAIN)
		have += drain(bed->peer, got + have, 777);
	for (k = 1; k; have += (size_t)k)
		k = (int)drain(bed->peer, got + have, 777);
	return have;
}

static void frames_go_in_parts(void **state)
{
	static uint8_t expected[FRAMES * (STREAM_PREFIX + STREAM_FRAME)];
	static uint8_t got[sizeof(expected)];
	const int small = 4096;
	struct fdl_stats stats;
	struct stream_bed bed;
	size_t len = 0;
	unsigned seq;

	(void)state;
	for (seq = 0; seq < FRAMES; seq++)
		len += stream_make_message(expected + len, seq);
	stream_open(&bed, "", 0);
	setsockopt(bed.peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	/* The queue's own socket holds much: what is asked for is less. */
	assert_int_equal(send_slowly(&bed, got), len);
	assert_memory_equal(got, expected, len);
	fdl_get_stats(bed.ep, &stats, sizeof(stats));
	assert_int_equal(stats.tx_packets, FRAMES);
	assert_int_equal(stats.tx_bytes, len - FRAMES * STREAM_PREFIX);
	stream_close(&bed);
}

/* The virtio-net header is part of what the length counts. */
static void a_header_may_be_agreed_on(void **state)
{
	uint8_t expected[STREAM_PREFIX + 12 + STREAM_FRAME] = { 0 },
					      got[sizeof(expected)];
	const uint32_t len = htonl(12 + (uint32_t)stream_frame_len(1));
	uint8_t frame[STREAM_FRAME];
	struct iovec iov = { frame, stream_frame_len(1) };
	struct stream_bed bed;

	(void)state;
	stream_make_frame(frame, 1);
	memcpy(expected, &len, STREAM_PREFIX);
	expected[STREAM_PREFIX + 10] = 1;
	memcpy(expected + STREAM_PREFIX + 12, frame, iov.iov_len);
	stream_open(&bed, ",offload=v1", 0);
	assert_int_equal(fdl_write(bed.q, &iov, 1, NULL), 0);
	assert_int_equal(read(bed.peer, got, sizeof(got)),
			 STREAM_PREFIX + 12 + iov.iov_len);
	assert_memory_equal(got, expected, STREAM_PREFIX + 12 + iov.iov_len);
	stream_write(bed.peer, got, STREAM_PREFIX + 12 + iov.iov_len);
	stream_expect(&bed, 1);
	stream_close(&bed);
}

static void an_fd_is_no_such_stream_by_itself(void **state)
{
	struct fdl_endpoint *ep;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(fdl_endpoint_new(&ep, fds, 1, NULL), -EPROTOTYPE);
	close(fds[0]);
	close(fds[1]);
}

static void a_locator_names_it(void **state)
{
	struct fdl_endpoint *ep;
	struct fdl_info info;
	struct stream_bed bed;

	(void)state;
	assert_int_equal(fdl_open(&ep, "stream:/nowhere/s", NULL), -ENOENT);
	assert_int_equal(fdl_open(&ep, "stream:127.0.0.1:1", NULL),
			 -ECONNREFUSED);
	assert_int_equal(fdl_open(&ep, "stream:/s,queues=2", NULL), -EINVAL);
	assert_int_equal(fdl_open(&ep, "stream:localhost:1", NULL), -EINVAL);
	assert_int_equal(fdl_open(&ep, "stream:127.0.0.1:0", NULL), -EINVAL);
	assert_int_equal(fdl_open(&ep, "stream:./nowhere:1", NULL), -ENOENT);
	stream_open(&bed, "", 0);
	fdl_get_info(bed.ep, &info, sizeof(info));
	assert_string_equal(info.kind_name, "stream");
	assert_int_equal(fdl_get_mode(bed.ep), FDL_MODE_READV);
	assert_non_null(fdl_mode_refusal(&info, FDL_MODE_RECVMMSG));
	assert_null(fdl_mode_refusal(&info, FDL_MODE_READV));
	stream_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_frames_come_in_one_read),
		cmocka_unit_test(a_frame_may_come_in_many_reads),
		cmocka_unit_test(frames_go_in_parts),
		cmocka_unit_test(a_header_may_be_agreed_on),
		cmocka_unit_test(an_fd_is_no_such_stream_by_itself),
		cmocka_unit_test(a_locator_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
