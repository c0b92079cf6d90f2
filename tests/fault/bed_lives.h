/* SPDX-License-Identifier: Apache-2.0 */
/* How peers and devices go, and how the next ones come: for struct bed_kind. */
#ifndef TESTS_FAULT_BED_LIVES_H
#define TESTS_FAULT_BED_LIVES_H

#include <netinet/in.h>

#include "bed.h"

enum {
	PORT = 7001,		/* the test's */
	OUR_PORT = 7002,
};

struct sockaddr_in inet_name(in_port_t port);
int socket_type(const struct bed *b);
int unix_socket(const struct bed *b, const char *path);	/* bound to it */
int connect_unix(int fd, const char *path);

/* meet: accept whoever the endpoint is; call it at its path, or its port; send
 * to it, or hear its hello, under the test's own path. */
void meet_caller(struct bed *b);
void meet_path(struct bed *b);
void meet_port(struct bed *b);
void meet_name(struct bed *b);
void meet_hello(struct bed *b);
/* A TUN or TAP, or a veth, that is there again. */
void meet_device(struct bed *b);
void meet_veth(struct bed *b);

/* part */
void part_socket(struct bed *b);
void part_device(struct bed *b);

/* end, of meet_name and meet_hello */
void end_name(struct bed *b);

/* fdl_options.reopen; ctx is the bed. */
int open_outside(void *ctx, bool existing, int fds[], unsigned n);

#endif
