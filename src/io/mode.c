/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing a mode. */
#include <stdlib.h>

#include "io/io.h"

/* Best first: the order in which auto asks. */
static const struct io_ops *const modes[] = {
	&io_adaptive,
	&io_recvmmsg,
	&io_packet_mmap,
	&io_readv,
};

enum {
	N_MODES = sizeof(modes) / sizeof(modes[0]),
};

static const struct io_ops *find(enum fdl_mode mode)
{
	int i;

	for (i = 0; i < N_MODES; i++)
		if (modes[i]->mode == mode)
			return modes[i];
	return NULL;
}

static const struct io_ops *best(const struct fdl_info *info)
{
	int i;

	for (i = 0; i < N_MODES; i++)
		if (!modes[i]->refusal(info))
			return modes[i];
	return NULL;
}

const struct io_ops *io_choose(enum fdl_mode mode, const struct fdl_info *info,
			       const char **why)
{
	const struct io_ops *ops;

	if (mode == FDL_MODE_AUTO)
		return best(info);
	*why = fdl_mode_refusal(info, mode);
	ops = find(mode);
	return *why ? NULL : ops;
}

const char *fdl_mode_name(enum fdl_mode mode)
{
	const struct io_ops *ops = find(mode);

	if (mode == FDL_MODE_AUTO)
		return "auto";
	return ops ? ops->name : NULL;
}

/* No mode reads this; options.c tells at more length. */
static const char *framing_refusal(const struct fdl_info *info)
{
	if (info->packet_info)
		return "it puts packet information before each packet";
	return NULL;
}

enum fdl_mode fdl_mode_best(const struct fdl_info *info)
{
	return framing_refusal(info) ? FDL_MODE_AUTO : best(info)->mode;
}

const char *fdl_mode_refusal(const struct fdl_info *info, enum fdl_mode mode)
{
	const struct io_ops *ops = find(mode);
	const char *why = framing_refusal(info);

	if (why || mode == FDL_MODE_AUTO)
		return why;
	return ops ? ops->refusal(info) : "there is no such mode";
}
