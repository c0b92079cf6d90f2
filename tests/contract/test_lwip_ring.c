/* SPDX-License-Identifier: Apache-2.0 */
/* What lwIP and its applications keep does not hold up the ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/timeouts.h>
#include <lwip/udp.h>

#include "../unit/packets.h"
#include "fdl_lwip.h"
#include "link.h"
#include "netns.h"

enum {
	BLOCKS = 4,
	RING = BLOCKS << 17,
	LAPS = 4,
	TURN_MS = 100,
	LINK = 14,
	ARP_LEN = LINK + 28,
	UDP = 17,
};

struct bed {
	struct link l;
	struct fdl_lwip link;
	struct netif netif;
	struct udp_pcb *pcb;
	struct pbuf *kept;
};

static const struct link_kind *find_kind(const char *name)
{
	const struct link_kind *kind = link_kinds;

	while (kind->name && strcmp(kind->name, name) != 0)
		kind++;
	assert_non_null(kind->name);
	return kind;
}

/* An application may keep what it receives as long as it likes. */
static void keep(void *arg, struct udp_pcb *pcb, struct pbuf *p,
		 const ip_addr_t *from, u16_t port)
{
	struct bed *b = arg;

	LWIP_UNUSED_ARG(pcb);
	LWIP_UNUSED_ARG(from);
	LWIP_UNUSED_ARG(port);
	assert_null(b->kept);
	b->kept = p;
}

static int set_up(void **state)
{
	static struct bed b;
	const struct fdl_options opts = {
		.flags = FDL_LWIP_FLAGS,
		.headroom = FDL_LWIP_HEADROOM,
		.ring_bytes = RING,
	};
	ip4_addr_t address, mask;

	IP4_ADDR(&address, 10, 1, 0, 2);
	IP4_ADDR(&mask, 255, 0, 0, 0);
	assert_int_equal(link_make(&b.l, find_kind("packet"), 0), 0);
	assert_int_equal(link_endpoint(&b.l, FDL_MODE_PACKET_MMAP, &opts), 0);
	lwip_init();
	b.link.ep = b.l.ep;
	assert_non_null(netif_add(&b.netif, &address, &mask, NULL, &b.link,
				  fdl_lwip_init, netif_input));
	netif_set_up(&b.netif);
	b.pcb = udp_new();
	assert_int_equal(udp_bind(b.pcb, IP_ANY_TYPE, 0), ERR_OK);
	udp_recv(b.pcb, keep, &b);
	*state = &b;
	return 0;
}

static int tear_down(void **state)
{
	struct bed *b = *state;

	udp_remove(b->pcb);
	netif_remove(&b->netif);
	link_free(&b->l);
	return 0;
}

static void turn(struct bed *b)
{
	assert_true(fdl_poll(b->link.ep, TURN_MS) >= 0);
	sys_check_timeouts();
	assert_true(fdl_lwip_poll(&b->link) >= 0);
}

/* A datagram, which the application keeps. */
static void feed_datagram(struct bed *b)
{
	const long long end = netns_now_ms() + WAIT_MS;
	const struct shape s = {
		.link_len = LINK,
		.version = 4,
		.proto = UDP,
		.payload = 100,
		.ttl = 64,
	};
	uint8_t frame[LINK + 128];
	const size_t len = build(frame, &s);

	memcpy(frame, link_local, 6);
	memcpy(frame + 6, link_remote, 6);
	b->pcb->local_port = (u16_t)get16(frame + LINK + 22);
	link_feed_bytes(&b->l, frame, len);
	while (!b->kept && netns_now_ms() < end)
		turn(b);
	assert_int_equal(b->kept ? b->kept->tot_len : 0, s.payload);
}

static bool answers(struct bed *b)
{
	uint8_t frame[FRAME_MAX];

	return link_collect(&b->l, frame, sizeof(frame), 0) >= ARP_LEN &&
	       !memcmp(frame + LINK, "\0\1\x08\0\6\4\0\2", 8);
}

/* lwIP answers, and the ring has had one block more. */
static void ask(struct bed *b)
{
	const long long end = netns_now_ms() + WAIT_MS;
	uint8_t frame[60] = { 0 };
	bool answered = false;

	memset(frame, 0xff, 6);
	memcpy(frame + 6, link_remote, 6);
	put16(frame + 12, ETHTYPE_ARP);
	memcpy(frame + LINK, "\0\1\x08\0\6\4\0\1", 8);
	memcpy(frame + LINK + 8, link_remote, 6);
	put32(frame + LINK + 14, 0x0a000001);
	put32(frame + LINK + 24, 0x0a010002);
	link_feed_bytes(&b->l, frame, sizeof(frame));
	while (!answered && netns_now_ms() < end) {
		turn(b);
		answered = answers(b);
	}
	assert_true(answered);
}

static void one_kept_packet_stops_no_ring(void **state)
{
	struct bed *b = *state;
	int i;

	feed_datagram(b);
	for (i = 0; i < LAPS * BLOCKS; i++)
		ask(b);
	pbuf_free(b->kept);
}

int main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(one_kept_packet_stops_no_ring,
						set_up, tear_down),
	};

	(void)argc;
	netns_enter(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
