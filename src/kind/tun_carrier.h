/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_KIND_TUN_CARRIER_H
#define FDL_KIND_TUN_CARRIER_H

#include <stdbool.h>

/* struct kind, set_carrier. */
int tun_set_carrier(int fd, bool on);

#endif
