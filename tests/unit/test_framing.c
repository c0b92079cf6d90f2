/* SPDX-License-Identifier: Apache-2.0 */
/* When a device is asked for its header, which takes several system calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kind/table.h"
#include "packets.h"
#include "rx/framing.h"

enum {
	LINK = 14,
	LEN = 60,
};

struct bed {
	struct kind kind;
	struct io io;
	struct shared shared;
	struct rx rx;
	struct fdl_packet pkt;
	uint8_t bytes[LEN];
};

static unsigned questions;

/* The device has the header that was set up. */
static int answer(int fd, struct io_framing *now)
{
	(void)fd;
	questions++;
	*now = (struct io_framing){ .vnet_hdr_len = FDL_VNET_HDR_LEN };
	return 0;
}

static void open_bed(struct bed *b)
{
	memset(b, 0, sizeof(*b));
	b->shared.opts.flags = FDL_ETHERNET;
	b->kind = *kind_of(FDL_KIND_TAP);
	b->kind.follow = answer;
	b->io.kind = &b->kind;
	b->io.vnet_hdr_len = FDL_VNET_HDR_LEN;
	b->pkt = (struct fdl_packet){ .data = b->bytes, .len = LEN };
	b->rx.shared = &b->shared;
	b->rx.io = &b->io;
	b->rx.frame[0].pkt = &b->pkt;
	questions = 0;
}

/* Returns how often the device was asked about a frame of this protocol, or of
 * this length, that comes a while after those before. */
static unsigned ask_about(struct bed *b, unsigned type)
{
	const unsigned before = questions;

	put16(b->bytes + LINK - 2, type);
	b->rx.ask_at = 0;
	assert_int_equal(framing_check(&b->rx, 1), FRAMING_HOLDS);
	return questions - before;
}

static void an_unusual_protocol_is_asked_about_once(void **state)
{
	static struct bed b;

	(void)state;
	open_bed(&b);
	assert_int_equal(ask_about(&b, 0x0800), 0);
	assert_int_equal(ask_about(&b, 0x8892), 1);
	assert_int_equal(ask_about(&b, 0x8892), 0);
	assert_int_equal(ask_about(&b, 0x0800), 0);
	assert_int_equal(ask_about(&b, 0x8892), 0);
	assert_int_equal(ask_about(&b, 0x8893), 1);
	assert_int_equal(ask_about(&b, 0x8893), 0);
}

/* What is read in a wrong place is often one. */
static void a_small_number_is_asked_about_each_time(void **state)
{
	static struct bed b;

	(void)state;
	open_bed(&b);
	assert_int_equal(ask_about(&b, 0), 1);
	assert_int_equal(ask_about(&b, 0), 1);
	assert_int_equal(ask_about(&b, 0x0100), 1);
	assert_int_equal(ask_about(&b, 0x0100), 1);
}

/* It was right behind that header only. */
static void another_header_makes_it_odd_again(void **state)
{
	static struct bed b;

	(void)state;
	open_bed(&b);
	assert_int_equal(ask_about(&b, 0x8892), 1);
	framing_set(&b.rx, io_pack(&(struct io_framing){
				   .vnet_hdr_len = FDL_VNET_HDR_LEN }));
	assert_int_equal(ask_about(&b, 0x8892), 1);
	assert_int_equal(ask_about(&b, 0x8892), 0);
}

/* A header that contradicted its packet is a doubt about all. */
static void a_doubt_is_always_asked_about(void **state)
{
	static struct bed b;

	(void)state;
	open_bed(&b);
	b.rx.doubt = true;
	assert_int_equal(ask_about(&b, 0x0800), 1);
	assert_int_equal(ask_about(&b, 0x0800), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unusual_protocol_is_asked_about_once),
		cmocka_unit_test(a_small_number_is_asked_about_each_time),
		cmocka_unit_test(another_header_makes_it_odd_again),
		cmocka_unit_test(a_doubt_is_always_asked_about),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
