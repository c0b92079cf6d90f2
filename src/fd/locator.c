/* SPDX-License-Identifier: Apache-2.0 */
#include "fd/locator.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
	MTU_MIN = 68,
	MTU_MAX = 65535,
	RCVBUF_MIN = 4096,
	RCVBUF_MAX = INT_MAX / 2, /* the kernel doubles it */
	ALL_KINDS = (1 << (LOCATOR_FD + 1)) - 1,
};

/* One option: which kinds take it, and how its value is taken. */
struct option {
	const char *name;
	unsigned kinds; /* 1 << enum locator_kind */
	bool has_value;
	int (*take)(struct locator *loc, const char *value,
		    const struct log *log);
};

/* Form of what follows KIND: */
struct kind {
	const char *name;
	int (*take)(struct locator *loc, const char *value,
		    const struct log *log);
};

static int bad_form(const struct log *log)
{
	log_say(log, FDL_LOG_ERR,
		"a locator is KIND:NAME[,OPTION]...: "
		"tap:NAME, tun:NAME, packet:IFACE, seqpacket:PATH, "
		"unixgram:PATH, fd:N, fd:NAME");
	log_say(log, FDL_LOG_ERR,
		"options: mtu=BYTES (68 to 65535); queues=N, netns=NAME (tap, "
		"tun, packet); offload=on|off (not packet, fd); listen "
		"(seqpacket, unixgram); local=PATH (unixgram); promisc, "
		"rollover, outgoing=on|off, fanout=hash|lb|cpu|rollover|rnd|qm, "
		"rcvbuf=BYTES (packet)");
	return -EINVAL;
}

/* Digits only. False: something else, or more than max. */
static bool take_number(const char *text, uint32_t max, uint32_t *number)
{
	uint64_t n = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
		if (n > max)
			return false;
	}
	*number = (uint32_t)n;
	return true;
}

/* The kernel's rule (dev_valid_name), and no '%', which it would expand. */
static bool is_device_name(const char *name)
{
	if (!strcmp(name, ".") || !strcmp(name, "..") ||
	    strlen(name) >= IF_NAMESIZE)
		return false;
	for (; *name; name++)
		if (strchr("/:%", *name) || isspace((unsigned char)*name))
			return false;
	return true;
}

static int take_device(struct locator *loc, const char *value,
		       const struct log *log)
{
	if (!is_device_name(value)) {
		log_say(log, FDL_LOG_ERR,
			"%.40s is no interface name: up to %d characters "
			"without blanks, '/', ':' and '%%'",
			value, IF_NAMESIZE - 1);
		return -EINVAL;
	}
	strcpy(loc->name, value);
	return 0;
}

static int copy_path(char *to, const char *value, const struct log *log)
{
	if (!strcmp(value, "@")) {
		log_say(log, FDL_LOG_ERR,
			"@ is an abstract address without a name: "
			"put one behind it");
		return -EINVAL;
	}
	if (strlen(value) >= LOCATOR_PATH_SIZE) {
		log_say(log, FDL_LOG_ERR,
			"%.40s... is too long for a unix socket: "
			"%d bytes at most",
			value, LOCATOR_PATH_SIZE - 1);
		return -EINVAL;
	}
	strcpy(to, value);
	return 0;
}

static int take_path(struct locator *loc, const char *value,
		     const struct log *log)
{
	return copy_path(loc->name, value, log);
}

static int take_fd(struct locator *loc, const char *value,
		   const struct log *log)
{
	uint32_t fd;

	if (take_number(value, INT_MAX, &fd)) {
		loc->fd = (int)fd;
		return 0;
	}
	if (strspn(value, "0123456789") == strlen(value) ||
	    strlen(value) >= sizeof(loc->name)) {
		log_say(log, FDL_LOG_ERR,
			"fd:%.40s is no fd: a number from 0 on, or a name "
			"of up to %d bytes",
			value, LOCATOR_PATH_SIZE - 1);
		return -EINVAL;
	}
	strcpy(loc->name, value);
	return 0;
}

static int take_mtu(struct locator *loc, const char *value,
		    const struct log *log)
{
	if (take_number(value, MTU_MAX, &loc->mtu) && loc->mtu >= MTU_MIN)
		return 0;
	log_say(log, FDL_LOG_ERR, "mtu=%.40s is out of range: %d to %d", value,
		MTU_MIN, MTU_MAX);
	return -EINVAL;
}

