/* SPDX-License-Identifier: Apache-2.0 */
#include "lwip_check_bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

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

void frame_expect(const struct side *s, const struct frame *f, bool right)
{
	unsigned len;

	for (len = s->link_len; len < f->len; len++)
		check(s, f->at, len);
	assert_int_equal(check(s, f->at, f->len), right);
	assert_int_equal(drops_of(s, f), !right);
}

struct side side_of(void **state)
{
	struct bed *b = *state;

	b->link.pool = 1;
	return (struct side){ &b->link, b->peer, 0 };
}

uint8_t *frame_begin4(struct frame *f, int proto, unsigned len)
{
	const struct shape s = { .version = 4, .proto = proto, .ttl = 64 };

	memset(f, 0, sizeof(*f));
	f->len = 20 + len;
	build_ip4(f->at, &s, f->len);
	return f->at + 20;
}

uint8_t *frame_begin6(struct frame *f, int next, unsigned len)
{
	const struct shape s = { .version = 6, .proto = next, .ttl = 64 };

	memset(f, 0, sizeof(*f));
	f->len = 40 + len;
	build_ip6(f->at, &s, f->len);
	return f->at + 40;
}

void frame_end4(struct frame *f)
{
	put16(f->at + 10, 0);
	put16(f->at + 10, (uint16_t)~ref_sum(f->at, 20, 0));
}

uint8_t *frame_fragment4(struct frame *f, int proto, unsigned id,
			 unsigned offset, unsigned more, unsigned len)
{
	uint8_t *payload = frame_begin4(f, proto, len);

	put16(f->at + 4, id);
	put16(f->at + 6, offset / 8 | more << 13);
	frame_end4(f);
	return payload;
}

uint8_t *frame_fragment6(struct frame *f, int next, unsigned id,
			 unsigned offset, unsigned more, unsigned len)
{
	uint8_t *header = frame_begin6(f, FRAGMENT, 8 + len);

	header[0] = (uint8_t)next;
	put16(header + 2, offset | more);
	put32(header + 4, id);
	return header + 8;
}

void frame_put_syn(uint8_t *tcp, unsigned len)
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

void frame_end_syn(const struct frame *f, uint8_t *tcp, unsigned len)
{
	const int version = f->at[0] >> 4;

	put16(tcp + 16,
	      (uint16_t)~ref_sum(tcp, len,
				 ref_pseudo(f->at, version, TCP, len)));
}
