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

#if defined(__has_include)
#if __has_include(<sanitizer/asan_interface.h>)
#include <sanitizer/asan_interface.h>
#endif
#endif
#ifndef ASAN_POISON_MEMORY_REGION
#define ASAN_POISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#endif

#include <fdlink/fdlink.h>

#include "../unit/packets.h"
#include "fdl_lwip_check.h"
#include "lwip_bed.h"

enum {
	LINK = 14,
	ROOM = 512,
	LAST = 0,
	MORE = 1,
	HOP_OPTIONS = 0,
	TCP = 6,
	UDP = 17,
	ROUTING = 43,
	FRAGMENT = 44,
	ICMP6 = 58,
	NOTHING = 59,
	OPTIONS = 60,
	UNKNOWN = 253,
};

/* An lwIP netif, and a socket to it. */
struct side {
	struct fdl_lwip *link;
	int peer;
	unsigned link_len;
};

/* What has been built. */
struct frame {
	uint8_t at[ROOM];
	unsigned len;
};

struct pbuf *__real_pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type);
struct pbuf *__wrap_pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type);

/* lwIP rounds a length up. */
struct pbuf *__wrap_pbuf_alloc(pbuf_layer layer, u16_t len, pbuf_type type)
{
	struct pbuf *p = __real_pbuf_alloc(layer, len, type);

	if (p && type == PBUF_RAM)
		ASAN_POISON_MEMORY_REGION((uint8_t *)p->payload + len,
					  LWIP_MEM_ALIGN_SIZE(len) - len);
	return p;
}

static bool check(const struct side *s, const uint8_t *bytes, unsigned len)
{
	uint8_t *room = malloc(1U + len), *exact = room + 1;
	struct fdl_packet pkt = { .data = exact, .len = len };
	bool right;

	assert_non_null(room);
	memcpy(exact, bytes, len);
	pkt.link_len = (uint8_t)s->link_len;
	if (s->link_len)
		pkt.protocol = (uint16_t)get16(bytes + 12);
	else if (len)
		pkt.protocol = *exact >> 4 == 6 ? 0x86dd : 0x0800;
	right = fdl_lwip_check(&pkt);
	free(room);
	return right;
}

