/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel as oracle of merging: trains of packets are sent into one end of a
 * veth, and what the kernel's GRO makes of them is captured at the other with
 * its virtio header, and compared with what our coalescer makes of the same.
 *
 *	train -> (packet socket)[v0]===[v1, GRO](packet socket) -> merged
 *
 * Not tried is what ours does differently on purpose: wrong checksums (GRO lets
 * such a packet overtake its flow), IP ids that stand still without DF (newer
 * kernels merge them), changing flow labels (to GRO another flow), CWR (merged
 * by newer kernels as AccECN), TCP payloads under 8 bytes.
 *
 * A flow may lie in a tunnel: in VXLAN, for which there is a device, or in one
 * that needs none. GRO leaves a GRE checksum as the first packet's, where ours
 * is the one of all. Not tried: GRE with key and checksum, of which GRO takes
 * the checksum for the key, and outer UDP checksums that come and go (to GRO
 * another flow).
 *
 * If ours may merge inside datagrams with a checksum only, and no train has
 * datagrams whose packets are complete, it makes the same of those with a
 * checksum, and nothing of the others.
 *
 * GRO keeps flows apart but not their order among each other, so the packets
 * are compared flow by flow. It flushes on every tick of the kernel's clock: a
 * train that a tick cut in two is tried again.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "flow.h"
#include "net.h"

enum {
	TRAIN = 40,
	FLOWS = 3,
	TRIES = 30,
	SLOT = 1800,
	LINK_LEN = FLOW_LINK_LEN,
};

/* A packet, and the tunnel it is in. */
struct item {
	struct shape s;
	struct wrap w;
	bool in_tunnel;
	enum wrap_left left;		/* in a tunnel */
};

struct merged {
	uint8_t bytes[70000];
	size_t len;
	struct fdl_offload off;
	bool used;
};

static int tx, rx;
static uint8_t train[TRAIN][SLOT];
static size_t train_len[TRAIN];
static struct fdl_offload train_off[TRAIN];
static struct fdl_coalesce_packet train_pkt[TRAIN];
static struct item items[TRAIN];
static struct merged ours[TRAIN], theirs[2 * TRAIN];

static void set_up(void)
{
	net_own();
	net_run("ip link add v0 mtu 9000 type veth peer name v1 mtu 9000");
	net_run("ethtool -K v0 tso off gso off tx-udp-segmentation off "
		">/dev/null 2>&1");
	net_run("ethtool -K v1 gro on rx-udp-gro-forwarding on >/dev/null");
	net_run("ip link set v0 up && ip link set v1 up");
	net_vxlan();
	net_set("/sys/class/net/v1/gro_flush_timeout", "5000000");
	net_set("/sys/class/net/v1/napi_defer_hard_irqs", "1000");
	tx = net_packet("v0", 1);
	rx = net_packet("v1", 1);
}

/* The next packet of a flow, now and then out of the ordinary. */
static void vary(struct rng *r, struct shape *s)
{
	switch (rnd(r, 60)) {
	case 0:
		s->flags |= 0x08;
		break;
	case 1:
		s->flags |= 0x01;
		break;
	case 2:
		s->flags ^= 0x40;
		break;
	case 3:
		s->seq += 1;
		break;
	case 4:
		s->ack++;
		break;
	case 5:
		s->ttl ^= 1;
		break;
	case 6:
		s->tos ^= 4;
		break;
	case 7:
		s->id += 1;
		break;
	case 8:
		s->df = !s->df;
		break;
	case 9:
		s->id -= s->df;
		break;
	case 10:
		s->payload = s->proto == 6 ? 0 : s->payload;
		break;
	case 11:
		s->payload -= s->payload > 100 ? 50 : 0;
		break;
	case 12:
		s->payload += 50;
		break;
	case 13:
		s->flags ^= 0x20;
		break;
	case 14:
		s->flags ^= 0x04;
		break;
	}
}

/* The same of its outer headers. */
static void vary_outside(struct rng *r, struct wrap *w)
{
	switch (rnd(r, 90)) {
	case 0:
		w->id += 1;
		break;
	case 1:
		w->df = !w->df;
		break;
	case 2:
		w->id -= w->df;
		break;
	case 3:
		w->tos ^= 4;
		break;
	}
}

static struct item begin_flow(struct rng *r, unsigned flow)
{
	static const enum tunnel_kind kinds[] = {
		VXLAN,	 VXLAN_GPE_ETH, VXLAN_GPE_IP, GRE_IP,
		GRE_TEB, GRE_KEY,	GRE_CSUM,     IP_IN_IP,
	};
	const enum tunnel_kind kind = kinds[rnd(r, 8)];
	struct item f = {
		.s = random_shape(r),
		.w = random_wrap(r, kind, rnd(r, 2) ? 4 : 6),
		.in_tunnel = rnd(r, 3),
		.left = (enum wrap_left)rnd(r, LEFT_WAYS),
	};

