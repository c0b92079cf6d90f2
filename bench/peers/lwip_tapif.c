/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The services of "fdlink host" on a plain netif, as lwIP's own tapif does it:
 * select(2), one read(2) into a buffer, a copy to a pbuf; a copy to a buffer
 * and one write(2). Same lwIP, same services, no fdlink.
 *
 *	lwip_tapif TAP ADDRESS
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/init.h>
#include <lwip/timeouts.h>

#include "../../cli/host.h"

enum { FRAME = 1518, MTU = 1500 };

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "lwip_tapif: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		die(name);
	return fd;
}

static err_t output(struct netif *netif, struct pbuf *p)
{
	char buf[FRAME];

	if (p->tot_len > sizeof(buf))
		return ERR_BUF;
	pbuf_copy_partial(p, buf, p->tot_len, 0);
	if (write(*(int *)netif->state, buf, p->tot_len) != p->tot_len)
		return ERR_IF;
	return ERR_OK;
}

static void input(struct netif *netif)
{
	char buf[FRAME];
	struct pbuf *p;
	ssize_t len;

	len = read(*(int *)netif->state, buf, sizeof(buf));
	if (len <= 0)
		die("read");
	p = pbuf_alloc(PBUF_RAW, (u16_t)len, PBUF_POOL);
	if (!p)
		return;
	pbuf_take(p, buf, (u16_t)len);
	if (netif->input(p, netif) != ERR_OK)
		pbuf_free(p);
}

static err_t init(struct netif *netif)
{
	static const u8_t mac[] = { 0x02, 0, 0, 0, 0, 0x02 };

	memcpy(netif->name, "tp", 2);
	memcpy(netif->hwaddr, mac, sizeof(mac));
	netif->hwaddr_len = sizeof(mac);
	netif->mtu = MTU;
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP |
		       NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
	netif->output = etharp_output;
	netif->output_ip6 = ethip6_output;
	netif->linkoutput = output;
	return ERR_OK;
}

static void serve(struct netif *netif)
{
	const int fd = *(int *)netif->state;
	struct timeval tv;
	fd_set set;
	u32_t ms;

	for (;;) {
		sys_check_timeouts();
		ms = sys_timeouts_sleeptime();
		tv.tv_sec = (time_t)(ms / 1000);
		tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
		FD_ZERO(&set);
		FD_SET(fd, &set);
		if (select(fd + 1, &set, NULL, NULL, &tv) > 0)
			input(netif);
	}
}

int main(int argc, char **argv)
{
	ip4_addr_t address, mask, gateway;
	struct netif netif;
	int fd;

	if (argc != 3 || !ip4addr_aton(argv[2], &address)) {
		fputs("lwip_tapif TAP ADDRESS\n", stderr);
		return 2;
	}
	fd = open_tap(argv[1]);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	ip4_addr_set_zero(&gateway);
	lwip_init();
	if (!netif_add(&netif, &address, &mask, &gateway, &fd, init,
		       netif_input))
		die("netif_add");
	netif_set_default(&netif);
	netif_set_up(&netif);
	if (echo_start() < 0 || stream_start() < 0)
		die("services");
	puts("up");
	fflush(stdout);
	serve(&netif);
}
