/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frag-list GRO (rx-gro-list of ethtool(8)) chains the packets of a flow, and
 * leaves the first one's checksum as it was: partial, or whole. In each mode,
 * and for each stack, what comes of a train is its payload in order, with
 * checksums that are right once what is partial is completed.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <fdlink/fdlink.h>
#include <fdlink/offload.h>
#include <fdlink/open.h>

#include "../unit/packets.h"
#include "net.h"

enum {
	TRAIN = 16,
	PAYLOAD = 1000,
	TOTAL = TRAIN * PAYLOAD,
	LINK = 14,
	SLOT = 2048,
	HDR = 10,
	BATCH = 64,
	WAIT_MS = 10000,
};

struct trial {
	enum fdl_mode mode;
	uint32_t flags;
	int proto;
	bool partial;
};

static int tx;
static unsigned id;
static uint8_t sent[TOTAL], came[TOTAL];
static size_t n_came;
static bool bad;

static void set_up(void)
{
	net_own();
	net_run("ip link add v0 type veth peer name v1");
	net_run("ethtool -K v0 tso off gso off >/dev/null 2>&1");
	net_run("ethtool -K v1 gro on rx-gro-list on >/dev/null 2>&1");
	net_run("ip link set v0 up && ip link set v1 up");
	net_set("/sys/class/net/v1/gro_flush_timeout", "5000000");
	net_set("/sys/class/net/v1/napi_defer_hard_irqs", "1000");
	tx = net_packet("v0", 1);
}

static struct shape shape_of(const struct trial *t, unsigned i)
{
	return (struct shape){ .link_len = LINK,
			       .version = 4,
			       .proto = t->proto,
			       .payload = PAYLOAD,
			       .id = id + i,
			       .ttl = 64,
			       .flags = 0x10,
			       .seq = 1000 + i * PAYLOAD,
			       .fill = (uint8_t)i,
			       .partial = t->partial };
}

static void send_train(const struct trial *t)
{
	uint8_t bytes[SLOT];
	unsigned i;

	id += TRAIN;
	for (i = 0; i < TRAIN; i++) {
		const struct shape s = shape_of(t, i);
		const struct fdl_offload off = shape_offload(&s, 0);
		size_t len = build(bytes + HDR, &s);

		fdl_vnet_hdr_encode(bytes, HDR, FDL_ORDER_NATIVE, &off);
		memcpy(sent + (size_t)i * PAYLOAD,
		       bytes + HDR + shape_hdr_len(&s), PAYLOAD);
		if (write(tx, bytes, HDR + len) != (ssize_t)(HDR + len)) {
			perror("send");
			exit(1);
		}
	}
}

/* A packet of one segment: its payload is next. */
static void take(const struct trial *t, uint8_t *frame, size_t len,
		 struct fdl_offload *off)
{
	const struct shape s = shape_of(t, 0);
	const size_t hdr_len = shape_hdr_len(&s);

	if (off->csum == FDL_CSUM_PARTIAL &&
	    fdl_checksum_complete(frame, len, LINK, off))
		bad = true;
	if (fdl_checksum_verify(frame, len, LINK) != 1 || len < hdr_len ||
	    len - hdr_len > TOTAL - n_came) {
		bad = true;
		return;
	}
	memcpy(came + n_came, frame + hdr_len, len - hdr_len);
	n_came += len - hdr_len;
}

/* As any wire takes it: its checksum is that of the whole packet, undone. */
static bool is_whole(const struct fdl_packet *pkt)
{
	const uint8_t *ip = pkt->data + LINK;
	const uint8_t *l4 = pkt->data + pkt->off.csum_start;

	return pkt->off.csum == FDL_CSUM_PARTIAL &&
	       get16(l4 + pkt->off.csum_offset) ==
		       ref_pseudo(ip, 4, ip[9], pkt->len - pkt->off.csum_start);
}

static void take_super(const struct trial *t, struct fdl_packet *pkt)
{
	struct iovec iov = { pkt->data, pkt->len };
	struct fdl_segmenter s;
	struct fdl_offload off;
	uint8_t frame[SLOT];
	int r;

	if (!is_whole(pkt) ||
	    fdl_segment_start(&s, &iov, 1, LINK, &pkt->off, 0)) {
		bad = true;
		return;
	}
	while ((r = fdl_segment_next(&s, frame, sizeof(frame), &off)) > 0)
		take(t, frame, (size_t)r, &off);
	bad |= r < 0;
}

static void receive(struct fdl_endpoint *ep, const struct trial *t)
{
	struct fdl_queue *q = fdl_get_queue(ep, 0);
	struct fdl_packet *v[BATCH];
	int i, n;

	n_came = 0;
	while (n_came < TOTAL && !bad && fdl_queue_poll(q, WAIT_MS) > 0) {
		n = fdl_recv(q, v, BATCH);
		for (i = 0; i < n; i++) {
			if (v[i]->protocol != 0x0800)
				continue;
			if (v[i]->off.gso)
				take_super(t, v[i]);
			else
				take(t, v[i]->data, v[i]->len, &v[i]->off);
		}
		fdl_release(v, n > 0 ? n : 0);
	}
}

static bool run(const struct trial *t)
{
	const struct fdl_options opts = { .size = sizeof(opts),
					  .mode = t->mode,
					  .flags = t->flags };
	struct fdl_endpoint *ep;
	struct fdl_stats st;
	bool right;

	if (fdl_open(&ep, "packet:v1", &opts)) {
		printf("cannot open packet:v1\n");
		exit(1);
	}
	bad = false;
	send_train(t);
	receive(ep, t);
	fdl_get_stats(ep, &st, sizeof(st));
	right = !bad && n_came == TOTAL && !memcmp(came, sent, TOTAL) &&
		!st.rx_drop_vnet_hdr;
	printf("%s: %s, flags %#x, %s with a %s checksum: %zu of %d bytes, "
	       "%llu super-packets\n",
	       right ? "ok" : "WRONG", fdl_mode_name(t->mode), t->flags,
	       t->proto == 6 ? "TCP" : "UDP", t->partial ? "partial" : "whole",
	       n_came, TOTAL, (unsigned long long)st.rx_gso);
	fdl_endpoint_free(ep);
	if (right && !st.rx_gso && t->proto == 17) {
		printf("skipped: this kernel chains nothing\n");
		exit(SKIP);
	}
	return right;
}

int main(void)
{
	static const uint32_t flags[] = {
		0, FDL_RX_CSUM, FDL_RX_CSUM | FDL_RX_GSO | FDL_RX_USO
	};
	struct trial t;
	unsigned i, k;
	bool right = true;

	set_up();
	for (t.mode = FDL_MODE_AUTO + 1; fdl_mode_name(t.mode); t.mode++) {
		for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
			for (k = 0; k < 4; k++) {
				t.flags = flags[i];
				t.proto = k & 1 ? 6 : 17;
				t.partial = k & 2;
				right &= run(&t);
			}
		}
	}
	return right ? 0 : 1;
}
