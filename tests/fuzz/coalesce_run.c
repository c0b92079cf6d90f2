/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Input: control, head, tail, the datagrams' size (two bytes, big), which of
 * them follow the one before, a length of one packet (two bytes, big), then the
 * datagrams. One that follows is the one before it, made into the next of its
 * flow: so that mutations reach packets that merge.
 *
 * Whatever comes out lies in the run, in order, no packet twice. What was
 * merged cuts into the packets that it is made of.
 */
#include <fdlink/run.h>

#include "../unit/recut.h"
#include "fuzz.h"
#include "next.h"

enum {
	OPTIONS = 8,
	MAX = 96,

	/* of the control byte, beside flags of fdl_coalesce_init */
	ETHERNET = 0x08,
	TRUSTED = 0x10,
	LENS = 0x20,		/* an odd packet has the length given */
	ONE = 0x40,		/* no UDP_GRO */
};

static void advance(uint8_t *frame, size_t len, unsigned link_len)
{
	struct parsed p;

	if (!parse_frame(frame, len, len, link_len, &p))
		make_next(frame, &p);
}

static void follow(const struct fdl_run *run, uint8_t which)
{
	const uint32_t around = (uint32_t)run->head + run->tail;
	uint32_t i;

	if (!run->size || run->size <= around)
		return;
	for (i = 1; (i + 1) * run->size <= run->len; i++) {
		uint8_t *at = run->buf + i * run->size;

		if (!(which >> i % 8 & 1))
			continue;
		memcpy(at, at - run->size, run->size);
		advance(at + run->head, run->size - around, run->link_len);
	}
}

/* A packet's datagram is that many bytes behind the first. */
static const uint8_t *is_inside(const struct fdl_run *run,
				const struct fdl_coalesce_packet *pkt)
{
	const uint8_t *bytes = pkt->iov[0].iov_base;
	const uint32_t size = run->size ? run->size : run->len;
	const uint32_t at = (uint32_t)(bytes - run->buf) - run->head;
	const uint32_t left = run->len - at < size ? run->len - at : size;

	MUST(pkt->cnt == 1 && pkt->iov[0].iov_len);
	MUST(at < run->len && at % size == 0);
	MUST(run->head + pkt->iov[0].iov_len + run->tail <= left);
	return bytes;
}

static void cut_again(const struct fdl_coalesced *o, bool trusted)
{
	const struct fdl_coalesce_packet *p = o->packets;
	static uint8_t merged[65536], cut[65536];
	struct iovec iov = { merged, o->len };
	struct fdl_segmenter s;
	size_t len;

	MUST(p && o->len <= 65535);
	MUST(fdl_coalesced_copy(o, merged, sizeof(merged)) == (int)o->len);
	MUST(!fdl_segment_start(&s, &iov, 1, p->link_len, &o->off, 0));
	for (; p; p = p->next) {
		len = fdl_segment_len(&s);
		MUST(len == p->iov[0].iov_len);
		MUST(fdl_segment_next(&s, cut, len, NULL) == (int)len);
		MUST(recut_is(p->iov[0].iov_base, cut, len, p->link_len,
			      trusted ? RECUT_TRUSTED : 0));
	}
	MUST(!fdl_segment_len(&s));
}

static void take_out(struct fdl_coalescer *c, const struct fdl_run *run,
		     int added)
{
	static struct fdl_coalesced o;
	const struct fdl_coalesce_packet *p;
	const uint8_t *first = NULL, *last;
	int n = 0;

	while (fdl_coalesce_next(c, &o)) {
		MUST(is_inside(run, o.packets) > first);
		first = is_inside(run, o.packets);
		for (p = o.packets, last = NULL; p; p = p->next, n++) {
			MUST(is_inside(run, p) > last);
			last = is_inside(run, p);
		}
		if (o.count > 1)
			cut_again(&o, run->csum == FDL_CSUM_VALID);
	}
	MUST(n == added);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fdl_coalescer c;
	static struct fdl_run_packet v[MAX];
	struct fdl_run run = { 0 };
	uint16_t lens[MAX];
	int i, n;

	if (size < OPTIONS || size > FDL_RUN_BYTES)
		return 0;
	run.head = data[1];
	run.tail = data[2];
	run.size = data[0] & ONE ? 0 : (uint16_t)(data[3] << 8 | data[4]);
	run.link_len = data[0] & ETHERNET ? 14 : 0;
	run.csum = data[0] & TRUSTED ? FDL_CSUM_VALID : FDL_CSUM_NONE;
	run.len = (uint32_t)size - OPTIONS;
	run.buf = exact_copy(data + OPTIONS, run.len);
	for (i = 0; i < MAX; i++)
		lens[i] = i & 1 ? (uint16_t)(data[6] << 8 | data[7]) : 65535;
	follow(&run, data[5]);
	fdl_coalesce_init(&c, data[0], 0, 0);
	n = fdl_coalesce_run(&c, &run, data[0] & LENS ? lens : NULL, v, MAX);
	MUST(n >= 0 || run.len > MAX * (uint32_t)run.size);
	take_out(&c, &run, n < 0 ? 0 : n);
	free(run.buf);
	return 0;
}
