/* SPDX-License-Identifier: Apache-2.0 */
/* Without libmicrohttpd there is no control socket: its option is refused. */
#include "control.h"

#include <stddef.h>

struct control *control_open(const char *path, struct connect_report *report,
			     struct cable *cable)
{
	(void)path;
	(void)report;
	(void)cable;
	return NULL;
}

void control_close(struct control *control)
{
	(void)control;
}

int control_fd(const struct control *control)
{
	(void)control;
	return -1;
}

void control_run(struct control *control)
{
	(void)control;
}

bool control_holds(const struct control *control)
{
	(void)control;
	return false;
}
