/* SPDX-License-Identifier: Apache-2.0 */
/* TCP headers (RFC 9293). The accessors need TCP_MIN_LEN bytes. */
#ifndef FDL_PROTO_TCP_H
#define FDL_PROTO_TCP_H

#include "proto/bytes.h"

enum {
	TCP_PROTO = 6,
	TCP_MIN_LEN = 20,
	TCP_SEQ = 4,
	TCP_ACK = 8,
	TCP_OFF = 12,
	TCP_FLAGS = 13,
	TCP_CHECK = 16,
	TCP_FLAG_FIN = 0x01,
	TCP_FLAG_SYN = 0x02,
	TCP_FLAG_RST = 0x04,
	TCP_FLAG_PSH = 0x08,
	TCP_FLAG_URG = 0x20,
	TCP_FLAG_CWR = 0x80,
};

static inline unsigned tcp_hdr_len(const uint8_t *tcp)
{
	return (unsigned)(tcp[TCP_OFF] >> 4) * 4;
}

#endif
