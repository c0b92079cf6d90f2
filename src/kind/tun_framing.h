/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a TUN or TAP puts before each packet, and wants before each. This
 * framing belongs to the device: it is the same for all its fds, and each
 * holder of one may change it.
 */
#ifndef FDL_KIND_TUN_FRAMING_H
#define FDL_KIND_TUN_FRAMING_H

#include "kind/kind.h"

/* Errors: those of ioctl(2), like -EBADFD: the device is gone. */
int tun_framing(int fd, struct io_framing *framing);

/* struct kind, set_up and follow. */
int tun_set_up(struct io *io, const struct set_up *how);
int tun_follow(int fd, struct io_framing *now);

#endif
