/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP on a thread of its own as the client of an echo service: send BYTES to
 * port 7 of HOST, and see that they come back as they were, and the end behind
 * them. One thread polls the endpoint, one sends, one receives.
 *
 *	threads LOCATOR on|tso|off ADDRESS HOST BYTES
 *
 * on, tso, off: as fdlink host has them. Both addresses are of one network,
 * with a prefix of 24, or 64 for IPv6.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <lwip/api.h>
#include <lwip/tcpip.h>

#include "stack.h"

#include <fdlink/offload.h>

enum {
	PORT = 7,
	PERIOD = 251,
	CHUNK = PERIOD * 1000,
};

struct client {
	struct fdl_lwip link;
	struct netif netif;
	struct netconn *conn;
	ip_addr_t address, host;
	size_t size;
	pthread_t poller, sender;
	sys_sem_t up;
	uint8_t bytes[CHUNK + PERIOD];
};

uint32_t port_random(void)
{
	uint32_t n = 0;

	getrandom(&n, sizeof(n), 0);
	return n;
}

uint16_t port_sum(const void *bytes, int len)
{
	return fdl_checksum_sum(bytes, (size_t)len, 0);
}

/* Until fdl_wake. */
static void *poll_endpoint(void *arg)
{
	struct client *c = arg;
	int rc;

	do {
		rc = fdl_poll(c->link.ep, -1);
		if (rc < 0 || fdl_lwip_poll(&c->link) < 0)
			stack_die("the link has ended");
	} while (rc > 0);
	return NULL;
}

static void *send_all(void *arg)
{
	struct client *c = arg;
	size_t sent = 0, n;

	while (sent < c->size) {
		n = LWIP_MIN((size_t)CHUNK, c->size - sent);
		if (netconn_write(c->conn, c->bytes + sent % PERIOD, n,
				  NETCONN_NOCOPY) != ERR_OK)
			stack_die("cannot send");
		sent += n;
	}
	return NULL;
}

static bool is_right(const struct client *c, const struct pbuf *p, size_t at)
{
	for (; p; at += p->len, p = p->next)
		if (memcmp(p->payload, c->bytes + at % PERIOD, p->len) != 0)
			return false;
	return true;
}

static void receive_all(struct client *c)
{
	struct pbuf *p;
	size_t got = 0;

	while (got < c->size) {
		if (netconn_recv_tcp_pbuf(c->conn, &p) != ERR_OK)
			stack_die("it ended too early");
		if (p->tot_len > c->size - got || !is_right(c, p, got))
			stack_die("other bytes came back");
		got += p->tot_len;
		pbuf_free(p);
	}
}

/* lwIP lets two threads use a connection for data, but not to close it. */
static void finish(struct client *c)
{
	struct pbuf *p;

	if (netconn_shutdown(c->conn, 0, 1) != ERR_OK)
		stack_die("cannot shut down");
	if (netconn_recv_tcp_pbuf(c->conn, &p) != ERR_CLSD)
		stack_die("there is no end");
	netconn_delete(c->conn);
}

/* On lwIP's thread. */
static void set_up(void *arg)
{
	struct client *c = arg;

	stack_start(&c->netif, &c->link, tcpip_input, &c->address);
	sys_sem_signal(&c->up);
}

static void tear_down(void *arg)
{
	struct client *c = arg;

	netif_remove(&c->netif);
	sys_sem_signal(&c->up);
}

static void run(struct client *c)
{
	c->conn = netconn_new(IP_IS_V4(&c->host) ? NETCONN_TCP :
						   NETCONN_TCP_IPV6);
	if (!c->conn || netconn_connect(c->conn, &c->host, PORT) != ERR_OK)
		stack_die("cannot connect");
	if (pthread_create(&c->sender, NULL, send_all, c))
		stack_die("no thread");
	receive_all(c);
	pthread_join(c->sender, NULL);
	finish(c);
}

int main(int argc, char **argv)
{
	static struct client c;
	size_t i;

	if (argc != 6 || !ipaddr_aton(argv[3], &c.address) ||
	    !ipaddr_aton(argv[4], &c.host)) {
		fputs("usage: threads LOCATOR on|tso|off ADDRESS HOST BYTES\n",
		      stderr);
		return 2;
	}
	c.size = strtoull(argv[5], NULL, 10);
	for (i = 0; i < sizeof(c.bytes); i++)
		c.bytes[i] = (uint8_t)(i % PERIOD);
	stack_open(&c.link, argv[1], argv[2]);
	if (sys_sem_new(&c.up, 0) != ERR_OK)
		stack_die("no memory");
	tcpip_init(set_up, &c);
	sys_sem_wait(&c.up);
	if (pthread_create(&c.poller, NULL, poll_endpoint, &c))
		stack_die("no thread");
	run(&c);
	fdl_wake(c.link.ep);
	pthread_join(c.poller, NULL);
	tcpip_callback(tear_down, &c);
	sys_sem_wait(&c.up);
	fdl_endpoint_free(c.link.ep);
	if (c.link.rx_dropped)
		stack_die("packets did not become lwIP's");
	return EXIT_SUCCESS;
}
