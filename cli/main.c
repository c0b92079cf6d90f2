/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <fdlink/fdlink.h>

#include "cli.h"

static const struct command {
	const char *name;
	int (*function)(int argc, char **argv);
	const char *help;
} commands[] = {
#ifdef HAVE_LWIP
	{ "host", host_main, "a userspace IP host on a link" },
#endif
	{ "info", info_main, "what a link is, and what it can do" },
};

static void help(FILE *out)
{
	size_t i;

	fputs("Usage: fdlink COMMAND [ARGUMENT]...\n\nCommands:\n", out);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(out, "  %-8s%s\n", commands[i].name, commands[i].help);
	fputs("\nOptions:\n"
	      "  --help     this text; after a command, the command's\n"
	      "  --version  the version\n",
	      out);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	if (!*name) {
		help(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(name, "--help")) {
		help(stdout);
		return STATUS_OK;
	}
	if (!strcmp(name, "--version")) {
		printf("fdlink %s\n", fdl_version());
		return STATUS_OK;
	}
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (!strcmp(name, commands[i].name))
			return commands[i].function(argc - 1, argv + 1);
	}
#ifndef HAVE_LWIP
	if (!strcmp(name, "host"))
		return cli_usage("this fdlink was built without lwIP, which "
				 "'host' needs: configure with -Dlwip=enabled");
#endif
	return cli_usage("%s is no command: see 'fdlink --help'", name);
}
