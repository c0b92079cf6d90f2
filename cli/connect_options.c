/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of fdlink connect. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "connect.h"

static const char help[] =
	"Usage: fdlink connect A B [OPTION]...\n"
	"\n"
	"Be a wire between two links of one medium: what arrives at A leaves at\n"
	"B, and the other way round. Frames pass as they are. Offloads pass where\n"
	"both links have them, and are done here where one has not.\n"
	"\n"
	"  --stats SECONDS    a line that often: packets, bits, drops each way\n"
	"  --json             lines and counters as JSON\n"
	"  --ip               unix sockets carry plain IP, not Ethernet\n"
	"  --mtu-signal       tell senders of packets too long for the other end\n"
	"  --control PATH     HTTP on a unix socket: /stats.json, /metrics, /link\n"
	"  --user NAME        be that user once the links are open\n"
	"  --no-sandbox       keep capabilities, and all system calls\n"
	"\n"
	"A wire that is not in order; each value counts for both ways, or as A,B\n"
	"for what comes from A and for what comes from B:\n"
	"  --rate BITS        bits a second, as 10M; up to 1000T\n"
	"  --delay TIME       as 10ms, 250us, 1s\n"
	"  --jitter TIME      delay up to so much more or less, in order\n"
	"  --loss PERCENT     so many packets are lost\n"
	"  --reorder PERCENT  so many come late, behind others\n"
	"  --late TIME        how late these are; default 5ms\n"
	"  --duplicate PERCENT  so many come twice\n"
	"  --seed NUMBER      other packets are meant; default 1\n"
	"\n"
	"  -h, --help         this text\n"
	"\n"
	"A, B: each a LOCATOR.\n" CLI_LOCATORS "\n"
	"Examples:\n"
	"QEMU's -netdev stream,server=off,addr.type=unix,addr.path=/tmp/vm:\n"
	"  fdlink connect tap:tap0 stream:/tmp/vm,listen,reconnect\n"
	"QEMU's -netdev dgram, whose local.path is /tmp/vm and remote.path /tmp/wire:\n"
	"  fdlink connect tap:tap0 unixgram:/tmp/vm,local=/tmp/wire,reconnect\n"
	"A namespace's veth:\n"
	"  fdlink connect tap:tap0 packet:veth0,netns=lab\n"
	"Two machines over UDP, on each of them, with the addresses swapped:\n"
	"  fdlink connect tap:tap0 udp:192.0.2.2:5000,local=192.0.2.1:5000\n"
	"A lab's cable:\n"
	"  fdlink connect tap:a tap:b --delay 20ms --loss 0.1\n"
	"\n"
	"SIGUSR1 prints the counters; SIGINT and SIGTERM print them and end.\n";

enum {
	MOST_SECONDS = 3600,
	MILLION = 1000000,
};

static const uint64_t NS = 1000000000;

/* A suffix, and what it multiplies by. */
struct unit {
	const char *name;
	double factor;
};

/* One value of an option: a number with a unit, from 0 to max units of 1. */
struct measure {
	const struct unit *units;
	double max;
	const char *as;		/* an example */
};

static const struct unit time_units[] = {
	{ "us", 1e3 },
	{ "ms", 1e6 },
	{ "s", 1e9 },
	{ NULL, 0 },
};

static const struct unit rate_units[] = {
	{ "k", 1e3 }, { "M", 1e6 }, { "G", 1e9 },
	{ "T", 1e12 }, { "", 1 }, { NULL, 0 },
};

static const struct unit percent_units[] = {
	{ "%", 1e4 },
	{ "", 1e4 },
	{ NULL, 0 },
};

static const struct measure a_time = { time_units, 60e9, "10ms, up to 60s" };
static const struct measure a_rate = { rate_units, 1e15, "10M, up to 1000T" };
static const struct measure a_chance = { percent_units, MILLION,
					 "0.5, up to 100" };

