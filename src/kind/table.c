/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/table.h"

#include <stddef.h>
#include <string.h>

/* Each has a file. */
extern const struct kind kind_tap, kind_tun, kind_macvtap, kind_packet,
	kind_seqpacket, kind_stream, kind_unixgram, kind_vfkit, kind_udp,
	kind_null, kind_pair, kind_given;

/*
 * A new kind is a row here, and a name above. Messages show the kinds in this
 * order. A special sort of a kind stands behind that kind: of several rows that
 * own an fd, the last one has it.
 */
static const struct kind *const kinds[] = {
	&kind_tap,	 &kind_tun,    &kind_macvtap,  &kind_packet,
	&kind_seqpacket, &kind_stream, &kind_unixgram, &kind_vfkit,
	&kind_udp,	 &kind_null, &kind_pair,   &kind_given,
};

const struct kind *kind_at(unsigned i)
{
	return i < sizeof(kinds) / sizeof(kinds[0]) ? kinds[i] : NULL;
}

const struct kind *kind_of(enum fdl_kind number)
{
	const struct kind *kind;
	unsigned i;

	for (i = 0; (kind = kind_at(i)); i++)
		if (kind->name && kind->number == number)
			return kind;
	return NULL;
}

const struct kind *kind_in(const struct fdl_info *info)
{
	const struct kind *kind;
	unsigned i;

	if (!info->kind_name)
		return kind_of(info->kind);
	for (i = 0; (kind = kind_at(i)); i++)
		if (kind->name && !strcmp(kind->name, info->kind_name))
			return kind;
	return NULL;
}

const struct kind *kind_owning(const struct fd_facts *facts)
{
	const struct kind *kind, *owner = NULL;
	unsigned i;

	for (i = 0; (kind = kind_at(i)); i++)
		if (kind->owns && kind->owns(facts))
			owner = kind;
	return owner;
}

const char *fdl_kind_name(enum fdl_kind number)
{
	const struct kind *kind = kind_of(number);

	return kind ? kind->name : NULL;
}
