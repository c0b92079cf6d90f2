/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FDL_KIND_UNIX_MEET_H
#define FDL_KIND_UNIX_MEET_H

struct life;

/* struct kind, meet: of datagrams, and of connections. */
int unix_meet_sender(struct life *life, int fd);
int unix_meet_connection(struct life *life, int fd);

#endif