/* Returns a negative number where text[0..len) is no value. */
static double parse_value(const struct measure *m, const char *text, size_t len)
{
	char copy[32] = "";
	const struct unit *unit;
	double value;
	char *end;

	if (!len || len >= sizeof(copy) || text[0] < '0' || text[0] > '9')
		return -1;
	memcpy(copy, text, len);
	value = strtod(copy, &end);
	for (unit = m->units; unit->name; unit++) {
		if (!strcmp(end, unit->name))
			break;
	}
	value = round(value * unit->factor);
	return unit->name && value <= m->max ? value : -1;
}

/* One value for both ways, or two: value[] gets both. */
static int parse_values(const char *name, const struct measure *m,
			const char *text, double value[CONNECT_ENDS])
{
	const char *comma = strchr(text, ',');
	const size_t len = comma ? (size_t)(comma - text) : strlen(text);

	value[0] = parse_value(m, text, len);
	value[1] = value[0];
	if (comma)
		value[1] = parse_value(m, comma + 1, strlen(comma + 1));
	if (value[0] >= 0 && value[1] >= 0)
		return STATUS_OK;
	return cli_usage("--%s %s: give a value such as %s, or two with a "
			 "comma between, for the way from A and from B",
			 name, text, m->as);
}

static int parse_times(const char *name, const char *text, uint64_t *a,
		       uint64_t *b)
{
	double value[CONNECT_ENDS];
	const int status = parse_values(name, &a_time, text, value);

	if (status)
		return status;
	*a = (uint64_t)value[0];
	*b = (uint64_t)value[1];
	return STATUS_OK;
}

static int parse_rates(const char *text, uint64_t *a, uint64_t *b)
{
	double value[CONNECT_ENDS];
	const int status = parse_values("rate", &a_rate, text, value);

	if (status)
		return status;
	*a = (uint64_t)value[0];
	*b = (uint64_t)value[1];
	if (*a && *b)
		return STATUS_OK;
	return cli_usage("--rate %s: at 0 bits a second nothing passes: leave "
			 "out --rate for no limit",
			 text);
}

static int parse_chances(const char *name, const char *text, uint32_t *a,
			 uint32_t *b)
{
	double value[CONNECT_ENDS];
	const int status = parse_values(name, &a_chance, text, value);

	if (status)
		return status;
	*a = (uint32_t)value[0];
	*b = (uint32_t)value[1];
	return STATUS_OK;
}

static int parse_seed(struct connect_options *o, const char *text)
{
	char *end;

	errno = 0;
	o->seed = strtoull(text, &end, 0);
	if (!errno && !*end && text[0] >= '0' && text[0] <= '9')
		return STATUS_OK;
	return cli_usage("--seed %s: give a number from 0 to %llu", text,
			 (unsigned long long)UINT64_MAX);
}

static int parse_stats(struct connect_options *o, const char *text)
{
	char *end;
	const unsigned long s = strtoul(text, &end, 10);

	if (text[0] >= '0' && text[0] <= '9' && !*end && s >= 1 &&
	    s <= MOST_SECONDS) {
		o->stats_s = (unsigned)s;
		return STATUS_OK;
	}
	return cli_usage("--stats %s: give a number of seconds from 1 to %d",
			 text, MOST_SECONDS);
}

static int parse_control(struct connect_options *o, const char *text)
{
	o->control = text;
#ifdef HAVE_MICROHTTPD
	return STATUS_OK;
#else
	return cli_usage("--control %s: this fdlink was built without "
			 "libmicrohttpd, which that needs",
			 text);
#endif
}

static int parse_user(struct connect_options *o, const char *text)
{
	if (!sandbox_find_user(&o->user, text))
		return cli_usage(
			"--user %s: there is no such user: see 'getent "
			"passwd'",
			text);
	if (!strstr(sandbox_missing(), "libcap-ng"))
		return STATUS_OK;
	return cli_usage("--user %s: this fdlink was built without libcap-ng, "
			 "which that needs",
			 text);
}

