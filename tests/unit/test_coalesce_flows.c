/* SPDX-License-Identifier: Apache-2.0 */
/* Flows of many kinds, at random: what was merged is cut into what came. */
#include <errno.h>

#include "coalesce_bed.h"

static size_t gather(uint8_t *to)
{
	static struct iovec iov[1024];
	int cnt = fdl_coalesced_gather(&batch.out, iov, 1024), i;
	size_t len = 0;

	assert_true(cnt >= 0 && cnt <= 1024);
	for (i = 0; i < cnt; i++) {
		memcpy(to + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	return len;
}

/* Any super-packet the kernel's GRO could make comes back from its segments. */
static void merge_what_was_cut(struct rng *r)
{
	static uint8_t super[70000];
	const unsigned mss = 8 + rnd(r, 1400);
	unsigned max = mss * BATCH, flags = rnd(r, 2) ? FDL_SEGMENT_PARTIAL : 0;
	struct shape s = random_shape(r);
	struct fdl_segmenter seg;
	struct fdl_offload off, want;
	struct iovec iov = { super, 0 };
	int len;

	if (s.proto == 17)
		max = mss * 64;
	if (max > 65535 - shape_hdr_len(&s))
		max = 65535 - shape_hdr_len(&s);
	s.payload = rnd(r, 5) ? mss + 1 + rnd(r, max - mss) : max;
	s.flags = (uint8_t)(rnd(r, 256) & 0x59);
	iov.iov_len = build(super, &s);
	want = shape_offload(&s, mss);
	batch_begin(COALESCE_ALL);
	assert_int_equal(
		fdl_segment_start(&seg, &iov, 1, s.link_len, &want, flags), 0);
	while ((len = fdl_segment_next(&seg, batch.bytes[batch.n], SLOT,
				       &off)) > 0)
		batch_add_frame((size_t)len, s.link_len, shape_hdr_len(&s), off,
				1 + (int)rnd(r, 3));
	assert_int_equal(batch_next(), batch.n);
	assert_int_equal(batch.out.len, iov.iov_len);
	assert_true(same_offload(&batch.out.off, &want));
	assert_int_equal(gather(batch.merged), iov.iov_len);
	assert_memory_equal(batch.merged, super, iov.iov_len);
	memset(batch.merged, 0, iov.iov_len);
	assert_int_equal(
		fdl_coalesced_copy(&batch.out, batch.merged, iov.iov_len - 1),
		-EMSGSIZE);
	assert_int_equal(
		fdl_coalesced_copy(&batch.out, batch.merged, iov.iov_len),
		iov.iov_len);
	assert_memory_equal(batch.merged, super, iov.iov_len);
	assert_int_equal(batch_next(), 0);
}

static void super_packets(void **state)
{
	struct rng r = seeded("merge");
	int i;

	(void)state;
	for (i = 0; i < 500; i++)
		merge_what_was_cut(&r);
}

/* The next packet of a flow, now and then out of the ordinary. */
static void mutate(struct rng *r, struct shape *s)
{
	if (rnd(r, 4))
		return;
	switch (rnd(r, 12)) {
	case 0:
		s->flags ^= (uint8_t)(1 << rnd(r, 8));
		break;
	case 1:
		s->seq += rnd(r, 2) ? 1 : 0u - 100;
		break;
	case 2:
		s->ack++;
		break;
	case 3:
		s->ttl ^= 1;
		break;
	case 4:
		s->tos ^= 1;
		break;
	case 5:
		s->id += rnd(r, 3);
		break;
	case 6:
		s->df = !s->df;
		break;
	case 7:
		s->tcp_opts = 36 - s->tcp_opts % 32;
		break;
	case 8:
		s->ip_opts ^= s->version == 4 ? 4 : 8;
		break;
	case 9:
		s->link_len ^= s->link_len > 14 ? 4 : 14;
		break;
	case 10:
		s->payload = rnd(r, 1400);
		break;
	case 11:
		s->partial = !s->partial;
		break;
	}
}

/* Returns false if it may no longer be told which flow it belongs to. */
static bool add_mutant(struct rng *r, struct shape *flow)
{
	struct shape s = *flow;
	bool known = true;
	unsigned l4, at;
	size_t len;

	mutate(r, &s);
	len = build(batch.bytes[batch.n], &s);
	l4 = s.link_len + shape_l3_len(&s);
	batch.shape[batch.n] = s;
	/* A partial sum is computed anew as it is merged, as GRO does. */
	if (!rnd(r, 40) && !s.partial) {
		at = rnd(r, (uint32_t)len);
		batch.bytes[batch.n][at] ^= 4;
		known = at >= shape_hdr_len(&s);
	}
	if (!rnd(r, 60) && s.version == 4)
		batch.bytes[batch.n][s.link_len + 6] |= 0x20;
	if (!rnd(r, 60) && !s.partial)
		put16(batch.bytes[batch.n] + l4 + (s.proto == 6 ? 16 : 6), 0);
	if (!rnd(r, 60))
		len += 4;
	batch_add_frame(len, s.link_len, shape_hdr_len(&s),
			shape_offload(&s, 0), 1 + (int)rnd(r, 3));
	*flow = s;
	flow->seq += s.payload;
	flow->id++;
	flow->flags &= 0x50;
	return known;
}

/* What batch.out says it is made of is what cutting it again gives. */
static void cut_again(void)
{
	struct fdl_coalesce_packet *p = batch.out.packets;
	const unsigned l3 = p->link_len;
	struct iovec iov = { batch.merged, gather(batch.merged) };
	struct fdl_segmenter seg;
	uint8_t got[SLOT];
	size_t i;
	int len;

	if (batch.out.count == 1) {
		i = (size_t)(uintptr_t)p->user;
		assert_memory_equal(batch.merged, batch.bytes[i], batch.len[i]);
		assert_int_equal(iov.iov_len, batch.len[i]);
		return;
	}
	assert_int_equal(fdl_segment_start(&seg, &iov, 1, p->link_len,
					   &batch.out.off, 0),
			 0);
	assert_int_not_equal(batch.out.off.gso, FDL_GSO_NONE);
	for (; p; p = p->next) {
		struct fdl_offload off = p->off;

		i = (size_t)(uintptr_t)p->user;
		len = fdl_segment_next(&seg, got, sizeof(got), NULL);
		assert_int_equal(len, batch.len[i]);
		fdl_checksum_complete(batch.bytes[i], batch.len[i], p->link_len,
				      &off);
		no_zero(batch.bytes[i], &batch.shape[i]);
		no_zero(got, &batch.shape[i]);
		if (p->link_len + 6u < batch.len[i] && got[l3] >> 4 == 4 &&
		    got[l3 + 6] & 0x40 &&
		    memcmp(got + l3 + 4, batch.bytes[i] + l3 + 4, 2)) {
			/* a fixed id became a counting one: DF allows it */
			memcpy(got + l3 + 4, batch.bytes[i] + l3 + 4, 2);
			memcpy(got + l3 + 10, batch.bytes[i] + l3 + 10, 2);
		}
		assert_memory_equal(got, batch.bytes[i], batch.len[i]);
	}
	assert_int_equal(fdl_segment_len(&seg), 0);
}

static void mixed_flows(void **state)
{
	struct rng r = seeded("mixed");
	struct shape flow[6];
	int last[6], owner[BATCH], round, i, k, merged = 0;
	struct fdl_coalesce_packet *p;

	(void)state;
	for (round = 0; round < 300; round++) {
		for (i = 0; i < 6; i++) {
			flow[i] = random_shape(&r);
			flow[i].flow = (unsigned)i;
			flow[i].partial = rnd(&r, 2);
			flow[i].payload = 1 + rnd(&r, 1400);
			last[i] = -1;
		}
		batch_begin(rnd(&r, 2) ? COALESCE_ALL :
					 COALESCE_ALL | FDL_COALESCE_ANY_ID);
		while (batch.n < BATCH) {
			i = (int)rnd(&r, 1 + (uint32_t)round % 6);
			k = batch.n;
			owner[k] = add_mutant(&r, &flow[i]) ? i : -1;
		}
		for (k = 0; batch_next();) {
			merged += batch.out.count > 1 ? batch.out.count : 0;
			for (p = batch.out.packets; p; p = p->next, k++) {
				i = (int)(uintptr_t)p->user;
				if (owner[i] < 0)
					continue;
				assert_true(last[owner[i]] < i);
				last[owner[i]] = i;
			}
			cut_again();
		}
		assert_int_equal(k, BATCH);
	}
	printf("# merged %d of %d\n", merged, 300 * BATCH);
	assert_true(merged > 300 * BATCH / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(super_packets),
		cmocka_unit_test(mixed_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
