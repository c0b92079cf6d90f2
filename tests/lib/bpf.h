/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest eBPF program. */
#ifndef TESTS_BPF_H
#define TESTS_BPF_H

/* A socket filter that returns this. Returns its fd, or -1 and errno. */
int bpf_load(int returned);

/* Of all queues of a TUN or TAP: request is TUNSETFILTEREBPF or
 * TUNSETSTEERINGEBPF. Returns 0, or -1 and errno. */
int bpf_attach_tun(int fd, unsigned request, int returned);

#endif
