/* SPDX-License-Identifier: Apache-2.0 */
/* Packets that may make lwIP read beyond them, built field by field. */
#ifndef TESTS_LWIP_CHECK_BED_H
#define TESTS_LWIP_CHECK_BED_H

#include <stdbool.h>
#include <stdint.h>

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

/* lwIP takes the packet (right), or it is dropped. Cut off anywhere, it is read
 * no further than it goes. */
void frame_expect(const struct side *s, const struct frame *f, bool right);

/* The side of a bed, with a pool of which lwIP keeps nothing: each packet is
 * copied. */
struct side side_of(void **state);

/* Begin a packet, with len bytes behind the IP header. Returns those. */
uint8_t *frame_begin4(struct frame *f, int proto, unsigned len);

uint8_t *frame_begin6(struct frame *f, int next, unsigned len);

/* Sum an IPv4 header that was changed. */
void frame_end4(struct frame *f);

/* The same of a fragment. */
uint8_t *frame_fragment4(struct frame *f, int proto, unsigned id,
			 unsigned offset, unsigned more, unsigned len);

uint8_t *frame_fragment6(struct frame *f, int next, unsigned id,
			 unsigned offset, unsigned more, unsigned len);

/* A SYN for the port that is listened to, with a header of so many bytes; and
 * its checksum, once the options are there. */
void frame_put_syn(uint8_t *tcp, unsigned len);

void frame_end_syn(const struct frame *f, uint8_t *tcp, unsigned len);

#endif
