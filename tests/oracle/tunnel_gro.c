/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel as oracle of cutting inside GRE and IP in IP, which no virtio
 * header describes, and for which it may have no device: its GRO makes the
 * super-packet of a train, which is then bridged to a TAP that takes no
 * offloads. What comes out is what our segmenter makes of a super-packet that
 * is built from the RFCs, and what the train was. Of each train, whose
 * checksums are all complete, or one of them is left to the device, our
 * coalescer and the kernel make that super-packet; ours, if it merges inside
 * datagrams with a checksum only, makes none of those without one.
 *
 *	train -> [v0]===[in, GRO]--[bridge]--[tap out] -> segments
 */
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cell.h"
#include "kernel_cut.h"
#include "net.h"

enum { SLOT = 400, SUPER = 2000, VNET_GSO_TYPE = 1 };

static const enum tunnel_kind kinds[] = { GRE_IP,   GRE_TEB,  GRE_KEY,
					  GRE_CSUM, IP_IN_IP, VXLAN,
					  GRE_CSUM_KEY_TEB };

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static int feed, watch;

static void set_up(void)
{
	net_own();
	net_run("ip link add v0 type veth peer name in");
	net_run("ethtool -K v0 tso off gso off tx-udp-segmentation off "
		">/dev/null 2>&1");
	net_run("ethtool -K in gro on rx-udp-gro-forwarding on >/dev/null");
	kernel_cut_join(-1, net_tap("out", 0));
	net_run("ip link set v0 up");
	net_vxlan();
	net_set("/sys/class/net/in/gro_flush_timeout", "10000000");
	net_set("/sys/class/net/in/napi_defer_hard_irqs", "1000");
	feed = net_packet("v0", 1);
	watch = net_packet("in", 1);
}

/* Segment k as its sender makes it. */
static size_t make_segment(uint8_t *f, const struct cell *c, unsigned k)
{
	const unsigned at = k * CELL_MSS;
	const bool last = at + CELL_MSS >= c->in.payload;
	struct shape in = c->in;
	struct wrap w = c->w;
	uint8_t *l4 = f + wrap_len(&w) + in.link_len + shape_l3_len(&in);
	uint8_t *check;
	unsigned len;

	w.id += k;
	in.id += k;
	in.seq += at;
	in.payload = last ? in.payload - at : CELL_MSS;
	in.partial = false;
	if (!last)
		in.flags &= 0xf6;
	if (k && c->off.ecn)
		in.flags &= 0x7f;
	build(f + wrap_len(&w), &in);
	memcpy(f + wrap_len(&w) + shape_hdr_len(&in),
	       c->f + wrap_len(&w) + shape_hdr_len(&in) + at, in.payload);
	len = shape_hdr_len(&in) - in.link_len - shape_l3_len(&in) + in.payload;
	check = l4 + (in.proto == 6 ? 16 : 6);
	put16(check, 0);
	put16(check, (uint16_t)~ref_sum(l4, len,
					ref_pseudo(l4 - shape_l3_len(&in),
						   in.version, in.proto, len)));
	return wrap(f, &w, &in, shape_hdr_len(&in) + in.payload, false);
}

struct train {
	uint8_t f[CELL_SEGMENTS][SLOT];
	size_t len[CELL_SEGMENTS];
	struct fdl_offload off[CELL_SEGMENTS];
};

static void make_train(struct train *t, const struct cell *c,
		       enum wrap_left left)
{
	unsigned k;

	for (k = 0; k < CELL_SEGMENTS; k++) {
		t->len[k] = make_segment(t->f[k], c, k);
		t->off[k] = wrap_leave(t->f[k], &c->w, &c->in, t->len[k], left);
	}
}

