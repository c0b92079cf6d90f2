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
#include <errno.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../unit/packets.h"
#include "net.h"
#include "offload/segment.h"

enum { MAX_SEGMENTS = 1000 };

static int tap_in, tap_out;

static void set_up(void)
{
	net_own();
	tap_in = net_tap("in", 1);
	tap_out = net_tap("out", 0);
	/* A piece of one segment is held to the MTU, a super-packet is not. */
	net_run("ip link set in mtu 4000 && ip link set out mtu 4000");
	net_run("ip link add br0 type bridge mcast_snooping 0");
	net_run("ip link set in master br0 up && ip link set out txqueuelen "
		"5000 master br0 up && ip link set br0 up");
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

static ssize_t from_kernel(uint8_t *buf, size_t size)
{
	struct pollfd p = { .fd = tap_out, .events = POLLIN };
	ssize_t n = read(tap_out, buf, size);

	if (n < 0 && errno == EAGAIN && poll(&p, 1, 30000) > 0)
		n = read(tap_out, buf, size);
	return n;
}

/* A piece of one segment is no super-packet to the kernel, which then stores a sum
 * of 0 in its other form. */
static void same_zero(const struct shape *s, uint8_t *want, const uint8_t *got)
{
	const unsigned at = s->link_len + shape_l3_len(s) + 16;

	if (!get16(want + at) && get16(got + at) == 0xffff)
		put16(want + at, 0xffff);
}

/* Returns the number of segments that came out alike; < 0: they did not. */
static int compare(const struct shape *s, const struct iovec *super,
		   const struct fdl_offload *off, bool runs)
{
	static uint8_t want[70000], got[70000];
	struct fdl_segmenter seg;
	enum fdl_refusal why;
	int n, count = 0;
	ssize_t k;

	why = fdl_segment_start(&seg, super, 1, s->link_len, off, 0);
	if (why) {
		fprintf(stderr, "refused: %s\n", fdl_refusal_name(why));
		return -1;
	}
	while ((n = fdl_segment_next(&seg, want, sizeof(want), NULL)) > 0) {
		k = from_kernel(got, sizeof(got));
		if (k < 0) {
			fprintf(stderr, "segment %d: kernel has none\n", count);
			return -1;
		}
		if (runs && k == n && s->proto == 6)
			same_zero(s, want, got);
		if (k != n || memcmp(want, got, (size_t)n)) {
			fprintf(stderr, "segment %d: ", count);
			net_show(want, (size_t)n, got, (size_t)k);
			return -1;
		}
		count++;
	}
	if (read(tap_out, got, sizeof(got)) > 0) {
		fprintf(stderr, "after %d segments: kernel has more\n", count);
		return -1;
	}
	return count;
}

static bool write_in(uint8_t *frame, size_t len, const struct fdl_offload *off)
{
	uint8_t hdr[FDL_VNET_HDR_LEN];
	const struct iovec iov[2] = { { hdr, sizeof(hdr) }, { frame, len } };

	fdl_vnet_hdr_encode(hdr, sizeof(hdr), FDL_ORDER_NATIVE, off);
	if (writev(tap_in, iov, 2) >= 0)
		return true;
	fprintf(stderr, "kernel refuses: %m\n");
	return false;
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
	bool written;
	int n;

	/* As the kernel says it; one that does not know AccECN does not ask. */
	off.ecn = mss && s.proto == 6 && s.flags & 0x80;
	written = runs ? write_in_runs(&s, &iov, &off, 1 + rnd(r, 30)) :
			 write_in(super, iov.iov_len, &off);
	n = written ? compare(&s, &iov, &off, runs) : -1;
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
	const int cases = argc > 1 ? atoi(argv[1]) : 3000;
	struct rng r = seeded("cut");
	int i, n, segments = 0, bad = 0;
	uint8_t rest[70000];

	set_up();
	for (i = 0; i < cases && bad < 10; i++) {
		n = one(&r);
		segments += n > 0 ? n : 0;
		bad += n < 0;
		while (n < 0 && read(tap_out, rest, sizeof(rest)) > 0)
			;
	}
	printf("%d packets, %d segments, %d differ\n", i, segments, bad);
	return bad ? 1 : 0;
}
