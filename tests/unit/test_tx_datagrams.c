/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Super-packets inside a tunnel, on a wire that takes super-packets of UDP and
 * knows no tunnels: they go as the datagrams of few messages, and what arrives
 * is what a complete cut would have made of them.
 */
#include <errno.h>

#include "super_bed.h"
#include "tunnels.h"

enum { MAX = 70000, MSS = 1000 };

static struct bed bed;
static uint8_t buf[MAX];

static const struct wrap vxlan = {
	.kind = VXLAN, .link_len = 14, .version = 4, .sum = true
};
static const struct wrap geneve6 = {
	.kind = GENEVE, .link_len = 14, .version = 6, .sum = true
};
static const struct shape tcp = { .link_len = 14,
				  .version = 4,
				  .proto = 6,
				  .id = 7,
				  .ttl = 9,
				  .seq = 5,
				  .flags = 0x19, /* FIN, PSH, ACK */
				  .partial = true };

static void set_up(uint32_t mtu)
{
	bed.shared.opts = (struct fdl_options){ .flags = FDL_ETHERNET,
						.mtu = mtu };
	bed.shared.tunnels_apart = false;
	bed_open(&bed, FDL_KIND_PACKET, HDR);
}

/* A super-packet of so many segments, made in buf. */
static struct fdl_offload make(const struct wrap *w, unsigned segments,
			       struct iovec *iov)
{
	struct shape in = tcp;
	size_t len;

	in.payload = segments * MSS - 1;
	len = build(buf + wrap_len(w), &in);
	*iov = (struct iovec){ buf, wrap(buf, w, &in, len, true) };
	return wrap_offload(w, &in, MSS);
}

/* Send one as of weight packets; it goes in so many messages. */
static void put(const struct wrap *w, unsigned segments, unsigned weight,
		unsigned messages)
{
	struct iovec iov;
	const struct fdl_offload off = make(w, segments, &iov);

	assert_int_equal(send_super(&bed, &iov, &off, weight), messages);
}

static void few_messages(void **state)
{
	(void)state;
	set_up(1500);
	put(&vxlan, 60, 1, 1);
	put(&geneve6, 60, 1, 1);
	assert_int_equal(bed_count(&bed, TX_GSO), 2);
	assert_int_equal(bed_count(&bed, TX_GSO_CUT), 2);
	assert_int_equal(bed_count(&bed, TX_SEGMENTS), 2);
	/* What is around each segment makes all of it longer than a packet. */
	put(&vxlan, 64, 1, 2);
	/* Merged packets are counted as such. */
	put(&vxlan, 64, 64, 2);
	bed_close(&bed);
}

static void only_where_they_can(void **state)
{
	struct wrap other = vxlan;

	(void)state;
	set_up(1500);
	other.sum = false;
	put(&other, 10, 1, 10);
	other = (struct wrap){ .kind = GRE_TEB, .link_len = 14, .version = 4 };
	put(&other, 10, 1, 10);
	atomic_store(&bed.shared.tx_revoked, FDL_OFFLOAD_USO6);
	put(&geneve6, 10, 1, 10);
	put(&vxlan, 10, 1, 1);
	bed.shared.tunnels_apart = true;
	put(&vxlan, 10, 1, 10);
	bed_close(&bed);
	/* Nobody knows who is behind a socket. */
	set_up(1500);
	assert_true(work_merges(&bed.tx) & FDL_COALESCE_UDP_TUNNEL_SUM);
	bed_close(&bed);
	bed_open(&bed, FDL_KIND_SEQPACKET, HDR);
	put(&vxlan, 10, 1, 10);
	assert_false(work_merges(&bed.tx) & FDL_COALESCE_UDP_TUNNEL_SUM);
	bed_close(&bed);
	/* A kernel would not tell of the loss. */
	set_up(MSS + 50);
	put(&vxlan, 10, 1, 10);
	bed_close(&bed);
}

static void they_fit_the_wire(void **state)
{
	static const size_t limits[] = { 60000, 16352, 8160, 3000, 1200 };
	unsigned i, asked;

	(void)state;
	for (i = 0; i < 5; i++) {
		const struct verdict *why;
		struct iovec iov;
		const struct fdl_offload off = make(&vxlan, 60, &iov);
		const struct frame f = {
			.iov = &iov, .cnt = 1, .weight = 1, .off = &off
		};

		set_up(1500);
		limit = limits[i];
		wire.refuses = too_long;
		tx_put(&bed.tx, (struct frames){ .f = &f }, 1, &why);
		expect_all(0, &iov, &off);
		/* It has learnt. */
		wire_forget();
		asked = wire.asked;
		tx_put(&bed.tx, (struct frames){ .f = &f }, 1, &why);
		expect_all(0, &iov, &off);
		assert_int_equal(wire.asked - asked, wire.n);
		assert_true(wire.n <= 3 * 65535 / limit);
		assert_int_equal(bed_count(&bed, TX_OFFLOAD_REVOKED), 0);
		assert_int_equal(bed_count(&bed, TX_DROP_TOO_LONG), 0);
		bed_close(&bed);
	}
}

static int no_uso(const uint8_t *bytes, size_t len)
{
	struct fdl_offload off = { 0 };

	(void)len;
	return !fdl_vnet_hdr_decode(bytes, HDR, FDL_ORDER_NATIVE, &off) &&
			       off.gso == FDL_GSO_UDP ?
		       EINVAL :
		       0;
}

static void a_kernel_that_takes_none_is_believed(void **state)
{
	(void)state;
	set_up(1500);
	wire.refuses = no_uso;
	put(&vxlan, 20, 1, 20);
	assert_int_equal(bed_count(&bed, TX_OFFLOAD_REVOKED), 1);
	wire.asked = 0;
	put(&vxlan, 20, 1, 20);
	assert_int_equal(wire.asked, 20);
	bed_close(&bed);
}

/* No room amid it: the rest goes as datagrams, too. */
static void the_rest_waits(void **state)
{
	const struct verdict *why;
	struct iovec iov;
	const struct fdl_offload off = make(&vxlan, 60, &iov);
	const struct frame f = {
		.iov = &iov, .cnt = 1, .weight = 1, .off = &off
	};

	(void)state;
	set_up(1500);
	limit = 16352;
	wire.refuses = too_long;
	wire.slots = 2;
	assert_int_equal(tx_put(&bed.tx, (struct frames){ .f = &f }, 1, &why),
			 1);
	assert_non_null(why);
	assert_int_equal(wire.n, 2);
	wire.slots = 0;
	assert_int_equal(tx_put(&bed.tx, (struct frames){ .f = &f }, 0, &why),
			 0);
	assert_null(why);
	expect_all(0, &iov, &off);
	assert_true(wire.n < 10);
	assert_int_equal(bed_count(&bed, TX_SEGMENTS), wire.n);
	bed_close(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_messages),
		cmocka_unit_test(only_where_they_can),
		cmocka_unit_test(they_fit_the_wire),
		cmocka_unit_test(a_kernel_that_takes_none_is_believed),
		cmocka_unit_test(the_rest_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
