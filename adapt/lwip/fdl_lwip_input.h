/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_INPUT_H
#define FDL_LWIP_INPUT_H

#include "fdl_lwip.h"

/* Give received packets, n > 0, to lwIP, or drop and count them. With NO_SYS=0,
 * not for lwIP's thread. */
void fdl_lwip_input(struct fdl_lwip *link, struct fdl_packet *v[], int n);

#endif
