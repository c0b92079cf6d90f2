/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs together and what does not, and what a batch takes. */
#include "coalesce_bed.h"

static const struct shape base = {
	.link_len = 14,
	.version = 4,
	.proto = 6,
	.tcp_opts = 12,
	.payload = 100,
	.id = 65535,
	.df = true,
	.ttl = 64,
	.flags = 0x10,
	.seq = 0xffffffc0,
	.ack = 7,
};

static struct shape following(const struct shape *s)
{
	struct shape n = *s;

	n.seq += s->payload;
	n.id++;
	return n;
}

static int merged_pair(const struct shape *s, const struct shape *t)
{
	int count;

	batch_begin(COALESCE_ALL);
	batch_add(s);
	batch_add(t);
	count = batch_next();
	while (batch_next())
		;
	return count;
}

static void what_is_merged(void **state)
{
	struct shape s = base, t = following(&s);

	(void)state;
	assert_int_equal(merged_pair(&s, &t), 2);
	t.flags = 0x18;
	assert_int_equal(merged_pair(&s, &t), 2);
	t.flags = 0x11;
	assert_int_equal(merged_pair(&s, &t), 2);
	t = following(&s);
	t.payload = 99;
	assert_int_equal(merged_pair(&s, &t), 2);
	t = following(&s);
	t.id = s.id;				/* fixed, with DF */
	assert_int_equal(merged_pair(&s, &t), 2);
	s.df = t.df = false;
	assert_int_equal(merged_pair(&s, &t), 1);
	s.flags = 0x50;
	t = following(&s);
	assert_int_equal(merged_pair(&s, &t), 2);
	s.version = 6;
	s.ip_opts = 16;
	t = following(&s);
	assert_int_equal(merged_pair(&s, &t), 2);
	s.proto = 17;
	t = following(&s);
	assert_int_equal(merged_pair(&s, &t), 2);
}

static void tcp_flags(void **state)
{
	const struct shape s = base, next_ = following(&s);
	struct shape a = s, t = next_;
	unsigned i;

	(void)state;
	assert_int_equal(merged_pair(&s, &t), 2);
	for (i = 0; i < 8; i++) {
		if (i == 0 || i == 3)		/* FIN and PSH may end one */
			continue;
		t = next_;
		t.flags ^= (uint8_t)(1 << i);
		assert_int_equal(merged_pair(&s, &t), 1);
	}
	for (i = 0; i < 8; i++) {
		if (i == 4 || i == 6)		/* ACK, ECE may be on all */
			continue;
		a = s;
		a.flags ^= (uint8_t)(1 << i);
		t = following(&a);
		assert_int_equal(merged_pair(&a, &t), 1);
	}
}

static void closes_at(struct shape t)
{
	assert_int_equal(merged_pair(&base, &t), 1);
}

static void other_headers(void **state)
{
	const struct shape n = following(&base);
	struct shape t;

	(void)state;
	t = n;
	t.seq++;
	closes_at(t);
	t = n;
	t.ack++;
	closes_at(t);
	t = n;
	t.ttl--;
	closes_at(t);
	t = n;
	t.tos++;
	closes_at(t);
	t = n;
	t.df = false;
	closes_at(t);
	t = n;
	t.id++;
	closes_at(t);
	t = n;
	t.payload++;
	closes_at(t);
	t = n;
	t.payload = 0;
	closes_at(t);
	t = n;
	t.tcp_opts = 8;
	closes_at(t);
	t = n;
	t.ip_opts = 4;
	closes_at(t);
	t = n;
	t.link_len = 18;
	closes_at(t);
	t = n;
	t.flow++;
	closes_at(t);
	t = n;
	t.proto = 17;
	closes_at(t);
}

static void damaged(void **state)
{
	const struct shape n = following(&base);
	static const struct {
		unsigned at;
		uint8_t flip;
	} bits[] = {
		{ 5, 1 },	/* link address */
		{ 14 + 6, 0x80 },	/* reserved IP flag */
		{ 14 + 10, 1 },	/* IP checksum */
		{ 34 + 15, 1 },	/* window */
		{ 34 + 12, 1 },	/* reserved TCP bits */
		{ 34 + 16, 1 },	/* TCP checksum */
		{ 34 + 19, 1 },	/* urgent pointer */
		{ 34 + 22, 1 },	/* an option */
		{ 34 + 32 + 50, 1 },	/* payload: the checksum is wrong */
	};
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		batch_begin(COALESCE_ALL);
		batch_add(&base);
		len = build(batch.bytes[1], &n);
		batch.bytes[1][bits[i].at] ^= bits[i].flip;
		batch_add_frame(len, 14, shape_hdr_len(&n),
				shape_offload(&n, 0), 1);
		assert_int_equal(batch_next(), 1);
		assert_int_equal(batch_next(), 1);
	}
}

static void a_wrong_checksum_is_merged_where_it_is_vouched_for(void **state)
{
	const struct shape n = following(&base);
	const struct fdl_offload valid = { .csum = FDL_CSUM_VALID };
	size_t len;

	(void)state;
	batch_begin(COALESCE_ALL);
	batch_add(&base);
	len = build(batch.bytes[1], &n);
	batch.bytes[1][34 + 32 + 50] ^= 1;
	batch_add_frame(len, 14, shape_hdr_len(&n), valid, 1);
	assert_int_equal(batch_next(), 2);
}

