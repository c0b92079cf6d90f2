/* SPDX-License-Identifier: Apache-2.0 */
/* What an embedder sets; each line that the adaptor looks at can be set
 * wrong. */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#ifndef NO_SYS
#define NO_SYS				1
#endif
#ifndef SYS_LIGHTWEIGHT_PROT
#define SYS_LIGHTWEIGHT_PROT		!NO_SYS
#endif
#define LWIP_NETCONN			!NO_SYS
#define LWIP_SOCKET			!NO_SYS
#define LWIP_COMPAT_SOCKETS		0
#define LWIP_POSIX_SOCKETS_IO_NAMES	0
#define TCPIP_MBOX_SIZE			128
#define DEFAULT_TCP_RECVMBOX_SIZE	128
#define DEFAULT_UDP_RECVMBOX_SIZE	128
#define DEFAULT_RAW_RECVMBOX_SIZE	128
#define DEFAULT_ACCEPTMBOX_SIZE		128

#ifndef LWIP_SUPPORT_CUSTOM_PBUF
#define LWIP_SUPPORT_CUSTOM_PBUF	1
#endif
#ifndef ETH_PAD_SIZE
#define ETH_PAD_SIZE			0
#endif
#ifndef MEMP_MEM_MALLOC
#define MEMP_MEM_MALLOC			1
#endif
#define MEM_LIBC_MALLOC			1
#define MEM_ALIGNMENT			8
#define MEMP_NUM_SYS_TIMEOUT		LWIP_NUM_SYS_TIMEOUT_INTERNAL

#define LWIP_IPV6			1
#ifndef IPV6_FRAG_COPYHEADER
#define IPV6_FRAG_COPYHEADER		1
#endif

#define LWIP_CHECKSUM_CTRL_PER_NETIF	1
#define LWIP_HOOK_FILENAME		"fdl_lwip_hook.h"
#ifndef WITHOUT_HOOK
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, hdr, len, len1, opt2, p) \
	fdl_lwip_tcp_input(pcb, hdr, len, len1, opt2, p)
#endif
#ifndef LWIP_WND_SCALE
#define LWIP_WND_SCALE			1
#endif
#if LWIP_WND_SCALE
#define TCP_RCV_SCALE			5
#define TCP_WND				(1024 * 1024)
#define TCP_SND_BUF			(1024 * 1024)
#else
#define TCP_WND				65535
#define TCP_SND_BUF			65535
#endif
#define TCP_WND_UPDATE_THRESHOLD	(TCP_WND / 4)
#define TCP_MSS				1460
#define TCP_SND_QUEUELEN		4096
#define TCP_SNDLOWAT			(2 * TCP_MSS + 1)
#define LWIP_TCP_SACK_OUT		1
#define LWIP_TCP_PCB_NUM_EXT_ARGS	2

#endif
