/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of options that the headers of Linux 5.10 lack. */
#ifndef TESTS_NEWER_H
#define TESTS_NEWER_H

#include <linux/if_packet.h>
#include <sys/socket.h>

#ifndef IPV6_FLOWINFO /* linux/in6.h, which does not go with netinet/in.h */
#define IPV6_FLOWINFO 11
#endif
#ifndef SO_TIMESTAMP_OLD /* asm/socket.h, which does not go with musl's */
#define SO_TIMESTAMP_OLD 29
#define SO_TIMESTAMPNS_OLD 35
#define SO_TIMESTAMPING_OLD 37
#define SO_TIMESTAMP_NEW 63
#define SO_TIMESTAMPNS_NEW 64
#define SO_TIMESTAMPING_NEW 65
#endif
#ifndef SO_PREFER_BUSY_POLL /* Linux 5.11 */
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUSY_POLL_BUDGET /* Linux 5.11 */
#define SO_BUSY_POLL_BUDGET 70
#endif
#ifndef PACKET_FANOUT_FLAG_IGNORE_OUTGOING /* Linux 5.12 */
#define PACKET_FANOUT_FLAG_IGNORE_OUTGOING 0x4000
#endif
#ifndef SO_NETNS_COOKIE /* Linux 5.14 */
#define SO_NETNS_COOKIE 71
#endif
#ifndef SO_BUF_LOCK /* Linux 5.15 */
#define SO_BUF_LOCK 72
#endif
#ifndef SO_TXREHASH /* Linux 5.18 */
#define SO_TXREHASH 74
#endif
#ifndef SO_RCVMARK /* Linux 5.19 */
#define SO_RCVMARK 75
#endif
#ifndef SO_PASSPIDFD /* Linux 6.5 */
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PEERPIDFD /* Linux 6.5; it makes a descriptor */
#define SO_PEERPIDFD 77
#endif
#ifndef PACKET_VNET_HDR_SZ /* Linux 6.6 */
#define PACKET_VNET_HDR_SZ 24
#endif
#ifndef SO_RCVPRIORITY /* Linux 6.14 */
#define SO_RCVPRIORITY 82
#endif
#ifndef SO_PASSRIGHTS /* Linux 6.16 */
#define SO_PASSRIGHTS 83
#endif
#ifndef SO_INQ /* Linux 6.17 */
#define SO_INQ 84
#endif

#endif
