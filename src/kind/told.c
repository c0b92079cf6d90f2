/* SPDX-License-Identifier: Apache-2.0 */
#include "kind/told.h"

#include <errno.h>
#include <linux/filter.h>
#include <string.h>
#include <sys/socket.h>

#include "os.h"

enum {
	/* Bytes. A filter sees no longer message of fdlink's. */
	ALL = UINT16_MAX,
};

enum effect {
	PASSES_WHOLE,
	CUTS,
	UNKNOWN,
};

bool told_any(int fd, const int *names, unsigned n)
{
	socklen_t len = sizeof(int);
	int value = 0;

	while (n-- > 0)
		if (!os_getsockopt(fd, SOL_SOCKET, names[n], &value, &len) &&
		    value)
			return true;
	return false;
}

/* A filter returns how many bytes may pass. 0 drops the message, which is what
 * filters are for. */
static enum effect effect_of(const struct sock_filter *code, unsigned n)
{
	enum effect effect = PASSES_WHOLE;
	unsigned i;

	for (i = 0; i < n; i++) {
		if (BPF_CLASS(code[i].code) != BPF_RET)
			continue;
		if (BPF_RVAL(code[i].code) != BPF_K)
			effect = UNKNOWN;
		else if (code[i].k && code[i].k < ALL)
			return CUTS;
	}
	return effect;
}

/* The kernel counts the length in instructions. If the program is not classic
 * BPF, the kernel only says that there is one. */
static enum effect look(int fd)
{
	struct sock_filter code[BPF_MAXINSNS];
	socklen_t n = BPF_MAXINSNS;
	int err = os_getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, code, &n);

	if (err)
		return err == -EACCES ? UNKNOWN : PASSES_WHOLE;
	return effect_of(code, n);
}

int told_filter(int fd, const struct log *log)
{
	enum effect effect = look(fd);

	if (effect == CUTS)
		log_say(log, FDL_LOG_ERR,
			"fd %d has a socket filter that cuts messages short, "
			"and no message shows that: let it return 0 or %d, or "
			"take it off by SO_DETACH_FILTER",
			fd, ALL);
	else if (effect == UNKNOWN)
		log_say(log, FDL_LOG_WARNING,
			"fd %d has a socket filter that cannot be looked into: "
			"if it cuts messages short, take it off by "
			"SO_DETACH_FILTER, or frames arrive cut",
			fd);
	return effect == CUTS ? -EOPNOTSUPP : 0;
}
