/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The compiler checks what an lwipopts.h must have. A mistake in it would show
 * much later, as lost packets, or as memory that is overwritten.
 */
#ifndef FDL_LWIP_OPTIONS_H
#define FDL_LWIP_OPTIONS_H

#include <stdint.h>

#include <lwip/arch.h>
#include <lwip/init.h>
#include <lwip/opt.h>

#if LWIP_VERSION_MAJOR < 2 || (LWIP_VERSION_MAJOR == 2 && !LWIP_VERSION_MINOR)
#error "fdl_lwip needs lwIP 2.1 or newer: its hook came with that"
#endif

#if !LWIP_SUPPORT_CUSTOM_PBUF
#error "lwipopts.h: set LWIP_SUPPORT_CUSTOM_PBUF to 1: packets are not copied"
#endif

#if ETH_PAD_SIZE
#error "lwipopts.h: set ETH_PAD_SIZE to 0: frames come without padding"
#endif

#if !NO_SYS && !SYS_LIGHTWEIGHT_PROT
#error "lwipopts.h: set SYS_LIGHTWEIGHT_PROT to 1: pbufs are freed on any thread"
#endif

/* lwIP notices this only when the first fragment arrives, and only if its
 * assertions are on. */
#if LWIP_IPV6 && LWIP_IPV6_REASS && !IPV6_FRAG_COPYHEADER && \
	UINTPTR_MAX > 0xffffffff
#error "lwipopts.h: set IPV6_FRAG_COPYHEADER to 1 where pointers have 8 bytes: lwIP puts them over a fragment's header of 8, and over what follows"
#endif

#if LWIP_TCP && defined(LWIP_HOOK_TCP_INPACKET_PCB) && \
	LWIP_CHECKSUM_CTRL_PER_NETIF && !LWIP_WND_SCALE
#error "lwipopts.h: set LWIP_WND_SCALE to 1, and TCP_RCV_SCALE and TCP_WND: one super-packet fills a window of 64 KiB"
#endif

/* The recovery has a timer beside lwIP's own. */
#if LWIP_TCP && LWIP_TCP_SACK_OUT && LWIP_TCP_PCB_NUM_EXT_ARGS >= 2 && \
	defined(LWIP_HOOK_TCP_INPACKET_PCB) && !MEMP_MEM_MALLOC && \
	MEMP_NUM_SYS_TIMEOUT <= LWIP_NUM_SYS_TIMEOUT_INTERNAL
#error "lwipopts.h: set MEMP_NUM_SYS_TIMEOUT to one more than LWIP_NUM_SYS_TIMEOUT_INTERNAL at least: the recovery of lost packets takes one"
#endif

#endif
