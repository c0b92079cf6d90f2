/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel as oracle of cutting inside GRE and IP in IP, which no virtio header
 * describes, and for which it may have no device: its GRO makes the super-packet
 * of a train, which is then bridged to a TAP that takes no offloads. What comes out
 * is what our segmenter makes of a super-packet that is built from the RFCs, and
 * what the train was.
 *
 *	train -> [v0]===[in, GRO]--[bridge]--[tap out] -> segments
 */
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "cell.h"
#include "kernel_cut.h"
#include "net.h"

enum { SLOT = 400, VNET_GSO_TYPE = 1 };

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
	feed = net_packet("v0", 0);
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

static void send_train(const struct cell *c)
{
	static uint8_t f[CELL_SEGMENTS][SLOT];
	struct mmsghdr msg[CELL_SEGMENTS];
	struct iovec iov[CELL_SEGMENTS];
	unsigned k;

	memset(msg, 0, sizeof(msg));
	for (k = 0; k < CELL_SEGMENTS; k++) {
		iov[k] = (struct iovec){ f[k], make_segment(f[k], c, k) };
		msg[k].msg_hdr.msg_iov = &iov[k];
		msg[k].msg_hdr.msg_iovlen = 1;
	}
	if (sendmmsg(feed, msg, CELL_SEGMENTS, 0) != CELL_SEGMENTS)
		perror("sendmmsg");
}

/* Whether the kernel has merged any since the last time. */
static bool was_merged(void)
{
	uint8_t buf[2000];
	bool merged = false;

	while (read(watch, buf, sizeof(buf)) > 0)
		merged |= buf[VNET_GSO_TYPE] != 0;
	return merged;
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

/* Where an IPv4 packet inside is shorter than the ones before it, the kernel's
 * checksum of GRE is off by as much. */
static bool kernel_is_wrong(const struct cell *c)
{
	return c->w.kind == GRE_CSUM && c->in.version == 4 &&
	       c->has == CELL_ODD;
}

static bool same(struct cell *c)
{
	const struct iovec super = { c->f, c->len };

	if (!is_train(c)) {
		cell_show(c);
		return false;
	}
	make_mergeable(c);
	if (kernel_is_wrong(c))
		return true;
	send_train(c);
	if (kernel_cut_compare(&super, c->w.link_len, &c->off, 0) > 0)
		return true;
	cell_show(c);
	return false;
}

int main(void)
{
	unsigned merged[KINDS] = { 0 };
	unsigned i, k, cells = 0, bad = 0;
	struct cell c;

	set_up();
	for (i = 0; bad < 10 && cell_make(&c, i, kinds, KINDS); i++) {
		if (c.w.sum && !wrap_is_udp(c.w.kind))
			continue;
		cells++;
		bad += !same(&c);
		merged[cell_kind(i)] += was_merged();
	}
	for (k = 0; k < KINDS; k++) {
		printf("tunnel %d: %u merged by the kernel\n", kinds[k],
		       merged[k]);
		bad += !merged[k];
	}
	printf("%u cells, %u wrong\n", cells, bad);
	return bad ? 1 : 0;
}
