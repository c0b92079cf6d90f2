/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/locate.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "kind/table.h"

/* A text that is put together, and cut where it is full. */
struct text {
	char *at;
	size_t size, len;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t,
						      const char *fmt, ...)
{
	size_t room = t->len < t->size ? t->size - t->len : 0;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(room ? t->at + t->len : NULL, room, fmt, ap);
	va_end(ap);
	t->len += (size_t)n;
}

static bool takes(const struct kind *kind, unsigned option)
{
	return kind->options & 1u << option;
}

/* "fd:N, fd:NAME" of a kind whose name has several forms. */
static void add_names(struct text *t, const struct kind *kind)
{
	const char *form = kind->form;
	int n;

	for (;;) {
		n = (int)strcspn(form, "|");
		add(t, "%s%s:%.*s", t->len ? ", " : "", kind->locator, n, form);
		if (!form[n])
			return;
		form += n + 1;
	}
}

/* Add the forms of an address: those of all kinds that take the option. */
static void add_addresses(struct text *t, unsigned option)
{
	const struct kind *kind, *other;
	unsigned i, j;
	char sep = '=';

	for (i = 0; (kind = kind_at(i)); i++) {
		if (!takes(kind, option))
			continue;
		for (j = 0; (other = kind_at(j)) != kind; j++)
			if (takes(other, option) &&
			    !strcmp(other->form, kind->form))
				break;
		if (other != kind)
			continue;
		add(t, "%c%s", sep, kind->form);
		sep = '|';
	}
}

static void add_option(struct text *t, unsigned option)
{
	const struct locator_option_form *form = &locator_options[option];

	add(t, "%s", form->name);
	if (!form->value)
		add_addresses(t, option);
	else if (*form->value)
		add(t, "=%s", form->value);
}

static int bad_form(const struct log *log)
{
	char kinds[200] = "", options[400] = "";
	struct text names = { kinds, sizeof(kinds), 0 };
	struct text list = { options, sizeof(options), 0 };
	unsigned i;

	for (i = 0; kind_at(i); i++)
		if (kind_at(i)->locator)
			add_names(&names, kind_at(i));
	for (i = 0; i < LOCATOR_OPTIONS; i++) {
		add(&list, "%s", i ? ", " : "");
		add_option(&list, i);
	}
	log_say(log, FDL_LOG_ERR, "a locator is KIND:NAME[,OPTION]...: %s",
		kinds);
	log_say(log, FDL_LOG_ERR, "options: %s", options);
	return -EINVAL;
}

static const struct kind *find_kind(const char *name)
{
	const struct kind *kind;
	unsigned i;

	for (i = 0; (kind = kind_at(i)); i++)
		if (kind->locator && !strcmp(kind->locator, name))
			return kind;
	return NULL;
}

/* Returns the option of that name; LOCATOR_OPTIONS: there is none. */
static unsigned find_option(const char *name)
{
	unsigned i = 0;

	while (i < LOCATOR_OPTIONS && strcmp(locator_options[i].name, name))
		i++;
	return i;
}

static int refuse_option(unsigned option, const struct locator *loc,
			 const struct log *log)
{
	char takers[128] = "";
	struct text t = { takers, sizeof(takers), 0 };
	const struct kind *kind;

	for (unsigned i = 0; (kind = kind_at(i)); i++)
		if (takes(kind, option))
			add(&t, "%s%s", t.len ? ", " : "", kind->locator);
	log_say(log, FDL_LOG_ERR, "%s is no option of %s: it is for %s",
		locator_options[option].name, loc->kind->locator, takers);
	return -EINVAL;
}

static int take_value(struct locator *loc,
		      const struct locator_option_form *form, const char *value,
		      const struct log *log)
{
	const bool wanted = !form->value || *form->value;

	if (wanted ? !value || !*value : value != NULL) {
		log_say(log, FDL_LOG_ERR,
			wanted ? "option %s needs a value" :
				 "option %s takes no value",
			form->name);
		return bad_form(log);
	}
	return form->take ? form->take(loc, value, log) :
			    loc->kind->take_name(loc, loc->local, value, log);
}

/* Take one option. seen: those that were there before, by number. */
static int parse_option(struct locator *loc, char *text, unsigned *seen,
			const struct log *log)
{
	const char *name = strsep(&text, "=");
	const unsigned option = find_option(name);

	if (option == LOCATOR_OPTIONS) {
		log_say(log, FDL_LOG_ERR, "unknown option \"%.40s\"", name);
		return bad_form(log);
	}
	if (!takes(loc->kind, option))
		return refuse_option(option, loc, log);
	if (*seen & 1u << option) {
		log_say(log, FDL_LOG_ERR, "%s is there twice: keep one", name);
		return -EINVAL;
	}
	*seen |= 1u << option;
	return take_value(loc, &locator_options[option], text, log);
}

static int parse_kind(struct locator *loc, char *text, const struct log *log)
{
	const char *name = strsep(&text, ":");
	const struct kind *kind = find_kind(name);

	if (!text) {
		log_say(log, FDL_LOG_ERR, "\"%.40s\" is no locator", name);
		return bad_form(log);
	}
	if (!kind) {
		log_say(log, FDL_LOG_ERR, "unknown kind \"%.40s\"", name);
		return bad_form(log);
	}
	if (!*text && *kind->form) {
		log_say(log, FDL_LOG_ERR, "no name behind \"%s:\"", name);
		return bad_form(log);
	}
	loc->kind = kind;
	return kind->take_name(loc, loc->name, text, log);
}

/* Options that only some kinds, or some other options, go with. */
static int check_options(const struct locator *loc, const struct log *log)
{
	if (loc->wait && !loc->listen) {
		log_say(log, FDL_LOG_ERR,
			"wait needs listen: add listen, or leave out wait");
		return -EINVAL;
	}
	if (loc->wait && *loc->local) {
		log_say(log, FDL_LOG_ERR,
			"wait and local= contradict each other, as the peer "
			"%.107s may be silent for ever: leave out wait",
			loc->name);
		return -EINVAL;
	}
	if (loc->offload == LOCATOR_V1 && loc->kind->header != HEADER_AGREED) {
		log_say(log, FDL_LOG_ERR,
			"%s:%s: offload=v1 is a header that two peers agree "
			"on, and here the kernel is the peer: take offload=on",
			loc->kind->locator, loc->name);
		return -EINVAL;
	}
	return 0;
}

int locator_parse(struct locator *loc, const char *text, const struct log *log)
{
	char copy[LOCATOR_TEXT_SIZE];
	char *rest = copy, *part;
	unsigned seen = 0;
	int err;

	memset(loc, 0, sizeof(*loc));
	loc->fd = -1;
	loc->queues = 1;
	if (!text || strlen(text) >= sizeof(copy)) {
		log_say(log, FDL_LOG_ERR,
			text ? "the locator is too long" :
			       "there is no locator (NULL)");
		return bad_form(log);
	}
	strcpy(copy, text);
	err = parse_kind(loc, strsep(&rest, ","), log);
	while (!err && (part = strsep(&rest, ",")))
		err = parse_option(loc, part, &seen, log);
	return err ? err : check_options(loc, log);
}
