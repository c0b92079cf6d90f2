/* SPDX-License-Identifier: Apache-2.0 */
/* Who pings, at the other end of a socket. Apart, for lwip/sockets.h has names
 * of the system's headers for its own. */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>

/* Returns the fd for the stack, with an echo request for 192.0.2.2 waiting. */
int peer_open(void);

/* Has the reply come, within that time? Ends the program if it is wrong. */
bool peer_replied(int timeout_ms);

#endif
