/* SPDX-License-Identifier: Apache-2.0 */
#include "fickle.h"

#include <string.h>

#include <lwip/tcp.h>

#include "../fuzz.h"

enum {
	MAX_LENT = 20000,
	PATIENCE = 40,			/* calls of on_poll */
};

struct fickle {
	uint8_t *lent;			/* to lwIP, until it is acknowledged */
	size_t len, acked;
	unsigned calls, polls;
	bool ended;			/* the peer has */
};

static void leave(struct tcp_pcb *pcb)
{
	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_sent(pcb, NULL);
	tcp_poll(pcb, NULL, 0);
	tcp_err(pcb, NULL);
}

static void forget(struct fickle *f)
{
	free(f->lent);
	free(f);
}

static err_t give_up(struct fickle *f, struct tcp_pcb *pcb)
{
	leave(pcb);
	tcp_abort(pcb);
	forget(f);
	return ERR_ABRT;
}

/* What is lent may be sent until the connection has ended. */
static err_t finish(struct fickle *f, struct tcp_pcb *pcb)
{
	if (f->lent)
		return ERR_OK;
	leave(pcb);
	if (tcp_close(pcb) != ERR_OK)
		return give_up(f, pcb);
	forget(f);
	return ERR_OK;
}

static void answer(struct fickle *f, struct tcp_pcb *pcb, struct pbuf *p)
{
	size_t len = LWIP_MIN(p->tot_len, MAX_LENT);

	len = LWIP_MIN(len, tcp_sndbuf(pcb));
	if (f->lent || !len)
		return;
	f->lent = malloc(len);
	MUST(f->lent);
	f->len = len;
	f->acked = 0;
	pbuf_copy_partial(p, f->lent, (u16_t)len, 0);
	if (tcp_write(pcb, f->lent, (u16_t)len, 0) == ERR_OK)
		return;
	free(f->lent);
	f->lent = NULL;
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct fickle *f = arg;
	uint8_t first;

	MUST(err == ERR_OK);
	if (!p) {
		f->ended = true;
		return finish(f, pcb);
	}
	if (f->calls++ % 3 == 2)
		return ERR_MEM;
	first = pbuf_get_at(p, 0);
	tcp_recved(pcb, p->tot_len);
	answer(f, pcb, p);
	pbuf_free(p);
	switch (first % 16) {
	case 0:
		return give_up(f, pcb);
	case 1:
		return finish(f, pcb);
	case 2:
		tcp_shutdown(pcb, 0, 1);
		return ERR_OK;
	default:
		return ERR_OK;
	}
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	struct fickle *f = arg;

	f->acked += len;
	MUST(f->acked <= f->len);
	if (f->acked < f->len)
		return ERR_OK;
	free(f->lent);
	f->lent = NULL;
	return f->ended ? finish(f, pcb) : ERR_OK;
}

static err_t on_poll(void *arg, struct tcp_pcb *pcb)
{
	struct fickle *f = arg;

	return f->polls++ < PATIENCE ? ERR_OK : give_up(f, pcb);
}

static void on_err(void *arg, err_t err)
{
	LWIP_UNUSED_ARG(err);
	forget(arg);
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct fickle *f;

	LWIP_UNUSED_ARG(arg);
	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	f = calloc(1, sizeof(*f));
	MUST(f);
	tcp_arg(pcb, f);
	tcp_recv(pcb, on_recv);
	tcp_sent(pcb, on_sent);
	tcp_poll(pcb, on_poll, 2);
	tcp_err(pcb, on_err);
	return ERR_OK;
}

void fickle_start(void)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);

	MUST(pcb && tcp_bind(pcb, IP_ANY_TYPE, FICKLE_PORT) == ERR_OK);
	tcp_accept(tcp_listen(pcb), on_accept);
}
