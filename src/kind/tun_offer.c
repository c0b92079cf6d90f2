/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/tun_offer.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <fdlink/offload.h>
#include <fdlink/open.h>

#include "os.h"

static int offer(int fd, unsigned long offloads)
{
	return os_ioctl(fd, TUNSETOFFLOAD, (void *)(uintptr_t)offloads);
}

int tun_offer(int fd, bool header)
{
	const unsigned long tcp = FDL_OFFLOAD_CSUM | FDL_OFFLOAD_TSO4 |
				  FDL_OFFLOAD_TSO6 | FDL_OFFLOAD_TSO_ECN;
	int err, len = FDL_VNET_HDR_LEN;

	if (!header)
		return offer(fd, 0);
	err = os_ioctl(fd, TUNSETVNETHDRSZ, &len);
	if (err)
		return err;
	/* Since Linux 6.2, and only together. */
	err = offer(fd, tcp | FDL_OFFLOAD_USO4 | FDL_OFFLOAD_USO6);
	return err == -EINVAL ? offer(fd, tcp) : err;
}
