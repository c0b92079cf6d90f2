/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers say of a better first hop. */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <lwip/priv/nd6_priv.h>

#include "../unit/packets.h"
#include "lwip_bed.h"

enum { ICMP6 = 58, REDIRECT = 137 };

static void redirect(struct bed *b, const uint8_t *to, const uint8_t *from,
		     const uint8_t *target)
{
	uint8_t frame[80] = { 0x60, [5] = 40, [6] = ICMP6, [7] = 255,
			      [24] = 0xfd, [25] = 2, [39] = 2 };
	uint8_t *msg = frame + 40;

	memcpy(frame + 8, from, 16);
	msg[0] = REDIRECT;
	memcpy(msg + 8, target, 16);
	memcpy(msg + 24, to, 16);
	put16(msg + 2,
	      (uint16_t)~ref_sum(msg, 40, ref_pseudo(frame, 6, ICMP6, 40)));
	assert_int_equal(send(b->peer, frame, sizeof(frame), 0), sizeof(frame));
	bed_turn(b);
}

/* Only the first hop may name a better one. */
static void strangers_do_not_redirect(void **state)
{
	static const uint8_t hop[16] = { 0xfe, 0x80, [15] = 1 };
	static const uint8_t other[16] = { 0xfe, 0x80, [15] = 2 };
	static const uint8_t to[16] = { 0xfd, 9, [15] = 9 };
	static const uint8_t far[16] = { 0xfd, 8, [15] = 8 };
	struct nd6_destination_cache_entry *entry = destination_cache;
	struct bed *b = *state;

	memcpy(entry->destination_addr.addr, to, 16);
	memcpy(entry->next_hop_addr.addr, hop, 16);
	redirect(b, to, other, other);
	assert_memory_equal(entry->next_hop_addr.addr, hop, 16);
	redirect(b, to, hop, far);
	assert_memory_equal(entry->next_hop_addr.addr, hop, 16);
	redirect(b, to, hop, other);
	assert_memory_equal(entry->next_hop_addr.addr, other, 16);
	memset(entry, 0, sizeof(*entry));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(strangers_do_not_redirect),
	};

	return cmocka_run_group_tests_name("lwip redirect", tests, bed_set_up,
					   bed_tear_down);
}
