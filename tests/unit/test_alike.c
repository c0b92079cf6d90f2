/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A packet that looks like the one before it is not parsed: what is merged must
 * be what is merged when each is. Trains of packets, damaged here and there, go
 * through two coalescers, of which one is made to forget what came last.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "packets.h"

enum { TRAIN = 24, SLOT = 400, ROUNDS = 20000 };

struct item {
	uint8_t bytes[SLOT];
	size_t len, first;	/* the first piece's; the rest is another */
	unsigned link_len;
	struct fdl_offload off;
};

struct train {
	struct fdl_coalescer c;
	struct fdl_coalesce_packet pkt[TRAIN];
	struct iovec iov[TRAIN][2];
};

static void add(struct train *t, int i, struct item *item, bool forget)
{
	struct iovec *iov = t->iov[i];
	unsigned slot = 0;

	iov[0] = (struct iovec){ item->bytes, item->first };
	iov[1] = (struct iovec){ item->bytes + item->first,
				 item->len - item->first };
	t->pkt[i] = (struct fdl_coalesce_packet){
		.iov = iov,
		.cnt = 2,
		.link_len = (uint8_t)item->link_len,
		.off = item->off,
		.user = item,
	};
	while (t->c.flow[slot])
		slot++;
	if (forget)
		t->c.recent = slot;
	fdl_coalesce_add(&t->c, &t->pkt[i]);
}

/* Returns whether anything was merged. */
static bool same_out(struct train *a, struct train *b)
{
	struct fdl_coalesced x, y;
	bool merged = false;

	while (fdl_coalesce_next(&a->c, &x)) {
		assert_true(fdl_coalesce_next(&b->c, &y));
		assert_ptr_equal(x.packets->user, y.packets->user);
		assert_int_equal(x.count, y.count);
		assert_int_equal(x.len, y.len);
		assert_true(same_offload(&x.off, &y.off));
		assert_int_equal(x.hdr_len, y.hdr_len);
		assert_memory_equal(x.hdr, y.hdr, x.hdr_len);
		merged = merged || x.count > 1;
	}
	assert_false(fdl_coalesce_next(&b->c, &y));
	return merged;
}

static void mend_ip4(uint8_t *ip)
{
	put16(ip + 10, 0);
	put16(ip + 10, (uint16_t)~ref_sum(ip, 20, 0));
}

static void damage_header(struct rng *r, struct item *item,
			  const struct shape *s)
{
	static const uint8_t protocols[] = { 6, 17, 1, 44, 60 };
	uint8_t *ip = item->bytes + s->link_len;
	const unsigned l4 = shape_l3_len(s);

	if (!rnd(r, 6))
		ip[s->version == 4 ? 9 : 6] = protocols[rnd(r, 5)];
	else if (s->proto == 17 && !rnd(r, 4))
		put16(ip + l4 + 6, 0);
	else if (s->proto == 17 && !rnd(r, 4))
		put16(ip + l4 + 4, get16(ip + l4 + 4) - 1);
	else
		item->bytes[rnd(r, shape_hdr_len(s))] ^=
			(uint8_t)(1 << rnd(r, 8));
	if (s->version == 4 && rnd(r, 8))
		mend_ip4(ip);
}

static void damage_work(struct rng *r, struct item *item)
{
	switch (rnd(r, 4)) {
	case 0:
		item->off.csum = (uint8_t)rnd(r, 3);
		break;
	case 1:
		item->off.csum_start += 2;
		break;
	case 2:
		item->off.csum_offset += 2;
		break;
	case 3:
		item->off.gso = FDL_GSO_TCPV4;
		break;
	}
}

static void damage(struct rng *r, struct item *item, const struct shape *s)
{
	switch (rnd(r, 8)) {
	case 0:
		item->len += rnd(r, 8);
		break;
	case 1:
		item->len -= rnd(r, 8);
		break;
	case 2:
		item->first = rnd(r, shape_hdr_len(s));
		break;
	case 3:
		item->link_len ^= 4;
		break;
	case 4:
		damage_work(r, item);
		break;
	default:
		damage_header(r, item, s);
	}
}

/* The next packet of the train, in one piece of its headers and one of more. */
static void make(struct rng *r, struct item *item, struct shape *s)
{
	const unsigned usual = s->payload;

	if (!rnd(r, 12))
		s->payload = rnd(r, 2) ? 0 : rnd(r, usual);
	if (!rnd(r, 20))
		s->flow++;
	if (!rnd(r, 40))
		s->flags ^= (uint8_t)(1 << rnd(r, 8));
	item->len = build(item->bytes, s);
	item->first = shape_hdr_len(s);
	item->link_len = s->link_len;
	item->off = shape_offload(s, 0);
	if (!s->partial)
		item->off.csum = FDL_CSUM_VALID;
	s->seq += s->payload;
	s->id++;
	s->payload = usual;
	if (!rnd(r, 6))
		damage(r, item, s);
}

/* From here on all have a bit of the fragment field set. */
static void make_fragments(struct rng *r, struct item item[], int n,
			   const struct shape *s)
{
	const uint8_t bit = (uint8_t)(1 << rnd(r, 8));
	const unsigned at = s->link_len + 6 + rnd(r, 2);

	for (; n > 0; n--, item++) {
		item->bytes[at] |= bit;
		mend_ip4(item->bytes + s->link_len);
	}
}

static void a_train_is_merged_as_its_packets_are(void **state)
{
	static struct item item[TRAIN];
	static struct train a, b;
	struct rng r = seeded("alike");
	int round, i, merged = 0;

	(void)state;
	for (round = 0; round < ROUNDS; round++) {
		struct shape s = random_shape(&r);
		const unsigned flags = 1 + rnd(&r, 7);

		s.payload = 8 + rnd(&r, 100);
		s.partial = rnd(&r, 2);
		fdl_coalesce_init(&a.c, flags, 0, 0);
		fdl_coalesce_init(&b.c, flags, 0, 0);
		for (i = 0; i < TRAIN; i++)
			make(&r, &item[i], &s);
		if (s.version == 4 && !rnd(&r, 4))
			make_fragments(&r, &item[TRAIN / 2], TRAIN / 2, &s);
		for (i = 0; i < TRAIN; i++) {
			add(&a, i, &item[i], false);
			add(&b, i, &item[i], true);
		}
		merged += same_out(&a, &b);
	}
	assert_true(merged > ROUNDS / 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_train_is_merged_as_its_packets_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
