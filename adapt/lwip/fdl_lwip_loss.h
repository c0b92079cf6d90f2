/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of a connection's data is lost, and how much may be sent:
 *
 * - RFC 2018 and 2883: what the peer reports;
 * - RFC 6675: what that says of losses;
 * - RFC 8985: how long a packet may be late before it counts as lost;
 * - RFC 6937: the congestion window meanwhile;
 * - RFC 6582: the same for a peer without SACK.
 */
#ifndef FDL_LWIP_LOSS_H
#define FDL_LWIP_LOSS_H

#include <lwip/priv/tcp_priv.h>

#include "fdl_lwip_patience.h"
#include "fdl_lwip_sack.h"

/* The state needs an extension argument. The other one is fdl_lwip_loan.c's. */
#define FDL_LWIP_LOSS \
	(LWIP_TCP && LWIP_TCP_SACK_OUT && LWIP_TCP_PCB_NUM_EXT_ARGS >= 2)

enum fdl_lwip_mending {
	FDL_LWIP_WHOLE,		/* nothing is known to be lost */
	FDL_LWIP_MENDING,	/* the peer's reports show a loss */
	FDL_LWIP_TIMED_OUT,	/* there was no acknowledgement for too long */
};

/* The end of what was sent is probed once, when nothing is heard. */
enum fdl_lwip_probe { PROBE_NOT, PROBE_NOW, PROBE_SENT };

/* Times are milliseconds of sys_now, sequence numbers in the host's order. */
struct fdl_lwip_loss {
	struct fdl_lwip_sack sack;
	enum fdl_lwip_mending state;
	u32_t una;		/* the first byte that the peer lacks */
	u32_t recover;		/* what was sent when the state began */
	u32_t lost;		/* below it, all that the peer lacks is lost */
	u32_t again;		/* below it, all that was lost was sent again */
	u32_t mark;		/* snd_nxt when the first hole was sent again */
	u32_t since_mark;	/* bytes delivered that were sent after that */
	u32_t delivered;	/* bytes that RFC 6937 has not yet counted */
	u32_t cwnd;		/* after the last tcp_output */
	u8_t dups;		/* duplicate acknowledgements for una */

	/* RFC 6937, bytes */
	u32_t flight, prr_delivered, prr_out, room;

	/* What to go back to if it turns out that nothing was lost. */
	u32_t old_cwnd, old_ssthresh; /* 0: nothing to go back to */
	s32_t doubted;		/* bytes sent again, less those that the peer
				 * says came twice */

	struct fdl_lwip_patience wait;
	u32_t hole_at;		/* since when it is known that una is missing */
	u32_t probe_end;	/* what was sent when the end was probed */
	enum fdl_lwip_probe probed;
	u8_t probe_is_old;

	u32_t now;		/* at the beginning of this turn */
	u32_t rto_from;		/* since when una is waited for */
	u32_t last;		/* when anything was sent or heard */
};

/* Returns the state of a connection. NULL: it has none, for example because it
 * has sent nothing that could be lost. */
struct fdl_lwip_loss *fdl_lwip_loss_find(const struct tcp_pcb *pcb);

/* Make the state of a connection, which is freed with it. Returns NULL: there
 * is no memory. */
struct fdl_lwip_loss *fdl_lwip_loss_new(struct tcp_pcb *pcb);

/* Note what an acknowledgement says, before lwIP takes it. The arguments are
 * those of the hook; payload: bytes. */
void fdl_lwip_loss_note(struct fdl_lwip_loss *l, struct tcp_pcb *pcb,
			const struct tcp_hdr *hdr, u16_t optlen, u16_t opt1len,
			const u8_t *opt2, u16_t payload);

#if FDL_LWIP_LOSS
/* The same, for any segment. A peer that may send SACK tells of losses in no
 * other way. */
static inline void fdl_lwip_loss_hear(struct tcp_pcb *pcb,
				      const struct tcp_hdr *hdr, u16_t optlen,
				      u16_t opt1len, const u8_t *opt2,
				      u16_t payload)
{
	struct fdl_lwip_loss *l = fdl_lwip_loss_find(pcb);

	if (!l)
		return;
	if (!optlen && pcb->flags & TF_SACK)
		pcb->dupacks = 0;
	else
		fdl_lwip_loss_note(l, pcb, hdr, optlen, opt1len, opt2, payload);
}
#else
static inline void fdl_lwip_loss_hear(struct tcp_pcb *pcb,
				      const struct tcp_hdr *hdr, u16_t optlen,
				      u16_t opt1len, const u8_t *opt2,
				      u16_t payload)
{
	LWIP_UNUSED_ARG(pcb);
	LWIP_UNUSED_ARG(hdr);
	LWIP_UNUSED_ARG(optlen);
	LWIP_UNUSED_ARG(opt1len);
	LWIP_UNUSED_ARG(opt2);
	LWIP_UNUSED_ARG(payload);
}
#endif

/* Decide what is lost, after lwIP has taken an acknowledgement, or when time
 * has passed. l->now is the time for the rest of the turn. */
void fdl_lwip_loss_judge(struct fdl_lwip_loss *l, struct tcp_pcb *pcb);

/* Returns how many bytes may be sent now. */
u32_t fdl_lwip_loss_room(struct fdl_lwip_loss *l, const struct tcp_pcb *pcb,
			 u16_t unit);

/* Note that again bytes were sent again, and first bytes for the first time. */
void fdl_lwip_loss_sent(struct fdl_lwip_loss *l, struct tcp_pcb *pcb,
			u32_t again, u32_t first);

/* A timeout: all counts as lost that the peer has not reported. */
void fdl_lwip_loss_time_out(struct fdl_lwip_loss *l, struct tcp_pcb *pcb);

#endif
