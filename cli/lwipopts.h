/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP as a host with room, for "fdlink host" and examples/lwip_host.c. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

/* One thread, the raw API. */
#define NO_SYS				1
#define SYS_LIGHTWEIGHT_PROT		0
#define LWIP_NETCONN			0
#define LWIP_SOCKET			0
#define LWIP_STATS			0
#define LWIP_CHECKSUM_CTRL_PER_NETIF	1
#define LWIP_NUM_NETIF_CLIENT_DATA	1	/* PORT_GATEWAY6 */
#define LWIP_HOOK_FILENAME		"port.h"
#define LWIP_HOOK_ND6_GET_GW(netif, dest) port_gateway6(netif, dest)
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, hdr, len, len1, opt2, p) \
	fdl_lwip_tcp_input(pcb, hdr, len, len1, opt2, p)
#define LWIP_HOOK_TCP_ISN(local, lport, remote, rport) \
	fdl_lwip_isn(port_random())
#define LWIP_TCP_PCB_NUM_EXT_ARGS	2	/* the adaptor's */

/*
 * Memory, all of it by malloc(): lwIP's pools count to 65535 at most, and 100
 * connections with full send buffers are 72000 segments. What is received stays
 * where it came, so PBUF_POOL serves nobody.
 */
#define MEM_ALIGNMENT			8
#define MEM_LIBC_MALLOC			1
#define MEMP_MEM_MALLOC			1
#define PBUF_POOL_SIZE			0
#define LWIP_SUPPORT_CUSTOM_PBUF	1

/*
 * TCP. TCP_MSS is the most that is ever announced: the MTU of the link and the
 * peer decide. TCP_SND_QUEUELEN counts pbufs, two to a segment of an MTU of
 * 576. No pool bounds the connections in TIME-WAIT, so that is 2 seconds.
 */
#define LWIP_WND_SCALE			1
#define TCP_RCV_SCALE			5
#define TCP_WND				(1024 * 1024)
#define TCP_WND_UPDATE_THRESHOLD	(TCP_WND / 4)
#define TCP_SND_BUF			(1024 * 1024)
#define TCP_MSS				8960
#define TCP_SND_QUEUELEN		4096
#define TCP_SNDLOWAT			(2 * TCP_MSS + 1)
#define TCP_LISTEN_BACKLOG		1
#define TCP_MSL				1000
#define TCP_QUEUE_OOSEQ			1
#define TCP_OOSEQ_MAX_BYTES		TCP_WND
#define TCP_OOSEQ_MAX_PBUFS		1024
#define LWIP_TCP_SACK_OUT		1
#define LWIP_TCP_KEEPALIVE		1

/* IPv4 */
#define LWIP_ICMP			1
#define LWIP_RAW			0
#define LWIP_DHCP			0
#define LWIP_DNS			0
#define LWIP_IGMP			0
#define ARP_TABLE_SIZE			127
#define ARP_QUEUEING			1
#define IP_REASS_MAX_PBUFS		512

/*
 * IPv6: the addresses given, and no others; usable at once, as an administrator
 * vouches for them.
 */
#define LWIP_IPV6			1
#define LWIP_IPV6_NUM_ADDRESSES		9
#define LWIP_IPV6_AUTOCONFIG		0
#define LWIP_IPV6_DHCP6			0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS	0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT	0
#define LWIP_IPV6_MLD			1
#define LWIP_IPV6_FRAG			1
#define LWIP_IPV6_REASS			1
#define IPV6_FRAG_COPYHEADER		1	/* pointers of 8 bytes */
#define LWIP_ND6_QUEUEING		0	/* one packet, not any number */
#define LWIP_ND6_NUM_NEIGHBORS		127
#define LWIP_ND6_NUM_DESTINATIONS	127
#define LWIP_ND6_ALLOW_RA_UPDATES	0

#endif
