/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <fdlink/fdlink.h>

#include "cli.h"
#include "sandbox.h"

static const struct command {
	const char *name;
	int (*function)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "connect", connect_main, "a wire between two links" },
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
	      "  -h, --help  this text; after a command, the command's\n"
	      "  --version   the version\n",
	      out);
}

/* A second line names what this build is without. */
static void say_version(void)
{
	const char *missing[] = {
#ifndef HAVE_LWIP
		" lwIP",
#endif
#ifndef HAVE_MICROHTTPD
		" libmicrohttpd",
#endif
		sandbox_missing(),
	};
	const char *words = "without";
	size_t i;

	printf("fdlink %s\n", fdl_version());
	for (i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
		if (!*missing[i])
			continue;
		printf("%s%s", words, missing[i]);
		words = "";
	}
	if (!*words)
		putchar('\n');
}

static int run(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	size_t i;

	if (!*name) {
		help(stderr);
		return STATUS_USAGE;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
		help(stdout);
		return STATUS_OK;
	}
	if (!strcmp(name, "--version")) {
		say_version();
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
	if (*name == '-')
		return cli_usage("%s is no option of 'fdlink', and a command's "
				 "come behind it: see 'fdlink --help'",
				 name);
	return cli_usage("%s is no command: see 'fdlink --help'", name);
}

/* Output that was lost is a failure, be it by a full disk. */
int main(int argc, char **argv)
{
	const int status = run(argc, argv);
	const bool lost = ferror(stdout);

	errno = 0;
	if (!fclose(stdout) && !lost)
		return status;
	fprintf(stderr,
		"fdlink: the output could not be written: %s: give it a place "
		"that has room\n",
		errno ? strerror(errno) : "an earlier write failed");
	return status ? status : STATUS_FAILURE;
}
