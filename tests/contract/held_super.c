/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets that a device may hand out as they are, cut or merged, with their
 * checksums or without, as its features say: a super-packet of TCP, and the
 * segments of one, all of which leave their checksums to the device.
 */
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "held.h"
#include "message.h"

enum { SEGMENT = 100 };

static struct shape shape_of(const struct link *l, bool partial)
{
	return (struct shape){
		.link_len = l->kind->traits & LINK_ETHERNET ? 14 : 0,
		.version = 4,
		.proto = 6,
		.tcp_opts = 12,
		.payload = HELD_SEGMENTS * SEGMENT,
		.id = 100,
		.df = true,
		.ttl = 64,
		.flags = 0x10,
		.seq = 1000,
		.partial = partial,
	};
}

static void address(uint8_t *frame, const struct shape *s)
{
	if (!s->link_len)
		return;
	memcpy(frame, link_local, sizeof(link_local));
	memcpy(frame + 6, link_remote, sizeof(link_remote));
}

size_t held_segment(const struct link *l, bool partial, unsigned i,
		    uint8_t *frame)
{
	struct shape s = shape_of(l, partial);
	const unsigned hdr_len = shape_hdr_len(&s);
	const unsigned l4 = s.link_len + shape_l3_len(&s);
	size_t len, k;
	uint16_t sum;

	s.payload = SEGMENT;
	s.seq += i * SEGMENT;
	s.id += i;
	len = build(frame, &s);
	address(frame, &s);
	for (k = hdr_len; k < len; k++)
		frame[k] = (uint8_t)(i * SEGMENT + k);
	if (partial)
		return len;
	put16(frame + l4 + 16, 0);
	sum = ref_sum(frame + l4, len - l4,
		      ref_pseudo(frame + s.link_len, 4, 6, (unsigned)len - l4));
	put16(frame + l4 + 16, (uint16_t)~sum);
	no_zero(frame, &s);
	return len;
}

static int super_socket(void)
{
	const int on = 1;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(
		setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)),
		0);
	return fd;
}

/* On the device that the peer's socket is bound to. */
static void send_message(struct link *l, int fd, const struct message *m)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET };
	socklen_t len = sizeof(addr);

	assert_int_equal(getsockname(l->peer, (struct sockaddr *)&addr, &len),
			 0);
	addr.sll_protocol = htons(ETH_P_IP);
	assert_int_equal(sendto(fd, m, HDR_LEN + m->len, 0,
				(struct sockaddr *)&addr, sizeof(addr)),
			 (ssize_t)(HDR_LEN + m->len));
	l->rx_offered++;
}

void held_feed_super(struct link *l)
{
	static struct message m;
	struct shape s = shape_of(l, true);
	const unsigned hdr_len = shape_hdr_len(&s);
	const int fd = super_socket();
	size_t k;

	make_message(&m, &s, SEGMENT);
	address(m.frame, &s);
	for (k = hdr_len; k < m.len; k++)
		m.frame[k] = (uint8_t)k;
	send_message(l, fd, &m);
	close(fd);
}

void held_feed_segments(struct link *l)
{
	static struct message m;
	struct shape s = shape_of(l, true);
	const int fd = super_socket();
	unsigned i;

	for (i = 0; i < HELD_SEGMENTS; i++) {
		m.len = held_segment(l, true, i, m.frame);
		describe_message(&m.hdr, &s, 0);
		send_message(l, fd, &m);
	}
	close(fd);
}
