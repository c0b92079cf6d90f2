/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses with a port, as locators have them. */
#ifndef FDL_KIND_INET_H
#define FDL_KIND_INET_H

#include <netinet/in.h>
#include <stdbool.h>

union inet_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* "192.0.2.1:5000" or "[2001:db8::1]:5000". A name would take a resolver, which
 * a static program does not have. */
bool inet_read(const char *text, union inet_address *to);

/* Whether it is a multicast group: no packet comes from one, and no
 * connection. */
bool inet_is_group(const union inet_address *address);

socklen_t inet_size(const union inet_address *address);

/* What to do about an error of bind(2) or connect(2), as the end of a message:
 * ": do this". "": nothing is known to help. */
const char *inet_bind_advice(int err);
const char *inet_connect_advice(int err);

/*
 * Whether a socket is connected to itself. When it connects to a port of this
 * machine that nobody has, the kernel may give it just that port.
 */
bool inet_is_own_peer(int fd);

/* Have close(2) leave no trace of a connection: its port is to be free for who
 * listens. */
void inet_leave_no_trace(int fd);

#endif
