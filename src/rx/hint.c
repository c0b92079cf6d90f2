/* SPDX-License-Identifier: Apache-2.0 */
#include "rx/hint.h"

#include <string.h>

#include <fdlink/offload.h>

#include "kind/kind.h"
#include "proto/bytes.h"
#include "proto/eth.h"

enum {
	FRAMES = 16,		/* are looked at */
	ENOUGH = 4,		/* in a row, all of the same header */
	NUM_BUFFERS = 10,	/* where it is */
	IP4_MIN = 20,
	IP6_MIN = 40,
};

/* What two peers may agree on, and how that is asked for. */
static const struct agreement {
	unsigned hdr_len;
	const char *is;
	const char *option;
} agreements[] = {
	{ 0, "no virtio-net header", "offload=off" },
	{ FDL_VNET_HDR_LEN, "a virtio-net header of 10 bytes", "offload=on" },
	{ FDL_VNET_HDR_MRG_LEN, "a virtio-net header of 12 bytes",
	  "offload=v1" },
};

enum {
	AGREEMENTS = sizeof(agreements) / sizeof(*agreements),
};

void hint_open(struct hint *hint)
{
	hint->left = FRAMES;
}

/* The length field is right, with or without padding behind. */
static bool is_ip(const uint8_t *p, size_t len)
{
	if (len < IP4_MIN)
		return false;
	if (p[0] >> 4 == 4)
		return get_be16(p + 2) >= IP4_MIN && get_be16(p + 2) <= len;
	return p[0] >> 4 == 6 && len >= IP6_MIN &&
	       (size_t)get_be16(p + 4) + IP6_MIN <= len;
}

/* A station's address is the source, and a known protocol follows. */
static bool is_ethernet(const uint8_t *p, size_t len)
{
	static const uint8_t zeros[ETH_ADDR_LEN];
	struct eth_view eth;

	if (!eth_parse(p, len, &eth) || p[ETH_ADDR_LEN] & 1 ||
	    !memcmp(p, zeros, sizeof(zeros)) ||
	    !memcmp(p + ETH_ADDR_LEN, zeros, sizeof(zeros)))
		return false;
	if (eth.protocol == ETH_TYPE_IP4 || eth.protocol == ETH_TYPE_IP6)
		return is_ip(p + eth.hdr_len, len - eth.hdr_len);
	return eth.protocol == ETH_TYPE_ARP;
}

static bool is_header(const uint8_t *p, unsigned hdr_len)
{
	struct fdl_offload off;

	if (!hdr_len)
		return true;
	if (fdl_vnet_hdr_decode(p, hdr_len, FDL_ORDER_LITTLE, &off))
		return false;
	return hdr_len < FDL_VNET_HDR_MRG_LEN ||
	       p[NUM_BUFFERS] + p[NUM_BUFFERS + 1] == 1;
}

static bool makes_sense(const uint8_t *p, size_t len, unsigned hdr_len,
			bool ethernet)
{
	if (len <= hdr_len || !is_header(p, hdr_len))
		return false;
	return ethernet ? is_ethernet(p + hdr_len, len - hdr_len) :
			  is_ip(p + hdr_len, len - hdr_len);
}

/* The only other agreement under which the frame makes sense, or NULL. */
static const struct agreement *find_other(const uint8_t *p, size_t len,
					  unsigned own, bool ethernet)
{
	const struct agreement *a, *found = NULL;
	unsigned i;

	for (i = 0; i < AGREEMENTS; i++) {
		a = &agreements[i];
		if (a->hdr_len == own ||
		    !makes_sense(p, len, a->hdr_len, ethernet))
			continue;
		if (found)
			return NULL;
		found = a;
	}
	return found;
}

static const struct agreement *find_own(unsigned hdr_len)
{
	unsigned i = 0;

	while (i < AGREEMENTS - 1 && agreements[i].hdr_len != hdr_len)
		i++;
	return &agreements[i];
}

void hint_look(struct hint *hint, const struct io *io, bool ethernet,
	       const struct io_frame *frame, const struct log *log)
{
	const unsigned own = io->vnet_hdr_len;
	const uint8_t *p = frame->pkt->data - own;
	const size_t len = frame->pkt->len + own;
	const struct agreement *other;

	hint->left--;
	if (makes_sense(p, len, own, ethernet)) {
		hint->left = 0;
		return;
	}
	other = find_other(p, len, own, ethernet);
	if (!other)
		return;
	hint->other = hint->hdr_len == other->hdr_len ? hint->other + 1 : 1;
	hint->hdr_len = other->hdr_len;
	if (hint->other < ENOUGH)
		return;
	hint->left = 0;
	log_say(log, FDL_LOG_WARNING,
		"%s: what comes looks like frames behind %s, and here %s is "
		"expected: give %s here, or %s to the peer",
		io->kind->name, other->is, find_own(own)->is, other->option,
		find_own(own)->option);
}