static uint64_t drops_of(const struct side *s, const struct frame *f)
{
	const uint64_t before = s->link->rx_dropped;
	uint8_t answer[MTU + LINK];

	assert_int_equal(send(s->peer, f->at, f->len, 0), f->len);
	assert_true(fdl_poll(s->link->ep, 0) >= 0);
	assert_true(fdl_lwip_poll(s->link) >= 0);
	while (recv(s->peer, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		;
	return s->link->rx_dropped - before;
}

/* Of a packet that is cut off anywhere the check reads no more than is there. */
static void expect(const struct side *s, const struct frame *f, bool right)
{
	unsigned len;

	for (len = s->link_len; len < f->len; len++)
		check(s, f->at, len);
	assert_int_equal(check(s, f->at, f->len), right);
	assert_int_equal(drops_of(s, f), !right);
}

/* With a pool of which lwIP keeps nothing each packet is copied. */
static struct side side_of(void **state)
{
	struct bed *b = *state;

	b->link.pool = 1;
	return (struct side){ &b->link, b->peer, 0 };
}

/* With room for len bytes behind the IP header. */
static uint8_t *begin4(struct frame *f, int proto, unsigned len)
{
	const struct shape s = { .version = 4, .proto = proto, .ttl = 64 };

	memset(f, 0, sizeof(*f));
	f->len = 20 + len;
	build_ip4(f->at, &s, f->len);
	return f->at + 20;
}

static uint8_t *begin6(struct frame *f, int next, unsigned len)
{
	const struct shape s = { .version = 6, .proto = next, .ttl = 64 };

	memset(f, 0, sizeof(*f));
	f->len = 40 + len;
	build_ip6(f->at, &s, f->len);
	return f->at + 40;
}

/* An IPv4 header that was changed. */
static void end4(struct frame *f)
{
	put16(f->at + 10, 0);
	put16(f->at + 10, (uint16_t)~ref_sum(f->at, 20, 0));
}

static uint8_t *begin_fragment4(struct frame *f, int proto, unsigned id,
				unsigned offset, unsigned more, unsigned len)
{
	uint8_t *payload = begin4(f, proto, len);

	put16(f->at + 4, id);
	put16(f->at + 6, offset / 8 | more << 13);
	end4(f);
	return payload;
}

static uint8_t *begin_fragment6(struct frame *f, int next, unsigned id,
				unsigned offset, unsigned more, unsigned len)
{
	uint8_t *header = begin6(f, FRAGMENT, 8 + len);

	header[0] = (uint8_t)next;
	put16(header + 2, offset | more);
	put32(header + 4, id);
	return header + 8;
}

/* A SYN for the port that is listened to, of so many bytes of header. */
static void put_syn(uint8_t *tcp, unsigned len)
{
	memset(tcp, 1, len);
	put16(tcp, 999);
	put16(tcp + 2, 80);
	put32(tcp + 4, 1);
	put32(tcp + 8, 0);
	tcp[12] = (uint8_t)(len / 4 << 4);
	tcp[13] = SYN;
	put32(tcp + 16, 0);
}

static void end_syn(const struct frame *f, uint8_t *tcp, unsigned len)
{
	const int version = f->at[0] >> 4;

	put16(tcp + 16,
	      (uint16_t)~ref_sum(tcp, len,
				 ref_pseudo(f->at, version, TCP, len)));
}

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
		tcp = version == 6 ? begin6(&f, TCP, 28) : begin4(&f, TCP, 28);
		put_syn(tcp, 28);
		memcpy(tcp + 23, o->bytes, 5);
		end_syn(&f, tcp, 28);
		expect(&s, &f, o->right);
	}
}

/* As in the path of all data: with a timestamp alone. */
static void so_do_timestamps(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	uint8_t *tcp = begin4(&f, TCP, 32);

	put_syn(tcp, 32);
	put32(tcp + 20, 0x0101080a);
	end_syn(&f, tcp, 32);
	expect(&s, &f, true);
	put32(tcp + 20, 0x0101080b);
	end_syn(&f, tcp, 32);
	expect(&s, &f, false);
}

static void a_header_of_tcp_is_all_there(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	uint8_t *tcp = begin4(&f, TCP, 20);

	put_syn(tcp, 20);
	end_syn(&f, tcp, 20);
	expect(&s, &f, true);
	tcp[12] = 6 << 4;
	end_syn(&f, tcp, 20);
	expect(&s, &f, false);
	tcp[12] = 4 << 4;
	end_syn(&f, tcp, 20);
	expect(&s, &f, false);
	begin4(&f, TCP, 19);
	expect(&s, &f, false);
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
			udp = i ? begin6(&f, UDP, len) : begin4(&f, UDP, len);
			put16(udp + 4, 8);
			expect(&s, &f, len >= 8);
		}
		put16(udp + 4, 9);
		expect(&s, &f, true);
		put16(udp + 4, 10);
		expect(&s, &f, false);
		put16(udp + 4, 7);
		expect(&s, &f, false);
	}
}

static void a_header_of_ip_is_all_there(void **state)
{
	const struct side s = side_of(state);
	struct frame f;

	begin4(&f, UNKNOWN, 4);
	expect(&s, &f, true);
	f.len = 21;
	expect(&s, &f, false);
	f.len = 1;
	expect(&s, &f, false);
	begin4(&f, UNKNOWN, 4);
	f.at[0] = 0x47;
	end4(&f);
	expect(&s, &f, false);
	f.at[0] = 0x44;
	end4(&f);
	expect(&s, &f, false);
	begin6(&f, NOTHING, 0);
	expect(&s, &f, true);
	put16(f.at + 4, 1);
	expect(&s, &f, false);
	f.len = 3;
	expect(&s, &f, false);
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
			begin6(&f, NOTHING, 0);
		else
			begin4(&f, UNKNOWN, 20);
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
	expect(&s, &f, true);
	f.len--;
	expect(&s, &f, false);

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
		memcpy(begin6(&f, e->type, e->len), e->bytes, e->len);
		expect(&s, &f, e->right);
	}
}

