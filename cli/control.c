/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli.h"
#include "connect.h"

enum {
	MAX_CONNECTIONS = 16,
	PATIENCE_S = 10,	/* with a client that is silent */
};

struct control {
	struct connect_report *report;
	struct MHD_Daemon *daemon;
	struct sockaddr_un address;
	int fd;			/* that listens; -1: the daemon has closed it */
};

/* A page, and who writes it. */
static const struct page {
	const char *url;
	const char *type;
	void (*write)(struct connect_report *report, FILE *out);
} pages[] = {
	{ "/stats.json", "application/json", connect_report_json },
	{ "/metrics",
	  "application/openmetrics-text; version=1.0.0; charset=utf-8",
	  connect_report_metrics },
	{ "/link", "application/json", connect_report_links },
};

static enum MHD_Result answer(struct MHD_Connection *client, unsigned status,
			      const char *type, char *body, size_t len)
{
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(len, body,
						   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW,
					"GET, HEAD");
	result = MHD_queue_response(client, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *client, unsigned status,
			      const char *why)
{
	char *body = strdup(why);

	return body ? answer(client, status, "text/plain", body, strlen(body)) :
		      MHD_NO;
}

/* The mode of the socket file says the same, to those who obey it. */
static bool may_ask(struct MHD_Connection *client)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		client, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED,
				&peer, &len) < 0)
		return false;
	return peer.uid == 0 || peer.uid == getuid();
}

static enum MHD_Result show(const struct control *control,
			    struct MHD_Connection *client,
			    const struct page *page)
{
	char *body = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&body, &len);

	if (!out)
		return MHD_NO;
	page->write(control->report, out);
	if (fclose(out)) {
		free(body);
		return MHD_NO;
	}
	return answer(client, MHD_HTTP_OK, page->type, body, len);
}

/* Called when the headers are there, and again when the body is. */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *client,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *len, void **seen)
{
	size_t i;

	(void)version;
	(void)data;
	if (!*seen) {
		*seen = ctx;
		return MHD_YES;
	}
	if (*len) {
		*len = 0;
		return MHD_YES;
	}
	if (!may_ask(client))
		return refuse(client, MHD_HTTP_FORBIDDEN,
			      "another user's wire\n");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse(client, MHD_HTTP_METHOD_NOT_ALLOWED,
			      "there is only GET and HEAD here\n");
	for (i = 0; i < sizeof(pages) / sizeof(*pages); i++) {
		if (!strcmp(url, pages[i].url))
			return show(ctx, client, &pages[i]);
	}
	return refuse(client, MHD_HTTP_NOT_FOUND,
		      "there are /stats.json, /metrics and /link\n");
}

/* Nobody answers at a file that an earlier wire left behind. */
static bool is_left_behind(const struct sockaddr_un *address)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return false;
	rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
	rc = rc < 0 ? errno : 0;
	close(fd);
	return rc == ECONNREFUSED;
}

/* Returns 0 or an errno. */
static int bind_private(int fd, const struct sockaddr_un *address)
{
	const mode_t mask = umask(0177);
	int err = 0;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		err = errno;
	umask(mask);
	return err;
}

static int listen_at(struct control *control)
{
	const struct sockaddr_un *address = &control->address;
	int err;

	control->fd = socket(AF_UNIX,
			     SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->fd < 0)
		return errno;
	err = bind_private(control->fd, address);
	if (err == EADDRINUSE && is_left_behind(address) &&
	    !unlink(address->sun_path))
		err = bind_private(control->fd, address);
	if (err) {
		/* It is somebody else's: nothing of ours is to be removed. */
		control->address.sun_path[0] = '\0';
		return err;
	}
	return listen(control->fd, MAX_CONNECTIONS) < 0 ? errno : 0;
}

static int start(struct control *control)
{
	control->daemon = MHD_start_daemon(
		MHD_USE_EPOLL, 0, NULL, NULL, handle, control,
		MHD_OPTION_LISTEN_SOCKET, control->fd,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)MAX_CONNECTIONS,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)PATIENCE_S,
		MHD_OPTION_END);
	return control->daemon ? 0 : ENOMEM;
}

struct control *control_open(const char *path, struct connect_report *report)
{
	struct control *control = calloc(1, sizeof(*control));
	int err;

	if (!control) {
		fprintf(stderr, "fdlink: --control %s: out of memory\n", path);
		return NULL;
	}
	control->report = report;
	control->fd = -1;
	control->address.sun_family = AF_UNIX;
	err = strlen(path) < sizeof(control->address.sun_path) ? 0 :
								 ENAMETOOLONG;
	if (!err) {
		memcpy(control->address.sun_path, path, strlen(path));
		err = listen_at(control);
	}
	if (!err)
		err = start(control);
	if (!err)
		return control;
	fprintf(stderr, "fdlink: --control %s: %s%s\n", path, strerror(err),
		err == EADDRINUSE ? ": another program has it: give another "
				    "path" :
				    "");
	control_close(control);
	return NULL;
}

void control_close(struct control *control)
{
	if (!control)
		return;
	if (control->daemon)
		MHD_stop_daemon(control->daemon);
	else if (control->fd >= 0)
		close(control->fd);
	if (control->fd >= 0 && control->address.sun_path[0])
		unlink(control->address.sun_path);
	free(control);
}

int control_fd(const struct control *control)
{
	return MHD_get_daemon_info(control->daemon, MHD_DAEMON_INFO_EPOLL_FD)
		->epoll_fd;
}

void control_run(struct control *control)
{
	MHD_run(control->daemon);
}
