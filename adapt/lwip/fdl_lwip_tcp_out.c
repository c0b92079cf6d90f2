/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP's core/tcp_out.c, with the entry points that fdl_lwip_tso.c stands
 * before under names of their own. Compile it in place of lwIP's; its directory
 * of headers is all that has to be known.
 */
#define tcp_write fdl_lwip_plain_write
#define tcp_output fdl_lwip_plain_output
#define tcp_split_unsent_seg fdl_lwip_plain_split
#define tcp_rexmit_rto_commit fdl_lwip_plain_commit

#include <../core/tcp_out.c>
