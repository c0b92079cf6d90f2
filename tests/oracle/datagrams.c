/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel as oracle of super-packets inside tunnels that go as datagrams:
 * what our library makes of one is written into a TAP whose virtio header knows
 * no tunnels, and bridged to another, which takes no offloads. So the kernel
 * cuts super-packets of plain UDP; what comes out is what our segmenter makes
 * of the packet inside the tunnel, byte by byte. First each cell, whole and in
 * small super-packets, then at random, also how many datagrams and bytes one
 * may have.
 *
 *	super-packet -> datagrams -> [tap in]--[bridge]--[tap out] -> segments
 */
#include <sys/uio.h>

#include "cell.h"
#include "in_udp.h"
#include "kernel_cut.h"
#include "net.h"
#include "offload/datagrams.h"

enum {
	MAX_PIECES = 1024,
	MOST = 128,		/* UDP_MAX_SEGMENTS */
	FEW = 3,		/* of the segments of a cell */
};

static void set_up(void)
{
	int in;

	net_own();
	in = net_tap_uso("in");
	kernel_cut_join(in, net_tap("out", 0));
	/* A datagram alone is held to the MTU, a super-packet is not. */
	net_run("ip link set in mtu 4000 && ip link set out mtu 4000");
}

static bool write_one(const struct fdl_offload *off, const struct iovec *v,
		      int cnt)
{
	static uint8_t frame[70000];
	uint8_t hdr[FDL_VNET_HDR_LEN];
	size_t len = 0;
	int i;

	for (i = 0; i < cnt; len += v[i++].iov_len)
		memcpy(frame + len, v[i].iov_base, v[i].iov_len);
	fdl_vnet_hdr_encode(hdr, sizeof(hdr), FDL_ORDER_NATIVE, off);
	return kernel_cut_write(hdr, sizeof(hdr), frame, len);
}

static bool write_in(struct fdl_segmenter *s, unsigned most, size_t longest)
{
	static uint8_t hdr[MOST][FDL_HEADERS_MAX];
	static struct iovec piece[MAX_PIECES];
	const struct datagrams d = { most, longest, hdr, piece, MAX_PIECES };
	struct fdl_offload off;
	unsigned n;
	int cnt;

	datagrams_begin(s);
	while ((cnt = datagrams_gather(s, &d, &off, &n)) > 0)
		if (!write_one(&off, piece, cnt))
			return false;
	return cnt == 0;
}

/* Returns the number of segments that came out alike; 0: there have to be none,
 * because the datagrams have no checksum; < 0: they are not alike. */
static int compare(const struct wrap *w, const struct iovec *super,
		   const struct fdl_offload *off, unsigned most, size_t longest)
{
	struct fdl_segmenter s;
	enum fdl_refusal why;

	why = fdl_segment_start(&s, super, 1, w->link_len, off,
				FDL_SEGMENT_PARTIAL);
	if (why || datagrams_version(&s) != (w->sum ? (unsigned)w->version : 0))
		return -1;
	if (!w->sum)
		return 0;
	if (!write_in(&s, most, longest))
		return -1;
	return kernel_cut_compare(super, w->link_len, off, 0);
}

static int one(struct rng *r)
{
	static struct tunnelled x;
	struct iovec super;
	int n;

	tunnelled_make(r, &x);
	super = (struct iovec){ x.f, x.len };
	n = compare(&x.w, &super, &x.off, 2 + rnd(r, MOST - 1),
		    rnd(r, 3) ? 65535 : 2000 + rnd(r, 60000));
	if (n < 0)
		tunnelled_show(&x);
	return n;
}

static bool is_alike_in(struct cell *c, unsigned most)
{
	const struct iovec super = { c->f, c->len };

	return compare(&c->w, &super, &c->off, most, 65535) ==
	       (c->w.sum ? CELL_SEGMENTS : 0);
}

static bool is_alike(struct cell *c)
{
	return is_alike_in(c, MOST) && is_alike_in(c, FEW);
}

int main(int argc, char **argv)
{
	set_up();
	return cell_each(in_udp, IN_UDP, is_alike) |
	       kernel_cut_run("datagrams", argc > 1 ? atoi(argv[1]) : 2000,
			      one);
}
