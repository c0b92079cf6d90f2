/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Print the library's own tables of locators, for locator_documents.py:
 *
 *	option WORD [VALUE]		VALUE "ADDRESS": as the kind's name
 *	kind WORD FORM [OPTION]...	FORM "NOTHING": it has no name
 */
#include <stdio.h>

#include "kind/table.h"

int main(void)
{
	const struct locator_option_form *form;
	const struct kind *kind;
	unsigned i, option;

	for (option = 0; option < LOCATOR_OPTIONS; option++) {
		form = &locator_options[option];
		printf("option %s %s\n", form->name,
		       form->value ? form->value : "ADDRESS");
	}
	for (i = 0; (kind = kind_at(i)); i++) {
		if (!kind->locator)
			continue;
		printf("kind %s %s", kind->locator,
		       *kind->form ? kind->form : "NOTHING");
		for (option = 0; option < LOCATOR_OPTIONS; option++)
			if (kind->options & 1u << option)
				printf(" %s", locator_options[option].name);
		printf("\n");
	}
	return 0;
}