static int take_queues(struct locator *loc, const char *value,
		       const struct log *log)
{
	if (take_number(value, LOCATOR_MAX_QUEUES, &loc->queues) && loc->queues)
		return 0;
	log_say(log, FDL_LOG_ERR, "queues=%.40s is out of range: 1 to %d",
		value, LOCATOR_MAX_QUEUES);
	return -EINVAL;
}

static int take_rcvbuf(struct locator *loc, const char *value,
		       const struct log *log)
{
	if (take_number(value, RCVBUF_MAX, &loc->rcvbuf) &&
	    loc->rcvbuf >= RCVBUF_MIN)
		return 0;
	log_say(log, FDL_LOG_ERR, "rcvbuf=%.40s is out of range: %d to %d",
		value, RCVBUF_MIN, RCVBUF_MAX);
	return -EINVAL;
}

static int take_fanout(struct locator *loc, const char *value,
		       const struct log *log)
{
	enum fdl_fanout how;

	for (how = FDL_FANOUT_HASH; fanout_name(how); how++) {
		if (strcmp(value, fanout_name(how)))
			continue;
		loc->fanout.how = how;
		return 0;
	}
	log_say(log, FDL_LOG_ERR,
		"fanout=%.40s is not known: hash, lb, cpu, rollover, rnd or qm",
		value);
	return -EINVAL;
}

static int take_switch(int8_t *to, const char *name, const char *value,
		       const struct log *log)
{
	if (!strcmp(value, "on"))
		*to = 1;
	else if (!strcmp(value, "off"))
		*to = -1;
	else
		*to = 0;
	if (*to)
		return 0;
	log_say(log, FDL_LOG_ERR, "%s=%.40s is neither on nor off", name,
		value);
	return -EINVAL;
}

static int take_outgoing(struct locator *loc, const char *value,
			 const struct log *log)
{
	return take_switch(&loc->outgoing, "outgoing", value, log);
}

static int take_offload(struct locator *loc, const char *value,
			const struct log *log)
{
	return take_switch(&loc->offload, "offload", value, log);
}

static int take_rollover(struct locator *loc, const char *value,
			 const struct log *log)
{
	(void)value;
	(void)log;
	loc->fanout.rollover = true;
	return 0;
}

static int take_netns(struct locator *loc, const char *value,
		      const struct log *log)
{
	if (strlen(value) < sizeof(loc->netns) && strcmp(value, ".") &&
	    strcmp(value, "..")) {
		strcpy(loc->netns, value);
		return 0;
	}
	log_say(log, FDL_LOG_ERR,
		"netns=%.40s is no namespace: a name of ip-netns(8) or a path, "
		"up to %d bytes",
		value, LOCATOR_NETNS_SIZE - 1);
	return -EINVAL;
}

static int take_promisc(struct locator *loc, const char *value,
			const struct log *log)
{
	(void)value;
	(void)log;
	loc->promisc = true;
	return 0;
}

static int take_listen(struct locator *loc, const char *value,
		       const struct log *log)
{
	(void)value;
	(void)log;
	loc->listen = true;
	return 0;
}

static int take_local(struct locator *loc, const char *value,
		      const struct log *log)
{
	return copy_path(loc->local, value, log);
}

static const struct kind kinds[] = {
	[LOCATOR_TAP] = { "tap", take_device },
	[LOCATOR_TUN] = { "tun", take_device },
	[LOCATOR_PACKET] = { "packet", take_device },
	[LOCATOR_SEQPACKET] = { "seqpacket", take_path },
	[LOCATOR_UNIXGRAM] = { "unixgram", take_path },
	[LOCATOR_FD] = { "fd", take_fd },
};

enum {
	N_KINDS = sizeof(kinds) / sizeof(kinds[0]),
	TUN_KINDS = 1 << LOCATOR_TAP | 1 << LOCATOR_TUN,
	UNIX_KINDS = 1 << LOCATOR_SEQPACKET | 1 << LOCATOR_UNIXGRAM,
	DEVICES = TUN_KINDS | 1 << LOCATOR_PACKET,
};

