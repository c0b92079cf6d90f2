/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An embedder's program: lwIP of its own, on one thread or with one of lwIP's,
 * and the adaptor's sources as they are installed. Says that it was pinged.
 */
#if SOCKETS_FIRST
#include <lwip/sockets.h>
#endif
#include "fdl_lwip.h"
#include <fdlink/open.h>
#if !SOCKETS_FIRST
#include <lwip/sockets.h>
#endif
#include <lwip/init.h>
#include <lwip/tcpip.h>
#include <lwip/timeouts.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "peer.h"

static struct fdl_lwip host;
static struct netif netif;

static void add_netif(void *input)
{
	const int fd = peer_open();
	const struct fdl_options opts = { .size = sizeof(opts),
					  .flags = FDL_LWIP_FLAGS,
					  .headroom = FDL_LWIP_HEADROOM };
	ip4_addr_t address, mask, none = { 0 };

	IP4_ADDR(&address, 192, 0, 2, 2);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	host.tso = WITH_TSO;
	if (fdl_endpoint_new(&host.ep, &fd, 1, &opts) < 0 ||
	    !netif_add(&netif, &address, &mask, &none, &host, fdl_lwip_init,
		       *(netif_input_fn *)input) ||
	    host.tso != WITH_TSO)
		exit(1);
	netif_set_default(&netif);
	netif_set_up(&netif);
}

#if NO_SYS
u32_t sys_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (u32_t)(now.tv_sec * 1000 + now.tv_nsec / 1000000);
}

int main(void)
{
	netif_input_fn input = netif_input;

	lwip_init();
	add_netif(&input);
	while (!peer_replied(0)) {
		if (fdl_poll(host.ep, 100) < 0)
			return 1;
		sys_check_timeouts();
		if (fdl_lwip_poll(&host) < 0)
			return 1;
	}
	netif_remove(&netif);
	fdl_endpoint_free(host.ep);
	puts("pinged");
	return 0;
}
#else
/* As lwip/sockets.h has it. */
static const struct iovec both = { 0 };
static netif_input_fn input = tcpip_input;
static sys_sem_t up;

static void start(void *unused)
{
	(void)unused;
	add_netif(&input);
	sys_sem_signal(&up);
}

static void *poll_endpoint(void *unused)
{
	while (fdl_poll(host.ep, -1) >= 0 && fdl_lwip_poll(&host) >= 0)
		;
	return unused;
}

int main(void)
{
	pthread_t poller;

	sys_sem_new(&up, 0);
	tcpip_init(start, NULL);
	sys_sem_wait(&up);
	if (pthread_create(&poller, NULL, poll_endpoint, NULL))
		return 1;
	if (!peer_replied(60000))
		return 1;
	puts("pinged");
	exit(both.iov_len != 0);
}
#endif
