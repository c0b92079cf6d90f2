/* SPDX-License-Identifier: Apache-2.0 */
#include "fd/locator.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <string.h>
#include <sys/un.h>

enum {
	MTU_MIN = 68,
	MTU_MAX = 65535,
	RCVBUF_MIN = 4096,
	RCVBUF_MAX = INT_MAX / 2, /* the kernel doubles it */
	PATH_SIZE = sizeof(((struct sockaddr_un *)0)->sun_path),
};

bool locator_number(const char *text, uint32_t max, uint32_t *number)
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

/* The kernel's rule (dev_valid_name); and no '%', because the kernel would
 * expand it. */
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

int locator_take_device(struct locator *loc, char *to, const char *value,
			const struct log *log)
{
	(void)loc;
	if (!is_device_name(value)) {
		log_say(log, FDL_LOG_ERR,
			"%.40s is no interface name: up to %d characters "
			"without blanks, '/', ':' and '%%'",
			value, IF_NAMESIZE - 1);
		return -EINVAL;
	}
	strcpy(to, value);
	return 0;
}

int locator_take_path(struct locator *loc, char *to, const char *value,
		      const struct log *log)
{
	if (!strcmp(value, "@")) {
		log_say(log, FDL_LOG_ERR,
			"@ is an abstract address without a name: "
			"put one behind it");
		return -EINVAL;
	}
	if (strlen(value) >= PATH_SIZE) {
		log_say(log, FDL_LOG_ERR,
			"%.40s... is too long for a unix socket: "
			"%d bytes at most",
			value, PATH_SIZE - 1);
		return -EINVAL;
	}
	if (to == loc->name)
		loc->is_path = *value != '@';
	strcpy(to, value);
	return 0;
}

static int take_mtu(struct locator *loc, const char *value,
		    const struct log *log)
{
	if (locator_number(value, MTU_MAX, &loc->mtu) && loc->mtu >= MTU_MIN)
		return 0;
	log_say(log, FDL_LOG_ERR, "mtu=%.40s is out of range: %d to %d", value,
		MTU_MIN, MTU_MAX);
	return -EINVAL;
}

static int take_queues(struct locator *loc, const char *value,
		       const struct log *log)
{
	if (locator_number(value, LOCATOR_MAX_QUEUES, &loc->queues) &&
	    loc->queues)
		return 0;
	log_say(log, FDL_LOG_ERR, "queues=%.40s is out of range: 1 to %d",
		value, LOCATOR_MAX_QUEUES);
	return -EINVAL;
}

static int take_rcvbuf(struct locator *loc, const char *value,
		       const struct log *log)
{
	if (locator_number(value, RCVBUF_MAX, &loc->rcvbuf) &&
	    loc->rcvbuf >= RCVBUF_MIN)
		return 0;
	log_say(log, FDL_LOG_ERR, "rcvbuf=%.40s is out of range: %d to %d",
		value, RCVBUF_MIN, RCVBUF_MAX);
	return -EINVAL;
}

static const char *const fanouts[] = {
	[FDL_FANOUT_HASH] = "hash", [FDL_FANOUT_LB] = "lb",
	[FDL_FANOUT_CPU] = "cpu",   [FDL_FANOUT_ROLLOVER] = "rollover",
	[FDL_FANOUT_RND] = "rnd",   [FDL_FANOUT_QM] = "qm",
};

static int take_fanout(struct locator *loc, const char *value,
		       const struct log *log)
{
	size_t how;

	for (how = FDL_FANOUT_HASH; how < sizeof(fanouts) / sizeof(fanouts[0]);
	     how++) {
		if (strcmp(value, fanouts[how]))
			continue;
		loc->fanout.how = (enum fdl_fanout)how;
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
	if (strcmp(value, "v1") == 0)
		loc->offload = LOCATOR_V1;
	else if (strcmp(value, "on") == 0)
		loc->offload = 1;
	else if (strcmp(value, "off") == 0)
		loc->offload = -1;
	else
		log_say(log, FDL_LOG_ERR,
			"offload=%.40s is neither on, off nor v1", value);
	return loc->offload ? 0 : -EINVAL;
}

static int take_carrier(struct locator *loc, const char *value,
			const struct log *log)
{
	return take_switch(&loc->carrier, "carrier", value, log);
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

static int take_vfkit(struct locator *loc, const char *value,
		      const struct log *log)
{
	(void)value;
	(void)log;
	loc->vfkit = true;
	return 0;
}

static int take_wait(struct locator *loc, const char *value,
		     const struct log *log)
{
	(void)value;
	(void)log;
	loc->wait = true;
	return 0;
}

static int take_reconnect(struct locator *loc, const char *value,
			  const struct log *log)
{
	(void)value;
	(void)log;
	loc->reconnect = true;
	return 0;
}

const struct locator_option_form locator_options[LOCATOR_OPTIONS] = {
	[OPTION_MTU] = { "mtu", "BYTES", take_mtu },
	[OPTION_NETNS] = { "netns", "NAME", take_netns },
	[OPTION_QUEUES] = { "queues", "N", take_queues },
	[OPTION_PROMISC] = { "promisc", "", take_promisc },
	[OPTION_FANOUT] = { "fanout", "hash|lb|cpu|rollover|rnd|qm",
			    take_fanout },
	[OPTION_ROLLOVER] = { "rollover", "", take_rollover },
	[OPTION_OUTGOING] = { "outgoing", "on|off", take_outgoing },
	[OPTION_RCVBUF] = { "rcvbuf", "BYTES", take_rcvbuf },
	[OPTION_OFFLOAD] = { "offload", "on|off|v1", take_offload },
	[OPTION_CARRIER] = { "carrier", "on|off", take_carrier },
	[OPTION_LISTEN] = { "listen", "", take_listen },
	[OPTION_WAIT] = { "wait", "", take_wait },
	[OPTION_RECONNECT] = { "reconnect", "", take_reconnect },
	[OPTION_LOCAL] = { "local", NULL, NULL },
	[OPTION_VFKIT] = { "vfkit", "", take_vfkit },
};
