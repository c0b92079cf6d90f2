/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The window is one batch of one receive call: no packet waits for later ones.
 * A super-packet is put together in the slot of its first segment; if that lies
 * in a ring, in a fresh slot.
 */
#include "rx/merge.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <fdlink/offload.h>

#include "counters.h"
#include "io/io.h"
#include "offload/coalesce.h"
#include "packet/pool.h"
#include "proto/eth.h"
#include "proto/ip4.h"
#include "proto/tcp.h"
#include "proto/udp.h"
#include "shared.h"

struct gro {
	const struct shared *shared;
	struct fdl_coalescer coalescer;
	struct fdl_coalesced out;
	struct iovec bytes[IO_MAX_BATCH];
	struct fdl_coalesce_packet packet[IO_MAX_BATCH];
};

int gro_new(struct gro **gro, const struct shared *shared)
{
	*gro = malloc(sizeof(**gro));
	if (!*gro)
		return -ENOMEM;
	(*gro)->shared = shared;
	return 0;
}

void gro_free(struct gro *gro)
{
	free(gro);
}

static bool is_ip(const struct fdl_packet *pkt)
{
	return pkt->protocol == ETH_TYPE_IP4 || pkt->protocol == ETH_TYPE_IP6;
}

/* Returns the FDL_COALESCE_ flags of what the stack takes, and the link that
 * fdl_set_gro spoke of. */
static unsigned merges(const struct shared *shared)
{
	const uint32_t flags = shared->opts.flags;
	unsigned takes = 0;

	if (flags & FDL_RX_GSO)
		takes |= FDL_COALESCE_TCP;
	if (flags & FDL_RX_USO)
		takes |= FDL_COALESCE_UDP;
	if (shared->tunnels_apart)
		takes |= COALESCE_TUNNELS_APART;
	if (flags & FDL_RX_TUNNEL)
		takes |= FDL_COALESCE_UDP_TUNNEL | FDL_COALESCE_UDP_TUNNEL_SUM |
			 FDL_COALESCE_IP_TUNNEL;
	return takes &
	       ~atomic_load_explicit(&shared->gro_denied, memory_order_relaxed);
}

/*
 * Two IP packets at least must have a payload, or nothing is merged. A
 * super-packet is as long as its sender wanted it, and stays alone.
 * Acknowledgements come in batches, and are no longer than the shortest
 * headers.
 */
static bool may_merge(unsigned flags, struct fdl_packet *const v[], int n)
{
	const bool udp = flags & FDL_COALESCE_UDP;
	const uint32_t hdr_len = IP4_MIN_LEN + (udp ? UDP_LEN : TCP_MIN_LEN);
	int i, others = 0;

	for (i = 0; i < n && others < 2; i++)
		others += !v[i]->off.gso && is_ip(v[i]) &&
			  v[i]->len > v[i]->link_len + hdr_len;
	return others == 2;
}

static void add_all(struct gro *gro, unsigned flags, struct fdl_packet *v[],
		    int n)
{
	struct fdl_coalesce_packet *pkt;
	int i;

	fdl_coalesce_init(&gro->coalescer, flags, 0, 0);
	for (i = 0; i < n; i++) {
		gro->bytes[i] = (struct iovec){ v[i]->data, v[i]->len };
		/* The private fields need not be cleared. */
		pkt = &gro->packet[i];
		pkt->iov = &gro->bytes[i];
		pkt->cnt = 1;
		pkt->link_len = v[i]->link_len;
		pkt->off = v[i]->off;
		pkt->user = v[i];
		fdl_coalesce_add(&gro->coalescer, pkt);
	}
}

static void describe(struct fdl_packet *to, const struct fdl_packet *first)
{
	to->protocol = first->protocol;
	to->link_len = first->link_len;
	to->type = first->type;
	to->hash = first->hash;
	to->tstamp_ns = first->tstamp_ns;
}

/* Returns a packet in which the merged one fits; NULL: there is none. */
static struct fdl_packet *find_room(struct pool *pool, struct fdl_packet *first,
				    uint32_t len)
{
	struct fdl_packet *fresh;

	if (len <= first->len + first->tail)
		return first;
	if (!pool_take(pool, &fresh, 1))
		return NULL;
	describe(fresh, first);
	return fresh;
}

static void release_others(const struct fdl_coalesced *out,
			   const struct fdl_packet *but)
{
	struct fdl_coalesce_packet *p;

	for (p = out->packets; p; p = p->next) {
		struct fdl_packet *pkt = p->user;

		if (pkt != but)
			fdl_release(&pkt, 1);
	}
}

/* Put a merged packet together. Returns how many packets come out: 1, or all of
 * them if there is no room for it. */
static int put_together(struct pool *pool, const struct fdl_coalesced *out,
			struct fdl_packet *v[])
{
	struct fdl_packet *to = find_room(pool, out->packets->user, out->len);
	struct fdl_coalesce_packet *p;
	int n = 0;

	for (p = out->packets; !to && p; p = p->next)
		v[n++] = p->user;
	if (!to)
		return n;
	to->tail += to->len;
	to->len = (uint32_t)fdl_coalesced_copy(out, to->data, to->tail);
	to->tail -= to->len;
	to->off = out->off;
	release_others(out, to);
	v[0] = to;
	return 1;
}

int gro_merge(struct gro *gro, struct pool *pool, struct counters *counters,
	      struct fdl_packet *v[], int n)
{
	const unsigned flags = merges(gro->shared);
	uint64_t merged = 0;
	int came, k = 0;

	if (!flags || !may_merge(flags, v, n))
		return n;
	add_all(gro, flags, v, n);
	/* v[] can be overwritten: never more packets have come out than were
	 * taken in. */
	while (fdl_coalesce_next(&gro->coalescer, &gro->out)) {
		came = 1;
		if (gro->out.count > 1)
			came = put_together(pool, &gro->out, v + k);
		else
			v[k] = gro->out.packets->user;
		merged += gro->out.count - (unsigned)came;
		k += came;
	}
	if (merged)
		count(counters, RX_GRO_MERGED, merged);
	return k;
}
