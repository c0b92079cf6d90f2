/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/table.h"

#include <stddef.h>

/*
 * A new kind is a row here. The grammar shows them in this order, and an fd is
 * offered to them in it: who owns a special sort of fd stands before who owns
 * all.
 */
#define KINDS(row)              \
	row(kind_tap) row(kind_tun) row(kind_packet) row(kind_seqpacket) \
		row(kind_unixgram) row(kind_given)

#define DECLARE(name)	extern const struct kind name;
#define ADDRESS(name)	&name,

KINDS(DECLARE)

static const struct kind *const kinds[] = { KINDS(ADDRESS) };

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

const struct kind *kind_owning(const struct fd_facts *facts)
{
	const struct kind *kind;
	unsigned i;

	for (i = 0; (kind = kind_at(i)); i++)
		if (kind->owns && kind->owns(facts))
			return kind;
	return NULL;
}

const char *fdl_kind_name(enum fdl_kind number)
{
	const struct kind *kind = kind_of(number);

	return kind ? kind->name : NULL;
}
