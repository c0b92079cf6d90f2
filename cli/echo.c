/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Echo, port 7 (RFC 862). What a TCP connection receives goes into a ring as
 * large as its window, and is sent from there. Its place in the ring is free,
 * and the window open again, when the peer has acknowledged the echo. So the
 * ring cannot overflow, and a peer that sends without reading fills its own
 * ring only, not the link's packet pool.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <lwip/udp.h>

#include "host.h"
#include "service.h"

enum { PORT = 7 };

struct echo {
	size_t received;	/* bytes since the start, as the next two */
	size_t written;
	size_t acked;
	bool eof;
	char ring[TCP_WND];
};

static void put(struct echo *echo, const struct pbuf *p)
{
	const size_t at = echo->received % sizeof(echo->ring);
	const size_t to_end = sizeof(echo->ring) - at;
	const u16_t first = (u16_t)(p->tot_len < to_end ? p->tot_len : to_end);

	pbuf_copy_partial(p, echo->ring + at, first, 0);
	if (first < p->tot_len)
		pbuf_copy_partial(p, echo->ring, (u16_t)(p->tot_len - first),
				  first);
	echo->received += p->tot_len;
}

/* Send what there is and fits. Close when all of it has arrived. */
static err_t advance(struct echo *echo, struct tcp_pcb *pcb)
{
	size_t at, n;

	while (echo->written < echo->received) {
		at = echo->written % sizeof(echo->ring);
		n = LWIP_MIN(echo->received - echo->written,
			     sizeof(echo->ring) - at);
		n = LWIP_MIN(n, service_room(pcb));
		if (!n || tcp_write(pcb, echo->ring + at, (u16_t)n, 0))
			break;
		echo->written += n;
	}
	if (echo->eof && echo->acked == echo->received) {
		free(echo);
		return service_close(pcb);
	}
	tcp_output(pcb);
	return ERR_OK;
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct echo *echo = arg;

	LWIP_UNUSED_ARG(err);
	if (p) {
		put(echo, p);
		pbuf_free(p);
	} else {
		echo->eof = true;
	}
	return advance(echo, pcb);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	struct echo *echo = arg;

	echo->acked += len;
	tcp_recved(pcb, len);
	return advance(echo, pcb);
}

/* Try again: lwIP may have been out of memory before. */
static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
	return advance(arg, pcb);
}

static void on_err(void *arg, err_t err)
{
	LWIP_UNUSED_ARG(err);
	free(arg);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct echo *echo;

	LWIP_UNUSED_ARG(arg);
	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	service_admit(pcb);
	/* Not calloc(), which might touch all pages of a ring that stays
	 * unused. */
	echo = malloc(sizeof(*echo));
	if (!echo)
		return ERR_MEM;
	echo->received = 0;
	echo->written = 0;
	echo->acked = 0;
	echo->eof = false;
	tcp_arg(pcb, echo);
	tcp_recv(pcb, on_recv);
	tcp_sent(pcb, on_sent);
	tcp_poll(pcb, on_poll, 1);
	tcp_err(pcb, on_err);
	return ERR_OK;
}

/* Answer one host only, not a group. Do not answer another echo: the two would
 * never end. */
static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p,
			const ip_addr_t *addr, u16_t port)
{
	const ip_addr_t *local = ip_current_dest_addr();

	LWIP_UNUSED_ARG(arg);
	if (port != PORT && !ip_addr_ismulticast(local) &&
	    !ip_addr_isbroadcast(local, ip_current_input_netif()))
		udp_sendto_if_src(pcb, p, addr, port, ip_current_input_netif(),
				  local);
	pbuf_free(p);
}

int echo_start(void)
{
	struct udp_pcb *udp = udp_new_ip_type(IPADDR_TYPE_ANY);

	if (!udp || udp_bind(udp, IP_ANY_TYPE, PORT) != ERR_OK)
		return -ENOMEM;
	udp_recv(udp, on_datagram, NULL);
	return service_listen(PORT, on_accept, NULL);
}
