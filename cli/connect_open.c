/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of the wire, opened so that they fit each other. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <fdlink/open.h>

#include "cli.h"
#include "connect.h"
#include "signals.h"

/* What is known of an end before it is opened. */
struct end {
	const char *locator;
	enum fdl_medium medium;
	uint32_t mtu;		/* of its device; 0: it has none */
	bool takes_super;	/* super-packets of TCP need not be cut for it */
};

enum {
	/* Packets that are under way stay in the pool that they came from. */
	IMPAIRED_POOL = IMPAIR_ROOM + 1024,
	WIRE_POOL = 1024,
};

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* Of a device that does not exist yet the locator tells the medium. */
static void look_at(struct end *end, const char *locator)
{
	struct fdl_info info = { 0 };
	const int rc = fdl_probe(locator, &info, sizeof(info), NULL, NULL);

	end->locator = locator;
	end->medium = info.medium;
	end->mtu = info.device ? info.mtu : 0;
	end->takes_super = !strstr(locator, ",offload=off");
	if (!rc && fdl_offload_refusal(&info, FDL_OFFLOAD_TSO4))
		end->takes_super = strstr(locator, ",offload=on");
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

static int open_end(const struct connect_options *o, const struct end *end,
		    const struct end *other, struct fdl_endpoint **ep)
{
	const bool impairs = connect_impairs(o);
	struct fdl_options options = {
		.size = sizeof(options),
		.flags = FDL_RX_CSUM,
		.pool = impairs ? IMPAIRED_POOL : WIRE_POOL,
		.batch = 64,
		.log = signals_log,
	};
	char *locator = promiscuous(end->locator);
	int rc;

	if (!locator) {
		fprintf(stderr, "fdlink: %s: %s%s\n", end->locator,
			strerror(ENOMEM), cli_way_out(ENOMEM));
		return STATUS_FAILURE;
	}
	/* One packet is lost at a time, not a super-packet of many. */
	if (!impairs)
		options.flags |= FDL_RX_GSO | FDL_RX_USO | FDL_RX_TUNNEL;
	/* What is merged only to be cut again has gained nothing. */
	if (!impairs && other->takes_super)
		options.flags |= FDL_GRO;
	if (end->medium != FDL_MEDIUM_IP && other->medium != FDL_MEDIUM_IP &&
	    !o->plain_ip)
		options.flags |= FDL_ETHERNET;
	if (!end->mtu && !strstr(locator, ",mtu="))
		options.mtu = other->mtu;
	rc = fdl_open(ep, locator, &options);
	free(locator);
	return cli_status(rc);
}

int connect_open(const struct connect_options *o,
		 struct fdl_endpoint *ep[CONNECT_ENDS])
{
	struct end end[CONNECT_ENDS];
	int status;

	look_at(&end[0], o->locator[0]);
	look_at(&end[1], o->locator[1]);
	status = check_media(o, &end[0], &end[1]);
	if (!status)
		status = open_end(o, &end[0], &end[1], &ep[0]);
	if (status)
		return status;
	status = open_end(o, &end[1], &end[0], &ep[1]);
	if (status)
		fdl_endpoint_free(ep[0]);
	return status;
}
