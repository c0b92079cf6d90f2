/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in a stream of bytes, each behind its length: 4 bytes, big-endian. */
#ifndef FDL_IO_STREAM_H
#define FDL_IO_STREAM_H

#include "io/io.h"

/* As io_send(), on an fd that io_stream is open on. */
unsigned stream_send(struct io *io, struct mmsghdr msg[], unsigned n, int *err);

/* As io_follow. */
void stream_follow(struct io *io);

#endif
