/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/tun_carrier.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include "os.h"

#ifndef TUNSETCARRIER /* Linux 5.0 */
#define TUNSETCARRIER _IOW('T', 226, int)
#endif

int tun_set_carrier(int fd, bool on)
{
	int value = on;
	int err = os_ioctl(fd, TUNSETCARRIER, &value);

	switch (err) {
	case -EINVAL:
	case -ENOTTY:
		return -EOPNOTSUPP;
	case -EBADFD:
		return -ENODEV;
	default:
		return err;
	}
}
