/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel as oracle of cutting inside tunnels: a super-packet written into one
 * TAP, whose virtio header tells of tunnels, is bridged to another, which takes no
 * offloads; what comes out is what our segmenter makes of the same packet, byte by
 * byte. To the kernel all between the outer UDP header and the inner IP header is
 * opaque, so it cuts every tunnel in UDP, whether it has a device for it or not.
 *
 *	super-packet -> [tap in]--[bridge]--[tap out] -> segments
 */
#include <errno.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../unit/tunnels.h"
#include "net.h"

enum {
	HDR_LEN = 24,		/* struct virtio_net_hdr_v1_hash_tunnel */
	FLAG_TUNNEL_CSUM = 8,
	GSO_TUNNEL_IP4 = 0x20,
	GSO_TUNNEL_IP6 = 0x40,
};

static int tap_in, tap_out;

static void set_up(void)
{
	net_own();
	tap_in = net_tap_tunnel("in");
	tap_out = net_tap("out", 0);
	net_run("ip link add br0 type bridge mcast_snooping 0");
	net_run("ip link set in master br0 up && ip link set out txqueuelen "
		"5000 master br0 up && ip link set br0 up");
}

struct tunnelled {
	struct wrap w;
	struct shape in;
	unsigned mss;
	struct fdl_offload off;
	uint8_t f[70000];
	size_t len;
};

static void make(struct rng *r, struct tunnelled *x)
{
	static const enum tunnel_kind kinds[] = {
		VXLAN, VXLAN_GPE_ETH, VXLAN_GPE_IP, GENEVE, GENEVE_IP, FOU, GUE,
	};
	unsigned max;

	x->w = random_wrap(r, kinds[rnd(r, 7)], rnd(r, 2) ? 4 : 6);
	if (!x->w.link_len)
		x->w.link_len = 14;
	x->in = random_inside(r, x->w.kind, &x->mss);
	x->mss = rnd(r, 4) ? 200 + rnd(r, 1200) : 8 + rnd(r, 60);
	max = x->mss * (x->in.proto == 17 ? 128 : 1000);
	if (max > 65000)
		max = 65000;
	x->in.payload = x->mss + 1 + rnd(r, max - x->mss);
	if (rnd(r, 2) && x->in.payload >= 2 * x->mss)
		x->in.payload -= x->in.payload % x->mss;
	x->len = build(x->f + wrap_len(&x->w), &x->in);
	x->len = wrap(x->f, &x->w, &x->in, x->len, true);
	x->off = shape_offload(&x->in, x->mss);
	x->off.csum_start = (uint16_t)(x->off.csum_start + wrap_len(&x->w));
	x->off.hdr_len = (uint16_t)(x->off.hdr_len + wrap_len(&x->w));
	x->off.ecn = x->in.proto == 6 && x->in.flags & 0x80;
}

static void put_le16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static bool write_in(struct tunnelled *x)
{
	uint8_t hdr[HDR_LEN] = { 0 };
	const struct iovec iov[2] = { { hdr, sizeof(hdr) }, { x->f, x->len } };

	fdl_vnet_hdr_encode(hdr, FDL_VNET_HDR_LEN, FDL_ORDER_NATIVE, &x->off);
	hdr[1] |= x->w.version == 4 ? GSO_TUNNEL_IP4 : GSO_TUNNEL_IP6;
	hdr[0] |= x->w.sum ? FLAG_TUNNEL_CSUM : 0;
	put_le16(hdr + 20, wrap_l4(&x->w));
	put_le16(hdr + 22, wrap_len(&x->w) + x->in.link_len);
	if (writev(tap_in, iov, 2) >= 0)
		return true;
	fprintf(stderr, "kernel refuses: %m\n");
	return false;
}

static ssize_t from_kernel(uint8_t *buf, size_t size)
{
	struct pollfd p = { .fd = tap_out, .events = POLLIN };
	ssize_t n = read(tap_out, buf, size);

	if (n < 0 && errno == EAGAIN && poll(&p, 1, 10000) > 0)
		n = read(tap_out, buf, size);
	return n;
}

/* Returns the number of segments that came out alike; < 0: they did not. */
static int compare(struct tunnelled *x)
{
	static uint8_t want[70000], got[70000];
	const struct iovec iov = { x->f, x->len };
	struct fdl_segmenter seg;
	enum fdl_refusal why;
	int n, count = 0;
	ssize_t k;

	why = fdl_segment_start(&seg, &iov, 1, x->w.link_len, &x->off, 0);
	if (why) {
		fprintf(stderr, "refused: %s\n", fdl_refusal_name(why));
		return -1;
	}
	while ((n = fdl_segment_next(&seg, want, sizeof(want), NULL)) > 0) {
		k = from_kernel(got, sizeof(got));
		if (k != n || memcmp(want, got, (size_t)n)) {
			fprintf(stderr, "segment %d: ", count);
			net_show(want, (size_t)n, got, k > 0 ? (size_t)k : 0);
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

static int one(struct rng *r)
{
	static struct tunnelled x;
	int n;

	make(r, &x);
	n = write_in(&x) ? compare(&x) : -1;
	if (n < 0)
		fprintf(stderr,
			"tunnel %d in IPv%d link %u options %u sum %d: IPv%d "
			"proto %d link %u ip options %u payload %u mss %u "
			"flags %02x\n",
			x.w.kind, x.w.version, x.w.link_len, x.w.ip_opts,
			x.w.sum, x.in.version, x.in.proto, x.in.link_len,
			x.in.ip_opts, x.in.payload, x.mss, x.in.flags);
	return n;
}

int main(int argc, char **argv)
{
	const int cases = argc > 1 ? atoi(argv[1]) : 2000;
	struct rng r = seeded("tunnel");
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
