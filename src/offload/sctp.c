/* SPDX-License-Identifier: Apache-2.0 */
#include "offload/sctp.h"

#include <string.h>

#include "proto/sctp.h"

/* CRC32c (RFC 9260, appendix A), reflected, four bits at a step: a table of 16
 * entries is enough for the few packets that need it. */
static const uint32_t steps[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t crc32c(const uint8_t *bytes, size_t len)
{
	uint32_t crc = UINT32_MAX;

	while (len--) {
		crc ^= *bytes++;
		crc = crc >> 4 ^ steps[crc & 15];
		crc = crc >> 4 ^ steps[crc & 15];
	}
	return ~crc;
}

bool sctp_is_undone(const struct parsed *p, const struct fdl_offload *off)
{
	return off->csum_offset == SCTP_CHECK && p->next == SCTP_PROTO &&
	       off->csum_start == p->l4;
}

bool sctp_complete(uint8_t *frame, const struct parsed *p)
{
	uint8_t *sctp = frame + p->l4;
	uint32_t crc, i;

	if (p->end - p->l4 < SCTP_MIN_LEN)
		return false;
	memset(sctp + SCTP_CHECK, 0, sizeof(crc));
	crc = crc32c(sctp, p->end - p->l4);
	for (i = 0; i < sizeof(crc); i++)
		sctp[SCTP_CHECK + i] = (uint8_t)(crc >> 8 * i);
	return true;
}
