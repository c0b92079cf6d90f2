/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel as oracle of cutting: a super-packet written into one TAP is
 * bridged to another, which takes no offloads, so that the kernel segments it
 * and completes its checksums; what comes out is compared, byte by byte, with
 * what our segmenter makes of the same packet. Or ours cuts it into shorter
 * super-packets, and the kernel those.
 *
 *	super-packet -> [tap in]--[bridge]--[tap out] -> segments
 */
#include <sys/uio.h>

#include "../unit/packets.h"
#include "kernel_cut.h"
#include "net.h"
#include "offload/segment.h"

enum { MAX_SEGMENTS = 1000 };

static void set_up(void)
{
	int in, out;

	net_own();
	in = net_tap("in", 1);
	out = net_tap("out", 0);
	/* A piece of one segment is held to the MTU, a super-packet is not. */
	net_run("ip link set in mtu 4000 && ip link set out mtu 4000");
	kernel_cut_join(in, out);
}

/* A super-packet or one with a partial checksum, whatever the flags. */
static struct shape random_case(struct rng *r, unsigned *mss)
{
	struct shape s = random_shape(r);
	unsigned max;

	if (!s.link_len)
		s.link_len = 14;
	s.flags = (uint8_t)rnd(r, 256);
	if (s.version == 4 && !rnd(r, 3))
		s.ip_opts = 4 * rnd(r, 11);
	if (!rnd(r, 10)) {
		*mss = 0;
		s.payload = rnd(r, 1200);
		return s;
	}
	*mss = rnd(r, 4) ? 200 + rnd(r, 1300) : 8 + rnd(r, 60);
	max = *mss * (s.proto == 17 ? 128 : MAX_SEGMENTS);
	if (max > 65535 - shape_hdr_len(&s))
		max = 65535 - shape_hdr_len(&s);
	s.payload = *mss + 1 + rnd(r, max - *mss);
	if (rnd(r, 2) && s.payload >= 2 * *mss)
		s.payload -= s.payload % *mss;
	return s;
}

static bool write_in(uint8_t *frame, size_t len, const struct fdl_offload *off)
{
	uint8_t hdr[FDL_VNET_HDR_LEN];

	fdl_vnet_hdr_encode(hdr, sizeof(hdr), FDL_ORDER_NATIVE, off);
	return kernel_cut_write(hdr, sizeof(hdr), frame, len);
}

/* In pieces of up to n segments. */
static bool write_in_runs(const struct shape *s, const struct iovec *super,
			  const struct fdl_offload *off, unsigned n)
{
	static uint8_t piece[70000];
	struct fdl_segmenter seg;
	struct fdl_offload left;
	int len;

	if (fdl_segment_start(&seg, super, 1, s->link_len, off,
			      FDL_SEGMENT_PARTIAL))
		return false;
	segment_in_runs(&seg, off->gso_size, n);
	while ((len = fdl_segment_next(&seg, piece, sizeof(piece), &left)) > 0)
		if (!write_in(piece, (size_t)len, &left))
			return false;
	return true;
}

static int one(struct rng *r)
{
	static uint8_t super[70000];
	unsigned mss;
	struct shape s = random_case(r, &mss);
	struct fdl_offload off = shape_offload(&s, mss);
	const struct iovec iov = { super, build(super, &s) };
	const bool runs = mss && s.partial && rnd(r, 2);
	unsigned zero_at = 0;
	bool written;
	int n;

	/* As the kernel says it; one that does not know AccECN does not ask. */
	off.ecn = mss && s.proto == 6 && s.flags & 0x80;
	written = runs ? write_in_runs(&s, &iov, &off, 1 + rnd(r, 30)) :
			 write_in(super, iov.iov_len, &off);
	/* A piece of one segment is no super-packet to the kernel, which then
	 * stores a sum of 0 in its other form. */
	if (runs && s.proto == 6)
		zero_at = s.link_len + shape_l3_len(&s) + 16;
	n = written ? kernel_cut_compare(&iov, s.link_len, &off, zero_at) : -1;
	if (n < 0)
		fprintf(stderr,
			"IPv%d proto %d link %u ip options %u tcp options %u "
			"payload %u mss %u flags %02x\n",
			s.version, s.proto, s.link_len, s.ip_opts, s.tcp_opts,
			s.payload, mss, s.flags);
	return n;
}

int main(int argc, char **argv)
{
	set_up();
	return kernel_cut_run("cut", argc > 1 ? atoi(argv[1]) : 3000, one);
}