static void fragments_are_not_empty(void **state)
{
	const struct side s = side_of(state);
	struct frame f;

	begin_fragment4(&f, UNKNOWN, 1, 0, MORE, 8);
	expect(&s, &f, true);
	begin_fragment4(&f, UNKNOWN, 1, 8, LAST, 1);
	expect(&s, &f, true);
	begin_fragment4(&f, UNKNOWN, 2, 0, MORE, 0);
	expect(&s, &f, false);
	begin_fragment4(&f, UNKNOWN, 2, 8, LAST, 0);
	expect(&s, &f, false);
	begin_fragment6(&f, UDP, 2, 8, LAST, 0);
	expect(&s, &f, false);
}

static void a_first_fragment_of_ip6_is_long(void **state)
{
	const struct side s = side_of(state);
	struct frame f;

	begin_fragment6(&f, UDP, 1, 0, MORE, 64);
	expect(&s, &f, true);
	begin_fragment6(&f, UDP, 2, 0, MORE, 56);
	expect(&s, &f, false);
}

/* A SYN in two fragments that do not say so. The last byte of its header is an
 * option without a length. */
static void say_in_fragments(const struct side *s, unsigned hdr_len,
			     unsigned len, unsigned cut)
{
	const bool in_first = cut == hdr_len;
	static unsigned id = 100;
	uint8_t whole[64];
	struct frame f;

	memset(whole, 0, sizeof(whole));
	begin4(&f, TCP, len);
	put_syn(whole, hdr_len);
	whole[hdr_len - 1] = 2;
	end_syn(&f, whole, len);
	memcpy(begin_fragment4(&f, UDP, ++id, cut, LAST, len - cut),
	       whole + cut, len - cut);
	expect(s, &f, in_first);
	put_syn(begin_fragment4(&f, TCP, id, 0, MORE, 64), 60);
	expect(s, &f, true);
	memcpy(begin_fragment4(&f, UDP, id, 0, MORE, cut), whole, cut);
	expect(s, &f, !in_first);
}

/*
 * lwIP takes the protocol from a fragment that it then refuses, as it overlaps
 * another, and the bytes from the one behind.
 */
static void a_header_of_tcp_ends_with_no_fragment(void **state)
{
	const struct side s = side_of(state);

	say_in_fragments(&s, 60, 60, 24);
	say_in_fragments(&s, 60, 60, 56);
	say_in_fragments(&s, 40, 64, 40);
}

/* As a link of 68 bytes has them. */
static void short_fragments_of_other_protocols_pass(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	unsigned len;

	memset(begin_fragment4(&f, UDP, 6, 0, MORE, 48), 0xee, 48);
	expect(&s, &f, true);
	for (len = 1; len <= 24; len++) {
		memset(begin_fragment4(&f, UDP, 7, 48, LAST, len), 0xee, len);
		expect(&s, &f, len % 4 || 48 + len > 60);
		memset(begin_fragment4(&f, UDP, 7, 48, LAST, len), 0, len);
		expect(&s, &f, true);
	}
}

static void a_header_of_tcp_is_in_the_first_fragment(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	unsigned i;
	uint8_t *tcp;

	for (i = 0; i < 2; i++) {
		tcp = i ? begin_fragment6(&f, TCP, 8, 0, MORE, 64) :
			  begin_fragment4(&f, TCP, 8, 0, MORE, 64);
		put_syn(tcp, 60);
		expect(&s, &f, true);
		tcp[59] = 2;
		expect(&s, &f, false);
		tcp[12] = 0x40;
		expect(&s, &f, false);
	}
	put_syn(begin_fragment4(&f, TCP, 9, 0, MORE, 48), 60);
	expect(&s, &f, false);
	put_syn(begin_fragment4(&f, TCP, 9, 0, MORE, 48), 44);
	expect(&s, &f, true);
}

