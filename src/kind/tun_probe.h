/* SPDX-License-Identifier: Apache-2.0 */
/* What an fd of a TUN or TAP says of its device, whichever driver it is of. */
#ifndef FDL_KIND_TUN_PROBE_H
#define FDL_KIND_TUN_PROBE_H

#include "kind/kind.h"

/*
 * Add to *info, as struct kind's probe does. of: how the device is found. What
 * only the device's network namespace tells is left out where that is closed to
 * us. Errors: -ENODEV the device is gone; those of ioctl(2); -EMFILE, -ENFILE,
 * -ENOMEM.
 */
int tun_probe(const struct fd_facts *facts, const struct device_of *of,
	      struct fdl_info *info);

#endif
