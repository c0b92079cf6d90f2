/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_LWIP_OOSEQ_H
#define FDL_LWIP_OOSEQ_H

#include <lwip/pbuf.h>

/*
 * Call this before a connection sees a segment that is out of order. It bounds
 * what all connections keep of such. The connections that keep most lose their
 * segments, and their peers send them again.
 */
void fdl_lwip_bound_ooseq(const struct pbuf *p);

#endif