static void send_train(struct train *t)
{
	uint8_t hdr[CELL_SEGMENTS][FDL_VNET_HDR_LEN];
	struct mmsghdr msg[CELL_SEGMENTS];
	struct iovec iov[CELL_SEGMENTS][2];
	unsigned k;

	memset(msg, 0, sizeof(msg));
	for (k = 0; k < CELL_SEGMENTS; k++) {
		fdl_vnet_hdr_encode(hdr[k], sizeof(hdr[k]), FDL_ORDER_NATIVE,
				    &t->off[k]);
		iov[k][0] = (struct iovec){ hdr[k], sizeof(hdr[k]) };
		iov[k][1] = (struct iovec){ t->f[k], t->len[k] };
		msg[k].msg_hdr.msg_iov = iov[k];
		msg[k].msg_hdr.msg_iovlen = 2;
	}
	if (sendmmsg(feed, msg, CELL_SEGMENTS, 0) != CELL_SEGMENTS)
		perror("sendmmsg");
}

/* Whether a train became the super-packet, of which a checksum of GRE is the
 * first packet's to the kernel. */
static bool is_super(const struct cell *c, const uint8_t *f, size_t len)
{
	const bool gre = !wrap_is_udp(c->w.kind) && wrap_has_sum(&c->w);
	const size_t sum_at = gre ? wrap_l4(&c->w) + 4 : 0;
	const size_t on = gre ? sum_at + 2 : 0;

	if (len == c->len && !memcmp(f, c->f, sum_at) &&
	    !memcmp(f + on, c->f + on, len - on))
		return true;
	net_show(c->f, c->len, f, len);
	return false;
}

/* Returns whether all that the kernel has merged since the last time is right.
 * How many there are is added to *merged. */
static bool theirs_right(const struct cell *c, unsigned *merged)
{
	uint8_t buf[2000];
	bool right = true;
	ssize_t n;

	while ((n = read(watch, buf, sizeof(buf))) > 0) {
		n -= FDL_VNET_HDR_LEN;
		/* The kernel's clock may have cut a train in two. */
		if (!buf[VNET_GSO_TYPE] || n != (ssize_t)c->len)
			continue;
		right &= is_super(c, buf + FDL_VNET_HDR_LEN, c->len);
		++*merged;
	}
	return right;
}

/* Merge the train, what is in UDP as flag says. Returns the number of packets
 * that come out; the first one comes to f. */
static unsigned merge(const struct cell *c, struct train *t, unsigned flag,
		      uint8_t f[SUPER], size_t *len)
{
	struct fdl_coalesce_packet pkt[CELL_SEGMENTS];
	struct iovec iov[CELL_SEGMENTS];
	struct fdl_coalesced out;
	struct fdl_coalescer co;
	unsigned k, n;

	fdl_coalesce_init(&co,
			  FDL_COALESCE_TCP | FDL_COALESCE_UDP | flag |
				  FDL_COALESCE_IP_TUNNEL,
			  0, 0);
	for (k = 0; k < CELL_SEGMENTS; k++) {
		iov[k] = (struct iovec){ t->f[k], t->len[k] };
		pkt[k] = (struct fdl_coalesce_packet){
			.iov = &iov[k],
			.cnt = 1,
			.link_len = (uint8_t)c->w.link_len,
			.off = t->off[k],
		};
		fdl_coalesce_add(&co, &pkt[k]);
	}
	for (n = 0; fdl_coalesce_next(&co, &out); n++)
		if (!n)
			*len = (size_t)fdl_coalesced_copy(&out, f, SUPER);
	return n;
}

static bool ours_right(const struct cell *c, struct train *t, unsigned flag)
{
	const bool merged = flag != FDL_COALESCE_UDP_TUNNEL_SUM ||
			    !wrap_is_udp(c->w.kind) || c->w.sum;
	uint8_t f[SUPER];
	size_t len = 0;
	const unsigned n = merge(c, t, flag, f, &len);

	if (n != (merged ? 1 : CELL_SEGMENTS)) {
		fprintf(stderr, "flag %#x: %u came out\n", flag, n);
		return false;
	}
	return !merged || is_super(c, f, len);
}

/* GRO does not merge what has options of IP, nor CWR. */
static void make_mergeable(struct cell *c)
{
	c->in.ip_opts = 0;
	c->w.ip_opts = 0;
	c->in.flags &= 0x7f;
	c->off.ecn = 0;
	cell_build(c);
}

