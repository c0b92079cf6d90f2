/* SPDX-License-Identifier: Apache-2.0 */
/* What the device of a TUN or TAP may leave to its reader. */
#ifndef FDL_KIND_TUN_OFFER_H
#define FDL_KIND_TUN_OFFER_H

#include <stdbool.h>

/*
 * All that the kernel knows, for whatever the stack does not take is cheaper to
 * do here than to ask the kernel for; without a virtio-net header, nothing. A
 * device keeps the settings of its last user, so they are set in any case. Errors:
 * those of ioctl(2).
 */
int tun_offer(int fd, bool header);

/* The same again, without what only the longest header tells of, whose size is left
 * alone. */
int tun_offer_less(int fd);

#endif
