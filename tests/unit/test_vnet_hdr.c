/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "packets.h"

static const struct fdl_offload tcp4 = {
	.csum = FDL_CSUM_PARTIAL,
	.gso = FDL_GSO_TCPV4,
	.ecn = 1,
	.gso_size = 1448,
	.hdr_len = 66,
	.csum_start = 34,
	.csum_offset = 16,
};

static void little_and_big(void **state)
{
	static const uint8_t little[] = { 1,  0x81, 66, 0, 0xa8, 5,
					  34, 0,    16, 0, 0,	 0 };
	static const uint8_t big[] = { 1, 0x81, 0, 66, 5, 0xa8,
				       0, 34,	0, 16, 0, 0 };
	struct fdl_offload off;
	uint8_t hdr[12];

	(void)state;
	fdl_vnet_hdr_encode(hdr, 12, FDL_ORDER_LITTLE, &tcp4);
	assert_memory_equal(hdr, little, 12);
	fdl_vnet_hdr_encode(hdr, 10, FDL_ORDER_BIG, &tcp4);
	assert_memory_equal(hdr, big, 10);
	assert_int_equal(
		fdl_vnet_hdr_decode(little, 12, FDL_ORDER_LITTLE, &off), 0);
	assert_true(same_offload(&off, &tcp4));
	assert_int_equal(fdl_vnet_hdr_decode(big, 10, FDL_ORDER_BIG, &off), 0);
	assert_true(same_offload(&off, &tcp4));
}

static void native_is_the_machines(void **state)
{
	uint8_t hdr[12];
	uint16_t size;

	(void)state;
	fdl_vnet_hdr_encode(hdr, 12, FDL_ORDER_NATIVE, &tcp4);
	memcpy(&size, hdr + 4, 2);
	assert_int_equal(size, 1448);
}

static void every_type_survives(void **state)
{
	struct fdl_offload off, back;
	uint8_t hdr[12];
	int gso, csum;

	(void)state;
	for (gso = FDL_GSO_NONE; gso <= FDL_GSO_UDP; gso++) {
		for (csum = FDL_CSUM_NONE; csum <= FDL_CSUM_PARTIAL; csum++) {
			off = (struct fdl_offload){ .csum = (uint8_t)csum,
						    .gso = (uint8_t)gso };
			if (csum == FDL_CSUM_PARTIAL)
				off.csum_start = 20;
			if (gso)
				off.gso_size = 99;
			fdl_vnet_hdr_encode(hdr, 12, FDL_ORDER_NATIVE, &off);
			assert_int_equal(fdl_vnet_hdr_decode(hdr, 12,
							     FDL_ORDER_NATIVE,
							     &back),
					 0);
			assert_true(same_offload(&off, &back));
		}
	}
}

/* One of two bits, and only where there is room to say where the tunnel is. */
static void types_of_tunnels(void **state)
{
	uint8_t hdr[24] = { 1, 0, 0, 0, 100, 0, 20, 0, 16, 0 };
	struct fdl_offload off;
	int bits;

	(void)state;
	for (bits = 0; bits <= 0x60; bits += 0x20) {
		hdr[1] = (uint8_t)(1 | bits);
		assert_int_equal(
			fdl_vnet_hdr_decode(hdr, 24, FDL_ORDER_LITTLE, &off),
			bits == 0x60 ? FDL_REFUSE_GSO_TYPE : 0);
		assert_int_equal(
			fdl_vnet_hdr_decode(hdr, 12, FDL_ORDER_LITTLE, &off),
			bits ? FDL_REFUSE_GSO_TYPE : 0);
	}
	assert_int_equal(off.gso, FDL_GSO_TCPV4);
}

