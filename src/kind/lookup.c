/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/lookup.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "kind/kind.h"
#include "os.h"

static_assert(FDL_IFNAMSIZ == IF_NAMESIZE, "as the kernel has it");

void lookup_fill(struct fdl_info *info, const struct link *link)
{
	info->device = true;
	info->up = link->up;
	info->ifindex = link->ifindex;
	info->mtu = link->mtu;
	info->queues = link->multi_queue ? link->queues : 1;
	info->multi_queue = link->multi_queue;
	memcpy(info->name, link->name, sizeof(info->name));
	if (info->ethernet)
		memcpy(info->address, link->address, sizeof(info->address));
}

int lookup_link(const struct locator *loc, struct link *link,
		uint32_t *offloads, const struct log *log)
{
	int sock = link_socket(), err = sock;

	if (sock >= 0) {
		err = link_get(sock, loc->name, 0, link);
		if (!err && offloads)
			*offloads = link_offloads(sock, loc->name);
		os_close(sock);
	}
	if (err && err != -ENODEV)
		log_say(log, FDL_LOG_ERR,
			"%s:%s: cannot ask the kernel for "
			"it: %s",
			loc->kind->locator, loc->name, strerror(-err));
	return err;
}
