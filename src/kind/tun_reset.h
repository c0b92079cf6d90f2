/* SPDX-License-Identifier: Apache-2.0 */
/* What a persistent TUN or TAP has kept from its last user. */
#ifndef FDL_KIND_TUN_RESET_H
#define FDL_KIND_TUN_RESET_H

/*
 * Have the device let all frames through, choose a queue and order its header
 * as if it were new. Only for its only user. Errors: those of ioctl(2).
 */
int tun_reset(int fd);

#endif
