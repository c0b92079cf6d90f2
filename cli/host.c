/* SPDX-License-Identifier: Apache-2.0 */
/* fdlink host: lwIP as a host on a link. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <lwip/init.h>
#include <lwip/timeouts.h>

#include <fdlink/open.h>

#include "cli.h"
#include "fdl_lwip.h"
#include "host.h"
#include "output.h"
#include "port.h"
#include "signals.h"

struct host {
	const struct host_options *options;
	struct fdl_endpoint *ep;
	struct fdl_lwip link;
	struct netif netif;
	ip6_addr_t gateway6;
	struct host_status status;
	bool lost;		/* something that was printed */
	bool up;		/* is still to be told, and */
	bool asked;		/* for a report, which nobody reads yet */
};

/* Returns the medium of the link. UNKNOWN: there is no such link, and fdl_open
 * will say what is wrong. */
static enum fdl_medium find_medium(const char *locator)
{
	struct fdl_info info = { .medium = FDL_MEDIUM_UNKNOWN };

	fdl_probe(locator, &info, sizeof(info), NULL, NULL);
	return info.medium;
}

static int check_medium(const struct host_options *o, enum fdl_medium medium)
{
	if (medium == FDL_MEDIUM_ETHERNET && o->plain_ip)
		return cli_usage("%s carries Ethernet: leave out --ip, or use "
				 "a TUN",
				 o->locator);
	if ((o->has_mac || o->device_mac) &&
	    (medium == FDL_MEDIUM_IP || o->plain_ip))
		return cli_usage("%s: plain IP has no link addresses: leave "
				 "out --mac",
				 o->locator);
	return STATUS_OK;
}

/* Returns the MTU that the locator asks for, or 0. It is checked before the
 * link is opened, for opening may first wait for a peer. */
static uint32_t asked_mtu(const char *locator)
{
	const char *at;

	for (at = locator; (at = strchr(at, ','));) {
		at++;
		if (!strncmp(at, "mtu=", 4))
			return (uint32_t)strtoul(at + 4, NULL, 10);
	}
	return 0;
}

/* Returns STATUS_USAGE if the MTU of the link is too small for the addresses.
 * mtu 0: not known. */
static int check_mtu(const struct host_options *o, uint32_t mtu)
{
	if (!mtu || mtu >= IP6_MIN_MTU_LENGTH || !o->n_ip6)
		return STATUS_OK;
	return cli_usage("%s: an MTU of %" PRIu32 " is too small for IPv6: "
			 "leave out --address %s, or raise it to %d",
			 o->locator, mtu, o->ip6[0].text, IP6_MIN_MTU_LENGTH);
}

/* Make a random link address, locally administered. */
static void random_mac(uint8_t mac[6])
{
	while (getrandom(mac, 6, 0) != 6)
		;
	mac[0] = (uint8_t)((mac[0] & ~1) | 2);
}

static int open_link(struct host *host)
{
	const struct host_options *o = host->options;
	struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_NO_METADATA,
		.headroom = FDL_LWIP_HEADROOM,
		.log = signals_log,
	};
	const enum fdl_medium medium = find_medium(o->locator);
	int status = check_medium(o, medium);

	if (o->offload != HOST_OFFLOAD_OFF)
		options.flags |= FDL_LWIP_FLAGS;
	if (!status)
		status = check_mtu(o, asked_mtu(o->locator));
	if (status)
		return status;
	if (medium != FDL_MEDIUM_IP && !o->plain_ip) {
		options.flags |= FDL_ETHERNET | FDL_DROP_OTHERHOST;
		memcpy(options.address, o->mac, sizeof(options.address));
		if (!o->has_mac && !o->device_mac)
			random_mac(options.address);
	}
	status = cli_status(fdl_open(&host->ep, o->locator, &options));
	if (status)
		return status;
	status = check_mtu(o, fdl_mtu(host->ep));
	if (status)
		fdl_endpoint_free(host->ep);
	return status;
}

/*
 * A network of two addresses has no broadcast address. lwIP takes the upper one
 * for that all the same: so it is told of a network of one address, with the
 * other address as gateway.
 */
static void pair_up(ip4_addr_t *mask, ip4_addr_t *gateway,
		    const ip4_addr_t *address)
{
	mask->addr = UINT32_MAX;
	gateway->addr = address->addr ^ lwip_htonl(1);
}

static void set_ip4(struct host *host)
{
	const struct host_options *o = host->options;
	ip4_addr_t address, gateway, mask;

	if (!o->ip4.text)
		return;
	memcpy(&address.addr, o->ip4.bytes, sizeof(address.addr));
	memcpy(&gateway.addr, o->gateway4.bytes, sizeof(gateway.addr));
	mask.addr = 0;
	if (o->ip4.prefix)
		mask.addr = lwip_htonl(UINT32_MAX << (32 - o->ip4.prefix));
	if (o->ip4.prefix == 31)
		pair_up(&mask, &gateway, &address);
	netif_set_addr(&host->netif, &address, &mask, &gateway);
}

static void to_ip6(ip6_addr_t *ip, const struct host_address *a,
		   const struct netif *netif)
{
	memcpy(ip->addr, a->bytes, sizeof(ip->addr));
	ip6_addr_clear_zone(ip);
	ip6_addr_assign_zone(ip, IP6_UNICAST, netif);
}

