/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <errno.h>

int service_listen(u16_t port, tcp_accept_fn accept, void *arg)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
	struct tcp_pcb *listener;

	if (!pcb)
		return -ENOMEM;
	/* Finds a peer that is gone without a word. */
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
