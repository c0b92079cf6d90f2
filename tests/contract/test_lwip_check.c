/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP sees no packet that makes it read beyond one. Each packet here is in
 * memory of its own length, so that AddressSanitizer sees the byte behind it
 * being read; without, it is seen that the packet is dropped, and that one like
 * it with nothing wrong is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <fdlink/fdlink.h>

#include "../unit/packets.h"
#include "fdl_lwip_check.h"
#include "lwip_check_bed.h"

struct options {
	const char *what;
	uint8_t bytes[5];
	bool right;
};

/* The last bytes of a header, behind NOPs. */
static const struct options tcp_options[] = {
	{ "a segment size", { 1, 2, 4, 5, 180 }, true },
	{ "an end, and what looks like an option", { 1, 1, 1, 0, 2 }, true },
	{ "one that nobody knows", { 1, 200, 4, 9, 9 }, true },
	{ "a segment size without a length", { 1, 1, 1, 1, 2 }, false },
	{ "a window scale without a length", { 1, 1, 1, 1, 3 }, false },
	{ "one that nobody knows, without a length",
	  { 1, 1, 1, 1, 200 },
	  false },
	{ "one shorter than itself", { 1, 1, 1, 200, 1 }, false },
	{ "an empty one", { 1, 1, 200, 0, 1 }, false },
	{ "one that is longer than the header", { 1, 1, 200, 4, 1 }, false },
};

static void options_of_tcp_end_in_the_header(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	unsigned i, version;
	uint8_t *tcp;

	for (i = 0; i < 2 * sizeof(tcp_options) / sizeof(tcp_options[0]); i++) {
		const struct options *o = &tcp_options[i / 2];

		version = i % 2 ? 6 : 4;
		tcp = version == 6 ? frame_begin6(&f, TCP, 28) :
				     frame_begin4(&f, TCP, 28);
		frame_put_syn(tcp, 28);
		memcpy(tcp + 23, o->bytes, 5);
		frame_end_syn(&f, tcp, 28);
		frame_expect(&s, &f, o->right);
	}
}

/* As in the path of all data: with a timestamp alone. */
static void so_do_timestamps(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	uint8_t *tcp = frame_begin4(&f, TCP, 32);

	frame_put_syn(tcp, 32);
	put32(tcp + 20, 0x0101080a);
	frame_end_syn(&f, tcp, 32);
	frame_expect(&s, &f, true);
	put32(tcp + 20, 0x0101080b);
	frame_end_syn(&f, tcp, 32);
	frame_expect(&s, &f, false);
}

static void a_header_of_tcp_is_all_there(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	uint8_t *tcp = frame_begin4(&f, TCP, 20);

	frame_put_syn(tcp, 20);
	frame_end_syn(&f, tcp, 20);
	frame_expect(&s, &f, true);
	tcp[12] = 6 << 4;
	frame_end_syn(&f, tcp, 20);
	frame_expect(&s, &f, false);
	tcp[12] = 4 << 4;
	frame_end_syn(&f, tcp, 20);
	frame_expect(&s, &f, false);
	frame_begin4(&f, TCP, 19);
	frame_expect(&s, &f, false);
}

/* lwIP looks for DHCP's port in what is for others, too. */
static void a_header_of_udp_is_all_there(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	unsigned len, i;
	uint8_t *udp;

	for (i = 0; i < 2; i++) {
		for (len = 0; len < 10; len++) {
			udp = i ? frame_begin6(&f, UDP, len) :
				  frame_begin4(&f, UDP, len);
			put16(udp + 4, 8);
			frame_expect(&s, &f, len >= 8);
		}
		put16(udp + 4, 9);
		frame_expect(&s, &f, true);
		put16(udp + 4, 10);
		frame_expect(&s, &f, false);
		put16(udp + 4, 7);
		frame_expect(&s, &f, false);
	}
}

static void a_header_of_ip_is_all_there(void **state)
{
	const struct side s = side_of(state);
	struct frame f;

	frame_begin4(&f, UNKNOWN, 4);
	frame_expect(&s, &f, true);
	f.len = 21;
	frame_expect(&s, &f, false);
	f.len = 1;
	frame_expect(&s, &f, false);
	frame_begin4(&f, UNKNOWN, 4);
	f.at[0] = 0x47;
	frame_end4(&f);
	frame_expect(&s, &f, false);
	f.at[0] = 0x44;
	frame_end4(&f);
	frame_expect(&s, &f, false);
	frame_begin6(&f, NOTHING, 0);
	frame_expect(&s, &f, true);
	put16(f.at + 4, 1);
	frame_expect(&s, &f, false);
	f.len = 3;
	frame_expect(&s, &f, false);
}

/* lwIP, which is not told the protocol, would see the other one. */
static void a_packet_is_of_the_version_that_its_link_says(void **state)
{
	static const uint16_t protocols[] = { 0x0800, 0x86dd, 0x0806, 0 };
	struct frame f;
	struct fdl_packet pkt = { .data = f.at };
	unsigned i, version;

	LWIP_UNUSED_ARG(state);
	for (i = 0; i < 8; i++) {
		version = i / 4 ? 6 : 4;
		if (version == 6)
			frame_begin6(&f, NOTHING, 0);
		else
			frame_begin4(&f, UNKNOWN, 20);
		pkt.len = f.len;
		pkt.protocol = protocols[i % 4];
		assert_int_equal(fdl_lwip_check(&pkt), i % 4 == i / 4);
	}
}

