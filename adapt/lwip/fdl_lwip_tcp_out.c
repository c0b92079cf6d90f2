/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lwIP's core/tcp_out.c, in which the functions that fdl_lwip_tso.c replaces
 * have other names. Compile this file in place of lwIP's. The compiler finds
 * lwIP's by way of lwIP's include directory.
 */
#define tcp_write fdl_lwip_plain_write
#define tcp_output fdl_lwip_plain_output
#define tcp_split_unsent_seg fdl_lwip_plain_split
#define tcp_rexmit_rto_commit fdl_lwip_plain_commit

#include <../core/tcp_out.c>
