/* SPDX-License-Identifier: Apache-2.0 */
/* Discard, port 9 (RFC 863), and chargen, port 19 (RFC 864). */
#include <errno.h>
#include <stdlib.h>

#include "host.h"
#include "service.h"

enum {
	DISCARD_PORT = 9,
	CHARGEN_PORT = 19,
	GLYPHS = '~' - ' ' + 1,
	LINE = 72 + 2,
	PERIOD = GLYPHS * LINE,	/* then the lines repeat */
	/* As much as one tcp_write takes, in whole periods. */
	PATTERN = 0xffff / PERIOD * PERIOD,
	/* With less room than this in the send buffer, a write is not worth its
	 * cost. */
	WORTHWHILE = PATTERN / 2,
};

struct chargen {
	const char *pattern;	/* of all connections */
	size_t at;
};

static err_t discard(struct tcp_pcb *pcb, struct pbuf *p)
{
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static err_t discard_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p,
			  err_t err)
{
	LWIP_UNUSED_ARG(arg);
	LWIP_UNUSED_ARG(err);
	return p ? discard(pcb, p) : service_close(pcb);
}

static err_t discard_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	LWIP_UNUSED_ARG(arg);
	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	service_admit(pcb);
	tcp_recv(pcb, discard_recv);
	return ERR_OK;
}

static err_t chargen_fill(struct chargen *chargen, struct tcp_pcb *pcb)
{
	size_t n;

	while (tcp_sndbuf(pcb) >= WORTHWHILE) {
		n = LWIP_MIN(service_room(pcb), PATTERN - chargen->at);
		if (!n || tcp_write(pcb, chargen->pattern + chargen->at,
				    (u16_t)n, TCP_WRITE_FLAG_MORE))
			break;
		chargen->at = (chargen->at + n) % PATTERN;
	}
	tcp_output(pcb);
	return ERR_OK;
}

static err_t chargen_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p,
			  err_t err)
{
	LWIP_UNUSED_ARG(err);
	if (p)
		return discard(pcb, p);
	free(arg);
	return service_close(pcb);
}

static err_t chargen_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	LWIP_UNUSED_ARG(len);
	return chargen_fill(arg, pcb);
}

/* Try again: lwIP may have been out of memory before. */
static err_t chargen_poll(void *arg, struct tcp_pcb *pcb)
{
	return chargen_fill(arg, pcb);
}

static void chargen_err(void *arg, err_t err)
{
	LWIP_UNUSED_ARG(err);
	free(arg);
}

static err_t chargen_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct chargen *chargen;

	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	service_admit(pcb);
	chargen = malloc(sizeof(*chargen));
	if (!chargen)
		return ERR_MEM;
	chargen->pattern = arg;
	chargen->at = 0;
	tcp_arg(pcb, chargen);
	tcp_recv(pcb, chargen_recv);
	tcp_sent(pcb, chargen_sent);
	tcp_poll(pcb, chargen_poll, 1);
	tcp_err(pcb, chargen_err);
	return chargen_fill(chargen, pcb);
}

static char *new_pattern(void)
{
	char *pattern = malloc(PATTERN);
	int column, line, i;

	if (!pattern)
		return NULL;
	for (i = 0; i < PATTERN; i++) {
		line = i / LINE;
		column = i % LINE;
		if (column < LINE - 2)
			pattern[i] = (char)(' ' + (line + column) % GLYPHS);
		else
			pattern[i] = column == LINE - 2 ? '\r' : '\n';
	}
	return pattern;
}

int stream_start(void)
{
	char *pattern = new_pattern();
	int rc;

	if (!pattern)
		return -ENOMEM;
	rc = service_listen(CHARGEN_PORT, chargen_accept, pattern);
	if (rc < 0) {
		free(pattern);
		return rc;
	}
	return service_listen(DISCARD_PORT, discard_accept, NULL);
}
