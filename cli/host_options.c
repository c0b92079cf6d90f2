/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of fdlink host. It is read without lwIP. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "cli.h"
#include "host.h"

static const char help[] =
	"Usage: fdlink host LOCATOR --address ADDRESS/PREFIX [OPTION]...\n"
	"\n"
	"Be an IP host on a link: ICMP echo, TCP and UDP echo (port 7),\n"
	"discard (9), chargen (19), and a status page (80, /stats.json).\n"
	"\n"
	"  --address ADDRESS/PREFIX  an address of the host: one for IPv4, up\n"
	"                            to 8 for IPv6 with a prefix of 64\n"
	"  --gateway ADDRESS         where other networks are reached, in the\n"
	"                            network of an --address; one for IPv4 and\n"
	"                            one for IPv6\n"
	"  --mac ADDRESS|device      link address; else a random one; device:\n"
	"                            that of the interface, on packet:IFACE\n"
	"  --ip                      packets on a unix socket are plain IP, not\n"
	"                            Ethernet\n"
	"  --offload on|tso|off      on: super-packets to and from the stack,\n"
	"                            TCP's checksums left to the link;\n"
	"                            tso (default): what TCP sends is left uncut,\n"
	"                            too; off: the stack does all of it\n"
	"  -h, --help                this text\n"
	"\n" CLI_LOCATORS "\n"
	"On packet:IFACE the host has a link address of its own, beside the\n"
	"kernel's; a device that filters by address needs the option promisc,\n"
	"or --mac device, with which the two share one.\n"
	"The kernel gets the same frames: give the host an address that the\n"
	"kernel does not have, or it will answer, too.\n"
	"\n"
	"SIGUSR1 prints the counters; SIGINT and SIGTERM print them and end.\n";

static int store_address(struct host_options *o, const struct host_address *a,
			 unsigned len)
{
	if (len == 4) {
		if (o->ip4.text)
			return cli_usage("--address %s: there is %s already, "
					 "and lwIP has one IPv4 address",
					 a->text, o->ip4.text);
		o->ip4 = *a;
		return STATUS_OK;
	}
	if (a->prefix != 64)
		return cli_usage("--address %s: lwIP knows IPv6 networks with "
				 "a prefix of 64 only",
				 a->text);
	if (o->n_ip6 == HOST_MAX_IP6)
		return cli_usage("--address %s: more than %d IPv6 addresses",
				 a->text, HOST_MAX_IP6);
	o->ip6[o->n_ip6++] = *a;
	return STATUS_OK;
}

static bool is_there(const struct host_options *o, const uint8_t *bytes,
		     unsigned len)
{
	unsigned i;

	if (len == 4)
		return o->ip4.text && !memcmp(o->ip4.bytes, bytes, len);
	for (i = 0; i < o->n_ip6; i++) {
		if (!memcmp(o->ip6[i].bytes, bytes, len))
			return true;
	}
	return false;
}

static int take_address(struct host_options *o, const struct host_address *a,
			unsigned len)
{
	const char *why = address_refusal(a->bytes, len);

	if (!why)
		why = address_network_refusal(a->bytes, len, a->prefix);
	if (why)
		return cli_usage("--address %s %s: give one that a host can "
				 "have, as 192.0.2.2/24 or fd00::2/64",
				 a->text, why);
	if (is_there(o, a->bytes, len))
		return cli_usage("--address %s is there twice: keep one",
				 a->text);
	return store_address(o, a, len);
}

static int parse_address(struct host_options *o, const char *text)
{
	struct host_address a = { .text = text };
	char ip[ADDRESS_TEXT] = "";
	const char *slash = strchr(text, '/');
	unsigned long prefix;
	unsigned len;
	char *end;

	if (!slash)
		return cli_usage("--address %s has no prefix: give it as "
				 "%s/%d",
				 text, text, strchr(text, ':') ? 64 : 24);
	if ((size_t)(slash - text) < sizeof(ip))
		memcpy(ip, text, (size_t)(slash - text));
	len = address_parse(ip, a.bytes);
	if (!len)
		return cli_usage("--address %s is no IPv4 or IPv6 address: "
				 "give it as 192.0.2.2/24 or fd00::2/64",
				 text);
	prefix = strtoul(slash + 1, &end, 10);
	if (slash[1] < '0' || slash[1] > '9' || *end || prefix > len * 8)
		return cli_usage("--address %s: the prefix must be a number "
				 "from 0 to %u",
				 text, len * 8);
	a.prefix = (unsigned)prefix;
	return take_address(o, &a, len);
}

static int parse_gateway(struct host_options *o, const char *text)
{
	struct host_address a = { .text = text };
	struct host_address *slot;
	const char *why;
	unsigned len;

	len = address_parse(text, a.bytes);
	why = len ? address_refusal(a.bytes, len) :
		    "is no IPv4 or IPv6 address";
	if (why)
		return cli_usage("--gateway %s %s: give a router's, as "
				 "192.0.2.1 or fd00::1",
				 text, why);
	slot = len == 4 ? &o->gateway4 : &o->gateway6;
	if (slot->text)
		return cli_usage("--gateway %s: there is %s already, and one "
				 "is enough for %s",
				 text, slot->text, len == 4 ? "IPv4" : "IPv6");
	*slot = a;
	return STATUS_OK;
}

