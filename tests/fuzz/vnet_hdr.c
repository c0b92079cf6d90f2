/* SPDX-License-Identifier: Apache-2.0 */
/* What passes the check survives a second one, the header and completion. */
#include "fuzz.h"

static void round_trip(const struct fdl_offload *off)
{
	struct fdl_offload back = { 0 };
	uint8_t hdr[FDL_VNET_HDR_MRG_LEN];

	fdl_vnet_hdr_encode(hdr, sizeof(hdr), FDL_ORDER_BIG, off);
	MUST(!fdl_vnet_hdr_decode(hdr, sizeof(hdr), FDL_ORDER_BIG, &back));
	MUST(same_offload(&back, off));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fdl_offload again;
	struct vnet_input in;

	if (size < VNET_INPUT_MIN)
		return 0;
	if (!vnet_input(&in, data, size)) {
		again = in.off;
		MUST(!fdl_offload_check(in.frame, in.len, in.len, in.link_len,
					&again));
		MUST(same_offload(&again, &in.off));
		round_trip(&in.off);
		MUST(!fdl_checksum_complete(in.frame, in.len, in.link_len,
					    &again));
		MUST(again.csum != FDL_CSUM_PARTIAL);
	}
	free(in.frame);
	return 0;
}
