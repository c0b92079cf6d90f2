/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel as oracle of cutting inside tunnels: a super-packet written into
 * one TAP, whose virtio header tells of tunnels, is bridged to another, which
 * takes no offloads; what comes out is what our segmenter makes of the same
 * packet, byte by byte. To the kernel all between the outer UDP header and the
 * inner IP header is opaque, so it cuts every tunnel in UDP, whether it has a
 * device for it or not. First each cell, then super-packets at random.
 *
 *	super-packet -> [tap in]--[bridge]--[tap out] -> segments
 */
#include <sys/uio.h>

#include "cell.h"
#include "in_udp.h"
#include "kernel_cut.h"
#include "net.h"

enum {
	HDR_LEN = 24,		/* struct virtio_net_hdr_v1_hash_tunnel */
	FLAG_TUNNEL_CSUM = 8,
	GSO_TUNNEL_IP4 = 0x20,
	GSO_TUNNEL_IP6 = 0x40,
};

static void set_up(void)
{
	int in;

	net_own();
	in = net_tap_tunnel("in");
	kernel_cut_join(in, net_tap("out", 0));
}

static void put_le16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static bool write_in(const struct wrap *w, const struct shape *in,
		     const struct fdl_offload *off, uint8_t *f, size_t len)
{
	uint8_t hdr[HDR_LEN] = { 0 };

	fdl_vnet_hdr_encode(hdr, FDL_VNET_HDR_LEN, FDL_ORDER_NATIVE, off);
	hdr[1] |= w->version == 4 ? GSO_TUNNEL_IP4 : GSO_TUNNEL_IP6;
	hdr[0] |= w->sum ? FLAG_TUNNEL_CSUM : 0;
	put_le16(hdr + 20, wrap_l4(w));
	put_le16(hdr + 22, wrap_len(w) + in->link_len);
	return kernel_cut_write(hdr, sizeof(hdr), f, len);
}

static int one(struct rng *r)
{
	static struct tunnelled x;
	struct iovec super;
	int n = -1;

	tunnelled_make(r, &x);
	super = (struct iovec){ x.f, x.len };
	if (write_in(&x.w, &x.in, &x.off, x.f, x.len))
		n = kernel_cut_compare(&super, x.w.link_len, &x.off, 0);
	if (n < 0)
		tunnelled_show(&x);
	return n;
}

static bool is_alike(struct cell *c)
{
	const struct iovec super = { c->f, c->len };

	return write_in(&c->w, &c->in, &c->off, c->f, c->len) &&
	       kernel_cut_compare(&super, c->w.link_len, &c->off, 0) > 0;
}

int main(int argc, char **argv)
{
	set_up();
	return cell_each(in_udp, IN_UDP, is_alike) |
	       kernel_cut_run("tunnel", argc > 1 ? atoi(argv[1]) : 2000, one);
}
