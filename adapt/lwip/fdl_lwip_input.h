/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_INPUT_H
#define FDL_LWIP_INPUT_H

#include "fdl_lwip.h"

/* Hand received packets, n > 0, to lwIP, or drop and count them. NO_SYS=0: from
 * any thread but lwIP's. */
void fdl_lwip_input(struct fdl_lwip *link, struct fdl_packet *v[], int n);

#endif