static void types_that_are_refused(void **state)
{
	uint8_t hdr[10] = { 1, 0, 0, 0, 100, 0, 20, 0, 16, 0 };
	struct fdl_offload off = tcp4;
	int type;

	(void)state;
	for (type = 0; type < 256; type++) {
		bool good = type == 0 || type == 1 || type == 4 || type == 5 ||
			    type == 0x81 || type == 0x84 || type == 0x11 ||
			    type == 0x14 || type == 0x91 || type == 0x94;

		hdr[1] = (uint8_t)type;
		assert_int_equal(
			fdl_vnet_hdr_decode(hdr, 10, FDL_ORDER_LITTLE, &off),
			good ? 0 : FDL_REFUSE_GSO_TYPE);
		/* With AccECN CWR is each segment's, whatever else is said. */
		if (good)
			assert_int_equal(off.ecn, (type & 0x90) == 0x80);
	}
	off = tcp4;
	hdr[1] = 3;
	assert_int_equal(fdl_vnet_hdr_decode(hdr, 9, FDL_ORDER_LITTLE, &off),
			 FDL_REFUSE_SHORT);
	assert_true(same_offload(&off, &tcp4));
}

struct packet {
	struct shape s;
	struct fdl_offload off;
	uint8_t f[4000];
	size_t len;
};

static void make(struct packet *p, int version, int proto)
{
	p->s = (struct shape){ .link_len = 14,
			       .version = version,
			       .proto = proto,
			       .payload = 3000,
			       .ttl = 64,
			       .flags = 0x10,
			       .partial = true };
	p->len = build(p->f, &p->s);
	p->off = shape_offload(&p->s, 1000);
}

static enum fdl_refusal check(struct packet *p)
{
	const struct fdl_offload was = p->off;
	enum fdl_refusal why = fdl_offload_check(p->f, p->len, p->len,
						 p->s.link_len, &p->off);

	if (why)
		assert_true(same_offload(&was, &p->off));
	return why;
}

static void good_ones_pass_and_become_canonical(void **state)
{
	struct packet p;

	(void)state;
	make(&p, 4, 6);
	p.off.hdr_len = 9999;
	assert_int_equal(check(&p), 0);
	assert_int_equal(p.off.hdr_len, 54);
	assert_int_equal(p.off.gso_size, 1000);
	p.off.csum = FDL_CSUM_NONE;
	assert_int_equal(check(&p), 0);
	assert_int_equal(p.off.csum_start, 0);
	make(&p, 6, 17);
	assert_int_equal(check(&p), 0);
	p.off.gso_size = 3000;
	assert_int_equal(check(&p), 0);
	assert_int_equal(p.off.gso, FDL_GSO_NONE);
	assert_int_equal(p.off.hdr_len, 0);
	assert_int_equal(p.off.csum, FDL_CSUM_PARTIAL);
	make(&p, 4, 6);
	p.off = (struct fdl_offload){ .csum = FDL_CSUM_VALID,
				      .csum_start = 0xffff };
	memset(p.f, 0xff, sizeof(p.f));
	assert_int_equal(check(&p), 0);
	assert_int_equal(p.off.csum_start, 0);
}

static void sums_that_are_refused(void **state)
{
	struct packet p;

	(void)state;
	make(&p, 4, 6);
	p.off.csum_start = 33;
	assert_int_equal(check(&p), FDL_REFUSE_CSUM_START);
	p.off.gso = FDL_GSO_NONE;
	p.off.csum_start = 0;
	assert_int_equal(check(&p), FDL_REFUSE_CSUM_START);
	p.off.csum_start = (uint16_t)p.len;
	assert_int_equal(check(&p), FDL_REFUSE_CSUM_START);
	p.off.csum_start = (uint16_t)(p.len - 17);
	assert_int_equal(check(&p), FDL_REFUSE_CSUM_OFFSET);
	p.off.csum_start = 34;
	p.off.csum_offset = 6;
	assert_int_equal(check(&p), FDL_REFUSE_CSUM_OFFSET);
	p.off.csum_offset = 0xffff;
	assert_int_equal(check(&p), FDL_REFUSE_CSUM_OFFSET);
	p.off.csum_start = 100;			/* inside a tunnel, say */
	p.off.csum_offset = 16;
	assert_int_equal(check(&p), 0);
	make(&p, 6, 17);
	p.off.gso = FDL_GSO_NONE;
	p.off.csum_start = 53;
	assert_int_equal(check(&p), FDL_REFUSE_CSUM_START);
	put16(p.f + 12, 0x88b5);		/* no IP: only bounds */
	assert_int_equal(check(&p), 0);
	p.off.csum_start = 13;
	assert_int_equal(check(&p), FDL_REFUSE_CSUM_START);
}

