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

/* Accept only the form that the kernel makes (struct hop_jumbo_hdr of
 * include/net/ipv6.h). */
static bool is_jumbo(const uint8_t *ext, uint32_t len)
{
	return ext[1] == 0 && ext[2] == OPTION_JUMBO && ext[3] == OPTION_LEN &&
	       get_be32(ext + 4) == len;
}

enum fdl_refusal jumbo_strip(uint8_t *hdr, size_t avail, struct parsed *p,
			     struct fdl_offload *off, unsigned *len)
{
	const uint32_t at = p->l3 + IP6_LEN;
	uint8_t *ext = hdr + at;

	*len = 0;
	if (p->version != 6 || p->end - at <= UINT16_MAX ||
	    hdr[p->l3 + IP6_NEXT] != IP6_EXT_HOP)
		return FDL_REFUSE_NONE;
	if (!is_jumbo(ext, p->end - at))
		return FDL_REFUSE_IP;
	hdr[p->l3 + IP6_NEXT] = ext[0];
	memmove(ext, ext + JUMBO_LEN, avail - at - JUMBO_LEN);
	*len = JUMBO_LEN;
	p->l4 -= JUMBO_LEN;
	p->payload -= JUMBO_LEN;
	p->end -= JUMBO_LEN;
	off->hdr_len = (uint16_t)(off->hdr_len - JUMBO_LEN);
	off->csum_start = (uint16_t)(off->csum_start - JUMBO_LEN);
	return FDL_REFUSE_NONE;
}