/* Ours against the train. */
static bool is_train(struct cell *c)
{
	const struct iovec super = { c->f, c->len };
	uint8_t want[SLOT], got[SLOT];
	struct fdl_segmenter seg;
	unsigned k;
	size_t len;

	if (fdl_segment_start(&seg, &super, 1, c->w.link_len, &c->off, 0))
		return false;
	for (k = 0; k < CELL_SEGMENTS; k++) {
		len = make_segment(want, c, k);
		if (fdl_segment_next(&seg, got, sizeof(got), NULL) !=
			    (int)len ||
		    memcmp(want, got, len)) {
			net_show(got, len, want, len);
			return false;
		}
	}
	return true;
}

/* The kernel gives each segment the GRE checksum of the first packet. Where
 * that was left to the device, or an IPv4 packet inside is shorter than the
 * ones before it, it is wrong. */
static bool kernel_is_wrong(const struct cell *c, enum wrap_left left)
{
	if (wrap_is_udp(c->w.kind) || !wrap_has_sum(&c->w))
		return false;
	return left == LEFT_OUTSIDE ||
	       (c->w.kind == GRE_CSUM && c->in.version == 4 &&
		c->has == CELL_ODD);
}

static bool same(struct cell *c, enum wrap_left left, unsigned *merged)
{
	const struct iovec super = { c->f, c->len };
	struct train t;

	make_train(&t, c, left);
	if (!ours_right(c, &t, FDL_COALESCE_UDP_TUNNEL))
		return false;
	/* Datagrams whose packets are complete, it merges as datagrams. */
	if ((left == LEFT_INSIDE || !wrap_is_udp(c->w.kind)) &&
	    !ours_right(c, &t, FDL_COALESCE_UDP_TUNNEL_SUM))
		return false;
	if (kernel_is_wrong(c, left))
		return true;
	send_train(&t);
	return kernel_cut_compare(&super, c->w.link_len, &c->off, 0) > 0 &&
	       theirs_right(c, merged);
}

/* Returns how many of its sums make the cell differ. */
static unsigned each_sum(struct cell *c, unsigned merged[LEFT_WAYS])
{
	unsigned left, bad = 0;

	if (!is_train(c)) {
		cell_show(c);
		return 1;
	}
	make_mergeable(c);
	for (left = 0; left < LEFT_WAYS; left++) {
		if (left == LEFT_OUTSIDE && !wrap_has_sum(&c->w))
			continue;
		if (same(c, (enum wrap_left)left, &merged[left]))
			continue;
		fprintf(stderr, "left %u: ", left);
		cell_show(c);
		bad++;
	}
	return bad;
}

/* Returns whether the kernel merged none of what it is expected to. */
static bool none_merged(enum tunnel_kind kind, const unsigned merged[LEFT_WAYS])
{
	printf("tunnel %d: %u merged by the kernel, %u with the sum inside "
	       "left, %u outside\n",
	       kind, merged[LEFT_NONE], merged[LEFT_INSIDE],
	       merged[LEFT_OUTSIDE]);
	return !merged[LEFT_NONE] || !merged[LEFT_INSIDE] ||
	       (wrap_is_udp(kind) && !merged[LEFT_OUTSIDE]);
}

int main(void)
{
	unsigned merged[KINDS][LEFT_WAYS] = { 0 };
	unsigned i, k, cells = 0, bad = 0;
	struct cell c;

	set_up();
	for (i = 0; bad < 10 && cell_make(&c, i, kinds, KINDS); i++) {
		if (c.w.sum && !wrap_is_udp(c.w.kind))
			continue;
		cells++;
		bad += each_sum(&c, merged[cell_kind(i)]);
	}
	for (k = 0; k < KINDS; k++)
		bad += none_merged(kinds[k], merged[k]);
	printf("%u cells, %u wrong\n", cells, bad);
	return bad ? 1 : 0;
}
