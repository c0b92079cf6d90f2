/* SPDX-License-Identifier: Apache-2.0 */
/* Functions that the TCP services share. */
#ifndef SERVICE_H
#define SERVICE_H

#include <stddef.h>

#include <lwip/tcp.h>

/* Serve a port on all addresses, for good. Errors: -ENOMEM. */
int service_listen(u16_t port, tcp_accept_fn accept, void *arg);

/* Note that a connection was accepted. If there are 256 others on its port, the
 * one that has been silent for longest is reset. */
void service_admit(const struct tcp_pcb *pcb);

/*
 * Returns how many bytes one tcp_write takes; 0: what will be acknowledged
 * makes room. A write that is refused has made all of its segments before,
 * which for a peer that takes small ones are thousands, and each write walks
 * over all that wait.
 */
size_t service_room(const struct tcp_pcb *pcb);

/* Close a connection; its callbacks are not called any more. What has been
 * written is still sent. Returns what an lwIP callback must return then. */
err_t service_close(struct tcp_pcb *pcb);

#endif