static int parse_mac(struct host_options *o, const char *text)
{
	static const uint8_t zero[6];
	uint8_t *m = o->mac;
	int end = 0;

	o->device_mac = !strcmp(text, "device");
	o->has_mac = !o->device_mac;
	if (o->device_mac)
		return STATUS_OK;
	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", m, m + 1,
		   m + 2, m + 3, m + 4, m + 5, &end) != 6 ||
	    text[end] ||
	    strspn(text, "0123456789abcdefABCDEF:") != strlen(text))
		return cli_usage("--mac %s is no link address: give it as "
				 "02:00:00:00:00:01, or device",
				 text);
	if (m[0] & 1 || !memcmp(m, zero, sizeof(zero)))
		return cli_usage("--mac %s is no station's address: its first "
				 "byte must be even, and not all may be 0",
				 text);
	return STATUS_OK;
}

/* Returns which of our addresses has the gateway in its network, or NULL. */
static const struct host_address *near(const struct host_address *gateway,
				       const struct host_address *own,
				       unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (address_same_network(gateway->bytes, own[i].bytes,
					 own[i].prefix))
			return &own[i];
	}
	return NULL;
}

static bool is_own_link_local(const struct host_options *o,
			      const uint8_t *bytes)
{
	uint8_t own[16];

	if (!o->has_mac)
		return false;
	address_link_local6(own, o->mac);
	return !memcmp(own, bytes, sizeof(own));
}

/* len: of the bytes; own: our n addresses of the same length. */
static int check_gateway(const struct host_options *o,
			 const struct host_address *gateway, unsigned len,
			 const struct host_address *own, unsigned n)
{
	const char *text = gateway->text, *why;
	const struct host_address *neighbour;

	if (!text)
		return STATUS_OK;
	if (!n)
		return cli_usage("--gateway %s: there is no %s --address: add "
				 "one, or leave it out",
				 text, len == 4 ? "IPv4" : "IPv6");
	if (is_there(o, gateway->bytes, len) ||
	    (len == 16 && is_own_link_local(o, gateway->bytes)))
		return cli_usage("--gateway %s is the host itself: give a "
				 "router's address",
				 text);
	if (len == 16 && address_is_link_local6(gateway->bytes))
		return STATUS_OK;
	neighbour = near(gateway, own, n);
	if (!neighbour)
		return cli_usage("--gateway %s is in the network of no "
				 "--address: give a router that is",
				 text);
	why = address_network_refusal(gateway->bytes, len, neighbour->prefix);
	if (why)
		return cli_usage("--gateway %s %s: give a router's address",
				 text, why);
	return STATUS_OK;
}

static int check(const struct host_options *o)
{
	unsigned i;
	int status;

	if (!o->ip4.text && !o->n_ip6)
		return cli_usage("host needs an --address, such as 192.0.2.2/24"
				 " or fd00::2/64");
	for (i = 0; i < o->n_ip6; i++) {
		if (is_own_link_local(o, o->ip6[i].bytes))
			return cli_usage("--address %s is what the host makes "
					 "of --mac by itself: leave it out",
					 o->ip6[i].text);
	}
	status = check_gateway(o, &o->gateway4, 4, &o->ip4,
			       o->ip4.text ? 1 : 0);
	if (status)
		return status;
	return check_gateway(o, &o->gateway6, 16, o->ip6, o->n_ip6);
}

const char *host_offload_name(enum host_offload offload)
{
	static const char *const names[] = {
		[HOST_OFFLOAD_OFF] = "off",
		[HOST_OFFLOAD_ON] = "on",
		[HOST_OFFLOAD_TSO] = "tso",
	};

	return names[offload];
}

static int parse_offload(struct host_options *o, const char *text)
{
	for (o->offload = HOST_OFFLOAD_OFF; o->offload <= HOST_OFFLOAD_TSO;
	     o->offload++) {
		if (!strcmp(text, host_offload_name(o->offload)))
			return STATUS_OK;
	}
	return cli_usage("--offload %s: it is on, tso or off", text);
}

static int parse_option(struct host_options *o, int opt)
{
	switch (opt) {
	case 'a':
		return parse_address(o, optarg);
	case 'g':
		return parse_gateway(o, optarg);
	case 'm':
		return parse_mac(o, optarg);
	case 'i':
		o->plain_ip = true;
		return STATUS_OK;
	case 'o':
		return parse_offload(o, optarg);
	case 'h':
		o->help = true;
		return STATUS_OK;
	default:
		return STATUS_USAGE;
	}
}

int host_parse(struct host_options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "address", required_argument, NULL, 'a' },
		{ "gateway", required_argument, NULL, 'g' },
		{ "mac", required_argument, NULL, 'm' },
		{ "ip", no_argument, NULL, 'i' },
		{ "offload", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int status;
	int opt;

	o->offload = HOST_OFFLOAD_TSO;
	while ((opt = cli_option(argc, argv, options)) != -1) {
		status = parse_option(o, opt);
		if (status)
			return status;
		if (!o->help)
			continue;
		fputs(help, stdout);
		return STATUS_OK;
	}
	o->locator = cli_locator(argc, argv);
	return o->locator ? check(o) : STATUS_USAGE;
}
