/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of the wire, opened so that they fit each other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fdlink/open.h>

#include "cli.h"
#include "connect.h"
#include "opener.h"
#include "signals.h"

/* What is known of an end before it is opened. */
struct end {
	const char *locator;
	enum fdl_medium medium;
	uint32_t mtu;		/* of its device; 0: it has none */
	bool reopens;		/* its device is opened anew when it is back */
	struct fdl_options options;
};

enum {
	/* Packets that are under way stay in the pool that they came from. */
	IMPAIRED_POOL = IMPAIR_ROOM + 1024,
	WIRE_POOL = 1024,
	/* Of BIG TCP. The other end cuts what it does not take, and copies
	 * nothing for that. */
	LONGEST = 524280,
};

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* Of a device that does not exist yet the locator tells the medium. */
static void look_at(struct end *end, const char *locator)
{
	struct fdl_info info = { 0 };

	fdl_probe(locator, &info, sizeof(info), NULL, NULL);
	end->locator = locator;
	end->medium = info.medium;
	end->mtu = info.device ? info.mtu : 0;
	end->reopens = strstr(locator, ",reconnect") &&
		       !starts_with(locator, "fd:") &&
		       info.medium != FDL_MEDIUM_AGREED;
}

static int check_media(const struct connect_options *o, const struct end *a,
		       const struct end *b)
{
	const struct end *ip = a->medium == FDL_MEDIUM_IP ? a : b;
	const struct end *ethernet = a->medium == FDL_MEDIUM_ETHERNET ? a : b;

	if (ip->medium == FDL_MEDIUM_IP &&
	    ethernet->medium == FDL_MEDIUM_ETHERNET)
		return cli_usage("%s carries IP packets and %s Ethernet "
				 "frames: a wire joins links of one medium: "
				 "take two TUNs, or two TAPs",
				 ip->locator, ethernet->locator);
	if (o->plain_ip && ethernet->medium == FDL_MEDIUM_ETHERNET)
		return cli_usage("%s carries Ethernet frames: leave out --ip",
				 ethernet->locator);
	return STATUS_OK;
}

/* A wire takes what is for any station. Returns NULL: no memory. */
static char *promiscuous(const char *locator)
{
	static const char promisc[] = ",promisc";
	const bool add = starts_with(locator, "packet:") &&
			 !strstr(locator, promisc);
	const size_t len = strlen(locator);
	char *text = calloc(1, len + sizeof(promisc));

	if (!text)
		return NULL;
	memcpy(text, locator, len);
	if (add)
		memcpy(text + len, promisc, sizeof(promisc));
	return text;
}

/* While a link is opened, what is said names it already. */
static void say(void *named, int level, const char *msg)
{
	const char *const *locator = named;

	if (!*locator)
		signals_log(NULL, level, msg);
	else if (!signals_stop())
		cli_say("%s: %s", *locator, msg);
}

/* What is to be opened, and how. */
static void choose_options(const struct connect_options *o, struct end *end,
			   const struct end *other)
{
	const bool impairs = connect_impairs(o);
	struct fdl_options *options = &end->options;

	*options = (struct fdl_options){
		.size = sizeof(*options),
		.flags = FDL_RX_CSUM | FDL_NO_METADATA,
		.gso_max_size = LONGEST,
		.pool = impairs ? IMPAIRED_POOL : WIRE_POOL,
		.batch = 64,
		.log = say,
	};
	/* One packet is lost at a time, not a super-packet of many. */
	if (!impairs)
		options->flags |= FDL_RX_GSO | FDL_RX_USO | FDL_RX_TUNNEL |
				  FDL_GRO;
	if (end->medium != FDL_MEDIUM_IP && other->medium != FDL_MEDIUM_IP &&
	    !o->plain_ip)
		options->flags |= FDL_ETHERNET;
	if (!end->mtu && !strstr(end->locator, ",mtu="))
		options->mtu = other->mtu < CONNECT_MTU ? other->mtu :
							  CONNECT_MTU;
}

/* Behind the sandbox nobody opens a device. Returns an exit status. */
static int start_opener(const struct connect_options *o, struct end *end,
			const char *locator, struct opener **opener)
{
	int rc;

	if (o->no_sandbox || !end->reopens)
		return STATUS_OK;
	rc = opener_start(opener, locator, &end->options);
	if (rc < 0)
		return cli_fail(end->locator, -rc);
	end->options.reopen = opener_ask;
	end->options.reopen_ctx = *opener;
	return STATUS_OK;
}

/* Returns an exit status. */
static int open_each(const struct connect_options *o,
		     struct end end[CONNECT_ENDS],
		     char *const locator[CONNECT_ENDS], struct links *links)
{
	int i, status = STATUS_OK;

	for (i = 0; !status && i < CONNECT_ENDS; i++) {
		choose_options(o, &end[i], &end[!i]);
		end[i].options.log_ctx = &links->named[i];
		status = start_opener(o, &end[i], locator[i],
				      &links->opener[i]);
	}
	for (i = 0; !status && i < CONNECT_ENDS; i++)
		status = cli_status(
			fdl_open(&links->ep[i], locator[i], &end[i].options));
	for (i = 0; !status && i < CONNECT_ENDS; i++)
		links->named[i] = o->locator[i];
	return status;
}

int connect_open(const struct connect_options *o, struct links *links)
{
	char *locator[CONNECT_ENDS];
	struct end end[CONNECT_ENDS];
	int i, status;

	for (i = 0; i < CONNECT_ENDS; i++) {
		look_at(&end[i], o->locator[i]);
		locator[i] = promiscuous(o->locator[i]);
	}
	status = check_media(o, &end[0], &end[1]);
	if (!status && !(locator[0] && locator[1]))
		status = cli_fail(end[0].locator, ENOMEM);
	if (!status)
		status = open_each(o, end, locator, links);
	if (status)
		connect_close(links);
	for (i = 0; i < CONNECT_ENDS; i++)
		free(locator[i]);
	return status;
}

void connect_close(struct links *links)
{
	int i;

	for (i = 0; i < CONNECT_ENDS; i++) {
		fdl_endpoint_free(links->ep[i]);
		opener_stop(links->opener[i]);
	}
	*links = (struct links){ 0 };
}
