/* SPDX-License-Identifier: Apache-2.0 */
/* A network namespace of the test's own, and devices in it. */
#ifndef FDL_ORACLE_NET_H
#define FDL_ORACLE_NET_H

#include <stddef.h>

enum { SKIP = 77 };

/* Leave for a namespace of our own, with IPv6 silent. Exits with SKIP where
 * that is not allowed. */
void net_own(void);

/* Run a command of ip(8) or ethtool(8); exits with SKIP when it fails. */
void net_run(const char *command);

/* Write value to a file under /proc/sys or /sys; likewise. */
void net_set(const char *path, const char *value);

/* A TAP, non-blocking; vnet: with a virtio header of 10 bytes. */
int net_tap(const char *name, int vnet);

/* A TAP with a virtio header of 10 bytes that takes super-packets of UDP. */
int net_tap_uso(const char *name);

/* A TAP whose virtio header of 24 bytes knows tunnels in UDP. */
int net_tap_tunnel(const char *name);

/* What the kernel needs to merge inside VXLAN, and its generic protocol
 * extension, on any other device. */
void net_vxlan(void);

/* Join two devices; what goes to the other has a long queue. */
void net_bridge(const char *name, const char *one, const char *other);

/* An AF_PACKET socket on a device that is up, or is about to be, as is its
 * peer; with a virtio header if vnet. */
int net_packet(const char *name, int vnet);

/* The bytes of two frames beside each other where they differ, to stderr. */
void net_show(const unsigned char *want, size_t want_len,
	      const unsigned char *got, size_t got_len);

#endif
