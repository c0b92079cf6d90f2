/* SPDX-License-Identifier: Apache-2.0 */
/* Super-packets inside tunnels as super-packets of datagrams: whoever cuts
 * those gets the segments of the former. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "offload/datagrams.h"
#include "tunnels.h"

enum { MAX_FRAME = 70000, MAX_PIECES = 1024, MOST = 128 };

static uint8_t super[MAX_FRAME], hdr[MOST][FDL_HEADERS_MAX];

/* The bytes of v[0..cnt) in one piece. */
static struct iovec joined(const struct iovec *v, int cnt)
{
	static uint8_t bytes[MAX_FRAME];
	size_t len = 0;
	int i;

	for (i = 0; i < cnt; i++) {
		assert_true(len + v[i].iov_len <= sizeof(bytes));
		memcpy(bytes + len, v[i].iov_base, v[i].iov_len);
		len += v[i].iov_len;
	}
	return (struct iovec){ bytes, len };
}

/* A stranger's cutter, told what is in the virtio-net header, makes of them the
 * next n segments of want. */
static void expect(const struct iovec *frame, unsigned link_len,
		   struct fdl_offload *off, struct fdl_segmenter *want,
		   unsigned n)
{
	static uint8_t a[MAX_FRAME], b[MAX_FRAME];
	struct fdl_segmenter got;
	unsigned i;
	int len;

	assert_int_equal(fdl_segment_start(&got, frame, 1, link_len, off, 0),
			 FDL_REFUSE_NONE);
	for (i = 0; i < n; i++) {
		len = fdl_segment_next(want, a, sizeof(a), NULL);
		assert_true(len > 0);
		assert_int_equal(fdl_segment_next(&got, b, sizeof(b), NULL),
				 len);
		assert_memory_equal(a, b, (size_t)len);
	}
	assert_int_equal(fdl_segment_len(&got), 0);
}

/* As a wire is told of it. */
static void describes_itself(const struct fdl_offload *off,
			     const struct wrap *w, unsigned n)
{
	assert_int_equal(fdl_offload_tunnel(off), 0);
	if (n == 1) {
		assert_int_equal(off->csum, FDL_CSUM_VALID);
		assert_int_equal(off->gso, FDL_GSO_NONE);
		return;
	}
	assert_int_equal(off->csum, FDL_CSUM_PARTIAL);
	assert_int_equal(off->csum_start, wrap_l4(w));
	assert_int_equal(off->gso, FDL_GSO_UDP);
	assert_int_equal(off->hdr_len, wrap_l4(w) + 8);
}

static void start(struct rng *r, const struct wrap *w, const struct shape *in,
		  unsigned mss, struct iovec *iov, struct fdl_segmenter *s)
{
	const size_t n = build(super + wrap_len(w), in);
	struct fdl_offload off = wrap_offload(w, in, mss);

	*iov = (struct iovec){ super, wrap(super, w, in, n, true) };
	off.ecn = in->proto == 6 && rnd(r, 2);
	assert_int_equal(fdl_segment_start(&s[0], iov, 1, w->link_len, &off,
					   FDL_SEGMENT_PARTIAL),
			 FDL_REFUSE_NONE);
	assert_int_equal(fdl_segment_start(&s[1], iov, 1, w->link_len, &off, 0),
			 FDL_REFUSE_NONE);
}

static void send_one(struct rng *r, enum tunnel_kind kind, int version)
{
	static struct iovec piece[MAX_PIECES];
	const struct datagrams d = {
		.most = 2 + rnd(r, MOST - 1),
		.longest = rnd(r, 3) ? 65535 : 2000 + rnd(r, 60000),
		.hdr = hdr,
		.iov = piece,
		.max = (int)(rnd(r, 3) ? MAX_PIECES : 2 + rnd(r, 100)),
	};
	struct wrap w = random_wrap(r, kind, version);
	struct fdl_segmenter s[2];
	struct fdl_offload off;
	struct iovec iov, all;
	unsigned mss, n;
	struct shape in = random_inside(r, kind, &mss);
	int cnt;

	w.sum = true;
	start(r, &w, &in, mss, &iov, s);
	assert_int_equal(datagrams_version(s), version);
	datagrams_begin(s);
	while (fdl_segment_len(s)) {
		cnt = datagrams_gather(s, &d, &off, &n);
		assert_in_range(cnt, 1, d.max);
		assert_in_range(n, 1, d.most);
		all = joined(piece, cnt);
		assert_true(n == 1 || all.iov_len <= d.longest);
		describes_itself(&off, &w, n);
		expect(&all, w.link_len, &off, &s[1], n);
	}
	assert_int_equal(fdl_segment_len(&s[1]), 0);
}

static void segments_arrive(void **state)
{
	struct rng r = seeded("datagrams");
	int kind, i;

	(void)state;
	for (kind = 0; kind < TUNNEL_KINDS; kind++)
		for (i = 0; wrap_is_udp((enum tunnel_kind)kind) && i < 60; i++)
			send_one(&r, (enum tunnel_kind)kind, i & 1 ? 4 : 6);
}

/* As few as can be: what is left over is shorter than all others. */
static void they_are_as_long_as_can_be(void **state)
{
	const struct wrap w = {
		.kind = VXLAN, .link_len = 14, .version = 4, .sum = true
	};
	const struct shape in = { .link_len = 14,
				  .version = 4,
				  .proto = 6,
				  .flags = 0x10,
				  .payload = 60000,
				  .partial = true };
	static struct iovec piece[MAX_PIECES];
	struct datagrams d = { MOST, 65535, hdr, piece, MAX_PIECES };
	struct rng r = seeded("long");
	struct fdl_segmenter s[2];
	struct fdl_offload off;
	struct iovec iov;
	unsigned n;

	(void)state;
	start(&r, &w, &in, 1000, &iov, s);
	datagrams_begin(s);
	/* 42 bytes of headers, and 1062 of each datagram. */
	assert_int_equal(datagrams_gather(s, &d, &off, &n), 120);
	assert_int_equal(n, 60);
	assert_int_equal(off.gso_size, 1062);
	start(&r, &w, &in, 1000, &iov, s);
	datagrams_begin(s);
	d.longest = 42 + 10 * 1062;
	datagrams_gather(s, &d, &off, &n);
	assert_int_equal(n, 10);
	d.longest--;
	datagrams_gather(s, &d, &off, &n);
	assert_int_equal(n, 9);
	d.max = 1;
	assert_int_equal(datagrams_gather(s, &d, &off, &n), -EMSGSIZE);
}

static void others_are_told(void **state)
{
	struct rng r = seeded("others");
	struct fdl_segmenter s[2];
	struct iovec iov;
	unsigned mss;
	int kind, i;

	(void)state;
	for (kind = 0; kind < TUNNEL_KINDS; kind++)
		for (i = 0; i < 4; i++) {
			struct wrap w = random_wrap(&r, (enum tunnel_kind)kind,
						    i & 1 ? 4 : 6);
			struct shape in =
				random_inside(&r, (enum tunnel_kind)kind, &mss);

			w.sum = i & 2 && !wrap_is_udp((enum tunnel_kind)kind);
			start(&r, &w, &in, mss, &iov, s);
			assert_int_equal(datagrams_version(s), 0);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_arrive),
		cmocka_unit_test(they_are_as_long_as_can_be),
		cmocka_unit_test(others_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
