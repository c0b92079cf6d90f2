/* SPDX-License-Identifier: Apache-2.0 */
/* The modes, by number and by name. Which of them serve a link is its
 * kind's. */
#include <stddef.h>

#include "io/io.h"

static const struct io_ops *const modes[] = {
	&io_readv,
	&io_recvmmsg,
	&io_packet_mmap,
	&io_adaptive,
};

const struct io_ops *io_find(enum fdl_mode mode)
{
	size_t i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (modes[i]->mode == mode)
			return modes[i];
	return NULL;
}

const char *fdl_mode_name(enum fdl_mode mode)
{
	const struct io_ops *ops = io_find(mode);

	if (mode == FDL_MODE_AUTO)
		return "auto";
	return ops ? ops->name : NULL;
}
