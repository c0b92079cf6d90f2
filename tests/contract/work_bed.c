/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "work_bed.h"

void bed_make(struct bed *f, uint32_t flags)
{
	struct fdl_options o = { .size = sizeof(o),
				 .flags = FDL_ETHERNET | flags };
	int pair[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(fdl_endpoint_new(&f->ep, pair, 1, &o), 0);
	f->q = fdl_get_queue(f->ep, 0);
	f->fd = pair[0];
	f->peer = pair[1];
}

void bed_discard(struct bed *f)
{
	fdl_endpoint_free(f->ep);
	close(f->fd);
	close(f->peer);
}

struct shape bed_tcp4(unsigned payload)
{
	return (struct shape){ .link_len = 14,
			       .version = 4,
			       .proto = 6,
			       .tcp_opts = 12,
			       .payload = payload,
			       .df = true,
			       .ttl = 64,
			       .flags = 0x18,
			       .seq = 77,
			       .partial = true };
}

ssize_t bed_collect(int fd, uint8_t *buf)
{
	return recv(fd, buf, MAX, MSG_DONTWAIT);
}

unsigned bed_expect_segments(struct bed *f, struct fdl_segmenter *cut)
{
	static uint8_t want[MAX], got[MAX];
	unsigned n = 0;
	ssize_t len;

	while ((len = bed_collect(f->peer, got)) > 0) {
		assert_int_equal(
			fdl_segment_next(cut, want, sizeof(want), NULL), len);
		assert_memory_equal(got, want, (size_t)len);
		n++;
	}
	return n;
}

void bed_start_cut(struct fdl_segmenter *cut, struct iovec *iov,
		   const uint8_t *frame, size_t len,
		   const struct fdl_offload *off)
{
	*iov = (struct iovec){ (void *)(uintptr_t)frame, len };
	assert_int_equal(fdl_segment_start(cut, iov, 1, 14, off, 0), 0);
}

void bed_expect_header(const uint8_t *got, const struct fdl_offload *want)
{
	struct fdl_offload off;

	assert_int_equal(fdl_vnet_hdr_decode(got, FDL_VNET_HDR_LEN,
					     FDL_ORDER_NATIVE, &off),
			 0);
	assert_true(same_offload(&off, want));
}
