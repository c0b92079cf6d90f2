/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has an fd of a TUN or TAP may have the device leave checksums to its
 * reader (TUNSETOFFLOAD), at any time, and no call tells. A partial checksum
 * looks like one: its field holds the sum of the pseudo-header. A whole checksum
 * is the same number once in 65536 packets; then the packet verifies.
 */
#include "rx/untold.h"

#include <string.h>

#include "offload/checksum.h"

static bool looks_partial(const uint8_t *frame, const struct parsed *p)
{
	const uint16_t sum = checksum_add(checksum_pseudo(frame, p),
					  p->end - p->l4);
	uint16_t field;

	memcpy(&field, frame + p->l4 + parsed_check_offset(p), sizeof(field));
	return field == sum;
}

bool untold_is_partial(const struct fdl_packet *pkt, struct fdl_offload *off)
{
	struct parsed p;

	if (parse_frame(pkt->data, pkt->len, pkt->len, pkt->link_len, &p) ||
	    !looks_partial(pkt->data, &p) ||
	    fdl_checksum_verify(pkt->data, pkt->len, pkt->link_len) == 1)
		return false;
	*off = (struct fdl_offload){
		.csum = FDL_CSUM_PARTIAL,
		.csum_start = (uint16_t)p.l4,
		.csum_offset = (uint16_t)parsed_check_offset(&p),
	};
	return true;
}
