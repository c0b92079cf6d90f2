/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP as the client of an echo service: send BYTES to port 7 of HOST, and see
 * that they come back as they were, and the end behind them. Frames have a VLAN
 * tag, or none.
 *
 *	client LOCATOR on|tso|off[,MODE] ADDRESS HOST BYTES [TAG]
 *
 * on, tso, off: as fdlink host has them. MODE is how packets are received. Both
 * addresses are of one network, with a prefix of 24, or 64 for IPv6.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lwip/init.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>

#include "fdl_lwip.h"
#include "hooks.h"
#include "stack.h"

enum {
	PORT = 7,
	PERIOD = 251,
	/* What one tcp_write takes, from any byte of the period on. */
	MOST = 0xffff,
};

struct client {
	struct fdl_lwip link;
	struct netif netif;
	s32_t tag;
	ip_addr_t address, host;
	uint64_t size, sent, got;
	bool over;
	const char *wrong;		/* NULL: nothing yet */
	uint8_t bytes[PERIOD + MOST];
};

/* The netif's state is the first of the client. */
static const struct client *client_of(const struct netif *netif)
{
	return netif->state;
}

s32_t client_tag(const struct netif *netif)
{
	return client_of(netif)->tag;
}

int client_has_tag(const struct netif *netif, u16_t tag)
{
	return client_of(netif)->tag == tag;
}

/* What comes first counts. */
static void end(struct client *c, const char *wrong)
{
	if (c->over)
		return;
	c->over = true;
	c->wrong = wrong;
}

/* The bytes stay where they are: lwIP needs no copy. */
static err_t fill(void *arg, struct tcp_pcb *pcb)
{
	struct client *c = arg;
	uint64_t n;

	if (c->sent == c->size)
		return ERR_OK;
	while ((n = LWIP_MIN(tcp_sndbuf(pcb), c->size - c->sent))) {
		n = LWIP_MIN(n, MOST);
		if (tcp_write(pcb, c->bytes + c->sent % PERIOD, (u16_t)n, 0))
			break;
		c->sent += n;
	}
	if (c->sent == c->size)
		tcp_shutdown(pcb, 0, 1);
	tcp_output(pcb);
	return ERR_OK;
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
	LWIP_UNUSED_ARG(len);
	return fill(arg, pcb);
}

static void check(struct client *c, const struct pbuf *p)
{
	const uint8_t *expected;

	for (; p; p = p->next) {
		expected = c->bytes + c->got % PERIOD;
		if (c->got + p->len > c->sent ||
		    memcmp(p->payload, expected, p->len) != 0)
			end(c, "other bytes came back");
		c->got += p->len;
	}
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct client *c = arg;

	LWIP_UNUSED_ARG(err);
	if (!p) {
		end(c, c->got == c->size ? NULL : "it ended too early");
		return ERR_OK;
	}
	check(c, p);
	tcp_recved(pcb, p->tot_len);
	pbuf_free(p);
	return ERR_OK;
}

static void on_err(void *arg, err_t err)
{
	LWIP_UNUSED_ARG(err);
	end(arg, "the connection broke");
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	LWIP_UNUSED_ARG(err);
	return fill(arg, pcb);
}

static void connect_to_host(struct client *c)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IP_GET_TYPE(&c->host));

	if (!pcb)
		stack_die("no memory");
	tcp_arg(pcb, c);
	tcp_recv(pcb, on_recv);
	tcp_sent(pcb, on_sent);
	tcp_err(pcb, on_err);
	tcp_poll(pcb, fill, 1);
	if (tcp_connect(pcb, &c->host, PORT, on_connected) != ERR_OK)
		stack_die("cannot connect");
}

static void start(struct client *c, const char *locator, const char *offload)
{
	stack_open(&c->link, locator, offload);
	lwip_init();
	stack_start(&c->netif, &c->link, netif_input, &c->address);
	connect_to_host(c);
}

static void run(struct client *c)
{
	u32_t ms;
	int rc;

	while (!c->over) {
		ms = sys_timeouts_sleeptime();
		rc = fdl_poll(c->link.ep, ms > INT_MAX ? -1 : (int)ms);
		sys_check_timeouts();
		if (rc < 0 || fdl_lwip_poll(&c->link) < 0)
			end(c, "the link has ended");
	}
}

int main(int argc, char **argv)
{
	static struct client c = { .tag = -1 };
	size_t i;

	if (argc < 6 || argc > 7 || !ipaddr_aton(argv[3], &c.address) ||
	    !ipaddr_aton(argv[4], &c.host)) {
		fputs("usage: client LOCATOR on|tso|off[,MODE] ADDRESS HOST BYTES "
		      "[TAG]\n",
		      stderr);
		return 2;
	}
	c.size = strtoull(argv[5], NULL, 10);
	if (argc > 6)
		c.tag = atoi(argv[6]);
	for (i = 0; i < sizeof(c.bytes); i++)
		c.bytes[i] = (uint8_t)(i % PERIOD);
	start(&c, argv[1], argv[2]);
	run(&c);
	netif_remove(&c.netif);
	fdl_endpoint_free(c.link.ep);
	if (c.wrong)
		stack_die(c.wrong);
	return EXIT_SUCCESS;
}
