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

socklen_t inet_size(const union inet_address *address);

#endif
