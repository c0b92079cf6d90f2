/* SPDX-License-Identifier: Apache-2.0 */
#include "stream_bed.h"

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/open.h>

size_t stream_frame_len(unsigned seq)
{
	return 60 + seq * 37 % (STREAM_FRAME - 60);
}

/* A unicast frame of a local experiment (IEEE 802), numbered. */
void stream_make_frame(uint8_t *frame, unsigned seq)
{
	static const uint8_t start[] = { 2, 0, 0, 0, 0, 2, 2,
					 0, 0, 0, 0, 1, 0x88, 0xb5 };
	size_t i;

	memcpy(frame, start, sizeof(start));
	for (i = sizeof(start); i < stream_frame_len(seq); i++)
		frame[i] = (uint8_t)(seq + i);
}

/* Returns the bytes of the frame with its length before it. */
size_t stream_make_message(uint8_t *to, unsigned seq)
{
	const uint32_t len = htonl((uint32_t)stream_frame_len(seq));

	memcpy(to, &len, STREAM_PREFIX);
	stream_make_frame(to + STREAM_PREFIX, seq);
	return STREAM_PREFIX + stream_frame_len(seq);
}

void stream_open(struct stream_bed *bed, const char *how, uint32_t flags)
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

void stream_close(struct stream_bed *bed)
{
	fdl_endpoint_free(bed->ep);
	if (bed->peer >= 0)
		close(bed->peer);
	unlink(bed->path);
	rmdir(bed->dir);
}

void stream_write(int fd, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	ssize_t r;

	for (; len; p += r, len -= (size_t)r) {
		r = write(fd, p, len);
		assert_true(r > 0);
	}
}

void stream_expect(struct stream_bed *bed, unsigned seq)
{
	struct pollfd pfd = { .fd = fdl_queue_fd(bed->q), .events = POLLIN };
	uint8_t frame[STREAM_FRAME];
	struct fdl_packet *pkt;
	int n;

	do {
		assert_int_equal(poll(&pfd, 1, STREAM_WAIT_MS), 1);
		n = fdl_recv(bed->q, &pkt, 1);
		assert_true(n >= 0);
	} while (!n);
	stream_make_frame(frame, seq);
	assert_int_equal(pkt->len, stream_frame_len(seq));
	assert_memory_equal(pkt->data, frame, pkt->len);
	fdl_release(&pkt, 1);
}

/* The pollable fd says that there is nothing. */
void stream_expect_quiet(struct stream_bed *bed)
{
	struct pollfd pfd = { .fd = fdl_queue_fd(bed->q), .events = POLLIN };

	assert_int_equal(poll(&pfd, 1, 0), 0);
}
