/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct virtio_net_hdr (virtio 1.2, 5.1.6). Its constants stand here because
 * the kernel headers of older distributions lack some of them.
 */
#include "offload/vnet_hdr.h"

#include <string.h>

#include "offload/vnet_tunnel.h"

enum {
	FLAG_NEEDS_CSUM = 1,
	FLAG_DATA_VALID = 2,
	GSO_TYPE_NONE = 0,
	GSO_TYPE_TCPV4 = 1,
	GSO_TYPE_TCPV6 = 4,
	GSO_TYPE_UDP_L4 = 5,
	GSO_TYPE_ECN = 0x80,
	GSO_TYPE_ACCECN = 0x10,

	AT_FLAGS = 0,
	AT_GSO_TYPE = 1,
	AT_HDR_LEN = 2,
	AT_GSO_SIZE = 4,
	AT_CSUM_START = 6,
	AT_CSUM_OFFSET = 8,
};

static const uint8_t gso_types[] = {
	[FDL_GSO_NONE] = GSO_TYPE_NONE,
	[FDL_GSO_TCPV4] = GSO_TYPE_TCPV4,
	[FDL_GSO_TCPV6] = GSO_TYPE_TCPV6,
	[FDL_GSO_UDP] = GSO_TYPE_UDP_L4,
};

bool vnet_hdr_is_big(enum fdl_order order)
{
	const uint16_t one = 1;
	uint8_t first;

	memcpy(&first, &one, 1);
	if (order == FDL_ORDER_NATIVE)
		return !first;
	return order == FDL_ORDER_BIG;
}

static void put16(uint8_t *p, uint16_t v, bool big)
{
	p[big ? 0 : 1] = (uint8_t)(v >> 8);
	p[big ? 1 : 0] = (uint8_t)v;
}

static uint16_t get16(const uint8_t *p, bool big)
{
	return (uint16_t)(p[big ? 0 : 1] << 8 | p[big ? 1 : 0]);
}

void fdl_vnet_hdr_encode(uint8_t *hdr, size_t size, enum fdl_order order,
			 const struct fdl_offload *off)
{
	const bool big = vnet_hdr_is_big(order);

	memset(hdr, 0, size);
	if (off->csum == FDL_CSUM_PARTIAL) {
		hdr[AT_FLAGS] = FLAG_NEEDS_CSUM;
		put16(hdr + AT_CSUM_START, off->csum_start, big);
		put16(hdr + AT_CSUM_OFFSET, off->csum_offset, big);
	} else if (off->csum == FDL_CSUM_VALID) {
		hdr[AT_FLAGS] = FLAG_DATA_VALID;
	}
	if (off->gso) {
		hdr[AT_GSO_TYPE] = gso_types[off->gso];
		if (off->ecn)
			hdr[AT_GSO_TYPE] |= GSO_TYPE_ECN;
		put16(hdr + AT_GSO_SIZE, off->gso_size, big);
		put16(hdr + AT_HDR_LEN, off->hdr_len, big);
	}
}

/* What is left of a type without the bits of tunnels. A tunnel has one of them,
 * and where it is the packet tells. */
static uint8_t take_tunnel(uint8_t type, size_t size)
{
	const uint8_t bits = type & VNET_TUNNEL_TYPES;

	if (size < FDL_VNET_HDR_TUNNEL_LEN || bits == VNET_TUNNEL_TYPES)
		return type;
	return type & (uint8_t)~VNET_TUNNEL_TYPES;
}

/* With AccECN, as newer kernels say it, CWR is each segment's. */
static enum fdl_refusal decode_gso(uint8_t type, struct fdl_offload *off)
{
	const bool accecn = type & GSO_TYPE_ACCECN;
	unsigned gso;

	off->ecn = type & GSO_TYPE_ECN && !accecn;
	type &= (uint8_t) ~(GSO_TYPE_ECN | GSO_TYPE_ACCECN);
	for (gso = FDL_GSO_NONE; gso <= FDL_GSO_UDP; gso++)
		if (gso_types[gso] == type)
			break;
	if (gso > FDL_GSO_UDP)
		return FDL_REFUSE_GSO_TYPE;
	if ((off->ecn || accecn) && gso != FDL_GSO_TCPV4 &&
	    gso != FDL_GSO_TCPV6)
		return FDL_REFUSE_GSO_TYPE;
	off->gso = (uint8_t)gso;
	return FDL_REFUSE_NONE;
}

enum fdl_refusal fdl_vnet_hdr_decode(const uint8_t *hdr, size_t size,
				     enum fdl_order order,
				     struct fdl_offload *off)
{
	const bool big = vnet_hdr_is_big(order);
	struct fdl_offload o = { 0 };
	enum fdl_refusal why;

	if (size < FDL_VNET_HDR_LEN)
		return FDL_REFUSE_SHORT;
	why = decode_gso(take_tunnel(hdr[AT_GSO_TYPE], size), &o);
	if (why)
		return why;
	if (o.gso) {
		o.gso_size = get16(hdr + AT_GSO_SIZE, big);
		o.hdr_len = get16(hdr + AT_HDR_LEN, big);
	}
	if (hdr[AT_FLAGS] & FLAG_NEEDS_CSUM) {
		o.csum = FDL_CSUM_PARTIAL;
		o.csum_start = get16(hdr + AT_CSUM_START, big);
		o.csum_offset = get16(hdr + AT_CSUM_OFFSET, big);
	} else if (hdr[AT_FLAGS] & FLAG_DATA_VALID) {
		o.csum = FDL_CSUM_VALID;
	}
	*off = o;
	return FDL_REFUSE_NONE;
}
