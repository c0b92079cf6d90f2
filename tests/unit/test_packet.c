/* SPDX-License-Identifier: Apache-2.0 */
/* What a header that goes or comes changes in a packet's description. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fdlink/packet.h>

static uint8_t bytes[256];

/* TCP over IPv4 without a link header, in the middle of its room. */
static struct fdl_packet super_packet(void)
{
	return (struct fdl_packet){
		.data = bytes + 64,
		.room = 64,
		.len = 128,
		.tail = 64,
		.off = {
			.csum = FDL_CSUM_PARTIAL,
			.gso = FDL_GSO_TCPV4,
			.gso_size = 50,
			.hdr_len = 40,
			.csum_start = 20,
			.csum_offset = 16,
		},
	};
}

static void expect(const struct fdl_packet *pkt, unsigned link_len,
		   unsigned pushed)
{
	assert_ptr_equal(pkt->data, bytes + 64 - pushed);
	assert_int_equal(pkt->room, 64 - pushed);
	assert_int_equal(pkt->len, 128 + pushed);
	assert_int_equal(pkt->tail, 64);
	assert_int_equal(pkt->link_len, link_len);
	assert_int_equal(pkt->off.csum, FDL_CSUM_PARTIAL);
	assert_int_equal(pkt->off.hdr_len, 40 + pushed);
	assert_int_equal(pkt->off.csum_start, 20 + pushed);
	assert_int_equal(pkt->off.csum_offset, 16);
	assert_int_equal(pkt->off.gso_size, 50);
}

static void a_link_header_comes_and_goes(void **state)
{
	static const unsigned lens[] = { 14, 18, 22 };
	struct fdl_packet pkt = super_packet();
	size_t i;

	(void)state;
	for (i = 0; i < 3; i++) {
		assert_ptr_equal(fdl_packet_push(&pkt, lens[i]),
				 bytes + 64 - lens[i]);
		expect(&pkt, lens[i], lens[i]);
		assert_ptr_equal(fdl_packet_pull(&pkt, lens[i]), bytes + 64);
		expect(&pkt, 0, 0);
	}
}

static void a_tag_comes_and_goes(void **state)
{
	struct fdl_packet pkt = super_packet();

	(void)state;
	fdl_packet_push(&pkt, 14);
	fdl_packet_push(&pkt, 4);
	expect(&pkt, 18, 18);
	fdl_packet_pull(&pkt, 4);
	expect(&pkt, 14, 14);
}

static void what_is_no_link_header_is_none(void **state)
{
	struct fdl_packet pkt = super_packet();

	(void)state;
	fdl_packet_push(&pkt, 20);
	expect(&pkt, 0, 20);
}

static void what_is_not_described_stays_so(void **state)
{
	struct fdl_packet pkt = super_packet();

	(void)state;
	pkt.off = (struct fdl_offload){ 0 };
	fdl_packet_push(&pkt, 14);
	assert_int_equal(pkt.off.hdr_len, 0);
	assert_int_equal(pkt.off.csum_start, 0);
}

static void a_checksum_goes_with_its_start(void **state)
{
	struct fdl_packet pkt = super_packet();

	(void)state;
	fdl_packet_pull(&pkt, 20);
	assert_int_equal(pkt.off.csum, FDL_CSUM_PARTIAL);
	assert_int_equal(pkt.off.csum_start, 0);
	assert_int_equal(pkt.off.hdr_len, 20);
	fdl_packet_pull(&pkt, 1);
	assert_int_equal(pkt.off.csum, FDL_CSUM_NONE);
}

static void too_much_changes_nothing(void **state)
{
	struct fdl_packet pkt = super_packet();

	(void)state;
	assert_null(fdl_packet_push(&pkt, 65));
	expect(&pkt, 0, 0);
	assert_null(fdl_packet_pull(&pkt, 129));
	expect(&pkt, 0, 0);
}

/* Of which no longer link header can be told. */
static void a_link_header_counts_up_to_255(void **state)
{
	static uint8_t buf[600];
	struct fdl_packet pkt = { .data = buf + 500, .room = 500, .len = 100 };

	(void)state;
	fdl_packet_push(&pkt, 14);
	fdl_packet_push(&pkt, 240);
	assert_int_equal(pkt.link_len, 254);
	fdl_packet_pull(&pkt, 240);
	assert_int_equal(pkt.link_len, 14);
	assert_ptr_equal(fdl_packet_push(&pkt, 250), buf + 236);
	assert_int_equal(pkt.link_len, 255);
	assert_non_null(fdl_packet_push(&pkt, 200));
	assert_int_equal(pkt.link_len, 255);
	fdl_packet_pull(&pkt, 0);
	assert_int_equal(pkt.link_len, 255);
	fdl_packet_pull(&pkt, 450);
	assert_int_equal(pkt.link_len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_link_header_comes_and_goes),
		cmocka_unit_test(a_tag_comes_and_goes),
		cmocka_unit_test(what_is_no_link_header_is_none),
		cmocka_unit_test(what_is_not_described_stays_so),
		cmocka_unit_test(a_checksum_goes_with_its_start),
		cmocka_unit_test(too_much_changes_nothing),
		cmocka_unit_test(a_link_header_counts_up_to_255),
	};

	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