static const struct option options[] = {
	{ "mtu", ALL_KINDS, true, take_mtu },
	{ "netns", DEVICES, true, take_netns },
	{ "queues", DEVICES, true, take_queues },
	{ "promisc", 1 << LOCATOR_PACKET, false, take_promisc },
	{ "fanout", 1 << LOCATOR_PACKET, true, take_fanout },
	{ "rollover", 1 << LOCATOR_PACKET, false, take_rollover },
	{ "outgoing", 1 << LOCATOR_PACKET, true, take_outgoing },
	{ "rcvbuf", 1 << LOCATOR_PACKET, true, take_rcvbuf },
	{ "offload", TUN_KINDS | UNIX_KINDS, true, take_offload },
	{ "listen", UNIX_KINDS, false, take_listen },
	{ "local", 1 << LOCATOR_UNIXGRAM, true, take_local },
};

enum { N_OPTIONS = sizeof(options) / sizeof(options[0]) };

const char *locator_kind_name(enum locator_kind kind)
{
	return kinds[kind].name;
}

static int find_kind(const char *name)
{
	for (int i = 0; i < N_KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			return i;
	return -1;
}

static int find_option(const char *name)
{
	for (int i = 0; i < N_OPTIONS; i++)
		if (!strcmp(options[i].name, name))
			return i;
	return -1;
}

static int refuse_kind(const struct option *opt, const struct locator *loc,
		       const struct log *log)
{
	char takers[64] = "";
	size_t at = 0;

	for (int i = 0; i < N_KINDS; i++)
		if (opt->kinds & 1u << i)
			at += (size_t)snprintf(takers + at, sizeof(takers) - at,
					       "%s%s", at ? ", " : "",
					       kinds[i].name);
	log_say(log, FDL_LOG_ERR, "%s is no option of %s: it is for %s",
		opt->name, kinds[loc->kind].name, takers);
	return -EINVAL;
}

/* seen: the options that were there before, by number. */
static int parse_option(struct locator *loc, char *text, unsigned *seen,
			const struct log *log)
{
	const char *name = strsep(&text, "=");
	const struct option *opt;
	int i = find_option(name);

	if (i < 0) {
		log_say(log, FDL_LOG_ERR, "unknown option \"%.40s\"", name);
		return bad_form(log);
	}
	opt = &options[i];
	if (!(opt->kinds & 1u << loc->kind))
		return refuse_kind(opt, loc, log);
	if (*seen & 1u << i) {
		log_say(log, FDL_LOG_ERR, "%s is there twice: keep one", name);
		return -EINVAL;
	}
	*seen |= 1u << i;
	if (opt->has_value ? !text || !*text : text != NULL) {
		log_say(log, FDL_LOG_ERR,
			opt->has_value ? "option %s needs a value" :
					 "option %s takes no value",
			name);
		return bad_form(log);
	}
	return opt->take(loc, text, log);
}

static int parse_kind(struct locator *loc, char *text, const struct log *log)
{
	const char *name = strsep(&text, ":");
	int kind = find_kind(name);

	if (!text) {
		log_say(log, FDL_LOG_ERR, "\"%.40s\" is no locator", name);
		return bad_form(log);
	}
	if (kind < 0) {
		log_say(log, FDL_LOG_ERR, "unknown kind \"%.40s\"", name);
		return bad_form(log);
	}
	if (!*text) {
		log_say(log, FDL_LOG_ERR, "no name behind \"%s:\"", name);
		return bad_form(log);
	}
	loc->kind = (enum locator_kind)kind;
	return kinds[kind].take(loc, text, log);
}

int locator_parse(struct locator *loc, const char *text, const struct log *log)
{
	char copy[LOCATOR_TEXT_SIZE];
	char *rest = copy, *part;
	unsigned seen = 0;
	int err;

	memset(loc, 0, sizeof(*loc));
	loc->fd = -1;
	loc->queues = 1;
	if (!text || strlen(text) >= sizeof(copy)) {
		log_say(log, FDL_LOG_ERR,
			text ? "the locator is too long" :
			       "there is no locator (NULL)");
		return bad_form(log);
	}
	strcpy(copy, text);
	err = parse_kind(loc, strsep(&rest, ","), log);
	while (!err && (part = strsep(&rest, ",")))
		err = parse_option(loc, part, &seen, log);
	if (err)
		return err;
	if (loc->listen && *loc->local) {
		log_say(log, FDL_LOG_ERR,
			"listen and local= contradict each other: with listen "
			"%.107s is our own address",
			loc->name);
		return -EINVAL;
	}
	return 0;
}
