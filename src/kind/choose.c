/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/choose.h"

#include <stddef.h>

#include "kind/table.h"

static const char unknown[] = "it is of no kind that is known";

/* No mode reads this; options.c tells at more length. */
static const char *framing_refusal(const struct fdl_info *info)
{
	if (info->packet_info)
		return "it puts packet information before each packet";
	return NULL;
}

static const char *refusal(const struct io_ops *ops,
			   const struct fdl_info *info)
{
	return ops->refusal ? ops->refusal(info) : NULL;
}

/* How the kind has a mode; NULL: not at all. */
static const struct io_ops *served(const struct kind *kind, enum fdl_mode mode)
{
	const struct io_ops *const *ops = kind->modes;

	while (*ops && (*ops)->mode != mode)
		ops++;
	return *ops;
}

/* There is one, for none but adaptive is choosy. */
static const struct io_ops *best(const struct kind *kind,
				 const struct fdl_info *info)
{
	const struct io_ops *const *mode = kind->modes;

	while (refusal(*mode, info))
		mode++;
	return *mode;
}

const char *fdl_mode_refusal(const struct fdl_info *info, enum fdl_mode mode)
{
	const struct kind *kind = kind_in(info);
	const struct io_ops *ops, *any = io_find(mode);
	const char *why = kind ? framing_refusal(info) : unknown;

	if (why || mode == FDL_MODE_AUTO)
		return why;
	if (!any)
		return "there is no such mode";
	ops = served(kind, mode);
	return ops ? refusal(ops, info) : any->not_served;
}

enum fdl_mode fdl_mode_best(const struct fdl_info *info)
{
	if (fdl_mode_refusal(info, FDL_MODE_AUTO))
		return FDL_MODE_AUTO;
	return best(kind_in(info), info)->mode;
}

const struct io_ops *kind_choose(enum fdl_mode mode,
				 const struct fdl_info *info, const char **why)
{
	*why = fdl_mode_refusal(info, mode);
	if (*why)
		return NULL;
	return mode == FDL_MODE_AUTO ? best(kind_in(info), info) :
				       served(kind_in(info), mode);
}

enum fdl_mode kind_plainest(const struct kind *kind)
{
	const struct io_ops *const *mode = kind->modes;

	while (mode[1])
		mode++;
	return (*mode)->mode;
}
