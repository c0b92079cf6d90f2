/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of fdlink host. Knows nothing of lwIP. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

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
	"  --gateway ADDRESS         where other networks are reached; one for\n"
	"                            IPv4 and one for IPv6\n"
	"  --mac ADDRESS             link address; else a random one\n"
	"  --ip                      packets on a unix socket are plain IP, not\n"
	"                            Ethernet\n"
	"  --offload on|tso|off      on: super-packets to and from the stack,\n"
	"                            TCP's checksums left to the link;\n"
	"                            tso (default): what TCP sends is left uncut,\n"
	"                            too; off: the stack does all of it\n"
	"  --help                    this text\n"
	"\n"
	"LOCATOR: tap:NAME tun:NAME packet:IFACE fd:N seqpacket:PATH\n"
	"unixgram:PATH, with options as fdlink(1) lists them.\n"
	"\n"
	"On packet:IFACE the host has a link address of its own, beside the\n"
	"kernel's; a device that filters by address needs the option promisc.\n"
	"The kernel gets the same frames: give the host an address that the\n"
	"kernel does not have, or it will answer, too.\n"
	"\n"
	"SIGUSR1 prints the counters; SIGINT and SIGTERM print them and end.\n";

/* Bytes of a network address in text, or 0: it is none. */
static unsigned parse_ip(const char *text, uint8_t *bytes)
{
	if (inet_pton(AF_INET, text, bytes) == 1)
		return 4;
	return inet_pton(AF_INET6, text, bytes) == 1 ? 16 : 0;
}

/* Neither multicast nor "any". */
static bool is_host(const struct host_address *a, unsigned len)
{
	static const uint8_t any[16];

	if (!memcmp(a->bytes, any, len))
		return false;
	return len == 4 ? a->bytes[0] < 224 : a->bytes[0] != 0xff;
}

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

static int parse_address(struct host_options *o, const char *text)
{
	struct host_address a = { .text = text };
	char ip[INET6_ADDRSTRLEN] = "";
	const char *slash = strchr(text, '/');
	unsigned long prefix;
	unsigned len;
	char *end;

	if (!slash)
		return cli_usage("--address %s has no prefix: give it as "
				 "%s/24, or /64 for IPv6",
				 text, text);
	if ((size_t)(slash - text) < sizeof(ip))
		memcpy(ip, text, (size_t)(slash - text));
	len = parse_ip(ip, a.bytes);
	if (!len || !is_host(&a, len))
		return cli_usage("--address %s is no host's IPv4 or IPv6 "
				 "address: give it as 192.0.2.2/24 or "
				 "fd00::2/64",
				 text);
	prefix = strtoul(slash + 1, &end, 10);
	if (slash[1] < '0' || slash[1] > '9' || *end || prefix > len * 8)
		return cli_usage("--address %s: the prefix must be a number "
				 "from 0 to %u",
				 text, len * 8);
	a.prefix = (unsigned)prefix;
	return store_address(o, &a, len);
}

static int parse_gateway(struct host_options *o, const char *text)
{
	struct host_address a = { .text = text };
	struct host_address *slot;
	unsigned len;

	len = parse_ip(text, a.bytes);
	if (!len || !is_host(&a, len))
		return cli_usage("--gateway %s is no host's IPv4 or IPv6 "
				 "address: give it as 192.0.2.1 or fd00::1",
				 text);
	slot = len == 4 ? &o->gateway4 : &o->gateway6;
	if (slot->text)
		return cli_usage("--gateway %s: there is %s already", text,
				 slot->text);
	*slot = a;
	return STATUS_OK;
}

static int parse_mac(struct host_options *o, const char *text)
{
	static const uint8_t zero[6];
	uint8_t *m = o->mac;
	int end = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", m, m + 1,
		   m + 2, m + 3, m + 4, m + 5, &end) != 6 ||
	    text[end] ||
	    strspn(text, "0123456789abcdefABCDEF:") != strlen(text))
		return cli_usage("--mac %s is no link address: give it as "
				 "02:00:00:00:00:01",
				 text);
	if (m[0] & 1 || !memcmp(m, zero, sizeof(zero)))
		return cli_usage("--mac %s is no station's address: its first "
				 "byte must be even, and not all may be 0",
				 text);
	o->has_mac = true;
	return STATUS_OK;
}

static bool same_network(const struct host_address *a,
			 const struct host_address *b, unsigned prefix)
{
	const unsigned whole = prefix / 8;
	const uint8_t mask = (uint8_t)(0xff00 >> prefix % 8);

	if (memcmp(a->bytes, b->bytes, whole))
		return false;
	return !(prefix % 8) || !((a->bytes[whole] ^ b->bytes[whole]) & mask);
}

static bool reachable6(const struct host_options *o)
{
	const uint8_t *gateway = o->gateway6.bytes;
	unsigned i;

	if (gateway[0] == 0xfe && (gateway[1] & 0xc0) == 0x80)
		return true;
	for (i = 0; i < o->n_ip6; i++) {
		if (same_network(&o->gateway6, &o->ip6[i], o->ip6[i].prefix))
			return true;
	}
	return false;
}

static int check(const struct host_options *o)
{
	const char *lost = NULL;

	if (!o->ip4.text && !o->n_ip6)
		return cli_usage("host needs an --address, such as 192.0.2.2/24"
				 " or fd00::2/64");
	if (o->gateway4.text &&
	    (!o->ip4.text ||
	     !same_network(&o->gateway4, &o->ip4, o->ip4.prefix)))
		lost = o->gateway4.text;
	if (o->gateway6.text && !reachable6(o))
		lost = o->gateway6.text;
	if (lost)
		return cli_usage("--gateway %s is in the network of no "
				 "--address",
				 lost);
	return STATUS_OK;
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

static int parse_option(struct host_options *o, int opt, char **argv)
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
		return cli_bad_option(opt, argv);
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
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		status = parse_option(o, opt, argv);
		if (status)
			return status;
		if (o->help)
			return fputs(help, stdout) < 0;
	}
	if (argc - optind != 1)
		return cli_usage("host takes one LOCATOR, not %d: see 'fdlink "
				 "host --help'",
				 argc - optind);
	o->locator = argv[optind];
	return check(o);
}
