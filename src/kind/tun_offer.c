/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/tun_offer.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <fdlink/offload.h>
#include <fdlink/open.h>

#include "os.h"

enum {
	TCP = FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4 | FDL_OFFLOAD_TSO6 |
	      FDL_OFFLOAD_TSO_ECN,
	USO = FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6,
	TUNNEL = FDL_OFFLOAD_TUNNEL | FDL_OFFLOAD_TUNNEL_CSUM,
};

static int offer(int fd, unsigned long offloads)
{
	return os_ioctl(fd, TUNSETOFFLOAD, (void *)(uintptr_t)offloads);
}

static int offer_with(int fd, int hdr_len, unsigned long offloads)
{
	int err = os_ioctl(fd, TUNSETVNETHDRSZ, &hdr_len);

	return err ? err : offer(fd, offloads);
}

int tun_offer_less(int fd)
{
	const int err = offer(fd, TCP | USO);

	return err == -EINVAL ? offer(fd, TCP) : err;
}

int tun_offer(int fd, bool header, bool tunnels)
{
	static const struct {
		int hdr_len;
		unsigned long offloads;
	} tries[] = {
		/* Since Linux 6.17. */
		{ FDL_VNET_HDR_TUNNEL_LEN, TCP | USO | TUNNEL },
		/* Since Linux 6.2, and only together. */
		{ FDL_VNET_HDR_LEN, TCP | USO },
		{ FDL_VNET_HDR_LEN, TCP },
	};
	unsigned i = tunnels ? 0 : 1;
	int err;

	if (!header)
		return offer(fd, 0);
	do
		err = offer_with(fd, tries[i].hdr_len, tries[i].offloads);
	while (err == -EINVAL && ++i < sizeof(tries) / sizeof(*tries));
	return err;
}