static void fragments_come_in_units(void **state)
{
	const struct side s = side_of(state);
	struct frame f;

	begin_fragment4(&f, UDP, 6, 80, MORE, 72);
	expect(&s, &f, true);
	begin_fragment4(&f, UDP, 6, 160, MORE, 71);
	expect(&s, &f, false);
	begin_fragment4(&f, UDP, 6, 160, LAST, 71);
	expect(&s, &f, true);
	begin_fragment6(&f, UDP, 6, 160, MORE, 71);
	expect(&s, &f, false);
}

static void fragments_make_no_more_than_a_packet(void **state)
{
	const struct side s = side_of(state);
	struct frame f;

	begin_fragment4(&f, UDP, 7, 65504, LAST, 11);
	expect(&s, &f, true);
	begin_fragment4(&f, UDP, 8, 65504, LAST, 12);
	expect(&s, &f, false);
	begin_fragment4(&f, UDP, 8, 65504, MORE, 16);
	expect(&s, &f, false);
	begin_fragment6(&f, UDP, 7, 65488, LAST, 7);
	expect(&s, &f, true);
	begin_fragment6(&f, UDP, 8, 65488, LAST, 8);
	expect(&s, &f, false);
}

/* lwIP measures from the packet that came last to this one. */
static void a_fragment_has_no_fragments(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	uint8_t *inner;

	inner = begin_fragment6(&f, FRAGMENT, 9, 0, MORE, 64);
	inner[0] = UDP;
	put16(inner + 2, MORE);
	expect(&s, &f, false);
	begin_fragment6(&f, FRAGMENT, 9, 64, LAST, 8);
	expect(&s, &f, false);

	/* A fragment that is all, of one that is not. */
	inner = begin_fragment6(&f, FRAGMENT, 10, 0, LAST, 72);
	inner[0] = UDP;
	put16(inner + 2, MORE);
	expect(&s, &f, false);
	put16(inner + 2, 0);
	put16(inner + 8 + 4, 64);
	expect(&s, &f, true);
}

/* lwIP believes the fragment that comes first about what is in the other. */
static void a_later_fragment_names_no_options(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	uint8_t *first;

	begin_fragment6(&f, OPTIONS, 11, 64, LAST, 8);
	expect(&s, &f, false);
	first = begin_fragment6(&f, UDP, 11, 0, MORE, 64);
	first[0] = NOTHING;
	first[1] = 7;
	first[63] = 30;
	expect(&s, &f, true);
}

static void no_options_come_before_a_fragment(void **state)
{
	const struct side s = side_of(state);
	struct frame f;
	uint8_t *header;

	header = begin6(&f, HOP_OPTIONS, 80);
	memcpy(header, "\x2c\0\x01\x04", 4);
	header[8] = UDP;
	put16(header + 10, MORE);
	expect(&s, &f, false);
	put16(header + 10, 0);
	put16(header + 16 + 4, 64);
	expect(&s, &f, true);
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
		cmocka_unit_test(fragments_are_not_empty),
		cmocka_unit_test(a_first_fragment_of_ip6_is_long),
		cmocka_unit_test(a_header_of_tcp_ends_with_no_fragment),
		cmocka_unit_test(short_fragments_of_other_protocols_pass),
		cmocka_unit_test(a_header_of_tcp_is_in_the_first_fragment),
		cmocka_unit_test(fragments_come_in_units),
		cmocka_unit_test(fragments_make_no_more_than_a_packet),
		cmocka_unit_test(a_fragment_has_no_fragments),
		cmocka_unit_test(a_later_fragment_names_no_options),
		cmocka_unit_test(no_options_come_before_a_fragment),
	};

	return cmocka_run_group_tests_name("lwip check", tests, bed_set_up,
					   bed_tear_down);
}
