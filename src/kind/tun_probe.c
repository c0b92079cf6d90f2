/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/tun_probe.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <string.h>

#include "fd/link.h"
#include "kind/lookup.h"
#include "kind/tun_framing.h"
#include "os.h"

static int probe_device(int fd, const struct device_of *of,
			struct fdl_info *info)
{
	struct link link;
	int sock, err;

	sock = device_socket(of, fd, info->name);
	if (sock == -EMFILE || sock == -ENFILE || sock == -ENOMEM)
		return sock;
	if (sock < 0)
		return 0;
	err = link_get(sock, info->name, 0, &link);
	if (!err) {
		lookup_fill(info, &link);
		info->offloads = link_offloads(sock, info->name);
	}
	os_close(sock);
	return err;
}

int tun_probe(const struct fd_facts *facts, const struct device_of *of,
	      struct fdl_info *info)
{
	struct ifreq address = { 0 };
	struct io_framing framing;
	int err;

	info->multi_queue = facts->tun.ifr_flags & IFF_MULTI_QUEUE;
	memcpy(info->name, facts->tun.ifr_name, sizeof(info->name) - 1);
	if (info->ethernet && !os_ioctl(facts->fd, SIOCGIFHWADDR, &address))
		memcpy(info->address, address.ifr_hwaddr.sa_data,
		       sizeof(info->address));
	err = tun_framing(facts->fd, &framing);
	if (err)
		return err == -EBADFD ? -ENODEV : err;
	info->packet_info = framing.packet_info;
	info->vnet_hdr_len = framing.vnet_hdr_len < UINT8_MAX ?
				     (uint8_t)framing.vnet_hdr_len :
				     UINT8_MAX;
	return probe_device(facts->fd, of, info);
}
