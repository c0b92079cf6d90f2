/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of an endpoint without asking anybody. */
#include <fdlink/attach.h>

#include "endpoint.h"
#include "tx/work.h"

const char *fdl_last_error(const struct fdl_endpoint *ep)
{
	const char *text = atomic_load_explicit(&ep->shared.last_error,
						memory_order_relaxed);

	return text ? text : "";
}

unsigned fdl_queues(const struct fdl_endpoint *ep)
{
	return ep->n_queues;
}

struct fdl_queue *fdl_get_queue(struct fdl_endpoint *ep, unsigned i)
{
	return i < ep->n_queues ? &ep->queues[i] : NULL;
}

struct fdl_endpoint *fdl_queue_endpoint(const struct fdl_queue *q)
{
	return q->ep;
}

unsigned fdl_queue_index(const struct fdl_queue *q)
{
	return q->index;
}

uint32_t fdl_mtu(const struct fdl_endpoint *ep)
{
	return ep->shared.opts.mtu;
}

uint32_t fdl_capabilities(const struct fdl_endpoint *ep)
{
	static const struct {
		uint32_t flag, cap;
	} map[] = {
		{ FDL_TX_CSUM, FDL_CAP_TX_CSUM },
		{ FDL_RX_CSUM, FDL_CAP_RX_CSUM },
		{ FDL_ETHERNET, FDL_CAP_RESOLUTION_REQUIRED },
		{ FDL_SAVE_RESTORE, FDL_CAP_SAVE_RESTORE },
		{ FDL_DISCONNECT_OK, FDL_CAP_DISCONNECT_OK },
	};
	uint32_t caps = 0;
	size_t i;

	for (i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (ep->shared.opts.flags & map[i].flag)
			caps |= map[i].cap;
	return caps;
}

uint32_t fdl_gso_max_size(const struct fdl_endpoint *ep)
{
	return ep->shared.opts.gso_max_size;
}

enum fdl_gso_kind fdl_get_gso_kind(const struct fdl_endpoint *ep)
{
	const uint32_t tso = FDL_OFFLOAD_TSO4 | FDL_OFFLOAD_TSO6;

	if (!ep->shared.opts.gso_max_size)
		return FDL_GSO_UNSUPPORTED;
	return (fdl_tx_offloads(ep) & tso) == tso ? FDL_GSO_HARDWARE :
						    FDL_GSO_SOFTWARE;
}

uint32_t fdl_tx_offloads(const struct fdl_endpoint *ep)
{
	return work_takes(&ep->queues[0].tx);
}

void fdl_set_gro(struct fdl_endpoint *ep, uint32_t offloads)
{
	const unsigned denied = offloads == UINT32_MAX ?
					0 :
					~shared_merges(&ep->shared, offloads);

	atomic_store_explicit(&ep->shared.gro_denied, denied,
			      memory_order_relaxed);
}

enum fdl_mode fdl_get_mode(const struct fdl_endpoint *ep)
{
	return ep->queues[0].ops->mode;
}

const uint8_t *fdl_address(const struct fdl_endpoint *ep)
{
	return ep->shared.opts.address;
}

uint32_t fdl_max_header_len(const struct fdl_endpoint *ep)
{
	return ep->shared.opts.flags & FDL_ETHERNET ? 14 : 0;
}

uint16_t fdl_arp_hardware(const struct fdl_endpoint *ep)
{
	return ep->shared.opts.flags & FDL_ETHERNET ? FDL_ARPHRD_ETHER :
						      FDL_ARPHRD_NONE;
}

bool fdl_is_attached(const struct fdl_endpoint *ep)
{
	return turn_is_given(&ep->queues[0].turn);
}
