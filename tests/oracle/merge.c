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
 * GRO keeps flows apart but not their order among each other, so the packets
 * are compared flow by flow. It flushes on every tick of the kernel's clock: a
 * train that a tick cut in two is tried again.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../unit/packets.h"
#include "net.h"

enum { TRAIN = 40, FLOWS = 3, TRIES = 30, SLOT = 1600 };

struct merged {
	uint8_t bytes[70000];
	size_t len;
	struct fdl_offload off;
	bool used;
};

static int tx, rx;
static uint8_t train[TRAIN][SLOT];
static size_t train_len[TRAIN];
static struct shape shapes[TRAIN];
static struct merged ours[TRAIN], theirs[2 * TRAIN];

static void set_up(void)
{
	net_own();
	net_run("ip link add v0 mtu 9000 type veth peer name v1 mtu 9000");
	net_run("ethtool -K v0 tso off gso off tx-udp-segmentation off "
		">/dev/null 2>&1");
	net_run("ethtool -K v1 gro on rx-udp-gro-forwarding on >/dev/null");
	net_run("ip link set v0 up && ip link set v1 up");
	net_set("/sys/class/net/v1/gro_flush_timeout", "5000000");
	net_set("/sys/class/net/v1/napi_defer_hard_irqs", "1000");
	tx = net_packet("v0", 0);
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

static void make_train(struct rng *r)
{
	struct shape flow[FLOWS], s;
	int i, k;

	for (i = 0; i < FLOWS; i++) {
		flow[i] = random_shape(r);
		flow[i].link_len = 14;
		flow[i].flow = (unsigned)i;
		flow[i].partial = false;
		flow[i].ttl |= 2;
		flow[i].payload = 60 + rnd(r, 1300);
	}
	for (i = 0; i < TRAIN; i++) {
		k = (int)rnd(r, FLOWS);
		s = flow[k];
		vary(r, &s);
		train_len[i] = build(train[i], &s);
		shapes[i] = s;
		flow[k] = s;
		flow[k].seq += s.payload + (s.flags & 1);
		flow[k].id++;
		flow[k].flags &= 0x50;
		if (!flow[k].payload)
			flow[k].payload = 500;
	}
}

static int merge_ours(void)
{
	static struct fdl_coalesce_packet pkt[TRAIN];
	static struct fdl_coalesced out;
	struct iovec iov[TRAIN];
	struct fdl_coalescer c;
	int i, n;

	fdl_coalesce_init(&c, FDL_COALESCE_TCP | FDL_COALESCE_UDP, 0, 0);
	for (i = 0; i < TRAIN; i++) {
		iov[i] = (struct iovec){ train[i], train_len[i] };
		pkt[i] = (struct fdl_coalesce_packet){
			.iov = &iov[i],
			.cnt = 1,
			.link_len = (uint8_t)shapes[i].link_len,
		};
		fdl_coalesce_add(&c, &pkt[i]);
	}
	for (n = 0; fdl_coalesce_next(&c, &out); n++) {
		ours[n].len = (size_t)fdl_coalesced_copy(&out, ours[n].bytes,
							 sizeof(ours[n].bytes));
		ours[n].off = out.off;
		ours[n].used = false;
	}
	return n;
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
	struct mmsghdr msg[TRAIN];
	struct iovec iov[TRAIN];
	int i;

	memset(msg, 0, sizeof(msg));
	for (i = 0; i < TRAIN; i++) {
		iov[i] = (struct iovec){ train[i], train_len[i] };
		msg[i].msg_hdr.msg_iov = &iov[i];
		msg[i].msg_hdr.msg_iovlen = 1;
	}
	if (sendmmsg(tx, msg, TRAIN, 0) != TRAIN)
		return -1;
	return from_kernel();
}

static bool same(const struct merged *a, const struct merged *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len) &&
	       a->off.gso == b->off.gso && a->off.gso_size == b->off.gso_size &&
	       (!a->off.gso || a->off.csum == b->off.csum);
}

/* Which flow: the port, whatever the version. */
static unsigned flow_of(const struct merged *m)
{
	const unsigned l3 = get16(m->bytes + 12) == 0x0800 ? 20 : 40;
	unsigned at = 14 + l3;

	if (l3 == 40 && m->bytes[20] == 60)
		at += 8u * (m->bytes[55] + 1u);
	return get16(m->bytes + at);
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
			    flow_of(&ours[i]) == flow_of(&theirs[j]))
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
			who, flow_of(&m[i]), m[i].len, m[i].off.gso,
			m[i].off.gso_size, m[i].off.csum, m[i].bytes[14] >> 4,
			m[i].bytes[47]);
}

static void show_train(void)
{
	int i;

	for (i = 0; i < TRAIN; i++)
		fprintf(stderr,
			"flow %u len %zu tos %02x id %u df %d ttl "
			"%u flags %02x\n",
			shapes[i].flow + 1000, train_len[i], shapes[i].tos,
			shapes[i].id, shapes[i].df, shapes[i].ttl,
			shapes[i].flags);
}

static bool one(struct rng *r)
{
	int n, k = 0, i;

	make_train(r);
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
