/* SPDX-License-Identifier: Apache-2.0 */
/* Options that a caller has set on a datagram or seqpacket socket, and that its
 * messages do not show. */
#ifndef FDL_KIND_TOLD_H
#define FDL_KIND_TOLD_H

#include "kind/kind.h"

/*
 * Refuse a socket filter that lets only the start of a message pass, because no
 * message shows that it was cut. Warn of a filter that cannot be read. As
 * struct kind's check.
 */
int told_filter(int fd, const struct log *log);

/* Whether any option names[0..n) of SOL_SOCKET is on. */
bool told_any(int fd, const int *names, unsigned n);

#endif
