/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in a stream of bytes, each behind its length. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

enum {
	PREFIX = 4,
	FRAME_MAX = 1514,
	FRAMES = 200,
	WAIT_MS = 30000,
};

/* A link, and the other end of its stream in the test's hands. */
struct bed {
	char dir[32], path[64];
	struct fdl_endpoint *ep;
	struct fdl_queue *q;
	int peer;
};

static size_t frame_len(unsigned seq)
{
	return 60 + seq * 37 % (FRAME_MAX - 60);
}

/* A unicast frame of a local experiment (IEEE 802), numbered. */
static void make_frame(uint8_t *frame, unsigned seq)
{
	static const uint8_t start[] = { 2, 0, 0, 0, 0, 2, 2,
					 0, 0, 0, 0, 1, 0x88, 0xb5 };
	size_t i;

	memcpy(frame, start, sizeof(start));
	for (i = sizeof(start); i < frame_len(seq); i++)
		frame[i] = (uint8_t)(seq + i);
}

/* Returns the bytes of the frame with its length before it. */
static size_t make_message(uint8_t *to, unsigned seq)
{
	const uint32_t len = htonl((uint32_t)frame_len(seq));

	memcpy(to, &len, PREFIX);
	make_frame(to + PREFIX, seq);
	return PREFIX + frame_len(seq);
}

static void open_bed(struct bed *bed, const char *how, uint32_t flags)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct fdl_options options = { .size = sizeof(options),
				       .flags = FDL_ETHERNET | flags };
	char locator[128];
	int listener;

	strcpy(bed->dir, "/tmp/fdlink-stream.XXXXXX");
	assert_non_null(mkdtemp(bed->dir));
	snprintf(bed->path, sizeof(bed->path), "%s/s", bed->dir);
	strcpy(addr.sun_path, bed->path);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&addr, sizeof(addr)),
			 0);
	assert_int_equal(listen(listener, 1), 0);
	snprintf(locator, sizeof(locator), "stream:%s%s", bed->path, how);
	assert_int_equal(fdl_open(&bed->ep, locator, &options), 0);
	bed->peer = accept(listener, NULL, NULL);
	assert_true(bed->peer >= 0);
	close(listener);
	bed->q = fdl_get_queue(bed->ep, 0);
}

static void close_bed(struct bed *bed)
{
	fdl_endpoint_free(bed->ep);
	if (bed->peer >= 0)
		close(bed->peer);
	unlink(bed->path);
	rmdir(bed->dir);
}

static void write_all(int fd, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	ssize_t r;

	for (; len; p += r, len -= (size_t)r) {
		r = write(fd, p, len);
		assert_true(r > 0);
	}
}

static void expect_next(struct bed *bed, unsigned seq)
{
	struct pollfd pfd = { .fd = fdl_queue_fd(bed->q), .events = POLLIN };
	uint8_t frame[FRAME_MAX];
	struct fdl_packet *pkt;
	int n;

	do {
		assert_int_equal(poll(&pfd, 1, WAIT_MS), 1);
		n = fdl_recv(bed->q, &pkt, 1);
		assert_true(n >= 0);
	} while (!n);
	make_frame(frame, seq);
	assert_int_equal(pkt->len, frame_len(seq));
	assert_memory_equal(pkt->data, frame, pkt->len);
	fdl_release(&pkt, 1);
}

/* What was read beyond the caller's room is told of by the pollable fd. */
static void many_frames_come_in_one_read(void **state)
{
	uint8_t bytes[32 * (PREFIX + FRAME_MAX)];
	struct pollfd pfd = { .events = POLLIN };
	struct bed bed;
	unsigned seq;
	size_t len = 0;

	(void)state;
	open_bed(&bed, "", 0);
	for (seq = 0; seq < 32; seq++)
		len += make_message(bytes + len, seq);
	write_all(bed.peer, bytes, len);
	for (seq = 0; seq < 32; seq++)
		expect_next(&bed, seq);
	pfd.fd = fdl_queue_fd(bed.q);
	assert_int_equal(fdl_recv(bed.q, &(struct fdl_packet *){ NULL }, 1), 0);
	assert_int_equal(poll(&pfd, 1, 0), 0);
	close_bed(&bed);
}

