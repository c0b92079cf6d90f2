/* SPDX-License-Identifier: Apache-2.0 */
#include "offload/jumbo.h"

#include <string.h>

#include "proto/bytes.h"
#include "proto/ip6.h"

enum {
	JUMBO_LEN = 8,
	OPTION_JUMBO = 0xc2,
	OPTION_LEN = 4,
};

static uint32_t place(const struct parsed *p)
{
	return p->l3 + IP6_LEN;
}

static bool is_there(const uint8_t *frame, const struct parsed *p)
{
	return p->version == 6 && p->end - place(p) > UINT16_MAX &&
	       frame[p->l3 + IP6_NEXT] == IP6_EXT_HOP;
}

bool jumbo_is_outside(const uint8_t *frame, unsigned link_len,
		      const struct parsed *p)
{
	const struct parsed outer = { .l3 = link_len,
				      .version = frame[link_len] >> 4,
				      .end = p->end };

	return is_there(frame, &outer);
}

/* Accept only the form that the kernel makes (struct hop_jumbo_hdr of
 * include/net/ipv6.h). */
bool jumbo_is_right(const uint8_t *frame, const struct parsed *p)
{
	const uint8_t *ext = frame + place(p);

	if (!is_there(frame, p))
		return true;
	return ext[1] == 0 && ext[2] == OPTION_JUMBO && ext[3] == OPTION_LEN &&
	       get_be32(ext + 4) == p->end - place(p);
}

unsigned jumbo_strip(uint8_t *hdr, size_t avail, struct parsed *p,
		     struct fdl_offload *off)
{
	const uint32_t at = place(p);
	uint8_t *ext = hdr + at;

	if (!is_there(hdr, p))
		return 0;
	hdr[p->l3 + IP6_NEXT] = ext[0];
	memmove(ext, ext + JUMBO_LEN, avail - at - JUMBO_LEN);
	p->l4 -= JUMBO_LEN;
	p->payload -= JUMBO_LEN;
	p->end -= JUMBO_LEN;
	off->hdr_len = (uint16_t)(off->hdr_len - JUMBO_LEN);
	off->csum_start = (uint16_t)(off->csum_start - JUMBO_LEN);
	return JUMBO_LEN;
}
