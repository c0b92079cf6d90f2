/* SPDX-License-Identifier: Apache-2.0 */
/* lwIP as "fdlink host" has it, but on a thread of its own. */
#ifndef THREADS_LWIPOPTS_H
#define THREADS_LWIPOPTS_H

#include "../../../cli/lwipopts.h"

#undef NO_SYS
#define NO_SYS				0
#undef SYS_LIGHTWEIGHT_PROT
#define SYS_LIGHTWEIGHT_PROT		1
typedef int sys_prot_t;
#undef LWIP_NETCONN
#define LWIP_NETCONN			1
#define LWIP_ERRNO_STDINCLUDE		1
/* The mailboxes of Debian's port have room for 128 messages, whatever these
 * say: a window of no more segments, or what a connection has no room for is
 * sent again. */
#define TCPIP_MBOX_SIZE			128
#define DEFAULT_TCP_RECVMBOX_SIZE	128
#undef TCP_WND
#define TCP_WND				(64 * 1024)
#undef LWIP_HOOK_FILENAME
#define LWIP_HOOK_FILENAME		"fdl_lwip_hook.h"
#undef LWIP_HOOK_ND6_GET_GW

#endif
