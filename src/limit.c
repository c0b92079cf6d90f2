/* SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "os.h"

/* Read the limit of the whole system. "": it cannot be read, for that takes a
 * descriptor too. */
static void read_file_max(char text[24])
{
	int fd = os_open("/proc/sys/fs/file-max", O_RDONLY);
	ssize_t n = 0;

	if (fd >= 0) {
		n = os_read(fd, text, 23);
		os_close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

const char *limit_text(char text[LIMIT_TEXT], int err)
{
	char max[24];

	switch (err) {
	case -EMFILE:
		snprintf(text, LIMIT_TEXT,
			 "%s, the process may have %llu (RLIMIT_NOFILE)",
			 strerror(EMFILE), os_fd_limit());
		break;
	case -ENFILE:
		read_file_max(max);
		snprintf(text, LIMIT_TEXT, "%s, it may have %s (fs.file-max)",
			 strerror(ENFILE), *max ? max : "no more");
		break;
	default:
		snprintf(text, LIMIT_TEXT, "%s", strerror(-err));
		break;
	}
	return text;
}

void limit_release(struct limit_log *l)
{
	if (l->held)
		log_say(&l->to, FDL_LOG_ERR, "%s", l->text);
	l->said |= l->held;
	l->held = false;
}

static void hold(void *ctx, int level, const char *msg)
{
	struct limit_log *l = ctx;

	limit_release(l);
	if (level != FDL_LOG_ERR) {
		log_say(&l->to, level, "%s", msg);
		return;
	}
	snprintf(l->text, sizeof(l->text), "%s", msg);
	l->held = true;
}

void limit_begin(struct limit_log *l, const struct log *to)
{
	l->log = (struct log){ hold, l };
	l->to = *to;
	l->held = false;
	l->said = false;
}

void limit_forget(struct limit_log *l)
{
	l->held = false;
	l->said = true;
}

static bool is_lack(int err)
{
	return err == -EMFILE || err == -ENFILE;
}

static const char *raise_by(int err)
{
	return err == -EMFILE ? "ulimit -n" : "sysctl fs.file-max";
}

bool limit_warn(const struct log *log, int err, const char *what,
		const char *why)
{
	char text[LIMIT_TEXT];

	if (!is_lack(err))
		return false;
	log_say(log, FDL_LOG_WARNING, "%.80s: %s: %s: raise that with '%s'",
		what, why, limit_text(text, err), raise_by(err));
	return true;
}

void limit_end(struct limit_log *l, int err, const char *what, unsigned needs)
{
	char text[LIMIT_TEXT], needed[48] = "";

	if (!is_lack(err)) {
		limit_release(l);
		if (err < 0 && !l->said)
			log_say(&l->to, FDL_LOG_ERR, "%.80s: %s", what,
				strerror(-err));
		return;
	}
	if (needs)
		snprintf(needed, sizeof(needed), " needs up to %u descriptors",
			 needs);
	log_say(&l->to, FDL_LOG_ERR, "%.80s%s: %s: raise that with '%s'", what,
		needed, limit_text(text, err), raise_by(err));
}