static void a_header_of_arp_is_all_there(void **state)
{
	static const uint8_t address[6] = { 2, 0, 0, 0, 0, 2 };
	struct fdl_options options = {
		.size = sizeof(options),
		.mtu = MTU,
		.flags = FDL_LWIP_FLAGS | FDL_ETHERNET,
		.headroom = FDL_LWIP_HEADROOM,
	};
	struct fdl_lwip link = { .pool = 1 };
	struct side s = { .link = &link, .link_len = LINK };
	struct netif netif;
	ip4_addr_t ip, mask;
	struct frame f;
	int fds[2];

	LWIP_UNUSED_ARG(state);
	memcpy(options.address, address, 6);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(fdl_endpoint_new(&link.ep, fds, 1, &options), 0);
	close(fds[0]);
	s.peer = fds[1];
	IP4_ADDR(&ip, 192, 0, 2, 2);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	assert_non_null(netif_add(&netif, &ip, &mask, NULL, &link,
				  fdl_lwip_init, netif_input));
	netif_set_up(&netif);

	memset(&f, 0, sizeof(f));
	memset(f.at, 0xff, 6);
	memcpy(f.at + 6, "\x02\0\0\0\0\x01", 6);
	put16(f.at + 12, 0x0806);
	memcpy(f.at + LINK, "\0\x01\x08\0\x06\x04\0\x01", 8);
	memcpy(f.at + LINK + 8, "\x02\0\0\0\0\x01\xc0\0\x02\x01", 10);
	memcpy(f.at + LINK + 24, "\xc0\0\x02\x02", 4);
	f.len = LINK + 28;
	frame_expect(&s, &f, true);
	f.len--;
	frame_expect(&s, &f, false);

	netif_remove(&netif);
	assert_int_equal(fdl_endpoint_free(link.ep), 0);
	close(s.peer);
}

struct extension {
	const char *what;
	uint8_t type;
	unsigned len;
	uint8_t bytes[16];
	bool right;
};

static const struct extension extensions[] = {
	{ "options for each hop",
	  HOP_OPTIONS,
	  8,
	  { NOTHING, 0, 1, 3, 0, 0, 0, 0 },
	  true },
	{ "a routing header", ROUTING, 8, { NOTHING }, true },
	{ "a fragment that is all", FRAGMENT, 8, { NOTHING }, true },
	{ "options for us, and for each hop",
	  HOP_OPTIONS,
	  16,
	  { OPTIONS, 0, 1, 4, 0, 0, 0, 0, NOTHING, 0, 5, 2, 0, 0, 1, 0 },
	  true },
	{ "no options for each hop", HOP_OPTIONS, 0, { 0 }, false },
	{ "no options for us", OPTIONS, 0, { 0 }, false },
	{ "options for us, of one byte", OPTIONS, 1, { NOTHING }, false },
	{ "no routing header", ROUTING, 0, { 0 }, false },
	{ "no fragment header", FRAGMENT, 0, { 0 }, false },
	{ "half a fragment header", FRAGMENT, 7, { NOTHING }, false },
	{ "more options than there are",
	  OPTIONS,
	  8,
	  { NOTHING, 1, 1, 4 },
	  false },
	{ "an option for each hop, without a length",
	  HOP_OPTIONS,
	  8,
	  { NOTHING, 0, 1, 3, 0, 0, 0, 5 },
	  false },
	{ "an option for us, without a length",
	  OPTIONS,
	  8,
	  { NOTHING, 0, 1, 3, 0, 0, 0, 30 },
	  false },
	{ "an option that goes on behind them",
	  OPTIONS,
	  8,
	  { NOTHING, 0, 1, 5, 0, 0, 0, 0 },
	  false },
	{ "options behind options that are not there",
	  HOP_OPTIONS,
	  8,
	  { OPTIONS, 0, 1, 4, 0, 0, 0, 0 },
	  false },
};

static void extension_headers_are_all_there(void **state)
{
	const struct side s = side_of(state);
	const struct extension *e;
	struct frame f;
	unsigned i;

	for (i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		e = &extensions[i];
		memcpy(frame_begin6(&f, e->type, e->len), e->bytes, e->len);
		frame_expect(&s, &f, e->right);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_of_tcp_end_in_the_header),
		cmocka_unit_test(so_do_timestamps),
		cmocka_unit_test(a_header_of_tcp_is_all_there),
		cmocka_unit_test(a_header_of_udp_is_all_there),
		cmocka_unit_test(a_header_of_ip_is_all_there),
		cmocka_unit_test(a_packet_is_of_the_version_that_its_link_says),
		cmocka_unit_test(a_header_of_arp_is_all_there),
		cmocka_unit_test(extension_headers_are_all_there),
	};

	return cmocka_run_group_tests_name("lwip check", tests, bed_set_up,
					   bed_tear_down);
}