static void a_frame_may_come_in_many_reads(void **state)
{
	uint8_t bytes[PREFIX + FRAME_MAX];
	struct fdl_packet *pkt;
	struct bed bed;
	size_t len, i;

	(void)state;
	open_bed(&bed, "", 0);
	len = make_message(bytes, 5);
	for (i = 0; i < len - 1; i++) {
		write_all(bed.peer, bytes + i, 1);
		assert_int_equal(fdl_recv(bed.q, &pkt, 1), 0);
	}
	write_all(bed.peer, bytes + i, 1);
	expect_next(&bed, 5);
	close_bed(&bed);
}

/* Read what fits into the stream, some bytes at a time. */
static size_t drain(int fd, uint8_t *to, size_t most)
{
	const ssize_t r = recv(fd, to, most, MSG_DONTWAIT);

	return r > 0 ? (size_t)r : 0;
}

/* Send frames of which the peer reads little at a time. */
static size_t send_slowly(struct bed *bed, uint8_t *got)
{
	struct fdl_packet *v[FRAMES];
	size_t have = 0;
	unsigned seq;
	int at = 0, k;

	assert_int_equal(fdl_alloc(bed->q, v, FRAMES), FRAMES);
	for (seq = 0; seq < FRAMES; seq++) {
		make_frame(v[seq]->data, seq);
		v[seq]->len = (uint32_t)frame_len(seq);
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
	static uint8_t expected[FRAMES * (PREFIX + FRAME_MAX)];
	static uint8_t got[sizeof(expected)];
	const int small = 4096;
	struct fdl_stats stats;
	struct bed bed;
	size_t len = 0;
	unsigned seq;

	(void)state;
	for (seq = 0; seq < FRAMES; seq++)
		len += make_message(expected + len, seq);
	open_bed(&bed, "", 0);
	setsockopt(bed.peer, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	/* The queue's own socket holds much: what is asked for is less. */
	assert_int_equal(send_slowly(&bed, got), len);
	assert_memory_equal(got, expected, len);
	fdl_get_stats(bed.ep, &stats, sizeof(stats));
	assert_int_equal(stats.tx_packets, FRAMES);
	assert_int_equal(stats.tx_bytes, len - FRAMES * PREFIX);
	close_bed(&bed);
}

static void the_end_comes_behind_all_frames(void **state)
{
	uint8_t bytes[3 * (PREFIX + FRAME_MAX)];
	struct fdl_packet *pkt;
	struct bed bed;
	size_t len;
	int r;

	(void)state;
	open_bed(&bed, "", 0);
	len = make_message(bytes, 1);
	len += make_message(bytes + len, 2);
	/* Half a frame is none. */
	make_message(bytes + len, 3);
	write_all(bed.peer, bytes, len + PREFIX + 7);
	close(bed.peer);
	bed.peer = -1;
	expect_next(&bed, 1);
	expect_next(&bed, 2);
	do
		r = fdl_recv(bed.q, &pkt, 1);
	while (!r);
	assert_int_equal(r, -ESHUTDOWN);
	close_bed(&bed);
}

static void a_length_that_cannot_be_ends_the_link(void **state)
{
	uint8_t bytes[PREFIX + FRAME_MAX];
	static const uint32_t lengths[] = { 0xffffffff, 0x80000000, 1 << 17,
					    70000 };
	struct fdl_packet *pkt;
	struct bed bed;
	uint32_t wrong;
	size_t len, i;

	(void)state;
	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		open_bed(&bed, "", 0);
		len = make_message(bytes, 3);
		write_all(bed.peer, bytes, len);
		wrong = htonl(lengths[i]);
		write_all(bed.peer, &wrong, sizeof(wrong));
		expect_next(&bed, 3);
		assert_int_equal(fdl_recv(bed.q, &pkt, 1), -EPROTO);
		assert_non_null(strstr(fdl_last_error(bed.ep), "longer"));
		close_bed(&bed);
	}
}

static void empty_frames_are_counted(void **state)
{
	const uint8_t empty[3 * PREFIX] = { 0 };
	uint8_t bytes[PREFIX + FRAME_MAX];
	struct fdl_stats stats;
	struct bed bed;

	(void)state;
	open_bed(&bed, "", 0);
	write_all(bed.peer, empty, sizeof(empty));
	write_all(bed.peer, bytes, make_message(bytes, 4));
	expect_next(&bed, 4);
	fdl_get_stats(bed.ep, &stats, sizeof(stats));
	assert_int_equal(stats.rx_drop_empty, 3);
	close_bed(&bed);
}

/* The virtio-net header is part of what the length counts. */
static void a_header_may_be_agreed_on(void **state)
{
	uint8_t expected[PREFIX + 12 + FRAME_MAX] = { 0 },
				       got[sizeof(expected)];
	const uint32_t len = htonl(12 + (uint32_t)frame_len(1));
	uint8_t frame[FRAME_MAX];
	struct iovec iov = { frame, frame_len(1) };
	struct bed bed;

	(void)state;
	make_frame(frame, 1);
	memcpy(expected, &len, PREFIX);
	expected[PREFIX + 10] = 1;
	memcpy(expected + PREFIX + 12, frame, iov.iov_len);
	open_bed(&bed, ",offload=v1", 0);
	assert_int_equal(fdl_write(bed.q, &iov, 1, NULL), 0);
	assert_int_equal(read(bed.peer, got, sizeof(got)),
			 PREFIX + 12 + iov.iov_len);
	assert_memory_equal(got, expected, PREFIX + 12 + iov.iov_len);
	write_all(bed.peer, got, PREFIX + 12 + iov.iov_len);
	expect_next(&bed, 1);
	close_bed(&bed);
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
	struct bed bed;

	(void)state;
	assert_int_equal(fdl_open(&ep, "stream:/nowhere/s", NULL), -ENOENT);
	assert_int_equal(fdl_open(&ep, "stream:127.0.0.1:1", NULL),
			 -ECONNREFUSED);
	assert_int_equal(fdl_open(&ep, "stream:/s,queues=2", NULL), -EINVAL);
	assert_int_equal(fdl_open(&ep, "stream:localhost:1", NULL), -EINVAL);
	assert_int_equal(fdl_open(&ep, "stream:127.0.0.1:0", NULL), -EINVAL);
	assert_int_equal(fdl_open(&ep, "stream:./nowhere:1", NULL), -ENOENT);
	open_bed(&bed, "", 0);
	fdl_get_info(bed.ep, &info, sizeof(info));
	assert_string_equal(info.kind_name, "stream");
	assert_int_equal(fdl_get_mode(bed.ep), FDL_MODE_READV);
	assert_non_null(fdl_mode_refusal(&info, FDL_MODE_RECVMMSG));
	assert_null(fdl_mode_refusal(&info, FDL_MODE_READV));
	close_bed(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_frames_come_in_one_read),
		cmocka_unit_test(a_frame_may_come_in_many_reads),
		cmocka_unit_test(frames_go_in_parts),
		cmocka_unit_test(the_end_comes_behind_all_frames),
		cmocka_unit_test(a_length_that_cannot_be_ends_the_link),
		cmocka_unit_test(empty_frames_are_counted),
		cmocka_unit_test(a_header_may_be_agreed_on),
		cmocka_unit_test(an_fd_is_no_such_stream_by_itself),
		cmocka_unit_test(a_locator_names_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
