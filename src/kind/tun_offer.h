/* SPDX-License-Identifier: Apache-2.0 */
/* What the device of a TUN or TAP may leave to its reader. */
#ifndef FDL_KIND_TUN_OFFER_H
#define FDL_KIND_TUN_OFFER_H

#include <stdbool.h>

/*
 * Offer to take all offloads that the kernel knows: what the stack does not
 * take costs less to do here than in the kernel. Those inside tunnels are the
 * exception: they need a header of 24 bytes with each packet, so they are
 * offered only to a stack that takes them. Without a virtio-net header, offer
 * none. A device keeps the settings of its last user, so set them in any case.
 * Errors: those of ioctl(2).
 */
int tun_offer(int fd, bool header, bool tunnels);

/* The same, except the offloads that need the longest header. The header's size
 * stays as it is. */
int tun_offer_less(int fd);

#endif
