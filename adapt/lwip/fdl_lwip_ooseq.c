/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP bounds what one connection keeps out of order (TCP_OOSEQ_MAX_BYTES), but
 * not what all connections keep together. To count that exactly takes a walk
 * over all segments. So there is an estimate, to which each segment that lwIP
 * may keep is added. When the estimate exceeds the bound, a walk counts, and
 * connections lose their segments until half of the bound is left. That makes
 * walks rare. To find the one that keeps most takes a walk as well. So several
 * that keep at least half as much go in one, and many connections are no more
 * work than one.
 */
#include "fdl_lwip_ooseq.h"

#include "fdl_lwip_link.h"

#include <lwip/ip.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>

#if LWIP_TCP && TCP_QUEUE_OOSEQ
enum {
	DEFAULT_MAX = 32 << 20,
	/* What a segment takes beside its bytes: structs and room. */
	OVERHEAD = 512,
};

static u32_t kept_by(const struct tcp_pcb *pcb)
{
	const struct tcp_seg *seg;
	u32_t n = 0;

	for (seg = pcb->ooseq; seg; seg = seg->next)
		n += seg->p->tot_len + (u32_t)OVERHEAD;
	return n;
}

/* Returns how much all connections keep. *most: how much the one does that
 * keeps most. */
static u32_t kept_by_all(u32_t *most)
{
	const struct tcp_pcb *pcb;
	u32_t total = 0;
	u32_t n;

	*most = 0;
	for (pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
		n = kept_by(pcb);
		total += n;
		*most = LWIP_MAX(*most, n);
	}
	return total;
}

/* Have those that keep at least so much lose it, until they all keep no more
 * than enough. Returns how much is left of total. */
static u32_t lose(u32_t least, u32_t total, u32_t enough)
{
	struct tcp_pcb *pcb;
	u32_t n;

	for (pcb = tcp_active_pcbs; pcb && total > enough; pcb = pcb->next) {
		n = kept_by(pcb);
		if (n < least)
			continue;
		tcp_free_ooseq(pcb);
		total -= n;
	}
	return total;
}

static void charge(struct fdl_lwip *link, u32_t len)
{
	const u32_t max = link->ooseq_max ? link->ooseq_max : DEFAULT_MAX;
	const u32_t cost = len + (u32_t)OVERHEAD;
	u32_t most;

	link->ooseq += cost;
	if (link->ooseq <= max)
		return;
	link->ooseq = kept_by_all(&most);
	while (link->ooseq > max / 2) {
		most /= 2;
		link->ooseq = lose(most, link->ooseq, max / 2);
	}
	link->ooseq += cost;
}

void fdl_lwip_bound_ooseq(const struct pbuf *p)
{
	struct fdl_lwip *link = fdl_lwip_link(ip_current_input_netif());

	if (link && p->tot_len)
		charge(link, p->tot_len);
}
#else
void fdl_lwip_bound_ooseq(const struct pbuf *p)
{
	LWIP_UNUSED_ARG(p);
}
#endif