static int parse_impairment(struct connect_options *o, int opt)
{
	struct impair_options *a = &o->impair[0], *b = &o->impair[1];

	switch (opt) {
	case 'R':
		return parse_rates(optarg, &a->rate, &b->rate);
	case 'D':
		return parse_times("delay", optarg, &a->delay_ns, &b->delay_ns);
	case 'J':
		return parse_times("jitter", optarg, &a->jitter_ns,
				   &b->jitter_ns);
	case 'T':
		return parse_times("late", optarg, &a->late_ns, &b->late_ns);
	case 'L':
		return parse_chances("loss", optarg, &a->loss, &b->loss);
	case 'O':
		return parse_chances("reorder", optarg, &a->reorder,
				     &b->reorder);
	case 'U':
		return parse_chances("duplicate", optarg, &a->duplicate,
				     &b->duplicate);
	default:
		return STATUS_USAGE;
	}
}

static int parse_option(struct connect_options *o, int opt)
{
	switch (opt) {
	case 's':
		return parse_stats(o, optarg);
	case 'S':
		return parse_seed(o, optarg);
	case 'j':
		o->json = true;
		return STATUS_OK;
	case 'i':
		o->plain_ip = true;
		return STATUS_OK;
	case 'm':
		o->mtu_signal = true;
		return STATUS_OK;
	case 'c':
		return parse_control(o, optarg);
	case 'n':
		o->no_sandbox = true;
		return STATUS_OK;
	case 'u':
		return parse_user(o, optarg);
	case 'h':
		o->help = true;
		fputs(help, stdout);
		return STATUS_OK;
	default:
		return parse_impairment(o, opt);
	}
}

static int parse_ends(struct connect_options *o, int argc, char **argv)
{
	const int n = argc - optind;

	if (n > CONNECT_ENDS)
		return cli_usage("connect joins two links, and %s is one more: "
				 "see 'fdlink connect --help'",
				 argv[optind + CONNECT_ENDS]);
	if (n < CONNECT_ENDS)
		return cli_usage("connect needs two links, such as tap:tap0 "
				 "packet:eth0: see 'fdlink connect --help'");
	o->locator[0] = argv[optind];
	o->locator[1] = argv[optind + 1];
	return STATUS_OK;
}

bool connect_impairs(const struct connect_options *o)
{
	return impair_any(&o->impair[0]) || impair_any(&o->impair[1]);
}

int connect_parse(struct connect_options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{ "stats", required_argument, NULL, 's' },
		{ "json", no_argument, NULL, 'j' },
		{ "ip", no_argument, NULL, 'i' },
		{ "mtu-signal", no_argument, NULL, 'm' },
		{ "control", required_argument, NULL, 'c' },
		{ "user", required_argument, NULL, 'u' },
		{ "no-sandbox", no_argument, NULL, 'n' },
		{ "rate", required_argument, NULL, 'R' },
		{ "delay", required_argument, NULL, 'D' },
		{ "jitter", required_argument, NULL, 'J' },
		{ "loss", required_argument, NULL, 'L' },
		{ "reorder", required_argument, NULL, 'O' },
		{ "late", required_argument, NULL, 'T' },
		{ "duplicate", required_argument, NULL, 'U' },
		{ "seed", required_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int status;
	int opt;

	o->seed = 1;
	o->impair[0].late_ns = 5 * NS / 1000;
	o->impair[1].late_ns = 5 * NS / 1000;
	while ((opt = cli_option(argc, argv, options)) != -1) {
		status = parse_option(o, opt);
		if (status || o->help)
			return status;
	}
	if (o->user.name && o->no_sandbox)
		return cli_usage("--user %s: that is part of the sandbox: "
				 "leave out --no-sandbox",
				 o->user.name);
	return parse_ends(o, argc, argv);
}
