/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/packet_filter.h"

#include <linux/if_packet.h>
#include <string.h>

#include "fd/link.h"
#include "io/changes.h"
#include "os.h"

#define ADDRESS	"%02x:%02x:%02x:%02x:%02x:%02x"
#define BYTES(a)	(a)[0], (a)[1], (a)[2], (a)[3], (a)[4], (a)[5]

static int join(struct io *io, const struct set_up *how, unsigned short type)
{
	struct packet_mreq mreq = {
		.mr_ifindex = (int)how->info->ifindex,
		.mr_type = type,
		.mr_alen = sizeof(how->opts->address),
	};

	if (type == PACKET_MR_UNICAST)
		memcpy(mreq.mr_address, how->opts->address, mreq.mr_alen);
	return changes_join(io->changes, io->fd, &mreq);
}

/* Does no frame for another address than its own come to the device? */
static bool is_choosy(const struct io *io, const struct set_up *how)
{
	int sock = device_socket(io->kind->device, io->fd, how->info->name);
	struct link link = { .own_only = false };

	if (sock < 0)
		return false;
	link_get(sock, how->info->name, 0, &link);
	os_close(sock);
	return link.own_only;
}

static void say_deaf(const struct set_up *how)
{
	log_say(how->log, FDL_LOG_WARNING,
		"%s filters: a macvlan or ipvlan passes on frames for its own "
		"address " ADDRESS " and for groups only, and none for " ADDRESS
		": use its own address",
		how->info->name, BYTES(how->info->address),
		BYTES(how->opts->address));
}

static void ask_for_address(struct io *io, const struct set_up *how)
{
	int err;

	if (is_choosy(io, how)) {
		say_deaf(how);
		return;
	}
	err = join(io, how, PACKET_MR_UNICAST);
	if (err)
		err = join(io, how, PACKET_MR_PROMISC);
	if (err)
		log_say(how->log, FDL_LOG_WARNING,
			"%s cannot be asked for frames for " ADDRESS
			" (%s): if it filters, they do not come; use its own "
			"address " ADDRESS,
			how->info->name, BYTES(how->opts->address),
			strerror(-err), BYTES(how->info->address));
}

void packet_filter(struct io *io, const struct set_up *how)
{
	static const uint8_t none[sizeof(how->info->address)];
	const struct fdl_info *info = how->info;
	int err;

	/* A loopback device has no address, and passes everything. */
	if (io->index || !memcmp(info->address, none, sizeof(none)))
		return;
	/* An endpoint that drops frames for others is a host, and has the
	 * device's address if no other was given. Any other endpoint only
	 * looks. */
	if (!how->has_address && !(how->opts->flags & FDL_DROP_OTHERHOST))
		return;
	if (how->has_address &&
	    memcmp(info->address, how->opts->address, sizeof(none)))
		ask_for_address(io, how);
	err = join(io, how, PACKET_MR_ALLMULTI);
	if (err)
		log_say(how->log, FDL_LOG_WARNING,
			"%s cannot be asked for all groups (%s): if it "
			"filters, IPv6 gets no solicitations",
			info->name, strerror(-err));
}