/* The addresses go to index 1 and up: lwIP keeps index 0 for the link-local
 * address. */
static void set_ip6(struct host *host)
{
	const struct host_options *o = host->options;
	struct netif *netif = &host->netif;
	ip6_addr_t address;
	s8_t i;

	if (netif->hwaddr_len)
		netif_create_ip6_linklocal_address(netif, 1);
	for (i = 0; i < (s8_t)o->n_ip6; i++) {
		to_ip6(&address, &o->ip6[i], netif);
		netif_ip6_addr_set(netif, (s8_t)(i + 1), &address);
		netif_ip6_addr_set_state(netif, (s8_t)(i + 1),
					 IP6_ADDR_PREFERRED);
	}
	if (!o->gateway6.text)
		return;
	to_ip6(&host->gateway6, &o->gateway6, netif);
	netif_set_client_data(netif, PORT_GATEWAY6, &host->gateway6);
}

static int start_stack(struct host *host)
{
	struct netif *netif = &host->netif;

	lwip_init();
	host->link.ep = host->ep;
	host->link.tso = host->options->offload == HOST_OFFLOAD_TSO;
	/* The adaptor has the device's address only where nobody else does. */
	if (!netif_add_noaddr(netif, &host->link, fdl_lwip_init, netif_input))
		return host->options->device_mac ? -EINVAL : -ENOMEM;
	netif_set_default(netif);
	netif_set_up(netif);
	set_ip4(host);
	set_ip6(host);
	if (echo_start() < 0 || stream_start() < 0)
		return -ENOMEM;
	return http_start(&host->status);
}

static void print_up(struct host *host)
{
	const struct host_options *o = host->options;
	const uint8_t *a = host->netif.hwaddr;
	unsigned i;

	printf("fdlink host: up on %s as", o->locator);
	if (o->ip4.text)
		printf(" %s", o->ip4.text);
	for (i = 0; i < o->n_ip6; i++)
		printf(" %s", o->ip6[i].text);
	if (host->netif.hwaddr_len)
		printf(" (%02x:%02x:%02x:%02x:%02x:%02x)", a[0], a[1], a[2],
		       a[3], a[4], a[5]);
	putchar('\n');
	host->up = false;
}

static int sleeptime(const struct host *host)
{
	const u32_t ms = sys_timeouts_sleeptime();
	const bool waits = host->up || host->asked;

	if (waits && ms > OUTPUT_LOOK_MS)
		return OUTPUT_LOOK_MS;
	if (ms == SYS_TIMEOUTS_SLEEPTIME_INFINITE)
		return -1;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* Write out what was printed. If that is lost, one sentence says so, and the
 * host goes on. */
static void print_out(struct host *host)
{
	if (cli_flush())
		host->lost = true;
}

static void print(struct host *host)
{
	if (host->up)
		print_up(host);
	if (host->asked)
		status_text(&host->status, stdout);
	host->asked = false;
	print_out(host);
}

/* The host serves whether somebody reads this or not. */
static void report(struct host *host)
{
	if (signals_report())
		host->asked = true;
	if ((host->up || host->asked) && output_has_room())
		print(host);
}

static void report_last(struct host *host)
{
	host->asked = true;
	if (output_await_room())
		print(host);
	else
		host->lost = true;
}

/* Serve until asked to stop or the link ends. Returns 0, or why the link has
 * ended. */
static int serve(struct host *host)
{
	int ms, rc;

	while (!signals_stop()) {
		report(host);
		ms = sleeptime(host);
		rc = fdl_poll(host->ep, ms);
		if (rc < 0)
			return rc;
		/* A timer that comes due while there are packets is looked at
		 * in the next turn. */
		if (!rc || !ms)
			sys_check_timeouts();
		rc = fdl_lwip_poll(&host->link);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int run(struct host *host)
{
	int rc;

	rc = start_stack(host);
	if (rc == -EINVAL)
		return cli_usage("%s: --mac device is for packet:IFACE only: "
				 "the address of a TAP is that of its other "
				 "end: leave out --mac",
				 host->options->locator);
	if (rc < 0) {
		fprintf(stderr, "fdlink: %s: lwIP: %s%s\n",
			host->options->locator, strerror(ENOMEM),
			cli_way_out(ENOMEM));
		return STATUS_FAILURE;
	}
	host->up = true;
	rc = serve(host);
	report_last(host);
	netif_remove(&host->netif);
	if (rc)
		cli_say_end(host->options->locator, rc);
	/* A peer that closes the link has what it wanted: no failure. */
	if (rc && rc != -ESHUTDOWN)
		return STATUS_FAILURE;
	return host->lost ? STATUS_FAILURE : STATUS_OK;
}

int host_main(int argc, char **argv)
{
	struct host_options options = { 0 };
	struct host host = { .options = &options };
	int status;

	status = host_parse(&options, argc, argv);
	if (status || options.help)
		return status;
	signals_catch();
	status = open_link(&host);
	if (status)
		return signals_stop() ? STATUS_OK : status;
	signals_wake(host.ep);
	host.status.options = &options;
	host.status.ep = host.ep;
	host.status.lwip_dropped = &host.link.rx_dropped;
	clock_gettime(CLOCK_MONOTONIC, &host.status.started);
	status = run(&host);
	signals_ignore();
	fdl_endpoint_free(host.ep);
	return status;
}
