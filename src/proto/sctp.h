/* SPDX-License-Identifier: Apache-2.0 */
/* SCTP (RFC 9260, 3.1): all of it that matters here. */
#ifndef FDL_PROTO_SCTP_H
#define FDL_PROTO_SCTP_H

enum {
	SCTP_PROTO = 132,
	SCTP_CHECK = 8,
	SCTP_MIN_LEN = 12,
};

#endif