	f.w.link_len = LINK_LEN;
	f.s.link_len = LINK_LEN;
	if (f.in_tunnel && !wrap_has_eth(kind))
		f.s.link_len = 0;
	f.s.flow = flow;
	f.s.partial = false;
	f.s.ttl |= 2;
	f.s.payload = 60 + rnd(r, 1300);
	return f;
}

static size_t put(uint8_t *f, const struct item *m, struct fdl_offload *off)
{
	size_t len;

	*off = (struct fdl_offload){ 0 };
	if (!m->in_tunnel)
		return build(f, &m->s);
	len = build(f + wrap_len(&m->w), &m->s);
	len = wrap(f, &m->w, &m->s, len, false);
	*off = wrap_leave(f, &m->w, &m->s, len, m->left);
	return len;
}

static void make_train(struct rng *r)
{
	struct item flow[FLOWS], m;
	int i, k;

	for (i = 0; i < FLOWS; i++)
		flow[i] = begin_flow(r, (unsigned)i);
	for (i = 0; i < TRAIN; i++) {
		k = (int)rnd(r, FLOWS);
		m = flow[k];
		vary(r, &m.s);
		vary_outside(r, &m.w);
		train_len[i] = put(train[i], &m, &train_off[i]);
		items[i] = m;
		flow[k] = m;
		flow[k].s.seq += m.s.payload + (m.s.flags & 1);
		flow[k].s.id++;
		flow[k].w.id++;
		flow[k].s.flags &= 0x50;
		if (!flow[k].s.payload)
			flow[k].s.payload = 500;
	}
}

/* Merge the train, what is in UDP as flag says. */
static void begin(struct fdl_coalescer *c, unsigned flag)
{
	static struct iovec iov[TRAIN];
	int i;

	fdl_coalesce_init(c,
			  FDL_COALESCE_TCP | FDL_COALESCE_UDP | flag |
				  FDL_COALESCE_IP_TUNNEL,
			  0, 0);
	for (i = 0; i < TRAIN; i++) {
		iov[i] = (struct iovec){ train[i], train_len[i] };
		train_pkt[i] = (struct fdl_coalesce_packet){
			.iov = &iov[i],
			.cnt = 1,
			.link_len = LINK_LEN,
			.off = train_off[i],
		};
		fdl_coalesce_add(c, &train_pkt[i]);
	}
}

static int merge_ours(void)
{
	static struct fdl_coalesced out;
	struct fdl_coalescer c;
	int n;

	begin(&c, FDL_COALESCE_UDP_TUNNEL);
	for (n = 0; fdl_coalesce_next(&c, &out); n++) {
		ours[n].len = (size_t)fdl_coalesced_copy(&out, ours[n].bytes,
							 sizeof(ours[n].bytes));
		ours[n].off = out.off;
		ours[n].used = false;
	}
	return n;
}

/* Which packet each one is merged into, itself if none. */
static void find_firsts(unsigned flag, int first[TRAIN])
{
	static struct fdl_coalesced out;
	const struct fdl_coalesce_packet *p;
	struct fdl_coalescer c;

	begin(&c, flag);
	while (fdl_coalesce_next(&c, &out))
		for (p = out.packets; p; p = p->next)
			first[p - train_pkt] = (int)(out.packets - train_pkt);
}

static bool in_udp(const struct item *m)
{
	return m->in_tunnel && wrap_is_udp(m->w.kind);
}

/* Inside UDP that has to have a checksum, the same is merged, and nothing where
 * it has none. */
static bool sums_decide(void)
{
	int with[TRAIN], any[TRAIN], i;

	for (i = 0; i < TRAIN; i++)
		if (in_udp(&items[i]) && items[i].left != LEFT_INSIDE)
			return true;
	find_firsts(FDL_COALESCE_UDP_TUNNEL, any);
	find_firsts(FDL_COALESCE_UDP_TUNNEL_SUM, with);
	for (i = 0; i < TRAIN; i++) {
		if (in_udp(&items[i]) && !items[i].w.sum)
			any[i] = i;
		if (with[i] == any[i])
			continue;
		fprintf(stderr, "packet %d: into %d, with a checksum %d\n", i,
			any[i], with[i]);
		return false;
	}
	return true;
}

static int from_kernel(void)
{
	struct pollfd p = { .fd = rx, .events = POLLIN };
	uint8_t hdr[FDL_VNET_HDR_LEN];
	int n = 0;

	while (n < 2 * TRAIN && poll(&p, 1, 12) > 0) {
		struct iovec iov[2] = { { hdr, sizeof(hdr) },
					{ theirs[n].bytes, 70000 } };
		ssize_t k = readv(rx, iov, 2);

		if (k < (ssize_t)sizeof(hdr))
			continue;
		theirs[n].len = (size_t)k - sizeof(hdr);
		theirs[n].off = (struct fdl_offload){ 0 };
		fdl_vnet_hdr_decode(hdr, sizeof(hdr), FDL_ORDER_NATIVE,
				    &theirs[n].off);
		n++;
	}
	return n;
}

