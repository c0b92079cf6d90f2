/* SPDX-License-Identifier: Apache-2.0 */
/* What passes the check survives a second one, the header and completion. */
#include "fuzz.h"
#include "proto/tunnel.h"

static void round_trip(const struct fdl_offload *off)
{
	struct fdl_offload back = { 0 };
	uint8_t hdr[FDL_VNET_HDR_MRG_LEN];

	fdl_vnet_hdr_encode(hdr, sizeof(hdr), FDL_ORDER_BIG, off);
	MUST(!fdl_vnet_hdr_decode(hdr, sizeof(hdr), FDL_ORDER_BIG, &back));
	MUST(same_offload(&back, off));
}

/* A header that tells of a tunnel leads to the same one. */
static void round_trip_tunnel(const struct vnet_input *in)
{
	struct fdl_offload back = { 0 };
	uint8_t hdr[FDL_VNET_HDR_TUNNEL_LEN];

	fdl_vnet_hdr_encode(hdr, sizeof(hdr), FDL_ORDER_LITTLE, &in->off);
	if (fdl_vnet_hdr_put_tunnel(hdr, in->frame, in->len, in->len,
				    in->link_len, &in->off))
		return;
	MUST(!fdl_vnet_hdr_decode(hdr, sizeof(hdr), FDL_ORDER_LITTLE, &back));
	MUST(!fdl_offload_check(in->frame, in->len, in->len, in->link_len,
				&back));
	MUST(same_offload(&back, &in->off));
	MUST(tunnel_of(&back) == tunnel_of(&in->off));
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
		MUST(tunnel_of(&again) == tunnel_of(&in.off));
		round_trip(&in.off);
		round_trip_tunnel(&in);
		MUST(!fdl_checksum_complete(in.frame, in.len, in.link_len,
					    &again));
		MUST(again.csum != FDL_CSUM_PARTIAL);
	}
	free(in.frame);
	return 0;
}
