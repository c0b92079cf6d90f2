/* SPDX-License-Identifier: Apache-2.0 */
/* The socket file of a wire's control socket. */
#ifndef CONTROL_BIND_H
#define CONTROL_BIND_H

#include <sys/un.h>

/*
 * Bind fd, a stream socket, to the address, mode 0600. A file that an earlier
 * wire left behind is taken over. If two wires try that at once, one succeeds.
 * Returns 0 or an errno. EADDRINUSE: somebody listens there, or the file is not
 * a socket.
 */
int control_bind(int fd, const struct sockaddr_un *address);

#endif