/* GRO leaves its tables to the next packet: start from empty ones. */
static void settle(void)
{
	while (from_kernel())
		;
}

static int merge_theirs(void)
{
	uint8_t hdr[TRAIN][FDL_VNET_HDR_LEN];
	struct mmsghdr msg[TRAIN];
	struct iovec iov[TRAIN][2];
	int i;

	memset(msg, 0, sizeof(msg));
	for (i = 0; i < TRAIN; i++) {
		fdl_vnet_hdr_encode(hdr[i], sizeof(hdr[i]), FDL_ORDER_NATIVE,
				    &train_off[i]);
		iov[i][0] = (struct iovec){ hdr[i], sizeof(hdr[i]) };
		iov[i][1] = (struct iovec){ train[i], train_len[i] };
		msg[i].msg_hdr.msg_iov = iov[i];
		msg[i].msg_hdr.msg_iovlen = 2;
	}
	if (sendmmsg(tx, msg, TRAIN, 0) != TRAIN)
		return -1;
	return from_kernel();
}

/* A checksum of GRE that is right only if nothing was merged. */
static void take_gre_sum(struct merged *to, const struct merged *from)
{
	unsigned proto, at = behind_ip(to->bytes, LINK_LEN, &proto);

	if (proto == 47 && to->bytes[at] & 0x80 && to->off.gso)
		memcpy(to->bytes + at + 4, from->bytes + at + 4, 2);
}

static bool same(struct merged *a, const struct merged *b)
{
	if (a->len != b->len)
		return false;
	take_gre_sum(a, b);
	return !memcmp(a->bytes, b->bytes, a->len) &&
	       a->off.gso == b->off.gso && a->off.gso_size == b->off.gso_size &&
	       (!a->off.gso || (a->off.csum == b->off.csum &&
				a->off.csum_start == b->off.csum_start));
}

/* Every one of ours is theirs, and in the same order within each flow. */
static bool alike(int n, int k)
{
	int i, j;

	if (n != k)
		return false;
	for (j = 0; j < k; j++)
		theirs[j].used = false;
	for (i = 0; i < n; i++) {
		for (j = 0; j < k; j++)
			if (!theirs[j].used &&
			    flow_of(ours[i].bytes) == flow_of(theirs[j].bytes))
				break;
		if (j == k || !same(&ours[i], &theirs[j]))
			return false;
		theirs[j].used = true;
	}
	return true;
}

static void show(const char *who, const struct merged *m, int n)
{
	int i;

	for (i = 0; i < n; i++)
		fprintf(stderr,
			"%s: flow %u len %zu gso %u size %u csum %u "
			"v%u flags %02x\n",
			who, flow_of(m[i].bytes), m[i].len, m[i].off.gso,
			m[i].off.gso_size, m[i].off.csum, m[i].bytes[14] >> 4,
			m[i].bytes[47]);
}

static void show_train(void)
{
	int i;

	for (i = 0; i < TRAIN; i++)
		fprintf(stderr,
			"flow %u v%d len %zu tos %02x id %u df %d ttl %u flags "
			"%02x, %s tunnel %d v%d tos %02x id %u df %d sum %d "
			"left %d\n",
			items[i].s.flow + 1000, items[i].s.version,
			train_len[i], items[i].s.tos, items[i].s.id,
			items[i].s.df, items[i].s.ttl, items[i].s.flags,
			items[i].in_tunnel ? "in" : "no", items[i].w.kind,
			items[i].w.version, items[i].w.tos, items[i].w.id,
			items[i].w.df, items[i].w.sum, items[i].left);
}

static bool one(struct rng *r)
{
	int n, k = 0, i;

	make_train(r);
	if (!sums_decide()) {
		show_train();
		return false;
	}
	n = merge_ours();
	for (i = 0; i < TRIES; i++) {
		k = merge_theirs();
		if (alike(n, k))
			return true;
		settle();
	}
	show_train();
	show("ours", ours, n);
	show("kernel", theirs, k);
	return false;
}

int main(int argc, char **argv)
{
	const int cases = argc > 1 ? atoi(argv[1]) : 200;
	struct rng r = seeded("merge");
	int i, bad = 0;

	set_up();
	settle();
	for (i = 0; i < cases && bad < 5; i++)
		bad += !one(&r);
	printf("%d trains of %d packets, %d differ\n", i, TRAIN, bad);
	return bad ? 1 : 0;
}
