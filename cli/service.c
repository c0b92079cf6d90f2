/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <errno.h>

#include <lwip/priv/tcp_priv.h>

enum {
	MAX_OPEN = 256,		/* open connections of one port */
	MAX_TIME_WAIT = 1024,	/* connections in TIME-WAIT, of all ports */
	MAX_WRITE = 0xffff,
	PER_SEGMENT = 2,	/* pbufs: the header, and bytes not copied */
	/* Pbufs of a last segment that is filled up, and of a short one. */
	AT_ENDS = 2 * PER_SEGMENT,
	/* With room for fewer, a write is not worth its walk over all. */
	WORTHWHILE = 64,
};

int service_listen(u16_t port, tcp_accept_fn accept, void *arg)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
	struct tcp_pcb *listener;

	if (!pcb)
		return -ENOMEM;
	/* Keepalive finds a peer that is gone without a word. */
	ip_set_option(pcb, SOF_KEEPALIVE);
	pcb->keep_idle = 60 * 1000;
	if (tcp_bind(pcb, IP_ANY_TYPE, port) != ERR_OK)
		goto err_close;
	listener = tcp_listen_with_backlog(pcb, TCP_DEFAULT_LISTEN_BACKLOG);
	if (!listener)
		goto err_close;
	tcp_arg(listener, arg);
	tcp_accept(listener, accept);
	return 0;

err_close:
	tcp_close(pcb);
	return -ENOMEM;
}

/* lwIP moves a connection to the front of its list when it hears from it. So
 * the last one has been silent for longest. */
static void bound_open(const struct tcp_pcb *accepted)
{
	struct tcp_pcb *pcb, *last = NULL;
	unsigned n = 0;

	for (pcb = tcp_active_pcbs; pcb; pcb = pcb->next) {
		if (pcb == accepted || pcb->state == SYN_RCVD ||
		    pcb->local_port != accepted->local_port)
			continue;
		last = pcb;
		n++;
	}
	if (n >= MAX_OPEN)
		tcp_abort(last);
}

/* lwIP puts a new one in front, so the last one is the oldest. */
static void bound_time_wait(void)
{
	struct tcp_pcb *pcb, *last = NULL;
	unsigned n = 0;

	for (pcb = tcp_tw_pcbs; pcb; pcb = pcb->next) {
		last = pcb;
		n++;
	}
	if (n > MAX_TIME_WAIT)
		tcp_abort(last);
}

void service_admit(const struct tcp_pcb *pcb)
{
	bound_open(pcb);
	bound_time_wait();
}

size_t service_room(const struct tcp_pcb *pcb)
{
	const size_t queued = LWIP_MIN(tcp_sndqueuelen(pcb) + AT_ENDS,
				       TCP_SND_QUEUELEN);
	const size_t segments = (TCP_SND_QUEUELEN - queued) / PER_SEGMENT;
	const size_t room = LWIP_MIN(tcp_sndbuf(pcb), (size_t)MAX_WRITE);

	return segments < WORTHWHILE ? 0 :
				       LWIP_MIN(room, segments * tcp_mss(pcb));
}

err_t service_close(struct tcp_pcb *pcb)
{
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_poll(pcb, NULL, 0);
	tcp_err(pcb, NULL);
	if (tcp_close(pcb) == ERR_OK)
		return ERR_OK;
	tcp_abort(pcb);
	return ERR_ABRT;
}