/* The kernel's GRO merges segments of TCP of any size. */
static void short_segments_pass_up_to_a_number(void **state)
{
	static uint8_t f[10000];
	struct packet p;
	size_t len;

	(void)state;
	make(&p, 6, 6);
	p.off.gso_size = 1;
	assert_int_equal(check(&p), FDL_REFUSE_NONE);
	assert_int_equal(p.off.gso_size, 1);
	p.s.payload = 8192;
	len = build(f, &p.s);
	assert_int_equal(fdl_offload_check(f, len, len, 14, &p.off),
			 FDL_REFUSE_NONE);
	p.s.payload++;
	len = build(f, &p.s);
	assert_int_equal(fdl_offload_check(f, len, len, 14, &p.off),
			 FDL_REFUSE_GSO_SIZE);
}

static void super_packets_that_are_refused(void **state)
{
	struct packet p;

	(void)state;
	make(&p, 4, 6);
	p.off.gso = FDL_GSO_TCPV6;
	assert_int_equal(check(&p), FDL_REFUSE_GSO_TYPE);
	p.off.gso = FDL_GSO_UDP;
	assert_int_equal(check(&p), FDL_REFUSE_GSO_TYPE);
	p.off.gso = 77;
	assert_int_equal(check(&p), FDL_REFUSE_GSO_TYPE);
	make(&p, 4, 6);
	p.off.gso_size = 0;
	assert_int_equal(check(&p), FDL_REFUSE_GSO_SIZE);
	p.off.gso_size = 0xffff;
	assert_int_equal(check(&p), FDL_REFUSE_GSO_SIZE);
	make(&p, 4, 6);
	p.off.csum_start = 40;
	assert_int_equal(check(&p), FDL_REFUSE_CSUM_START);
	make(&p, 4, 17);
	p.off.csum = FDL_CSUM_NONE;
	assert_int_equal(check(&p), FDL_REFUSE_GSO_CSUM);
	make(&p, 4, 17);
	p.off.gso_size = 3000 / 128;
	assert_int_equal(check(&p), FDL_REFUSE_GSO_SIZE);
	make(&p, 4, 17);
	put16(p.f + 38, 2000);
	assert_int_equal(check(&p), FDL_REFUSE_TRANSPORT);
	make(&p, 4, 6);
	put16(p.f + 20, 0x2000);
	assert_int_equal(check(&p), FDL_REFUSE_FRAGMENT);
	make(&p, 4, 6);
	put16(p.f + 16, 3041);
	assert_int_equal(check(&p), FDL_REFUSE_IP);
	make(&p, 4, 6);
	p.f[46] = 0x40;
	assert_int_equal(check(&p), FDL_REFUSE_TRANSPORT);
	make(&p, 4, 6);
	p.len = 40;
	put16(p.f + 16, 26);
	assert_int_equal(check(&p), FDL_REFUSE_CSUM_OFFSET);
	make(&p, 4, 6);
	assert_int_equal(fdl_offload_check(p.f, 53, p.len, 14, &p.off),
			 FDL_REFUSE_HEADERS);
	put16(p.f + 12, 0x86dd);
	assert_int_equal(check(&p), FDL_REFUSE_NOT_IP);
}

static void refusals_have_names(void **state)
{
	int i;

	(void)state;
	for (i = 0; i <= FDL_REFUSE_TUNNEL; i++)
		assert_non_null(fdl_refusal_name((enum fdl_refusal)i));
	assert_null(fdl_refusal_name((enum fdl_refusal)i));
	assert_null(fdl_refusal_name((enum fdl_refusal) - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(little_and_big),
		cmocka_unit_test(native_is_the_machines),
		cmocka_unit_test(every_type_survives),
		cmocka_unit_test(types_of_tunnels),
		cmocka_unit_test(types_that_are_refused),
		cmocka_unit_test(good_ones_pass_and_become_canonical),
		cmocka_unit_test(sums_that_are_refused),
		cmocka_unit_test(short_segments_pass_up_to_a_number),
		cmocka_unit_test(super_packets_that_are_refused),
		cmocka_unit_test(refusals_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