static void udp_rules(void **state)
{
	struct shape s = base, t;
	size_t len;
	int i;

	(void)state;
	s.proto = 17;
	t = following(&s);
	t.payload++;
	assert_int_equal(merged_pair(&s, &t), 1);
	batch_begin(COALESCE_ALL);
	for (i = 0; i < 130; i++, s.id++)
		batch_add(&s);
	assert_int_equal(batch_next(), 64);
	assert_int_equal(batch_next(), 64);
	assert_int_equal(batch_next(), 2);
	batch_begin(COALESCE_ALL);
	batch_add(&s);
	s.id++;
	len = build(batch.bytes[1], &s);
	put16(batch.bytes[1] + 34 + 6, 0);		/* no checksum */
	batch_add_frame(len, 14, 42, shape_offload(&s, 0), 1);
	assert_int_equal(batch_next(), 1);
	batch_begin(FDL_COALESCE_TCP);
	batch_add(&s);
	s.id++;
	batch_add(&s);
	assert_int_equal(batch_next(), 1);
}

static void limits(void **state)
{
	struct shape s = base;
	int i;

	(void)state;
	s.payload = 1448;
	batch_begin(COALESCE_ALL);
	for (i = 0; i < 100; i++, s = following(&s))
		batch_add(&s);
	assert_int_equal(batch_next(), 45);		/* 66 + 45 * 1448 =
							 * 65226 */
	assert_true(batch.out.len <= 65535);
	fdl_coalesce_init(&batch.c, COALESCE_ALL, 66 + 3 * 1448, 0);
	for (batch.n = i = 0; i < 100; i++, s = following(&s))
		batch_add(&s);
	assert_int_equal(batch_next(), 3);
	fdl_coalesce_init(&batch.c, COALESCE_ALL, 0, 5);
	for (batch.n = i = 0; i < 100; i++, s = following(&s))
		batch_add(&s);
	assert_int_equal(batch_next(), 5);
}

static void ids_in_any_order_only_when_asked(void **state)
{
	struct shape s = base, t = following(&s);

	(void)state;
	t.id += 77;
	batch_begin(COALESCE_ALL | FDL_COALESCE_ANY_ID);
	batch_add(&s);
	batch_add(&t);
	assert_int_equal(batch_next(), 2);
	s.df = t.df = false;
	batch_begin(COALESCE_ALL | FDL_COALESCE_ANY_ID);
	batch_add(&s);
	batch_add(&t);
	assert_int_equal(batch_next(), 1);
}

static void a_fragment_is_not_overtaken(void **state)
{
	struct shape s = base, f = base;
	size_t len;

	(void)state;
	batch_begin(COALESCE_ALL);
	batch_add(&s);
	f.proto = 17;
	len = build(batch.bytes[1], &f);
	put16(batch.bytes[1] + 20, 0x2000);
	batch_add_frame(len, 14, 42, (struct fdl_offload){ 0 }, 1);
	s = following(&s);
	batch_add(&s);
	assert_int_equal(batch_next(), 1);
	assert_int_equal(batch_next(), 1);
	assert_int_equal(batch_next(), 1);
	assert_int_equal(batch_next(), 0);
}

static void more_flows_than_slots(void **state)
{
	struct shape s = base;
	int i, k, n = 0;

	(void)state;
	batch_begin(COALESCE_ALL);
	for (i = 0; i < BATCH; i++) {
		s.flow = (unsigned)i % 100;
		s.seq = base.seq + (unsigned)i / 100 * s.payload;
		s.id = base.id + (unsigned)i / 100;
		batch_add(&s);
	}
	while ((k = batch_next()))
		n += k;
	assert_int_equal(n, BATCH);
}

static void a_batch_is_reused_and_may_be_copied_in_place(void **state)
{
	struct shape s = base;
	int i;

	(void)state;
	batch_begin(COALESCE_ALL);
	assert_int_equal(batch_next(), 0);
	for (i = 0; i < 3; i++, s = following(&s))
		batch_add(&s);
	memcpy(batch.merged, batch.bytes[0], batch.len[0]);
	batch.iov[0][0].iov_base = batch.merged;
	assert_int_equal(batch_next(), 3);
	assert_int_equal(fdl_coalesced_copy(&batch.out, batch.merged,
					    sizeof(batch.merged)),
			 66 + 300);
	assert_memory_equal(batch.merged + 66 + 200, batch.bytes[2] + 66, 100);
	assert_memory_equal(batch.merged + 66, batch.bytes[0] + 66, 100);
	batch_add(&s);
	assert_int_equal(batch_next(), 1);
	assert_int_equal(batch.out.packets->next == NULL, 1);
	assert_int_equal(batch_next(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_merged),
		cmocka_unit_test(tcp_flags),
		cmocka_unit_test(other_headers),
		cmocka_unit_test(damaged),
		cmocka_unit_test(
			a_wrong_checksum_is_merged_where_it_is_vouched_for),
		cmocka_unit_test(udp_rules),
		cmocka_unit_test(limits),
		cmocka_unit_test(ids_in_any_order_only_when_asked),
		cmocka_unit_test(a_fragment_is_not_overtaken),
		cmocka_unit_test(more_flows_than_slots),
		cmocka_unit_test(a_batch_is_reused_and_may_be_copied_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
